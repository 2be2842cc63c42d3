// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/client_server.h"

namespace vrnic::runner {
namespace {

using std::chrono::seconds;

bool failed(Vm& vm) {
    return vm.step().finished && *vm.step().status != 0;
}

// A time that is up is no error here: what follows decides.
Result<void> wait_at_most(Lab& lab, const std::function<bool()>& done, Deadline deadline) {
    auto waited = lab.wait(done, deadline, "");
    if (!waited && waited.error().status != ExitStatus::timeout) return waited;
    return {};
}

Result<void> end_what_runs(Lab& lab) {
    const auto idle = [&] { return lab.vm(0).idle() && lab.vm(1).idle(); };
    if (idle()) return {};
    if (auto waited = wait_at_most(lab, idle, Clock::now() + seconds(2)); !waited) return waited;
    for (std::size_t i = 0; i < 2; ++i) lab.vm(i).end_step();
    return lab.wait(idle, Clock::now() + seconds(10), "a command could not be ended");
}

}  // namespace

Result<void> run_client_server(Lab& lab, const std::string& server, const std::string& client,
                               seconds limit) {
    const auto deadline = Clock::now() + limit;
    Vm& serving = lab.vm(0);
    Vm& asking = lab.vm(1);
    const bool both = !server.empty();
    if (both) {
        if (auto started = serving.start_step(server); !started) return started;
        if (auto waited = lab.wait_for_listener(serving, deadline); !waited) return waited;
    }
    if (auto started = asking.start_step(client); !started) return started;
    const auto ended = [&] {
        return (asking.idle() && (!both || serving.idle())) || failed(asking) ||
               (both && failed(serving));
    };
    if (auto waited = wait_at_most(lab, ended, deadline); !waited) return waited;
    const bool in_time = ended();
    // The first to fail: the other one is ended for it.
    const Vm* first = failed(asking) ? &asking : both && failed(serving) ? &serving : nullptr;
    if (auto done = end_what_runs(lab); !done) return done;
    if (!in_time) return fail(ExitStatus::failure, "{} s were not enough", limit.count());
    if (first == nullptr) return {};
    return fail(ExitStatus::failure, "{}'s command ended with status {}", first->name(),
                *first->step().status);
}

}  // namespace vrnic::runner
