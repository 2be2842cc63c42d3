// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/driver.h"

#include <fmt/format.h>

#include <stdexcept>

namespace vrnic::device_test {
namespace {

void ipv4_gid(vrnic_u8 (&gid)[16], std::uint32_t address) {
    std::memset(gid, 0, 10);
    gid[10] = gid[11] = 0xff;
    for (int i = 0; i < 4; ++i) gid[12 + i] = static_cast<vrnic_u8>(address >> (24 - 8 * i));
}

}  // namespace

vrnic_page_list contiguous(std::uint64_t address, std::uint64_t size) {
    vrnic_page_list list{};
    list.addr = address;
    list.num_pages = static_cast<std::uint32_t>((size + 4095) / 4096);
    list.page_shift = 12;
    return list;
}

std::uint32_t Driver::reg(std::uint64_t offset) {
    return static_cast<std::uint32_t>(machine().qtest().read(pci_.places().registers + offset, 4));
}

void Driver::set_reg(std::uint64_t offset, std::uint32_t value) {
    machine().qtest().write(pci_.places().registers + offset, value, 4);
}

void Driver::set_reg64(std::uint64_t offset, std::uint64_t value) {
    machine().qtest().write(pci_.places().registers + offset, value, 8);
}

void Driver::ring(std::uint32_t type, std::uint32_t number, std::uint32_t slot) {
    const std::uint64_t at =
        pci_.places().doorbells + (std::uint64_t{slot} << reg(VRNIC_REG_DB_STRIDE));
    machine().qtest().write(at, std::uint64_t{type} << VRNIC_DB_TYPE_SHIFT | number, 8);
}

void Driver::set_up_admin(std::uint32_t log_size, std::uint32_t vector) {
    const std::size_t bytes = std::size_t{VRNIC_ADMIN_ENTRY_SIZE} << log_size;
    sq_ = machine().allocate(bytes);
    cq_ = machine().allocate(bytes);
    log_size_ = log_size;
    next_ = 0;
    set_reg64(VRNIC_REG_ADMIN_SQ_LO, sq_);
    set_reg64(VRNIC_REG_ADMIN_CQ_LO, cq_);
    set_reg(VRNIC_REG_ADMIN_SIZE, log_size);
    set_reg(VRNIC_REG_ADMIN_VECTOR, vector);
    set_reg(VRNIC_REG_ADMIN_ENABLE, 1);
}

AdminReply Driver::command(vrnic_admin_cmd command) {
    const std::uint32_t index = next_++;
    const std::uint64_t place = (index & ((1u << log_size_) - 1)) * VRNIC_ADMIN_ENTRY_SIZE;
    const std::uint32_t phase = (index >> log_size_) + 1;
    command.tag = static_cast<std::uint16_t>(index ^ 0x5a5a);
    machine().qtest().write_object(sq_ + place, command);
    set_reg(VRNIC_REG_ADMIN_DB, next_);
    const bool done = machine().eventually([&] {
        return machine().qtest().read(cq_ + place + offsetof(vrnic_admin_cpl, phase), 4) == phase;
    });
    if (!done)
        throw std::runtime_error(
            fmt::format("admin command {:#x}: no completion, status {:#x}, fatal {}",
                        unsigned{command.opcode}, reg(VRNIC_REG_STATUS), reg(VRNIC_REG_FATAL)));
    const auto completion = machine().qtest().read_object<vrnic_admin_cpl>(cq_ + place);
    if (completion.tag != command.tag) throw std::runtime_error("completion of another command");
    AdminReply reply{completion.status, completion.detail, {}};
    std::memcpy(reply.payload.data(), completion.payload, reply.payload.size());
    return reply;
}

AdminReply Driver::command(std::uint16_t opcode) {
    vrnic_admin_cmd whole{};
    whole.opcode = opcode;
    return command(whole);
}

AdminReply Driver::expect_ok(std::uint16_t opcode, AdminReply reply) {
    if (reply.status != VRNIC_STATUS_OK)
        throw std::runtime_error(fmt::format("admin command {:#x}: status {}, detail {:#x}", opcode,
                                             reply.status, reply.detail));
    return reply;
}

vrnic_device_caps Driver::capabilities() {
    vrnic_cmd_query query{};
    query.addr = machine().allocate(sizeof(vrnic_device_caps));
    query.length = sizeof(vrnic_device_caps);
    must(VRNIC_ADMIN_QUERY_DEVICE, query);
    return machine().qtest().read_object<vrnic_device_caps>(query.addr);
}

std::uint64_t Driver::create_eq(std::uint32_t eqn, std::uint32_t vector, std::uint32_t log_size) {
    const std::size_t bytes = sizeof(vrnic_eqe) << log_size;
    vrnic_cmd_create_eq create{};
    create.eqn = eqn;
    create.vector = vector;
    create.log_size = static_cast<std::uint8_t>(log_size);
    create.ring = contiguous(machine().allocate(bytes), bytes);
    must(VRNIC_ADMIN_CREATE_EQ, create);
    return create.ring.addr;
}

Cq Driver::create_cq(std::uint32_t eqn, std::uint32_t log_size) {
    const std::size_t ring = sizeof(vrnic_cqe) << log_size;
    vrnic_cmd_create_cq create{};
    create.eqn = eqn;
    create.log_size = static_cast<std::uint8_t>(log_size);
    create.dbrec_offset = static_cast<std::uint32_t>(ring);
    const std::size_t bytes = ring + sizeof(vrnic_cq_dbrec);
    create.memory = contiguous(machine().allocate(bytes), bytes);
    Cq cq;
    cq.cqn = must(VRNIC_ADMIN_CREATE_CQ, create).handle();
    cq.log_size = log_size;
    cq.ring = create.memory.addr;
    cq.dbrec = cq.ring + ring;
    return cq;
}

Qp Driver::create_qp(std::uint32_t pdn, const Cq& send, const Cq& receive, std::uint32_t log_size) {
    const std::size_t sq_bytes = std::size_t{128} << log_size;
    const std::size_t rq_bytes = std::size_t{64} << log_size;
    vrnic_cmd_create_qp create{};
    create.pdn = pdn;
    create.send_cqn = send.cqn;
    create.recv_cqn = receive.cqn;
    create.type = VRNIC_QPT_RC;
    create.sq_log_size = create.rq_log_size = static_cast<std::uint8_t>(log_size);
    create.sq_log_stride = 7;
    create.rq_log_stride = 6;
    create.rq_offset = static_cast<std::uint32_t>(sq_bytes);
    create.dbrec_offset = static_cast<std::uint32_t>(sq_bytes + rq_bytes);
    const std::size_t bytes = sq_bytes + rq_bytes + sizeof(vrnic_qp_dbrec);
    create.memory = contiguous(machine().allocate(bytes), bytes);
    Qp qp;
    qp.qpn = must(VRNIC_ADMIN_CREATE_QP, create).handle();
    qp.sq = create.memory.addr;
    qp.rq = qp.sq + sq_bytes;
    qp.dbrec = qp.rq + rq_bytes;
    qp.log_size = log_size;
    return qp;
}

std::uint32_t Driver::register_memory(std::uint32_t pdn, std::uint64_t address,
                                      std::uint64_t length) {
    vrnic_cmd_reg_mr create{};
    create.pdn = pdn;
    create.access = VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ;
    create.iova = address;
    create.length = length;
    create.pages = contiguous(address, length);
    return must(VRNIC_ADMIN_REG_MR, create).handle();
}

void Driver::set_port(std::uint32_t flags, std::uint32_t mtu) {
    vrnic_cmd_set_port port{};
    port.flags = flags;
    port.mtu = mtu;
    const std::uint32_t low = reg(VRNIC_REG_MAC_LO), high = reg(VRNIC_REG_MAC_HI);
    std::memcpy(port.mac, &low, 4);
    std::memcpy(port.mac + 4, &high, 2);
    must(VRNIC_ADMIN_SET_PORT, port);
}

void Driver::set_gid(std::uint32_t index, std::uint32_t ipv4) {
    vrnic_cmd_set_gid gid{};
    gid.index = index;
    gid.vlan = VRNIC_VLAN_NONE;
    ipv4_gid(gid.gid, ipv4);
    const std::uint32_t low = reg(VRNIC_REG_MAC_LO), high = reg(VRNIC_REG_MAC_HI);
    std::memcpy(gid.smac, &low, 4);
    std::memcpy(gid.smac + 4, &high, 2);
    must(VRNIC_ADMIN_SET_GID, gid);
}

AdminReply Driver::modify(const Qp& qp, std::uint32_t mask, const vrnic_qp_attr& attributes) {
    vrnic_cmd_modify_qp modify{};
    modify.qpn = qp.qpn;
    modify.mask = mask;
    modify.attr = attributes;
    return command(VRNIC_ADMIN_MODIFY_QP, modify);
}

void Driver::connect(const Qp& qp, std::uint32_t destination,
                     const std::array<std::uint8_t, 6>& mac, std::uint32_t ipv4) {
    vrnic_qp_attr attr{};
    attr.state = VRNIC_QPS_INIT;
    attr.port = 1;
    attr.access_flags = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ;
    expect_ok(
        VRNIC_ADMIN_MODIFY_QP,
        modify(qp, VRNIC_QP_STATE | VRNIC_QP_PKEY_INDEX | VRNIC_QP_PORT | VRNIC_QP_ACCESS_FLAGS,
               attr));
    attr.state = VRNIC_QPS_RTR;
    attr.path_mtu = 3;
    attr.dest_qpn = destination;
    attr.rq_psn = 0x123;
    attr.max_dest_rd_atomic = 4;
    attr.min_rnr_timer = 12;
    ipv4_gid(attr.av.dgid, ipv4);
    std::memcpy(attr.av.dmac, mac.data(), mac.size());
    attr.av.hop_limit = 64;
    expect_ok(VRNIC_ADMIN_MODIFY_QP,
              modify(qp,
                     VRNIC_QP_STATE | VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_DEST_QPN |
                         VRNIC_QP_RQ_PSN | VRNIC_QP_MAX_DEST_RD_ATOMIC | VRNIC_QP_MIN_RNR_TIMER,
                     attr));
    attr.state = VRNIC_QPS_RTS;
    attr.sq_psn = 0x123;
    attr.timeout = 14;
    attr.retry_cnt = 7;
    attr.rnr_retry = 7;
    attr.max_rd_atomic = 4;
    expect_ok(VRNIC_ADMIN_MODIFY_QP,
              modify(qp,
                     VRNIC_QP_STATE | VRNIC_QP_SQ_PSN | VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT |
                         VRNIC_QP_RNR_RETRY | VRNIC_QP_MAX_QP_RD_ATOMIC,
                     attr));
}

std::uint8_t Driver::state(const Qp& qp) {
    vrnic_cmd_handle query{};
    query.handle = qp.qpn;
    return must(VRNIC_ADMIN_QUERY_QP, query).as<vrnic_resp_query_qp>().attr.state;
}

void Driver::start_traffic(std::uint32_t queue_pairs, std::uint32_t writes) {
    constexpr std::uint32_t kBytes = 65536;
    const std::uint32_t pdn = must(VRNIC_ADMIN_ALLOC_PD).handle();
    const std::uint64_t buffer = machine().allocate(kBytes);
    const std::uint32_t key = register_memory(pdn, buffer, kBytes);
    const Cq cq = create_cq();
    vrnic_sqe write{};
    write.opcode = VRNIC_OP_WRITE;
    write.num_sge = 1;
    write.sge[0].addr = buffer;
    write.sge[0].length = kBytes;
    write.sge[0].lkey = key;
    for (std::uint32_t i = 0; i < queue_pairs; ++i) {
        Qp qp = create_qp(pdn, cq, cq);
        connect(qp, 0x77 + i, {0x52, 0x54, 0, 0, 0, 2}, 0x0a000002);
        for (std::uint32_t n = 0; n < writes; ++n) post_send(qp, write);
    }
}

void Driver::post_send(Qp& qp, vrnic_sqe entry) {
    const std::uint64_t place = qp.sq_pi & ((1u << qp.log_size) - 1);
    machine().qtest().write_object(qp.sq + place * 128, entry);
    ++qp.sq_pi;
    machine().qtest().write(qp.dbrec + offsetof(vrnic_qp_dbrec, sq_pi), qp.sq_pi, 4);
    ring(VRNIC_DB_TYPE_SQ, qp.qpn);
}

void Driver::post_receive(Qp& qp, std::uint64_t address, std::uint32_t length, std::uint32_t key) {
    vrnic_rqe entry{};
    entry.num_sge = 1;
    entry.sge[0].addr = address;
    entry.sge[0].length = length;
    entry.sge[0].lkey = key;
    const std::uint64_t place = qp.rq_pi & ((1u << qp.log_size) - 1);
    machine().qtest().write_object(qp.rq + place * 64, entry);
    ++qp.rq_pi;
    machine().qtest().write(qp.dbrec + offsetof(vrnic_qp_dbrec, rq_pi), qp.rq_pi, 4);
    ring(VRNIC_DB_TYPE_RQ, qp.qpn);
}

std::optional<vrnic_cqe> Driver::poll(Cq& cq) {
    const std::uint64_t place =
        cq.ring + (cq.consumed & ((1u << cq.log_size) - 1)) * sizeof(vrnic_cqe);
    if (machine().qtest().read(place + offsetof(vrnic_cqe, seq), 8) != cq.consumed + 1) return {};
    ++cq.consumed;
    machine().qtest().write(cq.dbrec + offsetof(vrnic_cq_dbrec, ci),
                            static_cast<std::uint32_t>(cq.consumed), 4);
    return machine().qtest().read_object<vrnic_cqe>(place);
}

std::optional<vrnic_cqe> Driver::wait_completion(Cq& cq) {
    std::optional<vrnic_cqe> found;
    (void)machine().eventually([&] { return (found = poll(cq)).has_value(); });
    return found;
}

}  // namespace vrnic::device_test
