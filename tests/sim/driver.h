// SPDX-License-Identifier: GPL-2.0-or-later
// A small guest driver with verbs-like calls. It knows the device by uapi/ only: registers, rings,
// doorbells.
//
// What must work throws DriverError when it does not; calls named try_* return the device's answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine.h"
#include "guest_memory.h"
#include "host.h"
#include "vrnic_admin.h"
#include "vrnic_regs.h"
#include "vrnic_ring.h"
#include "world.h"

namespace vrnic::sim {

struct DriverError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct AdminReply {
    std::uint16_t status = 0;
    std::uint32_t detail = 0;
    std::array<std::byte, sizeof(vrnic_admin_cpl::payload)> payload{};

    bool ok() const { return status == VRNIC_STATUS_OK; }
    template <typename T>
    T as() const {
        T value;
        std::memcpy(&value, payload.data(), sizeof(T));
        return value;
    }
    std::uint32_t handle() const { return as<vrnic_resp_handle>().handle; }
};

// A registered buffer.
struct Region {
    GuestBuffer buffer;
    std::uint64_t iova = 0;
    std::uint32_t key = 0;

    std::uint64_t length() const { return buffer.length(); }
    vrnic_sge sge(std::uint64_t offset, std::uint32_t length) const {
        vrnic_sge sge{};
        sge.addr = iova + offset;
        sge.length = length;
        sge.lkey = key;
        return sge;
    }
};

struct CqOptions {
    std::uint8_t log_size = 6;
};

struct GuestCq {
    std::uint32_t cqn;
    std::uint32_t size;  // entries
    GuestBuffer memory;
    std::uint32_t dbrec;  // offset in memory
    std::uint64_t consumed = 0;
    std::uint32_t arm_sequence = 0;
};

struct SrqOptions {
    std::uint8_t log_size = 5;
    std::uint8_t log_stride = 7;
    std::uint32_t xrcdn = 0;
    GuestCq* cq = nullptr;  // XRC
};

struct GuestSrq {
    std::uint32_t srqn;
    SrqOptions options;
    GuestBuffer memory;
    std::uint32_t ring_offset;
    std::uint32_t pi = 0;  // the record is at offset 0
    std::uint32_t outstanding = 0;
};

struct QpOptions {
    std::uint8_t type = VRNIC_QPT_RC;
    GuestSrq* srq = nullptr;  // receives come from there; XRC_TGT: those of a test are posted there
    std::uint32_t xrcdn = 0;  // XRC_TGT
    std::uint8_t sq_log_size = 5;
    std::uint8_t sq_log_stride = 7;
    std::uint8_t rq_log_size = 5;
    std::uint8_t rq_log_stride = 7;
    std::uint32_t flags = 0;  // VRNIC_QP_*
    bool scattered = true;
};

struct GuestQp {
    std::uint32_t qpn;
    GuestCq* send_cq;
    GuestCq* recv_cq;
    QpOptions options;
    GuestBuffer memory;
    std::uint32_t sq_offset, rq_offset, dbrec;
    std::uint32_t sq_pi = 0, rq_pi = 0;
    std::uint32_t sq_ci = 0, rq_ci = 0;  // told by completions
    std::uint32_t psn = 0;               // first of the send queue
    std::uint32_t peer_srqn = 0;         // XRC_INI: what its requests name

    std::uint32_t sq_free() const { return (1u << options.sq_log_size) - (sq_pi - sq_ci); }
    std::uint32_t rq_free() const { return (1u << options.rq_log_size) - (rq_pi - rq_ci); }
};

struct SendRequest {
    std::uint8_t opcode = VRNIC_OP_SEND;
    std::uint8_t flags = VRNIC_SQE_SIGNALED;
    std::vector<vrnic_sge> sges{};
    std::uint64_t remote_addr = 0;
    std::uint32_t rkey = 0;
    std::uint32_t imm = 0;
    std::vector<std::byte> inline_data{};  // with VRNIC_SQE_INLINE
    std::uint64_t swap_or_add = 0;         // atomics
    std::uint64_t compare = 0;
    vrnic_sqe_bind bind{};    // BIND_MW
    vrnic_sqe_flush flush{};  // FLUSH
};

// How two QPs are joined.
struct Connection {
    std::uint8_t path_mtu = 3;  // 1024
    std::uint8_t timeout = 8;   // about 1 ms
    std::uint8_t retry_cnt = 7;
    std::uint8_t rnr_retry = 7;
    std::uint8_t min_rnr_timer = 1;  // 10 us
    std::uint8_t rd_atomic = 4;
    std::uint8_t gid_index = 0;  // 0: IPv4, 1: IPv6
    std::uint32_t psn_a = 0x1000, psn_b = 0x2000;
    std::uint32_t access = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ |
                           VRNIC_ACCESS_REMOTE_ATOMIC | VRNIC_ACCESS_FLUSH_GLOBAL |
                           VRNIC_ACCESS_LOCAL_WRITE;
};

inline bool is_atomic(std::uint8_t op) {
    return op == VRNIC_OP_COMPARE_SWAP || op == VRNIC_OP_FETCH_ADD;
}

inline std::uint32_t mtu_bytes(std::uint8_t path_mtu) {
    return 128u << path_mtu;
}

class SimDriver {
  public:
    // number makes the addresses: MAC 02:00:00:00:00:number, 10.0.0.number, fd00::number.
    SimDriver(World& world, SimHost& host, Engine& engine, std::uint8_t number, std::uint64_t seed);

    void start();  // from a device after reset to a port that is up, with a PD and a completion EQ

    GuestAllocator& memory() { return memory_; }
    SimHost& host() { return host_; }
    Engine& engine() { return engine_; }
    std::uint32_t pdn() const { return pdn_; }
    std::uint32_t uar() const { return uar_; }
    const vrnic_device_caps& caps() const { return caps_; }
    std::array<std::uint8_t, 6> mac() const { return {2, 0, 0, 0, 0, number_}; }
    std::array<std::uint8_t, 16> gid(std::uint8_t index) const;

    std::uint32_t read32(std::uint32_t offset) {
        return static_cast<std::uint32_t>(engine_.read_register(offset, 4));
    }
    void write32(std::uint32_t offset, std::uint32_t value) {
        engine_.write_register(offset, value, 4);
    }

    // ---- admin queue ----
    template <typename Payload>
    AdminReply try_admin(std::uint16_t opcode, const Payload& payload) {
        vrnic_admin_cmd cmd{};
        cmd.opcode = opcode;
        static_assert(sizeof(Payload) <= sizeof(cmd.payload));
        std::memcpy(cmd.payload, &payload, sizeof(Payload));
        return try_admin(cmd);
    }
    AdminReply try_admin(vrnic_admin_cmd cmd);  // waits, the world goes on
    template <typename Payload>
    AdminReply admin(std::uint16_t opcode, const Payload& payload) {
        return need(try_admin(opcode, payload), opcode);
    }
    AdminReply handle_command(std::uint16_t opcode, std::uint32_t handle);
    AdminReply try_handle_command(std::uint16_t opcode, std::uint32_t handle);

    // ---- verbs ----
    std::uint32_t alloc_pd();
    Region reg_mr(std::uint64_t length, std::uint32_t access, BufferLayout layout = {},
                  std::optional<std::uint32_t> pdn = {});
    void dereg_mr(const Region& region) { handle_command(VRNIC_ADMIN_DEREG_MR, region.key); }
    std::uint32_t alloc_mw(std::uint8_t type);
    GuestCq& create_cq(CqOptions options = {});
    void resize_cq(GuestCq& cq, std::uint8_t log_size);
    std::uint32_t alloc_xrcd();
    GuestSrq& create_srq(SrqOptions options = {});
    GuestQp& create_qp(GuestCq& send_cq, GuestCq& recv_cq, QpOptions options = {});
    AdminReply try_modify(GuestQp& qp, std::uint32_t mask, const vrnic_qp_attr& attr);
    void modify_state(GuestQp& qp, std::uint8_t state);
    vrnic_qp_attr query(GuestQp& qp);
    std::uint8_t state(GuestQp& qp) { return query(qp).state; }
    void destroy(GuestQp& qp);

    void to_init(GuestQp& qp, const Connection& how);
    void to_rtr(GuestQp& qp, const SimDriver& peer, std::uint32_t dest_qpn, std::uint32_t rq_psn,
                const Connection& how);
    void to_rts(GuestQp& qp, std::uint32_t sq_psn, const Connection& how);

    // ---- work ----
    // The tag of the entry.
    std::uint32_t post_srq_recv(GuestSrq& srq, const std::vector<vrnic_sge>& sges);
    // The index of the entry. ring false: the doorbell comes with a later one, or with ring_sq.
    std::uint32_t post_send(GuestQp& qp, const SendRequest& request, bool ring = true);
    std::uint32_t post_recv(GuestQp& qp, const std::vector<vrnic_sge>& sges);
    void ring_sq(GuestQp& qp) { doorbell(VRNIC_DB_TYPE_SQ, qp.qpn); }
    void doorbell(std::uint32_t type, std::uint32_t number);
    std::optional<vrnic_cqe> poll(GuestCq& cq);
    void arm(GuestCq& cq, bool solicited_only);
    // eqn 0: asynchronous, 1: completions.
    std::optional<vrnic_eqe> poll_event(std::uint32_t eqn);
    std::vector<vrnic_eqe> events(std::uint32_t eqn);  // all that are there
    void arm_events(std::uint32_t eqn);

    static constexpr std::uint32_t kAdminVector = 0, kAsyncVector = 1, kCompletionVector = 2;

  private:
    struct EventRing {
        GuestBuffer memory;
        std::uint64_t consumed = 0;
    };
    static constexpr std::uint8_t kAdminLogSize = 4;
    static constexpr std::uint8_t kEqLogSize = 8;

    AdminReply need(AdminReply reply, std::uint16_t opcode);
    void set_gid(std::uint8_t index);

    World& world_;
    SimHost& host_;
    Engine& engine_;
    std::uint8_t number_;
    GuestAllocator memory_;
    BusAddress admin_sq_ = 0, admin_cq_ = 0;
    std::uint32_t admin_index_ = 0;     // of the next command
    std::uint32_t admin_answered_ = 0;  // of the next answer
    std::uint32_t doorbell_stride_log_ = 0;
    std::uint32_t uar_ = 0;
    std::uint32_t pdn_ = 0;
    std::uint64_t next_iova_ = 0x7f00'0000'0000;
    vrnic_device_caps caps_{};
    std::vector<EventRing> eqs_;
    std::deque<GuestCq> cqs_;  // stay where they are
    std::deque<GuestQp> qps_;
    std::deque<GuestSrq> srqs_;
    std::unordered_map<std::uint32_t, GuestQp*> qp_by_number_;
    std::unordered_map<std::uint32_t, GuestSrq*> srq_by_number_;
};

// Brings both to RTS, each other's peer.
void connect_qps(SimDriver& a, GuestQp& qa, SimDriver& b, GuestQp& qb, const Connection& how = {});

}  // namespace vrnic::sim
