// SPDX-License-Identifier: GPL-2.0-or-later
// Every frame that an engine put on the link, in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <vector>

#include "host/host.h"

namespace vrnic::sim {

struct TraceEntry {
    Nanoseconds time;
    std::uint32_t port;  // that sent it
    const char* fate;    // what the link did to it
    std::vector<std::byte> frame;

    bool operator==(const TraceEntry& other) const {
        return time == other.time && port == other.port && frame == other.frame;
    }
};

class Trace {
  public:
    void add(Nanoseconds time, std::uint32_t port, const char* fate,
             std::span<const std::byte> frame);

    const std::vector<TraceEntry>& entries() const { return entries_; }
    std::uint64_t hash() const { return hash_; }  // of all, times too
    bool operator==(const Trace& other) const { return entries_ == other.entries_; }

    // Without the bytes (soak): the hash goes on.
    void keep_frames(bool keep) { keep_ = keep; }
    void print(std::ostream& out, std::size_t last = 100) const;

  private:
    bool keep_ = true;
    std::uint64_t hash_ = 0xcbf29ce484222325;  // FNV-1a
    std::vector<TraceEntry> entries_;
};

}  // namespace vrnic::sim
