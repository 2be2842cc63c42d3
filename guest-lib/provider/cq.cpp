// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "cq.h"

#include <util/udma_barrier.h>

#include <bit>
#include <cerrno>
#include <mutex>
#include <new>

namespace vrnic {

namespace {

constexpr uint32_t kNoQp = 0xffffffff;  // not a QPN: those have 24 bits
constexpr size_t kCacheLine = 64;
constexpr uint8_t kLogCqeSize = std::countr_zero(sizeof(vrnic_cqe));

// 0, or an errno value. On success `cq` is complete.
int create(Cq& cq, ibv_context* context, uint32_t entries, ibv_comp_channel* channel,
           int comp_vector) {
    const uint8_t log_size = log2_ceil(entries);
    const size_t ring_bytes = sizeof(vrnic_cqe) << log_size;
    const size_t dbrec_offset = align_up(ring_bytes, kCacheLine);
    auto memory = QueueMemory::create(dbrec_offset + kCacheLine);
    if (!memory) return memory.error();

    cq.context = &Context::from(context).state;
    cq.memory = std::move(*memory);
    cq.ring = Ring(cq.memory.at(0), log_size, kLogCqeSize);
    cq.dbrec = reinterpret_cast<vrnic_cq_dbrec*>(cq.memory.at(dbrec_offset));

    vrnic_ib_create_cq_req req{};
    req.buf_va = reinterpret_cast<uintptr_t>(cq.memory.at(0));
    req.buf_len = cq.memory.size();
    req.ring_offset = 0;
    req.dbrec_offset = static_cast<uint32_t>(dbrec_offset);
    req.log_size = log_size;
    vrnic_ib_create_cq_resp resp{};
    if (int err = glue_cmd_create_cq(context, static_cast<int>(entries), channel, comp_vector,
                                     cq.ibv(), &req, &resp))
        return err;
    cq.cqn = resp.cqn;
    cq.ibv()->cqe = static_cast<int>(cq.ring.size());
    return 0;
}

}  // namespace

vrnic_cqe* Cq::completion_at(uint64_t index) const {
    auto* cqe = reinterpret_cast<vrnic_cqe*>(ring.entry(index));
    const uint64_t seq = vrnic_le64::swap(__atomic_load_n(&cqe->seq.raw, __ATOMIC_RELAXED));
    if (seq != index + 1) return nullptr;
    udma_from_device_barrier();  // the rest of the entry was written before its seq
    return cqe;
}

void Cq::discard_completions_of(uint32_t qpn) {
    std::lock_guard guard(lock);
    // At most one round: an entry of the next round has another seq.
    for (uint64_t index = consumer_index; vrnic_cqe* cqe = completion_at(index); ++index)
        if (cqe->qpn == qpn) cqe->qpn = kNoQp;
}

}  // namespace vrnic

using namespace vrnic;

ibv_cq* vrnic_create_cq(ibv_context* context, int cqe, ibv_comp_channel* channel, int comp_vector) {
    if (cqe < 1 ||
        static_cast<uint32_t>(cqe) > Context::from(context).state.limits.max_cq_entries) {
        errno = EINVAL;
        return nullptr;
    }
    auto* cq = new (std::nothrow) Cq;
    if (cq == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (int err = create(*cq, context, static_cast<uint32_t>(cqe), channel, comp_vector)) {
        delete cq;
        errno = err;
        return nullptr;
    }
    return cq->ibv();
}

int vrnic_destroy_cq(ibv_cq* ibcq) {
    if (int err = glue_cmd_destroy_cq(ibcq)) return err;
    delete &Cq::from(ibcq);
    return 0;
}

int vrnic_req_notify_cq(ibv_cq* ibcq, int solicited_only) {
    Cq& cq = Cq::from(ibcq);
    std::lock_guard guard(cq.lock);
    // IBTA 11.4.2.2: a request for any completion is not narrowed by a later one for solicited ones.
    // The device keeps this too, but may see only the later of two requests.
    if (!solicited_only) cq.armed_for_any = true;
    cq.arm_sequence = (cq.arm_sequence + 1) & VRNIC_CQ_ARM_SEQ_MASK;
    publish_index(cq.dbrec->arm,
                  cq.arm_sequence | (cq.armed_for_any ? 0u : VRNIC_CQ_ARM_SOLICITED));
    cq.context->doorbell.ring(VRNIC_DB_TYPE_CQ_ARM, cq.cqn);
    return 0;
}

// Called as the application takes the event (ibv_get_cq_event(3)): nothing is armed any more.
void vrnic_cq_event(ibv_cq* ibcq) {
    Cq& cq = Cq::from(ibcq);
    std::lock_guard guard(cq.lock);
    cq.armed_for_any = false;
}
