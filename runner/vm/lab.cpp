// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/lab.h"

#include <algorithm>

#include "base/socket_pair.h"

namespace vrnic::runner {

using std::chrono::seconds;

namespace {

// How long a command may take to listen before what needs it goes on anyway.
constexpr auto listen_limit = seconds(10);

}  // namespace

Result<std::unique_ptr<Lab>> Lab::start(EventLoop& loop, std::vector<VmSpec> specs,
                                        OnLine on_line) {
    std::unique_ptr<Lab> lab(new Lab(loop, std::move(on_line)));
    auto links = lab->make_links(specs);
    if (!links) return std::unexpected(links.error());
    for (std::size_t index = 0; index < specs.size(); ++index) {
        Lab* self = lab.get();
        lab->lines_.push_back(std::make_unique<LineCutter>([self, index](std::string_view line) {
            if (self->on_line_) self->on_line_(index, line);
        }));
        LineCutter* lines = lab->lines_.back().get();
        auto vm = Vm::start(loop, std::move(specs[index]), std::move((*links)[index]),
                            [lines](std::string_view bytes) { lines->take(bytes); });
        if (!vm) return std::unexpected(vm.error());
        lab->vms_.push_back(std::move(*vm));
    }
    return lab;
}

Result<std::vector<std::vector<UniqueFd>>> Lab::make_links(const std::vector<VmSpec>& specs) {
    std::vector<std::vector<UniqueFd>> ends(specs.size());
    for (std::size_t link = 0; link < specs.front().nics.size(); ++link) {
        if (specs.size() == 2) {
            auto pair = make_socket_pair();
            if (!pair) return std::unexpected(pair.error());
            ends[0].push_back(std::move(pair->first));
            ends[1].push_back(std::move(pair->second));
            continue;
        }
        switches_.push_back(std::make_unique<Switch>());
        for (auto& vm_ends : ends) {
            auto pair = make_socket_pair();
            if (!pair) return std::unexpected(pair.error());
            switches_.back()->add_port(std::move(pair->first));
            vm_ends.push_back(std::move(pair->second));
        }
    }
    return ends;
}

seconds Lab::patience(seconds usual) const {
    return usual * vms_.front()->spec().files.slowness;
}

std::optional<Error> Lab::failure() {
    for (auto& vm : vms_) {
        if (vm->failure()) return *vm->failure();
    }
    return {};
}

Result<void> Lab::wait(const std::function<bool()>& done, Deadline deadline,
                       std::string_view what) {
    const auto woken = loop_.wait([&] { return done() || failure().has_value(); }, deadline);
    if (woken == EventLoop::Woken::interrupted) return fail(ExitStatus::interrupted, "interrupted");
    if (auto failed = failure()) return std::unexpected(*failed);
    if (woken == EventLoop::Woken::deadline)
        return fail(ExitStatus::timeout, "{} in its time", what);
    return {};
}

Result<void> Lab::wait_ready(Deadline deadline) {
    const auto unready = [this] {
        return std::ranges::find_if(vms_, [](const auto& vm) { return !vm->ready(); });
    };
    auto waited = wait([&] { return unready() == vms_.end(); }, deadline, "not ready");
    if (!waited && waited.error().status == ExitStatus::timeout)
        return fail(ExitStatus::timeout, "{}: the guest was not ready in its time; see {}",
                    (*unready())->name(), (*unready())->spec().console_file().string());
    if (!waited) return waited;
    for (auto& vm : vms_) {
        if (auto done = vm->put_processors_behind_device(deadline); !done) return done;
    }
    return {};
}

Result<void> Lab::wait_for_listener(Vm& vm, Deadline latest, const std::function<bool()>& or_else) {
    const auto limit = std::min(latest, Clock::now() + patience(listen_limit));
    auto waited =
        wait([&] { return vm.idle() || vm.step().listening_port || or_else(); }, limit, "");
    if (!waited && waited.error().status != ExitStatus::timeout) return waited;
    return {};
}

Result<void> Lab::stop(seconds usual) {
    for (auto& vm : vms_) {
        if (!vm->failure()) vm->stop();
    }
    const auto running = [this] {
        return std::ranges::find_if(
            vms_, [](const auto& vm) { return !vm->stopped() && !vm->failure(); });
    };
    if (!loop_.wait_regardless([&] { return running() == vms_.end(); },
                               Clock::now() + patience(usual)))
        return fail(ExitStatus::timeout, "{}: the guest did not power off", (*running())->name());
    if (auto failed = failure()) return std::unexpected(*failed);
    return {};
}

void Lab::flush_output() {
    for (auto& lines : lines_) lines->finish();
}

}  // namespace vrnic::runner
