// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/mirror.h"

#include "unit/catch.h"

namespace vrnic::setup {

TEST_CASE("the mirror is the one that this machine uses for its own release") {
    const auto mirror = mirror_from_targets(
        "http://other.example/apt/ nodistro main $(ALLOW_INSECURE)\n"
        "http://mirror.example/debian/ bookworm contrib $(ALLOW_INSECURE)\n"
        "http://mirror.example/debian/ bookworm main $(ALLOW_INSECURE)\n"
        "http://second.example/debian/ bookworm main $(ALLOW_INSECURE)\n"
        "http://sec.example/debian-security/ bookworm-security main $(ALLOW_INSECURE)\n",
        "bookworm");
    REQUIRE(mirror);
    CHECK(mirror->archive == "http://mirror.example/debian/");
    CHECK(mirror->security == "http://sec.example/debian-security/");
    CHECK(mirror->options.empty());
}

TEST_CASE("a machine without a Debian source is told what to add") {
    const auto mirror =
        mirror_from_targets("http://other.example/apt/ nodistro main x\n", "bookworm");
    REQUIRE_FALSE(mirror);
    CHECK(mirror.error().message.find("/etc/apt/sources.list") != std::string::npos);
}

TEST_CASE("sources of another release come from the same places") {
    const Mirror mirror{"http://m/debian/", "http://s/", "trusted=yes"};
    const auto list = sources_list(mirror, "trixie", false);
    CHECK(list.find("deb [trusted=yes] http://m/debian/ trixie main\n") != std::string::npos);
    CHECK(list.find("deb-src [trusted=yes] http://m/debian/ trixie main\n") != std::string::npos);
    CHECK(list.find("deb [trusted=yes] http://s/ trixie-security main\n") != std::string::npos);
    CHECK(list.find("backports") == std::string::npos);
    CHECK(sources_list(mirror, "bookworm", true).find(" bookworm-backports main\n") !=
          std::string::npos);
    CHECK(sources_list({"http://m/", "", "x"}, "trixie", false).find("security") ==
          std::string::npos);
}

TEST_CASE("only what says how to reach a mirror is taken from apt's configuration") {
    const auto settings = transport_settings(
        "APT::Update::Post-Invoke:: \"rm -f /var/cache/apt/archives/*.deb\";\n"
        "Acquire::http::Proxy \"http://proxy:3128\";\n"
        "Acquire::Languages \"none\";\n"
        "Acquire::Check-Valid-Until \"false\";\n");
    CHECK(settings ==
          "Acquire::http::Proxy \"http://proxy:3128\";\nAcquire::Check-Valid-Until \"false\";\n");
}

}  // namespace vrnic::setup
