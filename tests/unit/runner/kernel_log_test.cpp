// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/kernel_log.h"

#include "unit/catch.h"

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
        {"[   12.3] WARNING: CPU: 0 PID: 12 at mm/slub.c:1 f+0x1/0x2", Complaint::warning},
        {"[   12.3] watchdog: BUG: soft lockup - CPU#0 stuck for 131s! [a:1]", Complaint::warning},
        {"[   12.3] INFO: task rmmod:77 blocked for more than 120 seconds.", Complaint::warning},
    };
    for (const auto& row : rows) {
        const auto found = find_complaints(row.line);
        REQUIRE(found.size() == 1);
        CHECK(found[0].kind == row.kind);
        CHECK(found[0].line == std::string(row.line).substr(10));
    }
}

TEST_CASE("what a debug kernel's checkers report are defects") {
    const char* lines[] = {
        "BUG: KASAN: slab-use-after-free in vrnic_eq_poll+0x1/0x2 [vrnic]",
        "BUG: Bad page state in process insmod  pfn:12345",
        "BUG vrnic (Tainted: G           O): Objects remaining in vrnic on __kmem_cache_shutdown()",
        "UBSAN: array-index-out-of-bounds in drivers/x.c:12:3",
        "UBSAN: shift-out-of-bounds in drivers/x.c:12:3",
        "ODEBUG: free active (active state 0) object: 0 object type: timer_list hint: f+0x0/0x1",
        "DMA-API: vrnic 0000:01:00.0: device driver frees DMA memory with different size",
        "DMA-API: pci 0000:01:00.0: device driver has pending DMA allocations while released",
        "refcount_t: underflow; use-after-free.",
        "list_del corruption. prev->next should be ffff, but was 0000. (prev=ffff)",
        "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
        "kmemleak: 64 bytes leaked by \"insmod\": vrnic_probe",
        "kmemleak: Kernel memory leak detector disabled",
        "unregister_netdevice: waiting for eth0 to become free. Usage count = 2",
        "WARNING: possible circular locking dependency detected",
        "WARNING: possible recursive locking detected",
        "WARNING: possible irq lock inversion dependency detected",
        "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
        "WARNING: inconsistent lock state",
        "WARNING: bad unlock balance detected!",
        "WARNING: held lock freed!",
        "WARNING: lock held when returning to user space!",
        "[ BUG: Invalid wait context ]",
        "WARNING: suspicious RCU usage",
        "BUG: sleeping function called from invalid context at mm/page_alloc.c:1",
        "BUG: scheduling while atomic: insmod/77/0x00000002",
        "BUG: using smp_processor_id() in preemptible [00000000] code: insmod/77",
    };
    for (const auto* line : lines) {
        INFO(line);
        const auto found = find_complaints(std::string("[   12.3] ") + line);
        REQUIRE(found.size() == 1);
        CHECK(found[0].kind == Complaint::defect);
        CHECK(found[0].line == line);
    }
}

TEST_CASE("what a healthy guest prints is no complaint") {
    CHECK(find_complaints("[ 0.9] DMA-API: preallocated 65536 debug entries\n"
                          "[ 0.9] DMA-API: debugging enabled by kernel config\n"
                          "[ 0.9] kmemleak: Kernel memory leak detector initialized (mem pool\n"
                          "[ 0.9] kmemleak: Automatic memory scanning thread started\n")
              .empty());
    CHECK(find_complaints("[ 0.1] Linux version 6.12\n<6>[ 0.2] vrnic: loading out-of-tree module "
                          "taints kernel.\n[ 1.0] debug: warning: low\n")
              .empty());
}

TEST_CASE("overlapping mappings of others are no mistake of the driver, its own are") {
    const std::string begin =
        "[ 1.0] ------------[ cut here ]------------\n"
        "[ 1.0] DMA-API: vrnic 0000:01:00.0: cacheline tracking EEXIST, overlapping mappings "
        "aren't supported\n"
        "[ 1.0] WARNING: CPU: 0 PID: 78 at kernel/dma/debug.c:601 add_dma_entry+0x2d9/0x3b0\n"
        "[ 1.0] Call Trace:\n"
        "[ 1.0]  dma_map_page_attrs+0x1f3/0x540\n"
        "[ 1.0]  ? old_frame+0x2a/0x210 [vrnic_ib]\n";
    const std::string end =
        "[ 1.0] ---[ end trace 0000000000000000 ]---\n[ 1.0] DMA-API: Mapped at:\n";
    const std::string program =
        "[ 1.0]  ib_umem_get+0x51d/0x8b0 [ib_uverbs]\n[ 1.0]  vrnic_memory_pin+0x1/0x2 [vrnic_ib]\n";
    const std::string consumer = "[ 1.0]  nvme_rdma_alloc_qe+0xef/0x210 [nvme_rdma]\r\n";
    const std::string driver =
        "[ 1.0]  vrnic_map+0x1/0x2 [vrnic_ib]\n[ 1.0]  ib_create+0x1/0x2 [ib_core]\n";
    CHECK(find_complaints(begin + program + end).empty());
    CHECK(find_complaints(begin + consumer + end).empty());
    CHECK(find_complaints(begin + driver + end).size() == 3);
    CHECK(find_complaints(begin + end).size() == 3);
    CHECK(find_complaints(begin + program).empty());
    // What comes after it is looked at as ever.
    CHECK(find_complaints(begin + program + end + "[ 1.1] UBSAN: shift\n").size() == 1);
    CHECK(find_complaints(begin + program + begin + end).size() == 3);
    CHECK(find_complaints("[ 1.0] UBSAN: shift\n" + program).size() == 1);
}

}  // namespace vrnic::runner
