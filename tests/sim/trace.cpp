// SPDX-License-Identifier: GPL-2.0-or-later
#include "trace.h"

#include <cstdlib>
#include <iostream>

#include "wire.h"

namespace vrnic::sim {

void Trace::add(Nanoseconds time, std::uint32_t port, const char* fate,
                std::span<const std::byte> frame) {
    const auto mix = [this](std::uint8_t octet) { hash_ = (hash_ ^ octet) * 0x100000001b3; };
    for (int shift = 0; shift < 64; shift += 8) mix(static_cast<std::uint8_t>(time >> shift));
    mix(static_cast<std::uint8_t>(port));
    for (std::byte octet : frame) mix(static_cast<std::uint8_t>(octet));
    if (std::getenv("VRNIC_SIM_TRACE"))
        std::cerr << time << " port" << port << ": " << describe(frame) << ' ' << fate << '\n';
    if (keep_) entries_.push_back({time, port, fate, {frame.begin(), frame.end()}});
}

void Trace::print(std::ostream& out, std::size_t last) const {
    const std::size_t first = entries_.size() > last ? entries_.size() - last : 0;
    for (std::size_t i = first; i < entries_.size(); ++i) {
        const TraceEntry& entry = entries_[i];
        out << i << ": " << entry.time << " port" << entry.port << ": " << describe(entry.frame)
            << ' ' << entry.fate << '\n';
    }
}

}  // namespace vrnic::sim
