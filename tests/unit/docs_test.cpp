// SPDX-License-Identifier: GPL-2.0-or-later
// docs/wire.md names the tests that show its rules.
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "unit/catch.h"

namespace fs = std::filesystem;

namespace {

const fs::path kSource = VRNIC_SOURCE_DIR;

std::string read(const fs::path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// All tests of the engine and of the simulator. A name may be broken over lines.
std::string all_tests() {
    std::string all;
    for (const char* folder : {"unit", "sim"})
        for (const auto& entry : fs::recursive_directory_iterator(kSource / "tests" / folder))
            if (entry.path().extension() == ".cpp" && entry.path().stem() != "docs_test")
                all += read(entry.path());
    all = std::regex_replace(all, std::regex("\"\\s+\""), "");
    return std::regex_replace(all, std::regex("\\(\\s+\""), "(\"");
}

}  // namespace

TEST_CASE("the tests that docs/wire.md names are there") {
    const std::string page = read(kSource / "docs" / "wire.md");
    const std::size_t begin = page.find("## Shown by");
    REQUIRE(begin != std::string::npos);
    const std::string tests = all_tests();
    static const std::regex quoted("\"([^\"]+)\"");
    std::size_t count = 0;
    for (std::sregex_iterator
             at(page.begin() + static_cast<std::ptrdiff_t>(begin), page.end(), quoted),
         end;
         at != end; ++at, ++count) {
        const std::string name = "(\"" + (*at)[1].str() + "\"";
        INFO((*at)[1].str());
        CHECK(tests.find(name) != std::string::npos);
    }
    CHECK(count > 40);
}
