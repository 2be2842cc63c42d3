// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/receive.h"

#include <algorithm>
#include <array>

#include "host/log.h"

namespace vrnic {

Receiver::Receiver(Host& host, Counters& counters, CqTable& cqs)
    : host_(host),
      counters_(counters),
      queue_(host, counters, cqs, VRNIC_ETH_RX, sizeof(vrnic_eth_rxd), VRNIC_OP_ETH_RX) {}

void Receiver::receive(std::span<const std::byte> frame) {
    // Senders that never met a wire leave the padding to others.
    std::array<std::byte, kMinFrame> padded{};
    if (frame.size() < kMinFrame) {
        std::ranges::copy(frame, padded.begin());
        frame = padded;
    }

    vrnic_eth_rxd descriptor;
    if (!queue_.posted() || !queue_.fetch(std::as_writable_bytes(std::span(&descriptor, 1)))) {
        ++counters_.eth_rx_no_buffer;
        return;
    }
    const vrnic_eth_seg& buffer = descriptor.buf;
    if (buffer.reserved != 0 || buffer.length == 0)
        return refuse(VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE);
    if (frame.size() > buffer.length) {  // the buffer stays for the next frame
        ++counters_.eth_rx_too_long;
        return;
    }
    if (!host_.dma_write(buffer.addr, frame)) {
        ++counters_.dma_errors;
        return refuse(VRNIC_WC_LOC_PROT_ERR, VRNIC_SYND_DMA_FAILED);
    }
    ++counters_.eth_rx_packets;
    counters_.eth_rx_bytes += frame.size();
    if (is_multicast(reinterpret_cast<const std::uint8_t*>(frame.data())))
        ++counters_.eth_rx_multicast;
    queue_.complete(VRNIC_WC_SUCCESS, VRNIC_SYND_NONE, static_cast<std::uint32_t>(frame.size()));
}

void Receiver::refuse(std::uint8_t status, std::uint32_t syndrome) {
    ++counters_.eth_rx_errors;
    guest_error(host_, "Ethernet queue {}: descriptor {} is bad: status {}, syndrome {}",
                queue_.number(), queue_.index(), status, syndrome);
    queue_.complete(status, syndrome, 0);
}

}  // namespace vrnic
