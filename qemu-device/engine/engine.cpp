// SPDX-License-Identifier: GPL-2.0-or-later
//
// One rule keeps this simple: work is done only in Impl::work(), and never inside itself. Every
// entry point notes what happened; the outermost one then works, within a budget, and asks for
// run() when more is left.
#include "engine.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "control/admin.h"
#include "control/commands.h"
#include "control/device.h"
#include "control/registers.h"
#include "ethernet/steering.h"
#include "faults/kinds.h"
#include "faults/text.h"
#include "host/frame_backlog.h"
#include "host/log.h"

namespace vrnic {
namespace {

// How much is done before the host gets its thread back.
struct Budget {
    std::uint32_t frames;    // received
    std::uint32_t commands;  // admin
    std::uint32_t transmit;  // Ethernet frames
    std::uint32_t packets;   // of the transport
};
constexpr Budget kInline = {16, 4, 16,
                            16};  // within an MMIO access of the guest: a virtual CPU waits
constexpr Budget kRun = {64, 16, 64, 128};

constexpr std::size_t kBacklogFrames = 64;
constexpr std::size_t kNotedWrites = 64;

// A store by the guest to one of the BARs.
struct MmioWrite {
    enum class Bar { registers, doorbells } bar;
    std::uint64_t offset;
    std::uint64_t value;
    unsigned size;
};

}  // namespace

struct Engine::Impl {
    Device device;
    AdminQueue admin;
    Registers registers;
    FrameBacklog backlog{kBacklogFrames, kMaxFrame};

    // The frame of receive_frame when nothing is in front of it: used in place, during that call
    // only.
    std::optional<std::span<const std::byte>> frame;

    // Noted while the engine was at work.
    bool anything_noted = false;  // one of these
    std::array<MmioWrite, kNotedWrites> writes;
    std::size_t writes_noted = 0;
    bool reset_noted = false;
    bool wire_ready_noted = false;
    bool timer_noted = false;
    std::optional<bool> link_noted;
    std::optional<std::vector<FaultRule>> faults_noted;

    bool working = false;
    bool run_scheduled = false;
    bool receive_refused = false;  // can_receive said no: Host::receive_ready is owed
    bool telling_receive_ready = false;
    Nanoseconds timer = kNever;  // as the host knows it

    Impl(Host& host, const EngineConfig& config)
        : device(host, config), admin(device, config.vectors), registers(device, admin) {}

    Host& host() { return device.host; }

    // ---- noting ----

    void note(const MmioWrite& write) {
        if (writes_noted < writes.size()) {
            writes[writes_noted++] = write;
            anything_noted = true;
            return;
        }
        // Only a device that is made to write to itself comes here.
        ++device.counters.mmio_errors;
        guest_error(host(), "device: too many accesses of its own registers, one is lost");
    }

    void note(std::span<const std::byte> arrived) {
        if (!working && backlog.empty())
            frame = arrived;
        else if (!backlog.full())
            backlog.push(arrived);
        else  // the wire did not ask can_receive
            ++device.counters.roce_rx_queue_full;
    }

    // ---- working ----

    // The end of every entry point.
    void work(const Budget& budget) {
        if (working) return;
        working = true;
        bool more = step(budget);
        if (apply_notes()) more = true;
        set_timer();
        if (more && !run_scheduled) {
            run_scheduled = true;
            host().schedule_run();
        }
        working = false;
        tell_receive_ready();
    }

    // One round over everything that may have work. True: some has more.
    bool step(const Budget& budget) {
        apply_notes();
        if (frame) receive(*frame);
        frame.reset();
        bool more = receive_backlog(budget.frames);
        more |= admin.run(budget.commands);
        more |= device.transmitter.run(budget.transmit);
        more |= device.transport.run(budget.packets);
        return more || !backlog.empty();
    }

    // True: there were some.
    bool apply_notes() {
        if (!anything_noted) return false;
        anything_noted = false;
        if (reset_noted) reset();
        if (link_noted) device.set_link(*link_noted);
        link_noted.reset();
        if (faults_noted) apply_faults();
        if (wire_ready_noted) {
            wire_ready_noted = false;
            device.transmitter.wire_ready();
            device.transport.wire_ready();
        }
        if (timer_noted) {
            timer_noted = false;
            device.transport.on_deadline(host().now());
            device.cqs.on_deadline(host().now());
            device.follow_faults(host().now());
        }
        // What is noted while these are carried out waits for the next round.
        const std::size_t count = writes_noted;
        for (std::size_t i = 0; i < count && i < writes_noted; ++i) apply(writes[i]);
        forget_writes(count);
        return true;
    }

    void forget_writes(std::size_t count) {
        if (count > writes_noted) return;  // a reset has forgotten them all
        std::copy(writes.begin() + count, writes.begin() + writes_noted, writes.begin());
        writes_noted -= count;
    }

    void apply(const MmioWrite& write) {
        if (write.bar == MmioWrite::Bar::doorbells) {
            ring(write.offset, write.value, write.size);
            return;
        }
        registers.write(write.offset, write.value, write.size);
        if (device.reset_requested) reset();
    }

    void apply_faults() {
        device.faults.set(*faults_noted);
        faults_noted.reset();
        device.follow_faults(host().now());
    }

    void reset() {
        reset_noted = wire_ready_noted = timer_noted = false;
        writes_noted = 0;
        frame.reset();
        backlog.clear();
        admin.reset();
        device.reset();
    }

    bool receive_backlog(std::uint32_t budget) {
        for (; budget != 0 && !backlog.empty(); --budget) {
            receive(backlog.front());
            backlog.pop();
        }
        return !backlog.empty();
    }

    void receive(std::span<const std::byte> arrived) {
        device.wire.passed(Direction::in, arrived);
        const RoceReception roce{device.transport.has_multicast_groups(),
                                 device.transport.gid_macs()};
        switch (steer(arrived, device.port, roce, device.counters)) {
            case Destination::roce:
                device.transport.receive(arrived);
                break;
            case Destination::ethernet:
                device.receiver.receive(arrived);
                break;
            case Destination::nowhere:
                break;
        }
    }

    void set_timer() {
        const Nanoseconds deadline =
            std::min({device.transport.next_deadline(), device.cqs.next_deadline(),
                      device.faults.next_deadline()});
        if (deadline == timer) return;
        timer = deadline;
        host().set_timer(deadline);
    }

    // The host answers with frames, within this call; those must not lead here again.
    void tell_receive_ready() {
        if (!receive_refused || backlog.full() || telling_receive_ready) return;
        receive_refused = false;
        telling_receive_ready = true;
        host().receive_ready();
        telling_receive_ready = false;
    }

    // ---- doorbells ----

    void ring(std::uint64_t offset, std::uint64_t value, unsigned size) {
        ++device.counters.doorbells;
        const auto doorbell = device.uars.decode(offset, value, size);
        const char* wrong = doorbell ? ring(*doorbell) : doorbell.error();
        if (!wrong) return;
        ++device.counters.doorbell_errors;
        guest_error(host(), "doorbell {:#x} of {} bytes at {:#x}: {}", value, size, offset, wrong);
    }

    // What is wrong with it, or nullptr.
    const char* ring(const Doorbell& doorbell) {
        static constexpr const char* kNoQp = "no such QP of this slot";
        switch (doorbell.type) {
            case VRNIC_DB_TYPE_SQ:
                return device.transport.ring_sq(doorbell.number, doorbell.slot) ? nullptr : kNoQp;
            case VRNIC_DB_TYPE_RQ:
                return device.transport.ring_rq(doorbell.number, doorbell.slot) ? nullptr : kNoQp;
            case VRNIC_DB_TYPE_CQ_ARM: {
                CompletionQueue* cq = device.cqs.find(doorbell.number);
                if (!cq || cq->uar != doorbell.slot) return "no such CQ of this slot";
                device.cqs.arm(*cq);
                return nullptr;
            }
            case VRNIC_DB_TYPE_ETH_TX:
                if (doorbell.slot != 0 || doorbell.number != VRNIC_ETH_TX ||
                    !device.transmitter.queue().live())
                    return "no such transmit queue of this slot";
                device.transmitter.ring();
                return nullptr;
            case VRNIC_DB_TYPE_ETH_RX:
                // Nothing to do: the record is read when a frame comes.
                if (doorbell.slot != 0 || doorbell.number != VRNIC_ETH_RX ||
                    !device.receiver.queue().live())
                    return "no such receive queue of this slot";
                return nullptr;
            default:
                return "unknown type";
        }
    }
};

Engine::Engine(Host& host, const EngineConfig& config)
    : impl_(std::make_unique<Impl>(host, config)) {}

Engine::~Engine() = default;

std::uint64_t Engine::read_register(std::uint64_t offset, unsigned size) {
    return impl_->registers.read(offset, size);
}

void Engine::write_register(std::uint64_t offset, std::uint64_t value, unsigned size) {
    impl_->note({MmioWrite::Bar::registers, offset, value, size});
    impl_->work(kInline);
}

void Engine::write_doorbell(std::uint64_t offset, std::uint64_t value, unsigned size) {
    impl_->note({MmioWrite::Bar::doorbells, offset, value, size});
    impl_->work(kInline);
}

bool Engine::can_receive() const {
    if (!impl_->backlog.full()) return true;
    impl_->receive_refused = true;
    return false;
}

void Engine::receive_frame(std::span<const std::byte> frame) {
    impl_->note(frame);
    impl_->work(kInline);
}

void Engine::wire_ready() {
    impl_->wire_ready_noted = impl_->anything_noted = true;
    impl_->work(kRun);
}

void Engine::on_timer() {
    impl_->timer = kNever;  // it has fired
    impl_->timer_noted = impl_->anything_noted = true;
    impl_->work(kRun);
}

void Engine::run() {
    impl_->run_scheduled = false;
    impl_->device.transport.release_acks();
    impl_->work(kRun);
}

void Engine::set_link(bool up) {
    impl_->link_noted = up;
    impl_->anything_noted = true;
    impl_->work(kInline);
}

void Engine::reset() {
    impl_->reset_noted = impl_->anything_noted = true;
    impl_->work(kInline);
}

const Counters& Engine::counters() const {
    return impl_->device.counters;
}

std::expected<void, std::string> Engine::set_capture(const std::string& file,
                                                     std::string_view name) {
    Wire& wire = impl_->device.wire;
    if (file.empty()) {
        wire.set_capture(nullptr);
        return {};
    }
    wire.flush();  // should it be the same file again
    auto capture = Capture::open(impl_->host(), file, name);
    if (!capture) return std::unexpected(capture.error());
    wire.set_capture(std::move(*capture));
    return {};
}

std::string Engine::capture() const {
    const Capture* capture = impl_->device.wire.capture();
    return capture ? capture->file() : std::string();
}

std::expected<void, std::string> Engine::set_faults(std::span<const FaultRule> rules) {
    if (rules.size() > kMaxFaultRules)
        return std::unexpected(text("more than {} rules", kMaxFaultRules));
    for (const FaultRule& rule : rules)
        if (auto good = check_fault(rule); !good) return good;
    impl_->faults_noted.emplace(rules.begin(), rules.end());
    impl_->anything_noted = true;
    impl_->work(kInline);
    return {};
}

std::expected<void, std::string> Engine::set_faults(std::string_view rules) {
    const auto parsed = parse_faults(rules, command_names());
    if (!parsed) return std::unexpected(parsed.error());
    return set_faults(*parsed);
}

std::string Engine::faults() const {
    return format_faults(impl_->device.faults.rules(), command_names());
}

void Engine::flush_capture() {
    impl_->device.wire.flush();
}

}  // namespace vrnic
