// SPDX-License-Identifier: GPL-2.0-or-later
// The cache: a warm one needs no mirror, and it can be emptied.
#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>

#include "base/unique_fd.h"
#include "unit/catch.h"
#include "vrnic_run.h"

namespace vrnic::runner_test {
namespace {

namespace fs = std::filesystem;
using runner::testing::ScratchFolder;

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("cache: a warm one needs no mirror; a cold one without a mirror is a set-up fault") {
    EventLoop loop;
    ScratchFolder folder;
    // Nothing listens on port 9; the mirror's address stays, and cannot be reached.
    const auto config = folder.write("apt.conf",
                                     "Acquire::http::Proxy \"http://127.0.0.1:9\";\n"
                                     "Acquire::https::Proxy \"http://127.0.0.1:9\";\n");
    const Environment cut_off{{"APT_CONFIG", config.string()},
                              {"http_proxy", "http://127.0.0.1:9"},
                              {"https_proxy", "http://127.0.0.1:9"}};
    VrnicRun warm(loop, {"run", "true", "ping -c 1 vm1"}, cut_off);
    const int status = warm.wait();
    INFO(warm.output());
    CHECK(status == 0);

    auto elsewhere = cut_off;
    elsewhere.emplace_back("VRNIC_CACHE", folder.file("cold").string());
    VrnicRun cold(loop, {"run", "true"}, elsewhere);
    CHECK(cold.wait() == 125);
    CHECK(contains(cold.output(), "vrnic: cannot reach the Debian mirror for "));
    // Said before anything is fetched: where it goes.
    CHECK(contains(cold.output(), "prepared in " + folder.file("cold").string()));
}

TEST_CASE("cache: clean empties it, tells place and size, and leaves what is not vrnic's") {
    EventLoop loop;
    ScratchFolder folder;
    const fs::path cache = folder.file("vrnic");
    fs::create_directories(cache / "guest-debian13-0123456789ab/usr");
    fs::create_directories(cache / "runs/20260101-000000-abcdef");
    folder.write("vrnic/guest-debian13-0123456789ab/usr/file", std::string(3'000'000, 'x'));
    folder.write("vrnic/kernel-6.12-0123456789ab.lock", "");
    folder.write("vrnic/accelerator", "tcg\n");
    folder.write("vrnic/letter.txt", "mine");
    const Environment there{{"XDG_CACHE_HOME", folder.path().string()}, {"VRNIC_CACHE", ""}};
    const std::string place = cache.string() + ": 3 MB";

    VrnicRun dry(loop, {"clean", "--dry-run"}, there);
    CHECK(dry.wait() == 0);
    CHECK(contains(dry.output(), place));
    CHECK(fs::exists(cache / "guest-debian13-0123456789ab"));

    {  // as another vrnic holds it
        const runner::UniqueFd user(::open((cache / "in-use.lock").c_str(), O_RDWR | O_CLOEXEC));
        REQUIRE(::flock(user.get(), LOCK_SH) == 0);
        VrnicRun refused(loop, {"clean"}, there);
        CHECK(refused.wait() == 1);
        CHECK(contains(refused.output(), "another vrnic uses " + cache.string()));
        CHECK(fs::exists(cache / "guest-debian13-0123456789ab"));
    }

    VrnicRun clean(loop, {"clean"}, there);
    CHECK(clean.wait() == 0);
    CHECK(contains(clean.output(), place));
    for (const char* gone :
         {"guest-debian13-0123456789ab", "runs", "accelerator", "kernel-6.12-0123456789ab.lock"})
        CHECK_FALSE(fs::exists(cache / gone));
    CHECK(fs::exists(cache / "letter.txt"));
}

}  // namespace vrnic::runner_test
