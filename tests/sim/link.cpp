// SPDX-License-Identifier: GPL-2.0-or-later
#include "link.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "host.h"

namespace vrnic::sim {

std::uint32_t Link::attach(SimHost& host) {
    ports_.push_back(Port{.host = &host});
    return static_cast<std::uint32_t>(ports_.size() - 1);
}

SendResult Link::pause(std::uint32_t index, Nanoseconds until) {
    ++pauses_;
    ports_[index].paused = true;
    world_.at(until, [this, index] {
        ports_[index].paused = false;
        ports_[index].host->wire_ready();
    });
    return SendResult::paused;
}

SendResult Link::send(std::uint32_t index, std::span<const std::byte> frame) {
    Port& port = ports_.at(index);
    if (port.paused) throw std::logic_error("the engine sent on a paused wire");
    if (random_.chance_ppm(faults.refuse))
        return pause(index, world_.now() + 1 + random_.next() % faults.pause_time);
    Nanoseconds departure = world_.now();
    if (bytes_per_us != 0) {
        if (port.busy_until > world_.now() + queue_time)
            return pause(index, port.busy_until - queue_time / 2);
        departure = std::max(departure, port.busy_until) + frame.size() * 1000 / bytes_per_us;
        port.busy_until = departure;
    }

    Fate fate = filter ? filter(index, number_, frame) : Fate::pass;
    ++number_;
    if (fate == Fate::pass) {
        if (random_.chance_ppm(faults.loss))
            fate = Fate::drop;
        else if (random_.chance_ppm(faults.duplicate))
            fate = Fate::twice;
        else if (random_.chance_ppm(faults.reorder))
            fate = Fate::late;
        else if (random_.chance_ppm(faults.corrupt))
            fate = Fate::corrupt;
    }
    static constexpr const char* kNames[] = {"", "lost", "doubled", "late", "corrupted"};
    trace_.add(world_.now(), index, kNames[static_cast<int>(fate)], frame);

    const Nanoseconds delay = delay_min + random_.next() % (delay_max - delay_min + 1);
    std::vector<std::byte> copy(frame.begin(), frame.end());
    switch (fate) {
        case Fate::drop:
            break;
        case Fate::late:
            arrive(index, departure + delay + 1 + random_.next() % faults.reorder_delay,
                   std::move(copy));
            break;
        case Fate::corrupt:
            corrupt(copy);
            [[fallthrough]];
        case Fate::pass:
        case Fate::twice:
            if (immediate) {
                for (std::uint32_t other = 0; other < ports_.size(); ++other)
                    if (other != index) ports_[other].host->deliver(copy);
                break;
            }
            // In order: a frame does not overtake the one before it.
            port.last_arrival = std::max(port.last_arrival, departure + delay);
            if (fate == Fate::twice)
                arrive(index, port.last_arrival + random_.next() % faults.reorder_delay, copy);
            arrive(index, port.last_arrival, std::move(copy));
            break;
    }
    return SendResult::sent;
}

void Link::inject(std::uint32_t port, std::span<const std::byte> frame) {
    arrive(port, world_.now() + delay_min, {frame.begin(), frame.end()});
}

void Link::arrive(std::uint32_t from, Nanoseconds when, std::vector<std::byte> frame) {
    world_.at(when, [this, from, frame = std::move(frame)] {
        for (std::uint32_t port = 0; port < ports_.size(); ++port)
            if (port != from) ports_[port].host->deliver(frame);
    });
}

void Link::corrupt(std::vector<std::byte>& frame) {
    constexpr std::size_t kEthernet = 14;  // on a real wire the FCS guards it
    if (frame.size() <= kEthernet) return;
    if (random_.next() % 8 == 0) {
        frame.resize(kEthernet + random_.next() % (frame.size() - kEthernet));
        return;
    }
    for (std::uint64_t bits = 1 + random_.next() % 3; bits > 0; --bits) {
        const std::size_t at = kEthernet + random_.next() % (frame.size() - kEthernet);
        frame[at] ^= std::byte(1u << random_.next() % 8);
    }
}

}  // namespace vrnic::sim
