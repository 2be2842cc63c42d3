// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "queue_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <random>

namespace vrnic::check {

namespace {

constexpr uint8_t kMostReads = 16;  // outstanding, if the devices allow it

uint8_t reads(int limit) {
    return static_cast<uint8_t>(std::clamp<int>(limit, 0, kMostReads));
}

}  // namespace

Result<QueuePair> QueuePair::create(const Device& device, const Completions& completions,
                                    const QpOptions& options) {
    ibv_qp_init_attr_ex init{};
    init.send_cq = completions.send_cq();
    init.recv_cq = completions.receive_cq();
    init.qp_type = IBV_QPT_RC;
    init.cap.max_send_wr = options.depth;
    init.cap.max_recv_wr = options.depth;
    init.cap.max_send_sge = options.sges;
    init.cap.max_recv_sge = options.sges;
    init.cap.max_inline_data = options.max_inline;
    init.comp_mask = IBV_QP_INIT_ATTR_PD;
    init.pd = device.pd.get();
    if (options.extended) {
        init.comp_mask |= IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
        init.send_ops_flags = options.extended;
    }
    QueuePair pair;
    pair.qp_.reset(ibv_create_qp_ex(device.context.get(), &init));
    if (!pair.qp_) return verbs_error(fmt::format("ibv_create_qp: {}", std::strerror(errno)));
    pair.device_ = &device;
    pair.options_ = options;
    pair.capabilities_ = init.cap;
    pair.psn_ = std::random_device{}() & 0xffffff;
    return pair;
}

nlohmann::json QueuePair::describe() const {
    return {{"qpn", qp_->qp_num},
            {"psn", psn_},
            {"gid", to_string(device_->gid)},
            {"reads", reads(device_->attributes.max_qp_rd_atom)}};
}

Result<void> QueuePair::connect(const nlohmann::json& peer) {
    const auto gid = gid_from_string(peer.value("gid", ""));
    if (!gid) return verbs_error("the peer sent no GID");

    ibv_qp_attr attr{};
    attr.qp_state = IBV_QPS_INIT;
    attr.port_num = kPort;
    attr.qp_access_flags = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE |
                           static_cast<unsigned>(options_.more_access);
    if (device_->attributes.atomic_cap != IBV_ATOMIC_NONE)
        attr.qp_access_flags |= IBV_ACCESS_REMOTE_ATOMIC;
    if (int err = ibv_modify_qp(
            qp_.get(), &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS))
        return verbs_error(fmt::format("QP to INIT: {}", std::strerror(err)));

    attr = {};
    attr.qp_state = IBV_QPS_RTR;
    attr.path_mtu = options_.mtu;
    attr.dest_qp_num = peer.value("qpn", 0u);
    attr.rq_psn = peer.value("psn", 0u);
    attr.max_dest_rd_atomic = reads(device_->attributes.max_qp_rd_atom);
    attr.min_rnr_timer = options_.min_rnr_timer;
    attr.ah_attr.is_global = 1;
    attr.ah_attr.port_num = kPort;
    attr.ah_attr.grh.dgid = *gid;
    attr.ah_attr.grh.sgid_index = static_cast<uint8_t>(device_->gid_index);
    attr.ah_attr.grh.hop_limit = 64;
    if (int err =
            ibv_modify_qp(qp_.get(), &attr,
                          IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
                              IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER))
        return verbs_error(
            fmt::format("QP to RTR towards {}: {}", to_string(*gid), std::strerror(err)));

    attr = {};
    attr.qp_state = IBV_QPS_RTS;
    attr.timeout = options_.timeout;
    attr.retry_cnt = options_.retry_count;
    attr.rnr_retry = options_.rnr_retry;
    attr.sq_psn = psn_;
    // No more READs under way than the peer answers at once, and than we may have.
    attr.max_rd_atomic = std::min<uint8_t>(reads(device_->attributes.max_qp_init_rd_atom),
                                           peer.value("reads", uint8_t{1}));
    if (int err = ibv_modify_qp(qp_.get(), &attr,
                                IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
                                    IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC))
        return verbs_error(fmt::format("QP to RTS: {}", std::strerror(err)));
    return {};
}

Result<void> QueuePair::move_to(ibv_qp_state state) {
    ibv_qp_attr attr{};
    attr.qp_state = state;
    if (int err = ibv_modify_qp(qp_.get(), &attr, IBV_QP_STATE))
        return verbs_error(
            fmt::format("QP to state {}: {}", static_cast<int>(state), std::strerror(err)));
    return {};
}

Result<void> QueuePair::post_write(const Buffer& memory, uint32_t bytes) {
    ibv_sge sge{reinterpret_cast<uint64_t>(memory.bytes().data()), bytes, memory.mr()->lkey};
    ibv_send_wr wr{}, *refused = nullptr;
    wr.sg_list = &sge;
    wr.num_sge = 1;
    wr.opcode = IBV_WR_RDMA_WRITE;
    wr.send_flags = IBV_SEND_SIGNALED;
    wr.wr.rdma.remote_addr = sge.addr;
    wr.wr.rdma.rkey = memory.mr()->rkey;
    if (int err = ibv_post_send(qp_.get(), &wr, &refused))
        return wrong(fmt::format("ibv_post_send: {}", std::strerror(err)));
    return {};
}

Result<void> QueuePair::destroy() {
    if (int err = check::destroy(qp_))
        return wrong(fmt::format("ibv_destroy_qp: {}", std::strerror(err)));
    return {};
}

Result<ibv_qp_state> QueuePair::state() const {
    ibv_qp_attr attr{};
    ibv_qp_init_attr init{};
    if (int err = ibv_query_qp(qp_.get(), &attr, IBV_QP_STATE, &init))
        return verbs_error(fmt::format("ibv_query_qp: {}", std::strerror(err)));
    return attr.qp_state;
}

}  // namespace vrnic::check
