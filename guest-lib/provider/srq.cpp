// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_create_srq(3), ibv_create_srq_ex(3).
#include "srq.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>

#include "cq.h"

namespace vrnic {

namespace {

constexpr size_t kCacheLine = 64;

// false: no memory.
bool prepare_tags(Srq& srq) {
    const uint32_t size = srq.ring.size();
    srq.wr_ids.reset(new (std::nothrow) uint64_t[size]{});
    srq.tags.reset(new (std::nothrow) uint32_t[size]{});
    if (!srq.wr_ids || !srq.tags) return false;
    for (uint32_t i = 0; i < size; ++i) srq.tags[i] = size - 1 - i;
    srq.free_tags = size;
    return true;
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
    if (attr.attr.max_wr == 0 || attr.attr.max_wr > context.limits.max_srq_entries ||
        attr.attr.max_sge > context.limits.max_recv_sge)
        return EINVAL;

    const uint8_t log_size = log2_ceil(attr.attr.max_wr);
    const uint8_t log_stride = receive_log_stride(attr.attr.max_sge);
    const size_t dbrec_offset = align_up(size_t{1} << (log_size + log_stride), kCacheLine);
    srq.domain = DomainUse(&Pd::from(attr.pd));
    auto memory = QueueMemory::create(dbrec_offset + kCacheLine, QueueKind::kSrq, srq.domain.get());
    if (!memory) return memory.error();
    srq.context = &context;
    srq.memory = std::move(*memory);
    srq.ring = Ring(srq.memory.at(0), log_size, log_stride);
    srq.producer_record = &reinterpret_cast<vrnic_srq_dbrec*>(srq.memory.at(dbrec_offset))->pi;
    srq.max_sge = std::min(receive_sges(srq.ring.stride()), context.limits.max_recv_sge);
    if (type == IBV_SRQT_XRC) srq.cq = attr.cq;
    if (!prepare_tags(srq)) return ENOMEM;

    vrnic_ib_create_srq_req req{};
    req.buf_va = reinterpret_cast<uintptr_t>(srq.memory.at(0));
    req.buf_len = srq.memory.size();
    req.dbrec_offset = static_cast<uint32_t>(dbrec_offset);
    req.log_size = log_size;
    req.log_stride = log_stride;

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
    tag = ring.position(tag);  // one that we gave, whatever the device says
    if (free_tags < ring.size()) tags[free_tags++] = tag;
    return wr_ids[tag];
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
