// SPDX-License-Identifier: GPL-2.0-or-later
// The RDMA transport: queue pairs, GIDs, packets. Everything of the engine that speaks RoCE.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/counters.h"
#include "base/result.h"
#include "capture/wire.h"
#include "control/events.h"
#include "faults/faults.h"
#include "host/host.h"
#include "rdma/cq.h"
#include "rdma/mr.h"
#include "roce/headers.h"
#include "streams/streams.h"
#include "vrnic_admin.h"
#include "vrnic_contexts.h"

namespace vrnic {

struct TransportConfig {
    std::uint64_t features;  // VRNIC_CAP_*
    std::uint32_t max_qps;
    std::uint32_t max_gids;
    std::uint32_t max_sq_entries, max_rq_entries;
    std::uint32_t max_send_sge, max_recv_sge, max_inline;
    std::uint32_t max_rd_atomic;
    std::uint32_t max_path_mtu;  // bytes
    std::uint32_t max_queue_pages;
    std::uint32_t max_srqs, max_srq_entries;
    std::uint32_t max_mcast_groups, max_mcast_qps;
    std::uint32_t max_counter_sets;

    // `needed`: VRNIC_CAP_*, or 0.
    bool offers(std::uint64_t needed) const { return (features & needed) == needed; }
};

// What the transport works with; owned by the engine, outlives the transport.
struct TransportWorld {
    Host& host;
    Counters& counters;
    Wire& wire;
    Faults& faults;
    EventQueues& events;
    Streams& streams;
    MrTable& regions;
    CqTable& cqs;
};

class Transport {
  public:
    Transport(const TransportWorld& world, const TransportConfig& config);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    // Admin commands. pdn and uar were checked to exist; CQs are checked and counted (users) here.
    // fields of cmd have been checked for reserved ones only.
    AdminResult<std::uint32_t> create_qp(const vrnic_cmd_create_qp& cmd);
    AdminResult<void> modify_qp(const vrnic_cmd_modify_qp& cmd);
    AdminResult<vrnic_resp_query_qp> query_qp(std::uint32_t qpn);
    AdminResult<void> destroy_qp(std::uint32_t qpn);  // nothing of the QP happens after it
    AdminResult<void> attach_mcast(const vrnic_cmd_mcast& cmd);
    AdminResult<void> detach_mcast(const vrnic_cmd_mcast& cmd);
    AdminResult<void> set_gid(const vrnic_cmd_set_gid& cmd);
    // PD and XRC domain were checked to exist.
    AdminResult<std::uint32_t> create_srq(const vrnic_cmd_create_srq& cmd);
    AdminResult<void> modify_srq(const vrnic_cmd_modify_srq& cmd);
    AdminResult<void> resize_srq(const vrnic_cmd_resize_srq& cmd);
    AdminResult<vrnic_resp_query_srq> query_srq(std::uint32_t srqn);
    AdminResult<void> destroy_srq(std::uint32_t srqn);
    AdminResult<std::uint32_t> create_counters();
    AdminResult<void> destroy_counters(std::uint32_t number);
    AdminResult<void> bind_counters(const vrnic_cmd_bind_counters& cmd);
    // nullopt: no such set, nor VRNIC_COUNTERS_*.
    std::optional<Counters> counters(std::uint32_t number) const;
    // As they are now; nullopt: there is none of this number.
    std::optional<vrnic_qp_context> describe_qp(std::uint32_t qpn) const;
    // As if it had run out. BAD_STATE: it does not run.
    AdminResult<void> expire_timer(std::uint32_t qpn);
    std::optional<vrnic_srq_context> describe_srq(std::uint32_t srqn) const;
    std::optional<vrnic_counters_context> describe_counters(std::uint32_t number) const;
    // O(n): for their ends.
    std::uint32_t users_of_pd(std::uint32_t pdn) const;
    std::uint32_t users_of_xrcd(std::uint32_t xrcdn) const;
    std::uint32_t qps_of_uar(std::uint32_t uar) const;

    // Doorbells: take note only (the QP becomes ready); work is done in run(). False: no such QP of
    // that slot.
    [[nodiscard]] bool ring_sq(std::uint32_t qpn, std::uint32_t uar);
    [[nodiscard]] bool ring_rq(std::uint32_t qpn, std::uint32_t uar);

    // A frame whose UDP destination port is 4791, from its Ethernet header on, without FCS; the IP
    // and UDP headers have not been checked. The memory is the caller's and holds during the call.
    void receive(std::span<const std::byte> frame);

    // Does ready work: at most about budget packets. True: more is left (call again soon), false:
    // idle or paused.
    [[nodiscard]] bool run(std::uint32_t budget);
    // Acknowledgements wait for this, so that one covers all packets that arrived together
    // (IBTA 9.7.5.1.2: coalescing); those of a stream wait for its pause (AckCoalescing). So do
    // READ responses of one packet while the peer may ask for more. Those that say no, and other
    // READ responses, do not wait.
    void release_acks();
    void wire_ready();  // after SendResult::paused: sending may work again

    Nanoseconds next_deadline() const;  // kNever: no timer runs
    void on_deadline(Nanoseconds now);  // notes what is due; run() does it

    // Link state, the MAC in use, the Ethernet MTU in bytes.
    void set_port(bool up, const std::uint8_t (&mac)[6], std::uint32_t mtu);
    bool has_multicast_groups() const;
    std::span<const roce::MacAddress> gid_macs() const;  // each once
    void reset();                                        // as after construction

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vrnic
