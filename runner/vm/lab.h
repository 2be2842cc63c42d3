// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/event_loop.h"
#include "vm/switch.h"
#include "vm/vm.h"

namespace vrnic::runner {

// VMs that run together, and the links between them.
class Lab {
  public:
    // A line that a step in a VM wrote. vm: from 0.
    using OnLine = std::function<void(std::size_t vm, std::string_view line)>;

    // Starts all VMs. Every spec has the same number of NICs; NICs of the same place share a link.
    [[nodiscard]] static Result<std::unique_ptr<Lab>> start(EventLoop& loop,
                                                            std::vector<VmSpec> specs,
                                                            OnLine on_line);
    Lab(const Lab&) = delete;
    Lab& operator=(const Lab&) = delete;

    [[nodiscard]] std::size_t size() const { return vms_.size(); }
    [[nodiscard]] Vm& vm(std::size_t index) { return *vms_[index]; }

    // A limit as these guests need it, from what a usual kernel needs.
    [[nodiscard]] std::chrono::seconds patience(std::chrono::seconds usual) const;

    // The first VM that failed; empty while all are well.
    [[nodiscard]] std::optional<Error> failure();

    // Waits until done() holds. A VM's failure, the deadline and an interrupt are errors;
    // `what` completes the sentence "... in its time".
    [[nodiscard]] Result<void> wait(const std::function<bool()>& done, Deadline deadline,
                                    std::string_view what);
    [[nodiscard]] Result<void> wait_ready(Deadline deadline);

    // Waits until the VM's command listens on a TCP port or has ended, or or_else() holds: at most
    // 10 s, before patience, and not past `latest`. That the time is up is no error.
    [[nodiscard]] Result<void> wait_for_listener(
        Vm& vm, Deadline latest, const std::function<bool()>& or_else = [] { return false; });

    // Powers all VMs off in order; an error when one does not go, or goes in another way. VMs that
    // failed before are left out. usual: the limit, before patience.
    [[nodiscard]] Result<void> stop(std::chrono::seconds usual);

    // Gives out last lines that have no end.
    void flush_output();

  private:
    Lab(EventLoop& loop, OnLine on_line) : loop_(loop), on_line_(std::move(on_line)) {}
    [[nodiscard]] Result<std::vector<std::vector<UniqueFd>>> make_links(
        const std::vector<VmSpec>& specs);

    EventLoop& loop_;
    OnLine on_line_;
    std::vector<std::unique_ptr<Switch>> switches_;
    std::vector<std::unique_ptr<LineCutter>> lines_;
    std::vector<std::unique_ptr<Vm>> vms_;
};

}  // namespace vrnic::runner
