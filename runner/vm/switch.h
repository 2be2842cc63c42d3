// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/stream.h"

namespace vrnic::runner {

// A learning Ethernet switch in the runner, for one link of any number of VMs. Each port speaks
// QEMU's `-netdev stream` framing: a 32-bit big-endian length before each frame.
// Two VMs alone need none: their QEMUs hold the two ends of one socket pair.
class Switch {
  public:
    // The runner's end of a VM's socket pair.
    void add_port(UniqueFd fd);
    [[nodiscard]] std::uint64_t dropped_frames() const { return dropped_; }

  private:
    using Mac = std::array<char, 6>;

    struct Port {
        std::string received;  // less than one whole frame
        std::unique_ptr<Stream> stream;
    };

    void receive(std::size_t from, std::string_view bytes);
    void forward(std::size_t from, std::string_view frame_with_length);
    void send(std::size_t to, std::string_view frame_with_length);

    std::vector<std::unique_ptr<Port>> ports_;
    std::map<Mac, std::size_t> learned_;
    std::uint64_t dropped_ = 0;
};

}  // namespace vrnic::runner
