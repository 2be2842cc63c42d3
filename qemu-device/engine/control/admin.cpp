// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/admin.h"

#include <span>

#include "control/commands.h"
#include "host/log.h"

namespace vrnic {
namespace {

bool ring_fits(BusAddress ring, std::uint32_t log_size) {
    const std::uint64_t bytes = std::uint64_t{VRNIC_ADMIN_ENTRY_SIZE} << log_size;
    return ring % VRNIC_ADMIN_ENTRY_SIZE == 0 && ring + (bytes - 1) >= ring;
}

}  // namespace

bool AdminQueue::enable() {
    const char* wrong = nullptr;
    if (device_.fatal != VRNIC_FATAL_NONE)
        wrong = "the device is in its fatal state";
    else if (setup_.log_size < VRNIC_ADMIN_SIZE_MIN_LOG ||
             setup_.log_size > VRNIC_ADMIN_SIZE_MAX_LOG)
        wrong = "ADMIN_SIZE is out of range";
    else if (!ring_fits(setup_.submissions, setup_.log_size))
        wrong = "ADMIN_SQ is misaligned or wraps";
    else if (!ring_fits(setup_.completions, setup_.log_size))
        wrong = "ADMIN_CQ is misaligned or wraps";
    else if (setup_.vector >= vectors_ && setup_.vector != VRNIC_NO_VECTOR)
        wrong = "ADMIN_VECTOR does not exist";
    if (wrong) {
        ++device_.counters.mmio_errors;
        guest_error(device_.host, "admin queue: not enabled: {}", wrong);
        return false;
    }
    enabled_ = true;
    producer_ = consumer_ = answered_ = 0;
    return true;
}

void AdminQueue::doorbell(std::uint32_t producer) {
    if (!enabled_) {
        ++device_.counters.mmio_errors;
        guest_error(device_.host, "admin queue: doorbell while it is disabled");
        return;
    }
    if (producer - consumer_ > 1u << setup_.log_size) {
        guest_error(device_.host, "admin queue: producer index {} is too far ahead of {}", producer,
                    consumer_);
        fail(VRNIC_FATAL_ADMIN_INDEX);
        return;
    }
    producer_ = producer;
}

bool AdminQueue::run(std::uint32_t budget) {
    if (!enabled_ || producer_ == consumer_) return false;
    const std::uint32_t before = answered_;
    for (; budget != 0 && producer_ != consumer_; --budget) {
        if (!step()) {
            ++device_.counters.dma_errors;
            fail(VRNIC_FATAL_ADMIN_RING);
            return false;
        }
    }
    if (answered_ != before && setup_.vector != VRNIC_NO_VECTOR)
        device_.events.interrupt(setup_.vector);
    return producer_ != consumer_;
}

bool AdminQueue::step() {
    const std::uint32_t mask = (1u << setup_.log_size) - 1;
    const std::uint64_t at = std::uint64_t{consumer_ & mask} * VRNIC_ADMIN_ENTRY_SIZE;

    vrnic_admin_cmd command;
    if (!device_.host.dma_read(setup_.submissions + at,
                               std::as_writable_bytes(std::span(&command, 1))))
        return false;
    ++consumer_;

    vrnic_admin_cpl completion{};
    if (device_.faults.armed(FaultPoint::command)) [[unlikely]] {
        if (const auto fault = device_.faults.command(command.opcode)) {
            ++device_.counters.admin_commands;
            if (fault->lost) return true;  // never carried out, never answered
            ++device_.counters.admin_errors;
            completion.tag = command.tag;
            completion.status = fault->status;
            return answer(completion);
        }
    }
    execute(device_, command, completion);
    return answer(completion);
}

bool AdminQueue::answer(const vrnic_admin_cpl& completion) {
    const std::uint32_t mask = (1u << setup_.log_size) - 1;
    const std::uint64_t at = std::uint64_t{answered_ & mask} * VRNIC_ADMIN_ENTRY_SIZE;
    // The last eight bytes hold the phase; they go last, in one store.
    constexpr std::size_t kTail = offsetof(vrnic_admin_cpl, reserved);
    static_assert(kTail + 8 == sizeof(completion) && kTail % 8 == 0);
    const std::uint64_t phase = (answered_ >> setup_.log_size) + std::uint32_t{1};
    const BusAddress target = setup_.completions + at;
    if (!device_.host.dma_write(target, std::as_bytes(std::span(&completion, 1)).first(kTail)) ||
        !device_.host.dma_store64(target + kTail, phase << 32))
        return false;
    ++answered_;
    return true;
}

void AdminQueue::fail(std::uint32_t reason) {
    disable();
    device_.fail(reason);
}

void AdminQueue::reset() {
    disable();
    setup_ = Setup{};
    producer_ = consumer_ = answered_ = 0;
}

}  // namespace vrnic
