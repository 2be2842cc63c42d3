// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/console_log.h"

#include <fstream>
#include <iterator>

#include "scratch_file.h"
#include "unit/catch.h"

namespace vrnic::runner {
namespace {

std::string read_all(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("a console's complaints are told once, by whole lines") {
    testing::ScratchFolder folder;
    ConsoleLog log(folder.file("console"));
    CHECK(log.new_complaints().empty());
    log.take("WARN");
    CHECK(log.new_complaints().empty());
    log.take("ING: one\nBUG: t");
    CHECK(log.new_complaints().size() == 1);
    log.take("wo\n");
    const auto second = log.new_complaints();
    REQUIRE(second.size() == 1);
    CHECK(second[0].line == "BUG: two");
    CHECK(log.new_complaints().empty());
    CHECK(read_all(folder.file("console")) == "WARNING: one\nBUG: two\n");
}

TEST_CASE("a flooded console keeps its begin and its end, and a panic there is found") {
    testing::ScratchFolder folder;
    constexpr std::uint64_t most = 100'000;
    ConsoleLog log(folder.file("console"), most);
    log.take("Linux version 6\n");
    for (int i = 0; i < 10'000; ++i) log.take("WARNING: the same again and again and again\n");
    log.take("Kernel panic - not syncing: at last\n");
    const auto found = log.new_complaints();
    REQUIRE_FALSE(found.empty());
    CHECK(found.size() < 100);
    CHECK(found.back().kind == Complaint::panic);
    const auto kept = read_all(folder.file("console"));
    CHECK(kept.size() <= most);
    CHECK(kept.starts_with("Linux version 6\n"));
    CHECK(kept.find("left out here") != std::string::npos);
    CHECK(kept.ends_with("Kernel panic - not syncing: at last\n"));
}

}  // namespace vrnic::runner
