// SPDX-License-Identifier: GPL-2.0-or-later
#include "driver.h"

#include <fmt/format.h>

#include <algorithm>

namespace vrnic::sim {

SimDriver::SimDriver(World& world, SimHost& host, Engine& engine, std::uint8_t number,
                     std::uint64_t seed)
    : world_(world), host_(host), engine_(engine), number_(number), memory_(host, seed) {}

std::array<std::uint8_t, 16> SimDriver::gid(std::uint8_t index) const {
    if (index == 0) return {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, number_};
    return {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, number_};
}

void SimDriver::start() {
    if (read32(VRNIC_REG_ID) != VRNIC_ID) throw DriverError("the ID register is wrong");
    if (!(read32(VRNIC_REG_STATUS) & VRNIC_STATUS_READY))
        throw DriverError("the device is not ready");
    doorbell_stride_log_ = read32(VRNIC_REG_DB_STRIDE);

    constexpr std::size_t kRingBytes = VRNIC_ADMIN_ENTRY_SIZE << kAdminLogSize;
    admin_sq_ = memory_.contiguous(kRingBytes);
    admin_cq_ = memory_.contiguous(kRingBytes);
    admin_index_ = admin_answered_ = 0;
    write32(VRNIC_REG_ADMIN_SQ_LO, static_cast<std::uint32_t>(admin_sq_));
    write32(VRNIC_REG_ADMIN_SQ_HI, static_cast<std::uint32_t>(admin_sq_ >> 32));
    write32(VRNIC_REG_ADMIN_CQ_LO, static_cast<std::uint32_t>(admin_cq_));
    write32(VRNIC_REG_ADMIN_CQ_HI, static_cast<std::uint32_t>(admin_cq_ >> 32));
    write32(VRNIC_REG_ADMIN_SIZE, kAdminLogSize);
    write32(VRNIC_REG_ADMIN_VECTOR, kAdminVector);
    write32(VRNIC_REG_ADMIN_ENABLE, 1);

    vrnic_cmd_query query{};
    const BusAddress answer = memory_.contiguous(sizeof(vrnic_device_caps), 8);
    query.addr = answer;
    query.length = sizeof(vrnic_device_caps);
    admin(VRNIC_ADMIN_QUERY_DEVICE, query);
    caps_ = host_.load<vrnic_device_caps>(answer);

    eqs_.clear();
    for (std::uint32_t eqn = 0; eqn < 2; ++eqn) {
        eqs_.push_back({GuestBuffer(memory_, sizeof(vrnic_eqe) << kEqLogSize)});
        vrnic_cmd_create_eq cmd{};
        cmd.eqn = eqn;
        cmd.vector = eqn == 0 ? kAsyncVector : kCompletionVector;
        cmd.log_size = kEqLogSize;
        cmd.ring = eqs_.back().memory.page_list();
        admin(VRNIC_ADMIN_CREATE_EQ, cmd);
        arm_events(eqn);
    }
    uar_ = handle_command(VRNIC_ADMIN_ALLOC_UAR, 0).handle();
    pdn_ = alloc_pd();

    vrnic_cmd_set_port port{};
    port.flags = VRNIC_PORT_UP;
    port.mtu = 9000;
    std::ranges::copy(mac(), port.mac);
    admin(VRNIC_ADMIN_SET_PORT, port);
    set_gid(0);
    set_gid(1);
}

void SimDriver::set_gid(std::uint8_t index) {
    vrnic_cmd_set_gid cmd{};
    cmd.index = index;
    cmd.vlan = VRNIC_VLAN_NONE;
    std::ranges::copy(gid(index), cmd.gid);
    std::ranges::copy(mac(), cmd.smac);
    admin(VRNIC_ADMIN_SET_GID, cmd);
}

AdminReply SimDriver::need(AdminReply reply, std::uint16_t opcode) {
    if (!reply.ok())
        throw DriverError(fmt::format(
            "admin command {:#x}: status {}, detail {}; the device said: {}", opcode, reply.status,
            reply.detail, host_.lines().empty() ? "nothing" : host_.lines().back()));
    return reply;
}

AdminReply SimDriver::try_admin(vrnic_admin_cmd cmd) {
    constexpr std::uint32_t kMask = (1u << kAdminLogSize) - 1;
    const std::uint32_t index = admin_index_++;
    cmd.tag = static_cast<std::uint16_t>(0x5a00 + index);
    host_.store(admin_sq_ + VRNIC_ADMIN_ENTRY_SIZE * (index & kMask), cmd);
    write32(VRNIC_REG_ADMIN_DB, admin_index_);

    const BusAddress place = admin_cq_ + VRNIC_ADMIN_ENTRY_SIZE * (admin_answered_ & kMask);
    const std::uint32_t phase = (admin_answered_ >> kAdminLogSize) + 1;
    const auto answered = [&] { return host_.load<vrnic_admin_cpl>(place).phase == phase; };
    if (!world_.run_until(answered, kSecond))
        throw DriverError(
            fmt::format("admin command {:#x} is not answered", std::uint16_t(cmd.opcode)));
    ++admin_answered_;
    const auto cpl = host_.load<vrnic_admin_cpl>(place);
    if (cpl.tag != cmd.tag) throw DriverError("the tag of an admin completion is wrong");
    AdminReply reply{.status = cpl.status, .detail = cpl.detail};
    std::memcpy(reply.payload.data(), cpl.payload, sizeof(cpl.payload));
    return reply;
}

AdminReply SimDriver::try_handle_command(std::uint16_t opcode, std::uint32_t handle) {
    vrnic_cmd_handle cmd{};
    cmd.handle = handle;
    return try_admin(opcode, cmd);
}

AdminReply SimDriver::handle_command(std::uint16_t opcode, std::uint32_t handle) {
    return need(try_handle_command(opcode, handle), opcode);
}

std::uint32_t SimDriver::alloc_pd() {
    return handle_command(VRNIC_ADMIN_ALLOC_PD, 0).handle();
}

Region SimDriver::reg_mr(std::uint64_t length, std::uint32_t access, BufferLayout layout,
                         std::optional<std::uint32_t> pdn) {
    const std::uint64_t page_size = std::uint64_t{1} << layout.page_shift;
    Region region{GuestBuffer(memory_, length, layout)};
    next_iova_ = (next_iova_ + page_size - 1) / page_size * page_size;
    region.iova = next_iova_ + layout.offset;
    next_iova_ += layout.offset + length + page_size;
    vrnic_cmd_reg_mr cmd{};
    cmd.pdn = pdn.value_or(pdn_);
    cmd.access = access;
    cmd.iova = region.iova;
    cmd.length = length;
    cmd.pages = region.buffer.page_list();
    region.key = admin(VRNIC_ADMIN_REG_MR, cmd).handle();
    return region;
}

std::uint32_t SimDriver::alloc_mw(std::uint8_t type) {
    vrnic_cmd_alloc_mw cmd{};
    cmd.pdn = pdn_;
    cmd.type = type;
    return admin(VRNIC_ADMIN_ALLOC_MW, cmd).handle();
}

GuestCq& SimDriver::create_cq(CqOptions options) {
    const std::uint32_t ring_bytes = static_cast<std::uint32_t>(sizeof(vrnic_cqe))
                                     << options.log_size;
    // The record first, so that neither offset is zero by luck.
    GuestCq cq{.cqn = 0,
               .size = 1u << options.log_size,
               .memory = GuestBuffer(memory_, 64 + ring_bytes),
               .dbrec = 0};
    vrnic_cmd_create_cq cmd{};
    cmd.uar = uar_;
    cmd.eqn = 1;
    cmd.log_size = options.log_size;
    cmd.ring_offset = 64;
    cmd.dbrec_offset = 0;
    cmd.memory = cq.memory.page_list();
    cq.cqn = admin(VRNIC_ADMIN_CREATE_CQ, cmd).handle();
    return cqs_.emplace_back(std::move(cq));
}

void SimDriver::resize_cq(GuestCq& cq, std::uint8_t log_size) {
    constexpr std::uint32_t kRing = 64;
    GuestBuffer memory(memory_, kRing + (sizeof(vrnic_cqe) << log_size));
    memory.store(0, cq.memory.load<vrnic_cq_dbrec>(cq.dbrec));
    vrnic_cmd_resize_cq cmd{};
    cmd.cqn = cq.cqn;
    cmd.log_size = log_size;
    cmd.ring_offset = kRing;
    cmd.dbrec_offset = 0;
    cmd.memory = memory.page_list();
    admin(VRNIC_ADMIN_RESIZE_CQ, cmd);
    cq.size = 1u << log_size;
    cq.memory = std::move(memory);
    cq.dbrec = 0;
}

GuestQp& SimDriver::create_qp(GuestCq& send_cq, GuestCq& recv_cq, QpOptions options) {
    const std::uint32_t sq_bytes = 1u << (options.sq_log_size + options.sq_log_stride);
    const std::uint32_t rq_bytes = 1u << (options.rq_log_size + options.rq_log_stride);
    const std::uint32_t rq_offset = 128 + sq_bytes;
    BufferLayout layout;
    if (!options.scattered) layout.levels = 0;
    GuestQp qp{.qpn = 0,
               .send_cq = &send_cq,
               .recv_cq = &recv_cq,
               .options = options,
               .memory = GuestBuffer(memory_, 128 + sq_bytes + rq_bytes, layout),
               .sq_offset = 128,
               .rq_offset = rq_offset,
               .dbrec = 0};
    vrnic_cmd_create_qp cmd{};
    cmd.type = options.type;
    cmd.sq_log_size = cmd.rq_log_size = VRNIC_NO_QUEUE;
    if (options.type == VRNIC_QPT_XRC_TGT) {
        cmd.xrcdn = options.xrcdn;
    } else {
        cmd.pdn = pdn_;
        cmd.uar = uar_;
        cmd.send_cqn = send_cq.cqn;
        cmd.sq_log_size = options.sq_log_size;
        cmd.sq_log_stride = options.sq_log_stride;
        cmd.flags = options.flags;
        cmd.sq_offset = qp.sq_offset;
        cmd.dbrec_offset = qp.dbrec;
        cmd.memory = qp.memory.page_list();
        if (options.type != VRNIC_QPT_XRC_INI) {
            cmd.recv_cqn = recv_cq.cqn;
            if (options.srq) cmd.srqn = options.srq->srqn;
        }
        if (options.type != VRNIC_QPT_XRC_INI && !options.srq) {
            cmd.rq_log_size = options.rq_log_size;
            cmd.rq_log_stride = options.rq_log_stride;
            cmd.rq_offset = qp.rq_offset;
        }
    }
    qp.qpn = admin(VRNIC_ADMIN_CREATE_QP, cmd).handle();
    GuestQp& placed = qps_.emplace_back(std::move(qp));
    qp_by_number_[placed.qpn] = &placed;
    return placed;
}

AdminReply SimDriver::try_modify(GuestQp& qp, std::uint32_t mask, const vrnic_qp_attr& attr) {
    vrnic_cmd_modify_qp cmd{};
    cmd.qpn = qp.qpn;
    cmd.mask = mask;
    cmd.attr = attr;
    return try_admin(VRNIC_ADMIN_MODIFY_QP, cmd);
}

void SimDriver::modify_state(GuestQp& qp, std::uint8_t state) {
    vrnic_qp_attr attr{};
    attr.state = state;
    need(try_modify(qp, VRNIC_QP_STATE, attr), VRNIC_ADMIN_MODIFY_QP);
    if (state == VRNIC_QPS_RESET) {  // the rings begin anew
        qp.sq_pi = qp.rq_pi = qp.sq_ci = qp.rq_ci = 0;
        qp.memory.store(qp.dbrec, vrnic_qp_dbrec{});
    }
}

vrnic_qp_attr SimDriver::query(GuestQp& qp) {
    return handle_command(VRNIC_ADMIN_QUERY_QP, qp.qpn).as<vrnic_resp_query_qp>().attr;
}

void SimDriver::destroy(GuestQp& qp) {
    handle_command(VRNIC_ADMIN_DESTROY_QP, qp.qpn);
    qp_by_number_.erase(qp.qpn);
}

namespace {

bool is_reliable(const GuestQp& qp) {
    return qp.options.type != VRNIC_QPT_UC && qp.options.type != VRNIC_QPT_UD;
}

}  // namespace

void SimDriver::to_init(GuestQp& qp, const Connection& how) {
    vrnic_qp_attr attr{};
    attr.state = VRNIC_QPS_INIT;
    attr.port = 1;
    attr.access_flags = how.access;
    need(
        try_modify(qp, VRNIC_QP_STATE | VRNIC_QP_PKEY_INDEX | VRNIC_QP_PORT | VRNIC_QP_ACCESS_FLAGS,
                   attr),
        VRNIC_ADMIN_MODIFY_QP);
}

void SimDriver::to_rtr(GuestQp& qp, const SimDriver& peer, std::uint32_t dest_qpn,
                       std::uint32_t rq_psn, const Connection& how) {
    vrnic_qp_attr attr{};
    attr.state = VRNIC_QPS_RTR;
    attr.path_mtu = how.path_mtu;
    attr.dest_qpn = dest_qpn;
    attr.rq_psn = rq_psn;
    attr.max_dest_rd_atomic = how.rd_atomic;
    attr.min_rnr_timer = how.min_rnr_timer;
    std::ranges::copy(peer.gid(how.gid_index), attr.av.dgid);
    std::ranges::copy(peer.mac(), attr.av.dmac);
    attr.av.hop_limit = 64;
    attr.av.sgid_index = how.gid_index;
    std::uint32_t mask =
        VRNIC_QP_STATE | VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_DEST_QPN | VRNIC_QP_RQ_PSN;
    if (is_reliable(qp) && qp.options.type != VRNIC_QPT_XRC_INI)
        mask |= VRNIC_QP_MAX_DEST_RD_ATOMIC | VRNIC_QP_MIN_RNR_TIMER;
    need(try_modify(qp, mask, attr), VRNIC_ADMIN_MODIFY_QP);
}

void SimDriver::to_rts(GuestQp& qp, std::uint32_t sq_psn, const Connection& how) {
    vrnic_qp_attr attr{};
    attr.state = VRNIC_QPS_RTS;
    attr.timeout = how.timeout;
    attr.retry_cnt = how.retry_cnt;
    attr.rnr_retry = how.rnr_retry;
    attr.sq_psn = sq_psn;
    attr.max_rd_atomic = how.rd_atomic;
    std::uint32_t mask = VRNIC_QP_STATE | VRNIC_QP_SQ_PSN;
    if (is_reliable(qp)) mask |= VRNIC_QP_TIMEOUT;
    if (is_reliable(qp) && qp.options.type != VRNIC_QPT_XRC_TGT)
        mask |= VRNIC_QP_RETRY_CNT | VRNIC_QP_RNR_RETRY | VRNIC_QP_MAX_QP_RD_ATOMIC;
    need(try_modify(qp, mask, attr), VRNIC_ADMIN_MODIFY_QP);
    qp.psn = sq_psn;
}

std::uint32_t SimDriver::post_send(GuestQp& qp, const SendRequest& request, bool ring) {
    const std::uint32_t stride = 1u << qp.options.sq_log_stride;
    if (qp.sq_free() == 0) throw DriverError("the test posted more sends than the queue holds");
    std::vector<std::byte> entry(stride);
    vrnic_sqe sqe{};
    sqe.opcode = request.opcode;
    sqe.flags = request.flags;
    sqe.imm = request.imm;
    sqe.rkey = request.rkey;
    sqe.remote_addr = request.remote_addr;
    sqe.xrc_srqn = qp.peer_srqn;
    std::span<const std::byte> data;
    if (request.flags & VRNIC_SQE_INLINE) {
        sqe.inline_length = static_cast<std::uint32_t>(request.inline_data.size());
        data = request.inline_data;
    } else {
        sqe.num_sge = static_cast<std::uint8_t>(request.sges.size());
        data = std::as_bytes(std::span(request.sges));
    }
    const std::size_t data_offset =
        is_atomic(request.opcode) ? VRNIC_SQE_ATOMIC_DATA_OFFSET : VRNIC_SQE_DATA_OFFSET;
    if (data_offset + data.size() > stride)
        throw DriverError("the test's send request does not fit its entry");
    std::memcpy(entry.data(), &sqe, VRNIC_SQE_DATA_OFFSET);
    const auto put_segment = [&entry](const auto& segment) {
        std::memcpy(entry.data() + VRNIC_SQE_DATA_OFFSET, &segment, sizeof(segment));
    };
    if (is_atomic(request.opcode)) {
        vrnic_sqe_atomic segment{};
        segment.swap_or_add = request.swap_or_add;
        segment.compare = request.compare;
        put_segment(segment);
    }
    if (request.opcode == VRNIC_OP_BIND_MW) put_segment(request.bind);
    if (request.opcode == VRNIC_OP_FLUSH) put_segment(request.flush);
    std::ranges::copy(data, entry.begin() + static_cast<std::ptrdiff_t>(data_offset));
    const std::uint32_t slot = qp.sq_pi & ((1u << qp.options.sq_log_size) - 1);
    qp.memory.write(qp.sq_offset + std::uint64_t{slot} * stride, entry);
    vrnic_le32 pi;
    pi = ++qp.sq_pi;
    qp.memory.store(qp.dbrec + offsetof(vrnic_qp_dbrec, sq_pi), pi);
    const auto record = qp.memory.load<vrnic_qp_dbrec>(qp.dbrec);
    if (ring && record.sq_busy == 0) ring_sq(qp);
    return qp.sq_pi - 1;
}

std::uint32_t SimDriver::alloc_xrcd() {
    return admin(VRNIC_ADMIN_ALLOC_XRCD, vrnic_cmd_handle{}).handle();
}

GuestSrq& SimDriver::create_srq(SrqOptions options) {
    constexpr std::uint32_t kRingOffset = 64;
    GuestSrq srq{.srqn = 0,
                 .options = options,
                 .memory = GuestBuffer(
                     memory_, kRingOffset + (1u << (options.log_size + options.log_stride))),
                 .ring_offset = kRingOffset};
    vrnic_cmd_create_srq cmd{};
    cmd.pdn = pdn_;
    cmd.xrcdn = options.xrcdn;
    cmd.cqn = options.cq ? options.cq->cqn : 0;
    cmd.log_size = options.log_size;
    cmd.log_stride = options.log_stride;
    cmd.ring_offset = srq.ring_offset;
    cmd.memory = srq.memory.page_list();
    srq.srqn = admin(VRNIC_ADMIN_CREATE_SRQ, cmd).handle();
    GuestSrq& placed = srqs_.emplace_back(std::move(srq));
    srq_by_number_[placed.srqn] = &placed;
    return placed;
}

std::uint32_t SimDriver::post_srq_recv(GuestSrq& srq, const std::vector<vrnic_sge>& sges) {
    const std::uint32_t stride = 1u << srq.options.log_stride;
    if (srq.outstanding == 1u << srq.options.log_size)
        throw DriverError("the test posted more receives than the shared queue holds");
    std::vector<std::byte> entry(stride);
    vrnic_rqe rqe{};
    rqe.num_sge = static_cast<std::uint32_t>(sges.size());
    rqe.tag = srq.pi;
    if (VRNIC_RQE_DATA_OFFSET + sges.size() * sizeof(vrnic_sge) > stride)
        throw DriverError("the test's receive does not fit its entry");
    std::memcpy(entry.data(), &rqe, VRNIC_RQE_DATA_OFFSET);
    std::ranges::copy(std::as_bytes(std::span(sges)), entry.begin() + VRNIC_RQE_DATA_OFFSET);
    const std::uint32_t slot = srq.pi & ((1u << srq.options.log_size) - 1);
    srq.memory.write(srq.ring_offset + std::uint64_t{slot} * stride, entry);
    ++srq.outstanding;
    vrnic_le32 pi;
    pi = ++srq.pi;
    srq.memory.store(0, pi);
    return srq.pi - 1;
}

std::uint32_t SimDriver::post_recv(GuestQp& qp, const std::vector<vrnic_sge>& sges) {
    if (qp.options.srq) return post_srq_recv(*qp.options.srq, sges);
    const std::uint32_t stride = 1u << qp.options.rq_log_stride;
    if (qp.rq_free() == 0) throw DriverError("the test posted more receives than the queue holds");
    std::vector<std::byte> entry(stride);
    vrnic_rqe rqe{};
    rqe.num_sge = static_cast<std::uint32_t>(sges.size());
    if (VRNIC_RQE_DATA_OFFSET + sges.size() * sizeof(vrnic_sge) > stride)
        throw DriverError("the test's receive does not fit its entry");
    std::memcpy(entry.data(), &rqe, VRNIC_RQE_DATA_OFFSET);
    std::ranges::copy(std::as_bytes(std::span(sges)), entry.begin() + VRNIC_RQE_DATA_OFFSET);
    const std::uint32_t slot = qp.rq_pi & ((1u << qp.options.rq_log_size) - 1);
    qp.memory.write(qp.rq_offset + std::uint64_t{slot} * stride, entry);
    vrnic_le32 pi;
    pi = ++qp.rq_pi;
    qp.memory.store(qp.dbrec + offsetof(vrnic_qp_dbrec, rq_pi), pi);
    return qp.rq_pi - 1;
}

void SimDriver::doorbell(std::uint32_t type, std::uint32_t number) {
    engine_.write_doorbell(std::uint64_t{uar_} << doorbell_stride_log_,
                           std::uint64_t{type} << VRNIC_DB_TYPE_SHIFT | number, 8);
}

std::optional<vrnic_cqe> SimDriver::poll(GuestCq& cq) {
    const auto cqe = cq.memory.load<vrnic_cqe>(64 + sizeof(vrnic_cqe) * (cq.consumed % cq.size));
    if (cqe.seq != cq.consumed + 1) {
        if (cqe.seq > cq.consumed + 1) throw DriverError("a completion was overwritten or skipped");
        return std::nullopt;
    }
    ++cq.consumed;
    vrnic_le32 ci;
    ci = static_cast<std::uint32_t>(cq.consumed);
    cq.memory.store(cq.dbrec + offsetof(vrnic_cq_dbrec, ci), ci);
    if (cqe.srqn != 0) {  // completes in any order
        if (srq_by_number_.at(cqe.srqn)->outstanding-- == 0)
            throw DriverError("a shared receive completed twice");
        return cqe;
    }
    const auto qp = qp_by_number_.find(cqe.qpn);
    if (qp != qp_by_number_.end()) {
        std::uint32_t& index =
            cqe.flags & VRNIC_CQE_SEND_QUEUE ? qp->second->sq_ci : qp->second->rq_ci;
        const std::uint32_t posted =
            cqe.flags & VRNIC_CQE_SEND_QUEUE ? qp->second->sq_pi : qp->second->rq_pi;
        if (cqe.wqe_index - index >= posted - index)
            throw DriverError(fmt::format("QP {:#x}: completion of entry {}, expected {}..{}",
                                          std::uint32_t(cqe.qpn), std::uint32_t(cqe.wqe_index),
                                          index, posted));
        index = cqe.wqe_index + 1;
    }
    return cqe;
}

void SimDriver::arm(GuestCq& cq, bool solicited_only) {
    cq.arm_sequence = (cq.arm_sequence + 1) & VRNIC_CQ_ARM_SEQ_MASK;
    vrnic_cq_dbrec record{};
    record.ci = static_cast<std::uint32_t>(cq.consumed);
    record.arm = cq.arm_sequence | (solicited_only ? VRNIC_CQ_ARM_SOLICITED : 0);
    cq.memory.store(cq.dbrec, record);
    doorbell(VRNIC_DB_TYPE_CQ_ARM, cq.cqn);
}

std::optional<vrnic_eqe> SimDriver::poll_event(std::uint32_t eqn) {
    EventRing& ring = eqs_.at(eqn);
    const auto eqe =
        ring.memory.load<vrnic_eqe>(sizeof(vrnic_eqe) * (ring.consumed % (1u << kEqLogSize)));
    if (eqe.seq != ring.consumed + 1) return std::nullopt;
    ++ring.consumed;
    return eqe;
}

std::vector<vrnic_eqe> SimDriver::events(std::uint32_t eqn) {
    std::vector<vrnic_eqe> found;
    while (auto event = poll_event(eqn)) found.push_back(*event);
    if (!found.empty()) arm_events(eqn);
    return found;
}

void SimDriver::arm_events(std::uint32_t eqn) {
    write32(VRNIC_REG_EQ_DB + eqn * VRNIC_REG_EQ_DB_STRIDE,
            static_cast<std::uint32_t>(eqs_.at(eqn).consumed & 0x7fffffff) | VRNIC_EQ_DB_ARM);
}

void connect_qps(SimDriver& a, GuestQp& qa, SimDriver& b, GuestQp& qb, const Connection& how) {
    if (qa.options.type == VRNIC_QPT_XRC_INI) qa.peer_srqn = qb.options.srq->srqn;
    a.to_init(qa, how);
    b.to_init(qb, how);
    a.to_rtr(qa, b, qb.qpn, how.psn_b, how);
    b.to_rtr(qb, a, qa.qpn, how.psn_a, how);
    a.to_rts(qa, how.psn_a, how);
    b.to_rts(qb, how.psn_b, how);
}

}  // namespace vrnic::sim
