// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/queue.h"

#include "host/log.h"

namespace vrnic {

AdminResult<void> EthernetQueue::create(const vrnic_cmd_create_eth_queue& cmd) {
    if (live_) return admin_error(VRNIC_STATUS_LIMIT);
    if (cmd.log_size > kMaxLogSize)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_create_eth_queue, log_size));
    CompletionQueue* cq = cqs_.find(cmd.cqn);
    if (!cq)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_eth_queue, cqn));
    if (cq->uar != 0)
        return admin_error(VRNIC_STATUS_PERMISSION, VRNIC_FIELD(vrnic_cmd_create_eth_queue, cqn));
    if (cmd.dbrec % sizeof(vrnic_eth_dbrec) != 0)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_create_eth_queue, dbrec));
    const std::uint32_t ring_detail = VRNIC_FIELD(vrnic_cmd_create_eth_queue, ring);
    if (cmd.ring.offset % descriptor_size_ != 0)
        return admin_error(VRNIC_STATUS_INVALID, ring_detail + offsetof(vrnic_page_list, offset));
    const std::uint32_t size = 1u << cmd.log_size;
    auto ring = PagedMemory::create(host_, cmd.ring, std::uint64_t{size} * descriptor_size_,
                                    kMaxPages, ring_detail);
    if (!ring) return std::unexpected(ring.error());

    live_ = true;
    failed_ = false;
    cqn_ = cmd.cqn;
    size_ = size;
    index_ = known_ = 0;
    record_ = cmd.dbrec;
    ring_ = std::move(*ring);
    ++cq->users;
    return {};
}

void EthernetQueue::destroy() {
    if (!live_) return;
    live_ = false;
    --cqs_.find(cqn_)->users;
    ring_ = {};
}

bool EthernetQueue::posted() {
    if (!working()) return false;
    if (known_ != index_) return true;

    vrnic_eth_dbrec record;
    if (!host_.dma_read(record_, std::as_writable_bytes(std::span(&record, 1)))) {
        ++counters_.dma_errors;
        fail(VRNIC_SYND_DMA_FAILED, "its doorbell record could not be read");
        return false;
    }
    if (record.pi - index_ > size_) {
        fail(VRNIC_SYND_RING_INDEX, "its producer index is further ahead than the ring is long");
        return false;
    }
    known_ = record.pi;
    return known_ != index_;
}

bool EthernetQueue::fetch(std::span<std::byte> descriptor) {
    const std::uint64_t at = std::uint64_t{index_ & (size_ - 1)} * descriptor_size_;
    if (ring_.read(host_, at, descriptor)) return true;
    ++counters_.dma_errors;
    fail(VRNIC_SYND_DMA_FAILED, "its ring could not be read");
    return false;
}

void EthernetQueue::complete(std::uint8_t status, std::uint32_t syndrome, std::uint32_t byte_len) {
    vrnic_cqe cqe{};
    cqe.qpn = number_;
    cqe.opcode = cqe_opcode_;
    cqe.status = status;
    cqe.flags = cqe_opcode_ == VRNIC_OP_ETH_TX ? VRNIC_CQE_SEND_QUEUE : 0;
    cqe.syndrome = syndrome;
    cqe.byte_len = byte_len;
    cqe.wqe_index = index_;
    ++index_;
    if (cqs_.post(cqn_, cqe)) return;
    failed_ = true;
    guest_error(host_, "Ethernet queue {}: its CQ {} takes no completion, the queue stops", number_,
                cqn_);
}

void EthernetQueue::fail(std::uint32_t syndrome, std::string_view reason) {
    guest_error(host_, "Ethernet queue {}: {}, the queue stops", number_, reason);
    complete(VRNIC_WC_GENERAL_ERR, syndrome, 0);
    failed_ = true;
}

}  // namespace vrnic
