// SPDX-License-Identifier: GPL-2.0-or-later
// Includes point only the way docs/design.md says:
//   loader, qemu → engine → uapi; in the engine: control, ethernet, rdma → roce, faults, capture → host → base.
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <string>
#include <vector>

#include "unit/catch.h"

namespace fs = std::filesystem;

namespace {

// A file may include what has its own rank or a lower one.
const std::map<std::string, int> kEngineRanks = {
    {"base", 0}, {"host", 1}, {"capture", 2}, {"faults", 2}, {"roce", 2},
    {"control", 3}, {"ethernet", 3}, {"rdma", 3}, {"streams", 3},
};
constexpr int kEngineTop = 4;  // engine.h, engine.cpp

struct Include {
    fs::path file;
    int line;
    std::string target;
    bool quoted;
};

std::vector<Include> includes_below(const fs::path& root) {
    static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
    std::vector<Include> out;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
        const auto extension = entry.path().extension();
        if (extension != ".h" && extension != ".cpp" && extension != ".c") continue;
        std::ifstream in(entry.path());
        std::string text;
        std::smatch match;
        for (int line = 1; std::getline(in, text); ++line)
            if (std::regex_search(text, match, pattern))
                out.push_back({entry.path(), line, match[2], match[1] == "\""});
    }
    REQUIRE(out.size() > 10);  // the right place
    return out;
}

const fs::path kSource = VRNIC_SOURCE_DIR;
const fs::path kEngine = kSource / "qemu-device" / "engine";

std::string first_part(const fs::path& path) {
    return path.begin() == path.end() ? "" : path.begin()->string();
}

// Rank of a file by its path below engine/; nothing for one that is not there.
int rank_of(const fs::path& relative) {
    if (relative.has_parent_path()) {
        const auto found = kEngineRanks.find(first_part(relative));
        REQUIRE(found != kEngineRanks.end());
        return found->second;
    }
    return kEngineTop;
}

bool is_abi_header(const std::string& target) { return fs::exists(kSource / "uapi" / target); }

}  // namespace

TEST_CASE("the engine's layers include only what lies below them") {
    for (const Include& include : includes_below(kEngine)) {
        const fs::path relative = fs::relative(include.file, kEngine);
        CAPTURE(relative.string(), include.line, include.target);
        if (!include.quoted || is_abi_header(include.target)) continue;
        // By their place in the engine, never relative to the file.
        REQUIRE(fs::exists(kEngine / include.target));
        CHECK(rank_of(include.target) <= rank_of(relative));
    }
}

TEST_CASE("the engine includes no header of QEMU or GLib") {
    static const std::regex foreign("^(qemu|hw|exec|sysemu|system|qapi|net|qom|block|glib|gio)(/|\\.h)");
    for (const Include& include : includes_below(kEngine)) {
        CAPTURE(include.file.string(), include.line, include.target);
        CHECK_FALSE(std::regex_search(include.target, foreign));
    }
}

TEST_CASE("there is one copy of each ABI header") {
    std::map<std::string, int> copies;
    for (const auto& entry : fs::directory_iterator(kSource / "uapi"))
        if (entry.path().extension() == ".h") copies[entry.path().filename()] = 0;
    REQUIRE(copies.size() >= 4);
    for (const char* part : {"uapi", "qemu-device", "guest-driver", "guest-lib", "runner", "tests"}) {
        if (!fs::exists(kSource / part)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(kSource / part)) {
            if (entry.path().parent_path().filename() == "older") continue;  // frozen, for tests
            const auto found = copies.find(entry.path().filename());
            if (found != copies.end()) ++found->second;
        }
    }
    for (const auto& [name, count] : copies) {
        CAPTURE(name);
        CHECK(count == 1);
    }
}

TEST_CASE("driver, library, runner and system tests include nothing of the device") {
    for (const char* part : {"guest-driver", "guest-lib", "runner"}) {
        if (!fs::exists(kSource / part)) continue;
        for (const Include& include : includes_below(kSource / part)) {
            CAPTURE(include.file.string(), include.line, include.target);
            if (!include.quoted) continue;
            const fs::path near = include.file.parent_path() / include.target;
            const bool own = fs::exists(near) || fs::exists(kSource / part / include.target);
            CHECK((own || is_abi_header(include.target) || !fs::exists(kEngine / include.target)));
        }
    }
}
