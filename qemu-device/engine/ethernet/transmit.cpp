// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/transmit.h"

#include <algorithm>
#include <span>

#include "host/log.h"

namespace vrnic {

Transmitter::Transmitter(Host& host, Counters& counters, Wire& wire, CqTable& cqs, const Port& port)
    : host_(host),
      counters_(counters),
      wire_(wire),
      port_(port),
      queue_(host, counters, cqs, VRNIC_ETH_TX, sizeof(vrnic_eth_txd), VRNIC_OP_ETH_TX) {}

void Transmitter::destroy_queue() {
    queue_.destroy();
    frame_held_ = false;
}

void Transmitter::reset() {
    queue_.forget();
    rung_ = paused_ = frame_held_ = false;
}

bool Transmitter::run(std::uint32_t budget) {
    if (!rung_ || paused_) return false;
    for (; budget != 0; --budget) {
        if (!frame_held_) {
            vrnic_eth_txd descriptor;
            if (!queue_.posted() ||
                !queue_.fetch(std::as_writable_bytes(std::span(&descriptor, 1)))) {
                rung_ = false;
                return false;
            }
            if (!gather(descriptor)) continue;
        }
        if (!port_.link_up() || !port_.admin_up()) {
            ++counters_.eth_tx_dropped;
        } else if (wire_.send(std::span(frame_).first(frame_size_)) == SendResult::paused) {
            if (!frame_held_) ++counters_.wire_pauses;
            frame_held_ = paused_ = true;
            return false;
        } else {
            ++counters_.eth_tx_packets;
            counters_.eth_tx_bytes += frame_size_;
        }
        frame_held_ = false;
        queue_.complete(VRNIC_WC_SUCCESS, VRNIC_SYND_NONE, 0);
    }
    return true;
}

bool Transmitter::gather(const vrnic_eth_txd& descriptor) {
    if (descriptor.num_seg == 0 || descriptor.num_seg > VRNIC_ETH_TX_SEGS ||
        descriptor.flags != 0 || descriptor.reserved != 0)
        return refuse(VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE);

    const auto segments = std::span(descriptor.seg).first(descriptor.num_seg);
    std::size_t size = 0;
    for (const vrnic_eth_seg& segment : segments) {
        if (segment.length == 0 || segment.reserved != 0)
            return refuse(VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE);
        if (segment.length > kMaxFrame - size)
            return refuse(VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_TOO_LONG);
        if (!host_.dma_read(segment.addr, std::span(frame_).subspan(size, segment.length))) {
            ++counters_.dma_errors;
            return refuse(VRNIC_WC_LOC_PROT_ERR, VRNIC_SYND_DMA_FAILED);
        }
        size += segment.length;
    }
    if (size < kEthernetHeader) return refuse(VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_BAD_WQE);

    frame_size_ = std::max<std::size_t>(size, kMinFrame);
    std::fill(frame_.begin() + size, frame_.begin() + frame_size_, std::byte{0});
    return true;
}

bool Transmitter::refuse(std::uint8_t status, std::uint32_t syndrome) {
    ++counters_.eth_tx_errors;
    guest_error(host_, "Ethernet queue {}: descriptor {} is bad: status {}, syndrome {}",
                queue_.number(), queue_.index(), status, syndrome);
    queue_.complete(status, syndrome, 0);
    return false;
}

}  // namespace vrnic
