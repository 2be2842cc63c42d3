// SPDX-License-Identifier: GPL-2.0-or-later
// docs/wire.md and docs/verbs.md name the tests that show what they say.
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

// The sources of all tests that a page may name. A name may be broken over lines.
std::string all_tests() {
    std::string all;
    for (const char* folder : {"unit", "sim", "system", "faults", "ulp", "verbs"})
        for (const auto& entry : fs::recursive_directory_iterator(kSource / "tests" / folder))
            if (entry.is_regular_file() && entry.path().stem() != "docs_test")
                all += read(entry.path());
    return std::regex_replace(all, std::regex("\"\\s+\""), "");
}

// How many tests the page names, in quotes, behind this heading. Each has to be there.
std::size_t check_names(const char* page_name, const char* heading) {
    const std::string page = read(kSource / "docs" / page_name);
    const std::size_t begin = page.find(heading);
    REQUIRE(begin != std::string::npos);
    const std::string tests = all_tests();
    static const std::regex quoted("\"[^\"]+\"");
    std::size_t count = 0;
    for (std::sregex_iterator
             at(page.begin() + static_cast<std::ptrdiff_t>(begin), page.end(), quoted),
         end;
         at != end; ++at, ++count) {
        INFO((*at)[0].str());
        CHECK(tests.find((*at)[0].str()) != std::string::npos);
    }
    return count;
}

}  // namespace

TEST_CASE("the tests that docs/wire.md names are there") {
    CHECK(check_names("wire.md", "## Shown by") > 40);
}

TEST_CASE("the tests that docs/verbs.md names are there") {
    CHECK(check_names("verbs.md", "## Asynchronous events") > 12);
}
