// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "base/error.h"

namespace vrnic::runner {

// The Ethernet frames of a capture: pcapng, as the device writes it, or pcap, as QEMU's filter-dump
// does, of this machine's byte order. What is cut off at the end is left out.
class CaptureFile {
  public:
    [[nodiscard]] static Result<CaptureFile> read(const std::filesystem::path& file);

    enum class Direction { unknown, in, out };
    struct Frame {
        std::span<const std::uint8_t> bytes;  // in this object
        std::uint64_t nanoseconds;            // since 1970
        Direction direction;
    };
    [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }

  private:
    void read_pcap();
    void read_pcapng();

    std::vector<std::uint8_t> content_;
    std::vector<Frame> frames_;
};

}  // namespace vrnic::runner
