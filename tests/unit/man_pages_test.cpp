// SPDX-License-Identifier: GPL-2.0-or-later
// Each function of libvrnic has its man page, and no man page has one that there is not.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "unit/catch.h"

namespace fs = std::filesystem;

namespace {

const fs::path kGuestLib = fs::path(VRNIC_SOURCE_DIR) / "guest-lib";

std::set<std::string> names_in(const fs::path& file, const std::regex& pattern) {
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::set<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at)
        out.insert((*at)[1]);
    return out;
}

}  // namespace

TEST_CASE("libvrnic's functions and its man pages are the same") {
    const auto declared = names_in(kGuestLib / "libvrnic" / "vrnicdv.h",
                                   std::regex(R"((?:int |\*)(vrnicdv_\w+)\()"));
    std::set<std::string> described;
    for (const auto& page : fs::directory_iterator(kGuestLib / "man"))
        described.merge(names_in(page.path(), std::regex(R"re(\.Fn (vrnicdv_\w+) ")re")));
    CHECK(declared.size() > 30);
    CHECK(declared == described);
}
