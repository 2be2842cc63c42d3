// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/kernel_log.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "base/lines.h"

namespace vrnic::runner {
namespace {

struct Pattern {
    std::string_view text;
    Complaint kind;
};

// The kernel's own phrases, most severe first: a line is counted once.
constexpr std::array patterns{
    Pattern{"Kernel panic - not syncing", Complaint::panic},
    Pattern{"Oops: ", Complaint::oops},
    Pattern{"BUG: unable to handle", Complaint::oops},
    Pattern{"BUG: kernel NULL pointer", Complaint::oops},
    Pattern{"general protection fault", Complaint::oops},
    Pattern{"kernel BUG at", Complaint::oops},
    // Memory and its users.
    Pattern{"BUG: KASAN: ", Complaint::defect},
    Pattern{"BUG: Bad page ", Complaint::defect},
    Pattern{"): Objects remaining ", Complaint::defect},  // SLUB, a cache that goes
    Pattern{"UBSAN: ", Complaint::defect},
    Pattern{"ODEBUG: ", Complaint::defect},
    Pattern{"DMA-API: ", Complaint::defect},
    Pattern{"refcount_t: ", Complaint::defect},
    Pattern{"list_add corruption", Complaint::defect},
    Pattern{"list_add double add", Complaint::defect},
    Pattern{"list_del corruption", Complaint::defect},
    Pattern{"kmemleak: ", Complaint::defect},  // the agent's, too
    Pattern{"unregister_netdevice: waiting for ", Complaint::defect},
    // Locks and sleeping: lockdep and its neighbours.
    Pattern{" locking dependency", Complaint::defect},
    Pattern{"possible recursive locking", Complaint::defect},
    Pattern{"lock order", Complaint::defect},  // HARDIRQ-safe -> HARDIRQ-unsafe
    Pattern{"lock inversion", Complaint::defect},
    Pattern{"inconsistent lock state", Complaint::defect},
    Pattern{"bad unlock balance", Complaint::defect},
    Pattern{"held lock freed", Complaint::defect},
    Pattern{"lock held when returning to user space", Complaint::defect},
    Pattern{"Invalid wait context", Complaint::defect},
    Pattern{"suspicious RCU usage", Complaint::defect},
    Pattern{"BUG: sleeping function called", Complaint::defect},
    Pattern{"BUG: scheduling while atomic", Complaint::defect},
    Pattern{"BUG: using smp_processor_id() in preemptible", Complaint::defect},
    // What a loaded host may bring about, and what is only odd.
    Pattern{"BUG: ", Complaint::warning},  // soft lockup, workqueue lockup
    Pattern{"WARNING: ", Complaint::warning},
    Pattern{"INFO: task ", Complaint::warning},  // hung task
    Pattern{"Call Trace:", Complaint::warning},
};

// Lines of a healthy guest that hold one of the phrases: the debug kernel's own.
constexpr std::array<std::string_view, 7> harmless{
    "DMA-API: preallocated",
    "DMA-API: debugging enabled",
    "DMA-API: debugfs",
    "DMA-API: Mapped at:",  // behind a report, which was counted
    "kmemleak: Kernel memory leak detector initialized",
    "kmemleak: Automatic memory scanning thread",
    "kmemleak: Cannot allocate a scan area",  // where allocations fail on purpose
};

std::string_view without_stamp(std::string_view line) {
    if (line.starts_with('<')) line.remove_prefix(std::min(line.find('>') + 1, line.size()));
    if (line.starts_with('[')) {
        const auto end = line.find("] ");
        if (end != std::string_view::npos) line.remove_prefix(end + 2);
    }
    while (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool contains(std::string_view line, std::string_view phrase) {
    return line.find(phrase) != std::string_view::npos;
}

// " function+0x1/0x2 [module]" of a trace; empty: of the kernel itself, or no such line, or one that
// the kernel is not sure of (" ? function...").
std::string module_of_frame(std::string_view line) {
    line = without_stamp(line);
    const auto open = line.rfind(" [");
    if (!line.ends_with(']') || open == std::string_view::npos || !contains(line, "+0x") ||
        contains(line, " ? ") || contains(line, "RIP: "))
        return {};
    return std::string(line.substr(open + 2, line.size() - open - 3));
}

void append(std::vector<KernelComplaint>& to, std::vector<KernelComplaint> from) {
    std::ranges::move(from, std::back_inserter(to));
}

}  // namespace

std::vector<KernelComplaint> KernelLogReader::read(std::string_view line) {
    if (std::ranges::any_of(harmless, [&](auto phrase) { return contains(line, phrase); }))
        return {};
    std::vector<KernelComplaint> known;
    if (contains(line, "[ cut here ]")) {
        known = end();
        in_report_ = true;
    }
    overlap_ |= contains(line, "overlapping mappings aren't supported");
    if (in_report_ && module_.empty()) module_ = module_of_frame(line);
    const auto pattern = std::ranges::find_if(
        patterns, [&](const Pattern& one) { return contains(line, one.text); });
    if (pattern != patterns.end()) {
        const bool waits = in_report_ && pattern->kind != Complaint::oops &&
                           pattern->kind != Complaint::panic;
        (waits ? report_ : known).push_back({pattern->kind, std::string(without_stamp(line))});
    }
    if (contains(line, "[ end trace ")) append(known, end());
    return known;
}

std::vector<KernelComplaint> KernelLogReader::end() {
    // Programs may register the same memory twice, and kernel consumers map small pieces that share
    // a cache line: no mistake of the driver under test, as one of its own mappings would be.
    if (overlap_ && !module_.empty() && !module_.starts_with("vrnic")) report_.clear();
    in_report_ = overlap_ = false;
    module_.clear();
    return std::exchange(report_, {});
}

std::vector<KernelComplaint> find_complaints(std::string_view log) {
    std::vector<KernelComplaint> found;
    KernelLogReader reader;
    for_each_line(log, [&](std::string_view line) { append(found, reader.read(line)); });
    append(found, reader.end());
    return found;
}

}  // namespace vrnic::runner
