// SPDX-License-Identifier: GPL-2.0-or-later
// Each of the debug kernel's checkers is given a mistake: the run ends with 120 and says which.
#include <array>
#include <regex>

#include "case_table.h"
#include "unit/catch.h"
#include "vrnic_run.h"

namespace vrnic::runner_test {
namespace {

struct Mistake {
    const char* name;   // of tests/runner/guest/vrnic_faults.c
    const char* found;  // ECMAScript regular expression, in the one line
};

constexpr std::array mistakes{
    Mistake{"leak", "kmemleak: 256 bytes leaked by \"insmod\": .*do_leak"},
    Mistake{"use-after-free", "BUG: KASAN: slab-use-after-free in do_use_after_free"},
    Mistake{"out-of-bounds", "BUG: KASAN: slab-out-of-bounds in do_out_of_bounds"},
    Mistake{"lock-order", "possible circular locking dependency detected"},
    Mistake{"sleep",
            "BUG: (sleeping function called from invalid context|scheduling while atomic)"},
    Mistake{"list", "list_add double add"},
    Mistake{"refcount", "refcount_t: addition on 0; use-after-free"},
    Mistake{"shift", "UBSAN: shift-out-of-bounds in .*vrnic_faults.c"},
    Mistake{"timer", "ODEBUG: free active .* object type: timer_list"},
    Mistake{"dma",
            "DMA-API: vrnic .*: device driver tries to free DMA memory it has not allocated"},
};

void judge(const Mistake& mistake) {
    EventLoop loop;
    const std::string insmod = "insmod /share/vrnic_faults.ko fault=";
    VrnicRun run(loop, {"run", "--share", modules_folder(), insmod + mistake.name + "; true"});
    const int status = run.wait();
    INFO(run.output());
    CHECK(status == 120);
    REQUIRE(run.explanations().size() == 1);
    CHECK(std::regex_search(run.explanations()[0], std::regex(mistake.found)));
    std::filesystem::remove_all(run.evidence());
}

const CaseTable<mistakes, judge> cases("the debug kernel finds: ");

}  // namespace

TEST_CASE("the debug kernel has nothing to say of a run without mistakes") {
    EventLoop loop;
    VrnicRun run(loop,
                 {"run", "ibv_rc_pingpong -d $DEV -g $GID", "ibv_rc_pingpong -d $DEV -g $GID vm1"});
    const int status = run.wait();
    INFO(run.output());
    CHECK(status == 0);
    CHECK(run.output().find("warning: ") == std::string::npos);
    CHECK(run.explanations().empty());
}

}  // namespace vrnic::runner_test
