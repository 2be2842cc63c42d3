// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/mirror.h"

#include <array>
#include <filesystem>
#include <sstream>

namespace vrnic::setup {
namespace {

constexpr std::string_view debian_keys = "/usr/share/keyrings/debian-archive-keyring.gpg";

std::string os_release(std::string_view name) {
    const auto text = read_text("/etc/os-release");
    if (!text) return {};
    std::istringstream in(*text);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(name) && line.size() > name.size() && line[name.size()] == '=') {
            std::string value = line.substr(name.size() + 1);
            std::erase(value, '"');
            return value;
        }
    return {};
}

}  // namespace

Result<Mirror> mirror_from_targets(std::string_view targets, std::string_view codename) {
    Mirror mirror;
    std::istringstream in{std::string(targets)};
    for (std::string line; std::getline(in, line);) {
        std::istringstream fields(line);
        std::string address, release, component, insecure;
        fields >> address >> release >> component >> insecure;
        if (component != "main") continue;
        if (release == codename && mirror.archive.empty()) {
            mirror.archive = address;
            if (insecure == "true") mirror.options = "trusted=yes";
        }
        const bool security = release == fmt::format("{}-security", codename) ||
                              release == fmt::format("{}/updates", codename);
        if (security && mirror.security.empty()) mirror.security = address;
    }
    if (mirror.archive.empty())
        return setup_error(
            "apt on this machine has no source for Debian {} main; add a mirror to "
            "/etc/apt/sources.list "
            "(deb ADDRESS {} main)",
            codename, codename);
    return mirror;
}

Result<Mirror> machine_mirror() {
    const auto targets = tool_output({"apt-get", "indextargets", "--no-release-info", "--format",
                                      "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ALLOW_INSECURE)",
                                      "Created-By: Packages"});
    if (!targets)
        return setup_error(
            "cannot read this machine's apt sources; does `apt-get indextargets` work?");
    return mirror_from_targets(*targets, os_release("VERSION_CODENAME"));
}

std::string sources_list(const Mirror& mirror, std::string_view release, bool with_backports) {
    std::string options = mirror.options;
    std::error_code error;
    if (options.empty() && std::filesystem::exists(debian_keys, error))
        options = fmt::format("signed-by={}", debian_keys);

    std::string list;
    for (const auto* type : {"deb", "deb-src"}) {
        const auto add = [&](const std::string& address, std::string_view suffix) {
            list += fmt::format("{} [{}] {} {}{} main\n", type, options, address, release, suffix);
        };
        add(mirror.archive, "");
        add(mirror.archive, "-updates");
        if (with_backports) add(mirror.archive, "-backports");
        if (!mirror.security.empty()) add(mirror.security, "-security");
    }
    return list;
}

std::string transport_settings(std::string_view apt_config_dump) {
    constexpr std::array<std::string_view, 6> wanted = {"Acquire::http",     "Acquire::https",
                                                        "Acquire::ForceIPv", "Acquire::Check-",
                                                        "Acquire::Allow",    "Acquire::Max-"};
    std::string settings;
    std::istringstream in{std::string(apt_config_dump)};
    for (std::string line; std::getline(in, line);)
        for (const auto prefix : wanted)
            if (line.starts_with(prefix)) {
                settings += line + "\n";
                break;
            }
    return settings;
}

}  // namespace vrnic::setup
