// SPDX-License-Identifier: GPL-2.0-or-later
// From the transmit ring to the wire.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "capture/wire.h"
#include "ethernet/port.h"
#include "ethernet/queue.h"

namespace vrnic {

class Transmitter {
  public:
    Transmitter(Host& host, Counters& counters, Wire& wire, CqTable& cqs, const Port& port);

    EthernetQueue& queue() { return queue_; }
    void destroy_queue();
    void reset();

    void ring() { rung_ = true; }
    void wire_ready() { paused_ = false; }

    // Sends what is posted, at most budget frames. True: more is left.
    [[nodiscard]] bool run(std::uint32_t budget);

  private:
    // Gathers the frame of the next descriptor into frame_. False: the descriptor was bad, and
    // completed.
    bool gather(const vrnic_eth_txd& descriptor);
    bool refuse(std::uint8_t status, std::uint32_t syndrome);

    Host& host_;
    Counters& counters_;
    Wire& wire_;
    const Port& port_;
    EthernetQueue queue_;
    bool rung_ = false;        // descriptors may wait
    bool paused_ = false;      // the wire is full
    bool frame_held_ = false;  // frame_ waits for the wire; its descriptor is not yet completed
    std::size_t frame_size_ = 0;
    std::array<std::byte, kMaxFrame> frame_;
};

}  // namespace vrnic
