// SPDX-License-Identifier: GPL-2.0-or-later
// One queue pair of an engine, connected to a peer that is the test: what the device sends is
// looked at packet by packet, and answered by hand.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "roce/build.h"
#include "roce/parse.h"
#include "unit/catch.h"
#include "unit/guest.h"

namespace vrnic::test {

using roce::PacketFields;

inline constexpr roce::MacAddress kPeerMac = {2, 0, 0, 0, 0, 9};
inline constexpr roce::Gid kGid = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
inline constexpr roce::Gid kPeerGid = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2};
inline constexpr std::uint32_t kPeerQpn = 0x777;
inline constexpr std::uint32_t kMtu = 256;
inline constexpr std::uint32_t kAccess =
    VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ;
inline constexpr std::uint64_t kIova = 0x7000'0000;
inline constexpr std::uint32_t kRegionSize = 64 * 1024;

// A packet as it was sent, with its frame.
struct Sent {
    Frame frame;
    roce::Packet packet;
    std::uint8_t opcode() const { return packet.opcode->opcode; }
};

struct ConnectionOptions {
    std::uint8_t type = VRNIC_QPT_RC;
    bool shared_receives = false;  // the receive entries are those of a shared receive queue
    std::uint8_t max_rd_atomic = 2;
    std::uint8_t max_dest_rd_atomic = 2;
    std::uint8_t timeout = 14;
    std::uint8_t retry_cnt = 3;
    std::uint8_t rnr_retry = 2;
    std::uint8_t min_rnr_timer = 12;
    std::uint32_t access = kAccess;  // of the QP
    std::uint32_t sq_psn = 0x000100;
    std::uint32_t rq_psn = 0x200000;
    bool rts = true;  // else RTR
    std::uint8_t cq_log_size = 6;
    std::uint64_t without = 0;  // VRNIC_CAP_* that the device does not have
    bool privileged = false;
};

class Connection {
  public:
    static constexpr std::uint8_t kLogEntries = 5;
    static constexpr std::uint32_t kSqOffset = 0;
    static constexpr std::uint32_t kSqStride = 128;
    static constexpr std::uint32_t kRqOffset = kSqStride << kLogEntries;
    static constexpr std::uint32_t kRqStride = 64;
    static constexpr std::uint32_t kRecordOffset = kRqOffset + (kRqStride << kLogEntries);
    static constexpr std::uint32_t kMemory = kRecordOffset + sizeof(vrnic_qp_dbrec);

    static constexpr std::uint32_t kSrqRecord = kRqStride << kLogEntries;
    static constexpr std::uint32_t kSrqMemory = kSrqRecord + 64;
    static constexpr std::uint32_t kQkey = 0x11223344;

    explicit Connection(ConnectionOptions how = {}) : options(how), guest(config_of(how)) {
        async = guest.create_eq(0, 3);
        completions = guest.create_eq(1, 4);
        guest.set_port(VRNIC_PORT_UP);
        uar = Guest::handle(guest.submit_empty(VRNIC_ADMIN_ALLOC_UAR));
        pdn = Guest::handle(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD));
        cq = guest.create_cq(uar, completions.eqn, options.cq_log_size);
        set_gid();
        region = guest.host.allocate(kRegionSize);
        key = register_region(region, kIova, kRegionSize, kAccess, pdn);
        queues = guest.host.allocate(kMemory);
        if (options.type == VRNIC_QPT_XRC_TGT)
            xrcdn = Guest::handle(guest.submit_empty(VRNIC_ADMIN_ALLOC_XRCD));
        if (options.shared_receives || xrcdn != 0)
            srqn = Guest::handle(guest.submit(VRNIC_ADMIN_CREATE_SRQ, srq_fields()));
        qpn = Guest::handle(guest.submit(VRNIC_ADMIN_CREATE_QP, qp_fields()));
        expected = Psn(options.rq_psn);
        to_init();
        to_rtr();
        if (options.rts) to_rts();
    }

    static EngineConfig config_of(const ConnectionOptions& how) {
        EngineConfig config = Guest::default_config();
        config.without = how.without;
        return config;
    }

    vrnic_cmd_create_qp qp_fields() {
        vrnic_cmd_create_qp fields{};
        fields.type = options.type;
        fields.sq_log_size = fields.rq_log_size = VRNIC_NO_QUEUE;
        fields.xrcdn = xrcdn;
        if (xrcdn != 0) return fields;
        fields.pdn = pdn;
        fields.uar = uar;
        fields.send_cqn = cq.cqn;
        fields.sq_log_size = kLogEntries;
        if (options.type != VRNIC_QPT_XRC_INI) {
            fields.recv_cqn = cq.cqn;
            fields.srqn = srqn;
            if (srqn == 0) fields.rq_log_size = kLogEntries;
        }
        if (options.privileged) fields.flags = VRNIC_QP_PRIVILEGED;
        fields.sq_log_stride = 7;
        fields.rq_log_stride = 6;
        fields.sq_offset = kSqOffset;
        fields.rq_offset = kRqOffset;
        fields.dbrec_offset = kRecordOffset;
        fields.memory = contiguous(queues, kMemory);
        return fields;
    }

    vrnic_cmd_create_srq srq_fields() {
        if (shared == 0) shared = guest.host.allocate(kSrqMemory);
        vrnic_cmd_create_srq fields{};
        fields.pdn = pdn;
        fields.xrcdn = xrcdn;
        fields.cqn = xrcdn != 0 ? cq.cqn : 0;
        fields.log_size = kLogEntries;
        fields.log_stride = 6;
        fields.dbrec_offset = kSrqRecord;
        fields.memory = contiguous(shared, kSrqMemory);
        return fields;
    }

    std::uint32_t register_region(BusAddress at, std::uint64_t iova, std::uint64_t length,
                                  std::uint32_t access, std::uint32_t domain) {
        vrnic_cmd_reg_mr fields{};
        fields.pdn = domain;
        fields.access = access;
        fields.iova = iova;
        fields.length = length;
        fields.pages = contiguous(at, length);
        return Guest::handle(guest.submit(VRNIC_ADMIN_REG_MR, fields));
    }

    void set_gid() {
        vrnic_cmd_set_gid fields{};
        fields.vlan = VRNIC_VLAN_NONE;
        std::copy(kGid.begin(), kGid.end(), fields.gid);
        std::copy(kMac.begin(), kMac.end(), fields.smac);
        CHECK(guest.submit(VRNIC_ADMIN_SET_GID, fields).status == VRNIC_STATUS_OK);
    }

    // ---- states ----

    // What each transition needs: IBTA 11.2.5.2, written down once more.
    std::uint32_t init_mask() const {
        return VRNIC_QP_STATE | VRNIC_QP_PKEY_INDEX | VRNIC_QP_PORT |
               (options.type == VRNIC_QPT_UD ? VRNIC_QP_QKEY : VRNIC_QP_ACCESS_FLAGS);
    }
    std::uint32_t rtr_mask() const {
        if (options.type == VRNIC_QPT_UD) return VRNIC_QP_STATE;
        const std::uint32_t path =
            VRNIC_QP_STATE | VRNIC_QP_AV | VRNIC_QP_PATH_MTU | VRNIC_QP_DEST_QPN | VRNIC_QP_RQ_PSN;
        const bool asks_only = options.type == VRNIC_QPT_UC || options.type == VRNIC_QPT_XRC_INI;
        return path | (asks_only ? 0 : VRNIC_QP_MAX_DEST_RD_ATOMIC | VRNIC_QP_MIN_RNR_TIMER);
    }
    std::uint32_t rts_mask() const {
        const std::uint32_t psn = VRNIC_QP_STATE | VRNIC_QP_SQ_PSN;
        if (options.type == VRNIC_QPT_UD || options.type == VRNIC_QPT_UC) return psn;
        if (options.type == VRNIC_QPT_XRC_TGT) return psn | VRNIC_QP_TIMEOUT;
        return psn | VRNIC_QP_TIMEOUT | VRNIC_QP_RETRY_CNT | VRNIC_QP_RNR_RETRY |
               VRNIC_QP_MAX_QP_RD_ATOMIC;
    }

    vrnic_cmd_modify_qp modify_fields(std::uint8_t state, std::uint32_t mask) const {
        vrnic_cmd_modify_qp fields{};
        fields.qpn = qpn;
        fields.mask = mask;
        vrnic_qp_attr& attr = fields.attr;
        attr.state = state;
        attr.port = 1;
        attr.qkey = kQkey;
        attr.access_flags = options.access;
        attr.path_mtu = 1;
        attr.dest_qpn = kPeerQpn;
        attr.rq_psn = options.rq_psn;
        attr.sq_psn = options.sq_psn;
        attr.max_rd_atomic = options.max_rd_atomic;
        attr.max_dest_rd_atomic = options.max_dest_rd_atomic;
        attr.min_rnr_timer = options.min_rnr_timer;
        attr.timeout = options.timeout;
        attr.retry_cnt = options.retry_cnt;
        attr.rnr_retry = options.rnr_retry;
        std::copy(kPeerGid.begin(), kPeerGid.end(), attr.av.dgid);
        std::copy(kPeerMac.begin(), kPeerMac.end(), attr.av.dmac);
        return fields;
    }
    vrnic_admin_cpl try_modify(std::uint8_t state, std::uint32_t mask) {
        return guest.submit(VRNIC_ADMIN_MODIFY_QP, modify_fields(state, mask));
    }
    void modify(std::uint8_t state, std::uint32_t mask) {
        CHECK(try_modify(state, mask).status == VRNIC_STATUS_OK);
    }
    void to_init() { modify(VRNIC_QPS_INIT, init_mask()); }
    void to_rtr() { modify(VRNIC_QPS_RTR, rtr_mask()); }
    void to_rts() { modify(VRNIC_QPS_RTS, rts_mask()); }
    vrnic_qp_attr query() {
        const auto completion = guest.submit_handle(VRNIC_ADMIN_QUERY_QP, qpn);
        CHECK(completion.status == VRNIC_STATUS_OK);
        vrnic_resp_query_qp response;
        std::memcpy(&response, completion.payload, sizeof(response));
        return response.attr;
    }
    std::uint8_t state() { return query().state; }

    // ---- the guest's work ----

    vrnic_sge sge(std::uint32_t offset, std::uint32_t length) const {
        vrnic_sge out{};
        out.addr = kIova + offset;
        out.length = length;
        out.lkey = key;
        return out;
    }
    vrnic_sqe send_entry(std::uint8_t opcode, std::uint32_t offset, std::uint32_t length) const {
        vrnic_sqe entry{};
        entry.opcode = opcode;
        entry.flags = VRNIC_SQE_SIGNALED;
        entry.num_sge = 1;
        entry.sge[0] = sge(offset, length);
        entry.remote_addr = 0x9000;
        entry.rkey = 0x4242;
        return entry;
    }
    void post_send(const vrnic_sqe& entry) {
        post_send_silently(entry);
        ring_send();
    }
    // Without a doorbell.
    void post_send_silently(const vrnic_sqe& entry) {
        guest.host.store(queues + kSqOffset + (sq_pi % (1u << kLogEntries)) * kSqStride, entry);
        store_send_index(sq_pi + 1);
    }
    void set_send_index(std::uint32_t index) {
        store_send_index(index);
        ring_send();
    }
    void store_send_index(std::uint32_t index) {
        sq_pi = index;
        vrnic_le32 value;
        value = index;
        guest.host.store(record(offsetof(vrnic_qp_dbrec, sq_pi)), value);
    }
    void ring_send() {
        guest.ring(uar, VRNIC_DB_TYPE_SQ, qpn);
        settle();
    }
    bool send_busy() {
        return guest.host.load<vrnic_le32>(record(offsetof(vrnic_qp_dbrec, sq_busy))) != 0;
    }
    BusAddress record(std::size_t field) const { return queues + kRecordOffset + field; }
    void post_recv(std::uint32_t offset, std::uint32_t length) {
        vrnic_rqe entry{};
        entry.num_sge = 1;
        entry.sge[0] = sge(offset, length);
        post_recv(entry);
    }
    void post_recv(const vrnic_rqe& entry) {
        guest.host.store(queues + kRqOffset + (rq_pi % (1u << kLogEntries)) * kRqStride, entry);
        vrnic_le32 value;
        value = ++rq_pi;
        guest.host.store(record(offsetof(vrnic_qp_dbrec, rq_pi)), value);
        guest.ring(uar, VRNIC_DB_TYPE_RQ, qpn);
        settle();
    }
    // Into the shared receive queue.
    void post_shared(std::uint32_t tag, std::uint32_t offset, std::uint32_t length) {
        vrnic_rqe entry{};
        entry.num_sge = 1;
        entry.tag = tag;
        entry.sge[0] = sge(offset, length);
        guest.host.store(shared + (srq_pi % (1u << kLogEntries)) * kRqStride, entry);
        vrnic_le32 value;
        value = ++srq_pi;
        guest.host.store(shared + kSrqRecord, value);
    }
    // Of a UD queue pair, to the peer.
    vrnic_sqe datagram_entry(std::uint8_t opcode, std::uint32_t offset,
                             std::uint32_t length) const {
        vrnic_sqe entry = send_entry(opcode, offset, length);
        entry.remote_addr = std::uint64_t{0};
        entry.rkey = 0u;
        return entry;
    }
    vrnic_sqe_datagram datagram_address() const {
        vrnic_sqe_datagram to{};
        std::copy(kPeerGid.begin(), kPeerGid.end(), to.av.dgid);
        std::copy(kPeerMac.begin(), kPeerMac.end(), to.av.dmac);
        to.qpn = kPeerQpn;
        to.qkey = kQkey;
        return to;
    }
    void post_datagram(const vrnic_sqe& entry, const vrnic_sqe_datagram& to) {
        const BusAddress at = queues + kSqOffset + (sq_pi % (1u << kLogEntries)) * kSqStride;
        guest.host.store(at, entry);
        guest.host.store(at + VRNIC_SQE_DATA_OFFSET, to);
        guest.host.store(at + VRNIC_SQE_DATAGRAM_DATA_OFFSET, entry.sge[0]);
        set_send_index(sq_pi + 1);
    }
    std::span<std::byte> memory(std::uint32_t offset, std::uint32_t length) {
        return guest.host.bytes(region + offset, length);
    }
    void fill(std::uint32_t offset, std::uint32_t length, unsigned seed = 1) {
        const auto data = pattern(length, seed);
        std::copy(data.begin(), data.end(), memory(offset, length).begin());
    }
    static std::vector<std::byte> pattern(std::uint32_t length, unsigned seed = 1) {
        std::vector<std::byte> out(length);
        for (std::uint32_t i = 0; i < length; ++i)
            out[i] = static_cast<std::byte>(i * 7 + i / 256 + seed);
        return out;
    }
    bool holds(std::uint32_t offset, const std::vector<std::byte>& data) {
        const auto bytes = memory(offset, static_cast<std::uint32_t>(data.size()));
        return std::equal(bytes.begin(), bytes.end(), data.begin());
    }
    std::optional<vrnic_cqe> poll() { return guest.poll(cq); }
    std::optional<vrnic_eqe> event() { return guest.next_event(async); }

    // ---- the peer ----

    roce::Path peer_path() const {
        roce::Path path;
        path.source_mac = kPeerMac;
        path.destination_mac = kMac;
        path.ipv4 = true;
        path.source = kPeerGid;
        path.destination = kGid;
        path.destination_qp = qpn;
        path.service = options.type == VRNIC_QPT_RC   ? roce::Service::rc
                       : options.type == VRNIC_QPT_UC ? roce::Service::uc
                       : options.type == VRNIC_QPT_UD ? roce::Service::ud
                                                      : roce::Service::xrc;
        return path;
    }
    static Frame build(const roce::Path& path, const PacketFields& fields,
                       const std::vector<std::byte>& payload = {}) {
        std::vector<std::byte> buffer(roce::kMaxFrame);
        roce::FrameBuilder builder{std::span<std::byte, roce::kMaxFrame>(buffer)};
        const auto into = builder.begin(roce::PathHeaders::make(path), fields,
                                        static_cast<std::uint32_t>(payload.size()));
        std::copy(payload.begin(), payload.end(), into.begin());
        const auto frame = builder.finish();
        return {frame.begin(), frame.end()};
    }
    void deliver(const Frame& frame) {
        guest.engine.receive_frame(frame);
        settle();
    }
    void deliver(const PacketFields& fields, const std::vector<std::byte>& payload = {}) {
        deliver(build(peer_path(), fields, payload));
    }
    // A request with the PSN that is expected next.
    PacketFields next(roce::Opcode opcode, bool ack_request = true) {
        PacketFields fields;
        fields.opcode = opcode;
        fields.psn = expected;
        fields.ack_request = ack_request;
        fields.xrc_srq = srqn;
        fields.qkey = kQkey;
        fields.source_qp = kPeerQpn;
        ++expected;
        return fields;
    }
    PacketFields next_write(roce::Opcode opcode, std::uint32_t offset, std::uint32_t length) {
        PacketFields fields = next(opcode);
        fields.address = kIova + offset;
        fields.rkey = key;
        fields.length = length;
        return fields;
    }
    PacketFields read_request(std::uint32_t offset, std::uint32_t length) {
        PacketFields fields = next_write(roce::kReadRequest, offset, length);
        expected = expected + (length == 0 ? 0 : (length - 1) / kMtu);
        return fields;
    }
    void acknowledge(Psn psn, std::uint8_t syndrome = roce::kAckUnlimited) {
        PacketFields fields;
        fields.opcode = roce::kAcknowledge;
        fields.psn = psn;
        fields.syndrome = syndrome;
        deliver(fields);
    }

    // What the device sent since the last call.
    std::vector<Sent> sent() {
        std::vector<Sent> out;
        for (Frame& frame : guest.host.frames) {
            out.push_back({std::move(frame), {}});
            const auto packet = roce::parse(out.back().frame);
            REQUIRE(packet.has_value());
            out.back().packet = *packet;
        }
        guest.host.frames.clear();
        return out;
    }
    // The one packet that was sent.
    Sent only() {
        auto all = sent();
        REQUIRE(all.size() == 1);
        return std::move(all[0]);
    }
    std::vector<unsigned> sent_opcodes() {
        std::vector<unsigned> out;
        for (const Sent& one : sent()) out.push_back(one.opcode());
        return out;
    }

    // Lets the device do all that is to be done now.
    void settle() {
        for (int i = 0; i < 1000 && guest.host.runs_scheduled != 0; ++i) {
            guest.host.runs_scheduled = 0;
            guest.engine.run();
        }
        CHECK(guest.host.runs_scheduled == 0);
    }
    // To the time the device asked to be called at; not at all if it did not.
    bool pass_timer() {
        if (guest.host.timer == kNever) return false;
        guest.host.time = std::max(guest.host.time, guest.host.timer);
        guest.host.timer = kNever;  // it fires once
        guest.engine.on_timer();
        settle();
        return true;
    }
    void pass(Nanoseconds time) {
        const Nanoseconds end = guest.host.time + time;
        while (guest.host.timer <= end) pass_timer();
        guest.host.time = end;
    }
    const Counters& counters() const { return guest.engine.counters(); }

    ConnectionOptions options;
    Guest guest;
    Guest::Eq async{}, completions{};
    Guest::Cq cq{};
    std::uint32_t uar = 0, pdn = 0, key = 0, qpn = 0, srqn = 0, xrcdn = 0;
    BusAddress region = 0, queues = 0, shared = 0;
    std::uint32_t sq_pi = 0, rq_pi = 0, srq_pi = 0;
    Psn expected;
};

}  // namespace vrnic::test
