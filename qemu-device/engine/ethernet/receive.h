// SPDX-License-Identifier: GPL-2.0-or-later
// From the wire to the receive ring.
#pragma once

#include <cstddef>
#include <span>

#include "ethernet/port.h"
#include "ethernet/queue.h"

namespace vrnic {

class Receiver {
  public:
    Receiver(Host& host, Counters& counters, CqTable& cqs);

    EthernetQueue& queue() { return queue_; }
    void reset() { queue_.forget(); }

    // Stores one frame that steering has let through; at most kMaxFrame bytes. Without a descriptor
    // it is dropped, so that it never holds up RoCE behind it.
    void receive(std::span<const std::byte> frame);

  private:
    void refuse(std::uint8_t status, std::uint32_t syndrome);

    Host& host_;
    Counters& counters_;
    EthernetQueue queue_;
};

}  // namespace vrnic
