// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/child_process.h"
#include "base/error.h"
#include "base/stream.h"
#include "vm/console_log.h"
#include "vm/qmp.h"
#include "vm/vm_spec.h"

namespace vrnic::runner {

// A command of the runner in a guest.
struct StepState {
    int id = 0;  // from 1
    std::optional<int> listening_port;
    std::optional<int> status;  // as the guest reported it
    Deadline started_at{};
    Deadline ended_at{};            // when it reported the status
    std::uint64_t output_goal = 0;  // the VM's output in all, with this step's
    bool finished = false;          // status known and all output received
};

// A running VM. It starts on construction; what it says arrives through the event loop; it is
// ended with the object. Success is only what the guest reported: everything else is a failure().
class Vm {
  public:
    using OnOutput = std::function<void(std::string_view bytes)>;

    // links: the runner's or a peer's socket ends are elsewhere; these go to this VM's QEMU, one
    // for each NIC.
    [[nodiscard]] static Result<std::unique_ptr<Vm>> start(EventLoop& loop, VmSpec spec,
                                                           std::vector<UniqueFd> links,
                                                           OnOutput on_output);
    Vm(const Vm&) = delete;
    Vm& operator=(const Vm&) = delete;

    [[nodiscard]] const VmSpec& spec() const { return spec_; }
    [[nodiscard]] std::string name() const { return spec_.name(); }

    // Where its debugger's stub listens on this machine; 0: nowhere.
    [[nodiscard]] std::uint16_t gdb_port() const { return gdb_port_; }

    // The guest's NICs are up and it takes steps.
    [[nodiscard]] bool ready() const { return ready_; }
    // Why this VM can give no success any more; empty as long as it can.
    [[nodiscard]] const std::optional<Error>& failure();

    // Runs `command` with bash. One step at a time: the one before has to be finished.
    [[nodiscard]] Result<void> start_step(const std::string& command);
    [[nodiscard]] const StepState& step() const { return step_; }
    [[nodiscard]] bool idle() const { return step_.id == 0 || step_.finished; }
    // Asks the guest to end the running step; it then finishes with a status.
    void end_step();
    // Of a step that was ended: the status it got from that says nothing.
    void forget_status() { step_.status = 0; }

    // Takes a NIC out and puts it back as a person with a screwdriver would. unplug() returns when
    // the guest let go of it, plug() when the guest has it up again.
    [[nodiscard]] Result<void> unplug(std::size_t link, Deadline deadline);
    [[nodiscard]] Result<void> plug(std::size_t link, Deadline deadline);
    // The cable of a NIC: QEMU's set_link.
    [[nodiscard]] Result<void> set_link(std::size_t link, bool up, Deadline deadline);

    // What goes wrong at a NIC from now on, instead of what did before; "": nothing.
    [[nodiscard]] Result<void> set_faults(std::size_t link, const std::string& rules,
                                          Deadline deadline);
    // Without a word to the guest the NIC answers no more, or again.
    [[nodiscard]] Result<void> set_surprise_removed(std::size_t link, bool removed,
                                                    Deadline deadline);

    // Lets QEMU's main loop, where the device works, run before the guest's processors. Guests that
    // poll never sleep; with fewer cores than such guests the host's scheduler would let the device
    // wait for its next tick, and each message with it: 1 ms instead of 80 us.
    [[nodiscard]] Result<void> put_processors_behind_device(Deadline deadline);

    // For VMs with spec().shell: starts bash on its console. What it prints goes to on_bytes.
    void start_shell(int rows, int columns, OnOutput on_bytes);
    void type(std::string_view keys);
    [[nodiscard]] bool shell_ended() const { return shell_ended_; }

    // Power-off by agreement: saves the kernel log, then QEMU exits and stopped() holds.
    void stop();
    [[nodiscard]] bool stopped() { return process_->end().has_value() && !failure(); }

    // What the guest's kernel complained of since the last call, what has arrived by now included.
    [[nodiscard]] std::vector<KernelComplaint> new_complaints();

  private:
    Vm(EventLoop& loop, VmSpec spec, OnOutput on_output);

    [[nodiscard]] Result<void> set_property(std::size_t link, const char* property, Qmp::Json value,
                                            Deadline deadline);
    void on_status_line(std::string_view line);
    void on_qmp_event(const std::string& name, const Qmp::Json& data);
    void on_output_bytes(std::string_view bytes);
    void finish_step_if_complete();
    [[nodiscard]] Error explain_end(const ChildEnd& end);
    [[nodiscard]] std::string last_words_of_qemu() const;

    EventLoop& loop_;
    VmSpec spec_;
    OnOutput on_output_;
    std::unique_ptr<Qmp> qmp_;
    std::unique_ptr<LineCutter> status_lines_;
    std::unique_ptr<Stream> status_;
    std::unique_ptr<Stream> output_;
    std::unique_ptr<Stream> console_;
    std::unique_ptr<Stream> shell_;
    OnOutput on_shell_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> output_file_{nullptr, std::fclose};
    std::unique_ptr<ChildProcess> process_;

    std::uint16_t gdb_port_ = 0;
    bool agent_up_ = false;
    bool ready_ = false;
    bool stopping_ = false;
    bool end_judged_ = false;
    bool panicked_ = false;
    std::string shutdown_reason_;  // as QMP's SHUTDOWN has it; empty: QEMU told none
    bool shell_ended_ = false;
    std::set<std::string> deleted_devices_;
    std::optional<Error> failure_;
    StepState step_;
    std::uint64_t output_received_ = 0;
    ConsoleLog console_log_;
    std::optional<KernelComplaint> fatal_complaint_;
};

}  // namespace vrnic::runner
