// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "cq.h"

#include <util/udma_barrier.h>

#include <bit>
#include <cerrno>
#include <mutex>
#include <new>

#include "completion.h"
#include "ring_memory.h"
#include "srq.h"

namespace vrnic {

namespace {

constexpr uint8_t kLogCqeSize = std::countr_zero(sizeof(vrnic_cqe));

// What a RoCE device can say of a completion.
constexpr uint64_t kReadableFields = uint64_t{IBV_WC_STANDARD_FLAGS} |
                                     IBV_WC_EX_WITH_COMPLETION_TIMESTAMP |
                                     IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK;

std::expected<RingMemory, int> memory_for(uint32_t entries, Pd* domain) {
    return RingMemory::create(entries, kLogCqeSize, QueueKind::kCq, domain);
}

void take(Cq& cq, RingMemory& made) {
    cq.ring = made.ring();
    cq.dbrec = made.dbrec<vrnic_cq_dbrec>();
    cq.memory = std::move(made.memory);
}

bool is_size(const Context::State& context, int entries) {
    return entries >= 1 && static_cast<uint32_t>(entries) <= context.limits.max_cq_entries;
}

int check(const Context::State& context, const ibv_cq_init_attr_ex& attr) {
    if (attr.comp_mask & ~uint32_t{IBV_CQ_INIT_ATTR_MASK_FLAGS | IBV_CQ_INIT_ATTR_MASK_PD})
        return EOPNOTSUPP;
    if (attr.wc_flags & ~kReadableFields) return EOPNOTSUPP;
    if ((attr.wc_flags & IBV_WC_EX_WITH_COMPLETION_TIMESTAMP_WALLCLOCK) && !context.clock.present())
        return EOPNOTSUPP;
    // A queue that overflows has failed; the device does not write over what was not taken.
    if ((attr.comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS) &&
        (attr.flags & ~uint32_t{IBV_CREATE_CQ_ATTR_SINGLE_THREADED}))
        return EOPNOTSUPP;
    return 0;
}

// 0, or an errno value. On success `cq` is complete.
int create(Cq& cq, ibv_context* context, ibv_cq_init_attr_ex& attr) {
    cq.context = &Context::from(context).state;
    Pd* domain = nullptr;
    if ((attr.comp_mask & IBV_CQ_INIT_ATTR_MASK_PD) && attr.parent_domain) {
        domain = &Pd::from(attr.parent_domain);
        if (domain->protection == nullptr) return EINVAL;  // not a parent domain
        cq.domain = DomainUse(domain);
    }
    const bool single = (attr.comp_mask & IBV_CQ_INIT_ATTR_MASK_FLAGS) &&
                        (attr.flags & IBV_CREATE_CQ_ATTR_SINGLE_THREADED);
    cq.lock.set_single_threaded(single || (domain && domain->single_threaded()));

    auto memory = memory_for(attr.cqe, domain);
    if (!memory) return memory.error();
    const auto req = memory->request<vrnic_ib_create_cq_req>();
    vrnic_ib_create_cq_resp resp{};
    if (int err = glue_cmd_create_cq(context, &attr, cq.ibv(), &req, &resp)) return err;
    take(cq, *memory);
    cq.cqn = resp.cqn;
    cq.ibv()->cqe = static_cast<int>(cq.ring.size());
    return 0;
}

Cq* new_cq(ibv_context* context, ibv_cq_init_attr_ex& attr) {
    auto* cq = new (std::nothrow) Cq;
    if (cq == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (int err = create(*cq, context, attr)) {
        delete cq;
        errno = err;
        return nullptr;
    }
    return cq;
}

}  // namespace

vrnic_cqe* Cq::completion_at(uint64_t index) const {
    auto* cqe = reinterpret_cast<vrnic_cqe*>(ring.entry(index));
    const uint64_t seq = vrnic_le64::swap(__atomic_load_n(&cqe->seq.raw, __ATOMIC_RELAXED));
    if (seq != index + 1) return nullptr;
    udma_from_device_barrier();  // the rest of the entry was written before its seq
    return cqe;
}

const vrnic_cqe* Cq::next(uint64_t& index) {
    const vrnic_cqe* cqe = completion_at(index);
    if (cqe == nullptr) {
        if (context->alive()) return nullptr;
        cqe = completion_at(index);  // it may have come just before the end
        if (cqe == nullptr) return next_flushed();
    }
    ++index;
    return cqe;
}

void Cq::consume_to(uint64_t index) {
    consumer_index = index;
    const auto low = static_cast<uint32_t>(index);
    if (dbrec->ci != low) publish_index(dbrec->ci, low);
}

void Cq::discard_completions_of(uint32_t qpn) {
    std::lock_guard guard(lock);
    // At most one round: an entry of the next round has another seq.
    for (uint64_t index = consumer_index; vrnic_cqe* cqe = completion_at(index); ++index) {
        if (cqe->qpn != qpn) continue;
        if (cqe->srqn)
            if (Srq* srq = context->srqs.find(cqe->srqn)) (void)srq->retire(cqe->wqe_index);
        cqe->qpn = kNoQp;
    }
}

void Cq::discard_completions_of_srq(uint32_t srqn) {
    std::lock_guard guard(lock);
    for (uint64_t index = consumer_index; vrnic_cqe* cqe = completion_at(index); ++index)
        if (cqe->srqn == srqn) cqe->qpn = kNoQp;
}

}  // namespace vrnic

using namespace vrnic;

ibv_cq* vrnic_create_cq(ibv_context* context, int cqe, ibv_comp_channel* channel, int comp_vector) {
    if (!is_size(Context::from(context).state, cqe)) {
        errno = EINVAL;
        return nullptr;
    }
    ibv_cq_init_attr_ex attr{};
    attr.cqe = static_cast<uint32_t>(cqe);
    attr.channel = channel;
    attr.comp_vector = static_cast<uint32_t>(comp_vector);
    Cq* cq = new_cq(context, attr);
    return cq ? cq->ibv() : nullptr;
}

ibv_cq_ex* vrnic_create_cq_ex(ibv_context* context, ibv_cq_init_attr_ex* attr) {
    const Context::State& state = Context::from(context).state;
    int err = check(state, *attr);
    if (!err && (attr->cqe == 0 || attr->cqe > state.limits.max_cq_entries)) err = EINVAL;
    if (err) {
        errno = err;
        return nullptr;
    }
    Cq* cq = new_cq(context, *attr);
    if (cq == nullptr) return nullptr;
    set_poll_calls(*cq->extended(), attr->wc_flags);
    return cq->extended();
}

// Nobody polls while the device moves what is in the ring.
int vrnic_resize_cq(ibv_cq* ibcq, int cqe) {
    Cq& cq = Cq::from(ibcq);
    if (!is_size(*cq.context, cqe)) return EINVAL;
    auto memory = memory_for(static_cast<uint32_t>(cqe), cq.domain.get());
    if (!memory) return memory.error();
    const auto req = memory->request<vrnic_ib_resize_cq_req>();

    std::lock_guard guard(cq.lock);
    *memory->dbrec<vrnic_cq_dbrec>() = *cq.dbrec;
    if (int err = glue_cmd_resize_cq(ibcq, cqe, &req)) return err;
    take(cq, *memory);
    ibcq->cqe = static_cast<int>(cq.ring.size());
    return 0;
}

int vrnic_destroy_cq(ibv_cq* ibcq) {
    Cq& cq = Cq::from(ibcq);
    {
        // As the kernel has it, which does not look any more when the device is gone.
        std::lock_guard guard(cq.lock);
        if (cq.queues) return EBUSY;
    }
    if (int err = glue_cmd_destroy_cq(ibcq)) return err;
    delete &cq;
    return 0;
}

int vrnic_req_notify_cq(ibv_cq* ibcq, int solicited_only) {
    Cq& cq = Cq::from(ibcq);
    std::lock_guard guard(cq.lock);
    // IBTA 11.4.2.2: a request for any completion is not narrowed by a later one for solicited
    // ones. The device keeps this too, but may see only the later of two requests.
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
