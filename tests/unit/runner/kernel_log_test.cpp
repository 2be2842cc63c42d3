// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/kernel_log.h"

#include "unit/catch.h"
#include "unit/runner/scratch_file.h"

namespace vrnic::runner {

TEST_CASE("complaints are found in their kinds, without time stamps") {
    struct Row {
        const char* line;
        Complaint kind;
    };
    const Row rows[] = {
        {"[   12.3] Kernel panic - not syncing: sysrq triggered crash", Complaint::panic},
        {"[   12.3] Oops: 0000 [#1] PREEMPT SMP NOPTI", Complaint::oops},
        {"[   12.3] BUG: kernel NULL pointer dereference, address: 0", Complaint::oops},
        {"[   12.3] BUG: KASAN: slab-use-after-free in f+0x1/0x2", Complaint::warning},
        {"[   12.3] WARNING: CPU: 0 PID: 12 at mm/slub.c:1 f+0x1/0x2", Complaint::warning},
        {"[   12.3] WARNING: possible circular locking dependency detected", Complaint::warning},
        {"[   12.3] INFO: task rmmod:77 blocked for more than 120 seconds.", Complaint::warning},
    };
    for (const auto& row : rows) {
        const auto found = find_complaints(row.line);
        REQUIRE(found.size() == 1);
        CHECK(found[0].kind == row.kind);
        CHECK(found[0].line == std::string(row.line).substr(10));
    }
}

TEST_CASE("what a healthy guest prints is no complaint") {
    CHECK(find_complaints("[ 0.1] Linux version 6.12\n<6>[ 0.2] vrnic: loading out-of-tree module "
                          "taints kernel.\n[ 1.0] debug: warning: low\n")
              .empty());
}

TEST_CASE("a console is read once, by whole lines") {
    testing::ScratchFolder folder;
    ConsoleReader reader(folder.file("console"));
    CHECK(reader.new_complaints().empty());
    folder.write("console", "WARN");
    CHECK(reader.new_complaints().empty());
    folder.write("console", "ING: one\nBUG: t");
    CHECK(reader.new_complaints().size() == 1);
    folder.write("console", "wo\n");
    const auto second = reader.new_complaints();
    REQUIRE(second.size() == 1);
    CHECK(second[0].line == "BUG: two");
    CHECK(reader.new_complaints().empty());
}

TEST_CASE("a panic behind a flooded console is found") {
    testing::ScratchFolder folder;
    ConsoleReader reader(folder.file("console"));
    std::string flood;
    while (flood.size() < 20'000'000) flood += "WARNING: the same again and again and again\n";
    folder.write("console", flood + "Kernel panic - not syncing: at last\n");
    const auto found = reader.new_complaints();
    REQUIRE_FALSE(found.empty());
    CHECK(found.size() < 100);
    CHECK(found.back().kind == Complaint::panic);
}

}  // namespace vrnic::runner
