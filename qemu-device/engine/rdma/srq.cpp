// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/srq.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "host/log.h"
#include "rdma/ring_copy.h"

namespace vrnic {

namespace {

// Number 0 says "none" in commands and completions.
constexpr std::uint32_t kFirstSrqn = 1;

#define FIELD(field) VRNIC_FIELD(vrnic_cmd_create_srq, field)

}  // namespace

SrqTable::SrqTable(Host& host, Counters& counters, EventQueues& events, CqTable& cqs,
                   const SrqLimits& limits)
    : host_(host),
      counters_(counters),
      events_(events),
      cqs_(cqs),
      limits_(limits),
      queues_(limits.max_srqs + kFirstSrqn),
      numbers_(kFirstSrqn, limits.max_srqs) {}

AdminResult<std::uint32_t> SrqTable::create(const vrnic_cmd_create_srq& cmd) {
    CompletionQueue* cq = nullptr;
    if (cmd.xrcdn != 0) {
        cq = cqs_.find(cmd.cqn);
        if (!cq) return admin_error(VRNIC_STATUS_NO_OBJECT, FIELD(cqn));
    } else if (cmd.cqn != 0) {
        return admin_error(VRNIC_STATUS_INVALID, FIELD(cqn));
    }
    const auto ring =
        make_ring({cmd.log_size, cmd.log_stride, cmd.ring_offset, FIELD(log_size),
                   FIELD(log_stride), FIELD(ring_offset)},
                  {limits_.max_entries, VRNIC_RQE_STRIDE_MIN_LOG, VRNIC_RQE_STRIDE_MAX_LOG});
    if (!ring) return std::unexpected(ring.error());
    if (ring->size == 0) return admin_error(VRNIC_STATUS_INVALID, FIELD(log_size));
    if (cmd.dbrec_offset % sizeof(vrnic_srq_dbrec) != 0)
        return admin_error(VRNIC_STATUS_INVALID, FIELD(dbrec_offset));
    const std::uint64_t length =
        std::max(ring->end(), cmd.dbrec_offset + std::uint64_t{sizeof(vrnic_srq_dbrec)});
    auto memory = PagedMemory::create(host_, cmd.memory, length, limits_.max_pages, FIELD(memory));
    if (!memory) return std::unexpected(memory.error());

    const auto srqn = numbers_.take();
    if (!srqn) return admin_error(VRNIC_STATUS_LIMIT);
    SharedReceiveQueue& srq = queues_.make(*srqn);
    srq = SharedReceiveQueue{};
    srq.live = true;
    srq.srqn = *srqn;
    srq.pdn = cmd.pdn;
    srq.xrcdn = cmd.xrcdn;
    srq.cqn = cmd.cqn;
    srq.dbrec_offset = cmd.dbrec_offset;
    srq.ring = *ring;
    srq.memory = std::move(*memory);
    if (cq) ++cq->users;
    return *srqn;
}

AdminResult<void> SrqTable::modify(const vrnic_cmd_modify_srq& cmd) {
    SharedReceiveQueue* srq = find(cmd.srqn);
    if (!srq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_modify_srq, srqn));
    if (cmd.limit > srq->ring.size)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_modify_srq, limit));
    srq->limit = cmd.limit;
    check_limit(*srq);
    return {};
}

AdminResult<void> SrqTable::resize(const vrnic_cmd_resize_srq& cmd) {
    constexpr std::uint32_t kSize = VRNIC_FIELD(vrnic_cmd_resize_srq, log_size);
    constexpr std::uint32_t kMemory = VRNIC_FIELD(vrnic_cmd_resize_srq, memory);
    SharedReceiveQueue* srq = find(cmd.srqn);
    if (!srq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_resize_srq, srqn));
    if (srq->failed || !read_producer(*srq))
        return admin_error(VRNIC_STATUS_BAD_STATE, VRNIC_FIELD(vrnic_cmd_resize_srq, srqn));
    const auto log_stride = static_cast<std::uint8_t>(std::countr_zero(srq->ring.stride));
    auto ring = make_ring({cmd.log_size, log_stride, cmd.ring_offset, kSize, kSize,
                           VRNIC_FIELD(vrnic_cmd_resize_srq, ring_offset)},
                          {limits_.max_entries, log_stride, log_stride});
    if (!ring) return std::unexpected(ring.error());
    // A limit is never more than the entries that are left.
    if (ring->size == 0 || ring->size < srq->ring.producer - srq->ring.next)
        return admin_error(VRNIC_STATUS_INVALID, kSize);
    if (cmd.dbrec_offset % sizeof(vrnic_srq_dbrec) != 0)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_resize_srq, dbrec_offset));
    const std::uint64_t length =
        std::max(ring->end(), cmd.dbrec_offset + std::uint64_t{sizeof(vrnic_srq_dbrec)});
    auto memory = PagedMemory::create(host_, cmd.memory, length, limits_.max_pages, kMemory);
    if (!memory) return std::unexpected(memory.error());

    const std::uint64_t first = srq->ring.next;
    const std::uint64_t count = srq->ring.producer - srq->ring.next;
    if (!copy_ring(host_, {srq->memory, srq->ring.offset, srq->ring.size},
                   {*memory, ring->offset, ring->size}, ring->stride, first, first + count)) {
        ++counters_.dma_errors;
        return admin_error(VRNIC_STATUS_DMA, kMemory);
    }
    ring->next = srq->ring.next;
    ring->producer = srq->ring.producer;
    srq->ring = *ring;
    srq->dbrec_offset = cmd.dbrec_offset;
    srq->memory = std::move(*memory);
    return {};
}

AdminResult<vrnic_resp_query_srq> SrqTable::query(std::uint32_t srqn) {
    SharedReceiveQueue* srq = find(srqn);
    if (!srq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    (void)read_producer(*srq);  // what is wrong with it shows when somebody wants an entry
    vrnic_resp_query_srq response{};
    response.limit = srq->limit;
    response.entries = srq->ring.producer - srq->ring.next;
    return response;
}

AdminResult<void> SrqTable::destroy(std::uint32_t srqn) {
    SharedReceiveQueue* srq = find(srqn);
    if (!srq) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    if (srq->users != 0) return admin_error(VRNIC_STATUS_BUSY);
    if (srq->is_xrc()) --cqs_.find(srq->cqn)->users;
    *srq = SharedReceiveQueue{};
    numbers_.give_back(srqn);
    return {};
}

void SrqTable::reset() {
    queues_.clear();
    numbers_.reset();
}

SharedReceiveQueue* SrqTable::find(std::uint32_t srqn) {
    SharedReceiveQueue* srq = queues_.find(srqn);
    return srq && srq->live ? srq : nullptr;
}

std::uint32_t SrqTable::srqs_of_pd(std::uint32_t pdn) const {
    std::uint32_t count = 0;
    queues_.for_each([&](const SharedReceiveQueue& srq) { count += srq.live && srq.pdn == pdn; });
    return count;
}

std::uint32_t SrqTable::srqs_of_xrcd(std::uint32_t xrcdn) const {
    std::uint32_t count = 0;
    queues_.for_each(
        [&](const SharedReceiveQueue& srq) { count += srq.live && srq.xrcdn == xrcdn; });
    return count;
}

Available SrqTable::read_producer(SharedReceiveQueue& srq) {
    return vrnic::read_producer(host_, counters_, srq.memory,
                                srq.dbrec_offset + offsetof(vrnic_srq_dbrec, pi), srq.ring);
}

Available SrqTable::available(SharedReceiveQueue& srq) {
    if (srq.failed) return std::unexpected<Syndrome>(VRNIC_SYND_SRQ_FAILED);
    if (srq.ring.next != srq.ring.producer) return true;
    Available found = read_producer(srq);
    if (!found) fail(srq, found.error());
    return found;
}

void SrqTable::entry_taken(SharedReceiveQueue& srq) {
    if (srq.limit != 0) check_limit(srq);
}

void SrqTable::check_limit(SharedReceiveQueue& srq) {
    const auto left = [&srq] { return srq.ring.producer - srq.ring.next; };
    if (left() < srq.limit && read_producer(srq) && left() < srq.limit) {
        srq.limit = 0;  // IBTA 10.2.9.2: once, until it is set again
        events_.raise(VRNIC_EVENT_SRQ_LIMIT, srq.srqn);
    }
}

void SrqTable::fail(SharedReceiveQueue& srq, Syndrome syndrome) {
    if (srq.failed) return;
    srq.failed = true;
    guest_error(host_, "SRQ {}: {} at entry {}; it gives no more", srq.srqn,
                syndrome_name(syndrome), srq.ring.next);
    events_.raise(VRNIC_EVENT_SRQ_ERROR, srq.srqn, syndrome);
}

}  // namespace vrnic
