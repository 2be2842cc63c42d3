// SPDX-License-Identifier: GPL-2.0-or-later
#include "host.h"

#include <sys/mman.h>

#include <cstdlib>
#include <iostream>
#include <new>
#include <stdexcept>

namespace vrnic::sim {

SimHost::SimHost(World& world, Link& link, std::size_t memory_bytes)
    : world_(world),
      link_(link),
      port_(link.attach(*this)),
      memory_bytes_(memory_bytes),
      memory_(static_cast<std::byte*>(std::calloc(memory_bytes, 1))) {
    if (!memory_) throw std::bad_alloc();
}

void SimHost::use_huge_pages() {
    constexpr std::size_t kHugePage = 2 << 20;
    void* at = memory_.get();
    std::size_t space = memory_bytes_;
    if (std::align(kHugePage, kHugePage, at, space)) (void)::madvise(at, space, MADV_HUGEPAGE);
}

std::span<std::byte> SimHost::memory(BusAddress address, std::size_t size) {
    if (address < kBase || address - kBase > memory_bytes_ ||
        size > memory_bytes_ - (address - kBase))
        throw std::out_of_range("the test left guest memory");
    return {memory_.get() + (address - kBase), size};
}

bool SimHost::reachable(BusAddress address, std::size_t size) const {
    if (address < kBase || address - kBase > memory_bytes_ ||
        size > memory_bytes_ - (address - kBase))
        return false;
    if (holes_.empty() || size == 0) return true;
    const auto hole = holes_.lower_bound(address >> 12);
    return hole == holes_.end() || *hole > (address + size - 1) >> 12;
}

bool SimHost::dma_read(BusAddress address, std::span<std::byte> out) {
    if (!reachable(address, out.size())) return false;
    std::memcpy(out.data(), memory(address, out.size()).data(), out.size());
    return true;
}

bool SimHost::dma_write(BusAddress address, std::span<const std::byte> data) {
    if (on_write) on_write(address, data.size());
    if (!reachable(address, data.size())) return false;
    std::memcpy(memory(address, data.size()).data(), data.data(), data.size());
    return true;
}

bool SimHost::dma_store64(BusAddress address, std::uint64_t value) {
    if (address % 8 != 0) throw std::logic_error("dma_store64 is not aligned");
    if (on_write) on_write(address, 8);
    if (!reachable(address, 8)) return false;
    vrnic_le64 le;
    le = value;
    store(address, le);
    return true;
}

void SimHost::raise_interrupt(std::uint32_t vector) {
    ++interrupts_.at(vector);
}

SendResult SimHost::send_frame(std::span<const std::byte> frame) {
    if (frame.size() < 14) throw std::logic_error("the engine sent less than an Ethernet header");
    if (on_send) on_send(frame);
    return link_.send(port_, frame);
}

void SimHost::deliver(std::span<const std::byte> frame) {
    if (!held_.empty() || !engine_->can_receive())
        held_.emplace_back(frame.begin(), frame.end());
    else
        engine_->receive_frame(frame);
}

// As QEMU's flush of queued packets does it: at once, from inside the engine's call.
void SimHost::receive_ready() {
    while (!held_.empty() && engine_->can_receive()) {
        const std::vector<std::byte> frame = std::move(held_.front());
        held_.pop_front();
        engine_->receive_frame(frame);
    }
}

void SimHost::set_timer(Nanoseconds deadline) {
    if (timer_) world_.cancel(*timer_);
    timer_.reset();
    if (deadline == kNever) return;
    timer_ = world_.at(deadline, [this] {
        timer_.reset();
        engine_->on_timer();
    });
}

void SimHost::schedule_run() {
    if (run_scheduled_) return;
    run_scheduled_ = true;
    world_.after(kRunDelay, [this] {
        run_scheduled_ = false;
        engine_->run();
    });
}

void SimHost::log(LogLevel, std::string_view line) {
    if (std::getenv("VRNIC_SIM_TRACE"))
        std::cerr << world_.now() << " host" << port_ << ": " << line << '\n';
    lines_.emplace_back(line);
    if (lines_.size() > kKeptLines) lines_.pop_front();
}

}  // namespace vrnic::sim
