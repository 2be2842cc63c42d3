// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/leaks.h"

#include "unit/catch.h"
#include "vm/kernel_log.h"

namespace vrnic::agent {

TEST_CASE("each leaked object is a line that says who allocated it") {
    const auto leaks = summarize_leaks(
        "unreferenced object 0xffff888004a5c000 (size 4096):\n"
        "  comm \"insmod\", pid 77, jiffies 4294912345\n"
        "  hex dump (first 32 bytes):\n"
        "    00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  ................\n"
        "  backtrace (crc 1a2b3c4d):\n"
        "    __kmalloc_cache_noprof+0x123/0x456\n"
        "    vrnic_probe+0x12/0x340 [vrnic]\n"
        "unreferenced object 0xffff888004a5d000 (size 8):\n"
        "  comm \"kworker/0:1\", pid 9, jiffies 4294912346 (age 12.3s)\n"
        "  backtrace:\n"
        "    [<00000000a1b2c3d4>] kmalloc_trace+0x1/0x2\n"
        "    [<00000000a1b2c3d5>] f+0x1/0x2\n");
    REQUIRE(leaks.size() == 2);
    CHECK(leaks[0] ==
          "kmemleak: 4096 bytes leaked by \"insmod\": __kmalloc_cache_noprof < vrnic_probe");
    CHECK(leaks[1] == "kmemleak: 8 bytes leaked by \"kworker/0:1\": kmalloc_trace < f");
    for (const auto& leak : leaks) {
        const auto complaints = runner::find_complaints(leak);
        REQUIRE(complaints.size() == 1);
        CHECK(complaints[0].kind == runner::Complaint::defect);
    }
}

TEST_CASE("a report that is cut off or empty is no trouble") {
    CHECK(summarize_leaks("").empty());
    CHECK(summarize_leaks("  comm \"a\", pid 1\n  backtrace:\n    f+0x1\n").empty());
    CHECK(summarize_leaks("unreferenced object 0xffff").size() == 1);
}

}  // namespace vrnic::agent
