// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_create_srq(3), ibv_create_srq_ex(3).
#include "srq.h"

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <new>

#include "cq.h"
#include "ring_memory.h"

namespace vrnic {

namespace {

void take(Srq& srq, RingMemory& made) {
    srq.ring = made.ring();
    srq.producer_record = &made.dbrec<vrnic_srq_dbrec>()->pi;
    srq.memory = std::move(made.memory);
}

bool is_size(const Context::State& context, uint32_t entries) {
    return entries != 0 && entries <= context.limits.max_srq_entries;
}

// 0, or an errno value. On success `srq` is complete and in the table; `attr` says what it can
// hold.
int create(Srq& srq, ibv_context* ibcontext, ibv_srq_init_attr_ex& attr) {
    Context::State& context = Context::from(ibcontext).state;
    constexpr uint32_t kKnown = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD |
                                IBV_SRQ_INIT_ATTR_XRCD | IBV_SRQ_INIT_ATTR_CQ;
    const ibv_srq_type type =
        attr.comp_mask & IBV_SRQ_INIT_ATTR_TYPE ? attr.srq_type : IBV_SRQT_BASIC;
    if ((attr.comp_mask & ~kKnown) || (type != IBV_SRQT_BASIC && type != IBV_SRQT_XRC))
        return EOPNOTSUPP;
    if (!(attr.comp_mask & IBV_SRQ_INIT_ATTR_PD)) return EINVAL;
    if (!is_size(context, attr.attr.max_wr) || attr.attr.max_sge > context.limits.max_recv_sge)
        return EINVAL;

    srq.context = &context;
    srq.domain = DomainUse(&Pd::from(attr.pd));
    if (type == IBV_SRQT_XRC) srq.cq = attr.cq;
    auto memory = RingMemory::create(attr.attr.max_wr, receive_log_stride(attr.attr.max_sge),
                                     QueueKind::kSrq, srq.domain.get());
    if (!memory) return memory.error();
    auto req = memory->request<vrnic_ib_create_srq_req>();
    req.log_stride = memory->log_stride;
    take(srq, *memory);
    srq.max_sge = std::min(receive_sges(srq.ring.stride()), context.limits.max_recv_sge);
    if (!srq.add_tags(srq.ring.size())) return ENOMEM;

    std::lock_guard guard(context.tables_lock);
    vrnic_ib_create_srq_resp resp{};
    if (int err = glue_cmd_create_srq(ibcontext, srq.ibv(), &attr, &req, &resp)) return err;
    srq.srqn = resp.srqn;
    if (!context.srqs.insert(srq.srqn, &srq)) {
        (void)glue_cmd_destroy_srq(srq.ibv());
        return ENOMEM;
    }
    attr.attr.max_wr = srq.ring.size();
    attr.attr.max_sge = srq.max_sge;
    return 0;
}

}  // namespace

uint64_t Srq::retire(uint32_t tag) {
    std::lock_guard guard(lock);
    if (tag >= num_tags) return 0;  // none that we gave
    if (free_tags < num_tags) tags[free_tags++] = tag;
    return wr_ids[tag];
}

bool Srq::add_tags(uint32_t wanted) {
    if (wanted <= num_tags) return true;
    std::unique_ptr<uint64_t[]> more_ids(new (std::nothrow) uint64_t[wanted]{});
    std::unique_ptr<uint32_t[]> more_tags(new (std::nothrow) uint32_t[wanted]{});
    if (!more_ids || !more_tags) return false;
    std::copy_n(wr_ids.get(), num_tags, more_ids.get());
    std::copy_n(tags.get(), free_tags, more_tags.get());
    wr_ids = std::move(more_ids);
    tags = std::move(more_tags);
    while (num_tags < wanted) tags[free_tags++] = num_tags++;
    return true;
}

}  // namespace vrnic

using namespace vrnic;

ibv_srq* vrnic_create_srq_ex(ibv_context* context, ibv_srq_init_attr_ex* attr) {
    auto* srq = new (std::nothrow) Srq;
    if (srq == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (int err = create(*srq, context, *attr)) {
        delete srq;
        errno = err;
        return nullptr;
    }
    return srq->ibv();
}

ibv_srq* vrnic_create_srq(ibv_pd* pd, ibv_srq_init_attr* attr) {
    ibv_srq_init_attr_ex extended{};
    extended.srq_context = attr->srq_context;
    extended.attr = attr->attr;
    extended.comp_mask = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD;
    extended.srq_type = IBV_SRQT_BASIC;
    extended.pd = pd;
    ibv_srq* srq = vrnic_create_srq_ex(pd->context, &extended);
    if (srq) attr->attr = extended.attr;
    return srq;
}

// Nobody posts while the device moves what is in the ring.
int vrnic_modify_srq(ibv_srq* ibsrq, ibv_srq_attr* attr, int mask) {
    if (!(mask & IBV_SRQ_MAX_WR)) return glue_cmd_modify_srq(ibsrq, attr, mask, nullptr);
    Srq& srq = Srq::from(ibsrq);
    if (!is_size(*srq.context, attr->max_wr)) return EINVAL;
    const auto log_stride = log2_ceil(static_cast<uint32_t>(srq.ring.stride()));
    auto memory = RingMemory::create(attr->max_wr, log_stride, QueueKind::kSrq, srq.domain.get());
    if (!memory) return memory.error();
    const auto req = memory->request<vrnic_ib_modify_srq_req>();

    std::lock_guard guard(srq.lock);
    const uint32_t size = 1u << memory->log_size;
    // IBTA 11.2.3.3: not fewer than are in use; the device knows only those that were not taken.
    if (srq.num_tags - srq.free_tags > size) return EINVAL;
    if (!srq.add_tags(size)) return ENOMEM;
    memory->dbrec<vrnic_srq_dbrec>()->pi = srq.produced;
    if (int err = glue_cmd_modify_srq(ibsrq, attr, mask, &req)) return err;
    take(srq, *memory);
    return 0;
}

int vrnic_get_srq_num(ibv_srq* srq, uint32_t* number) {
    if (Srq::from(srq).cq == nullptr) return EOPNOTSUPP;  // an XRC one has a number for others
    *number = Srq::from(srq).srqn;
    return 0;
}

int vrnic_destroy_srq(ibv_srq* ibsrq) {
    Srq& srq = Srq::from(ibsrq);
    {
        std::lock_guard guard(srq.context->tables_lock);
        if (int err = glue_cmd_destroy_srq(ibsrq)) return err;
        // The device writes no completion of it any more. Completions of an ordinary one went with
        // its QPs; those of an XRC one are in a queue of its own.
        if (srq.cq) Cq::from(srq.cq).discard_completions_of_srq(srq.srqn);
        srq.context->srqs.erase(srq.srqn);
    }
    delete &srq;
    return 0;
}
