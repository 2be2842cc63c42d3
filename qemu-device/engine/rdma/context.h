// SPDX-License-Identifier: GPL-2.0-or-later
// What the parts of the transport share.
#pragma once

#include <cstdint>

#include "rdma/ack_coalescing.h"
#include "rdma/counter_sets.h"
#include "rdma/gid_table.h"
#include "rdma/multicast.h"
#include "rdma/output.h"
#include "rdma/qp_table.h"
#include "rdma/ready_list.h"
#include "rdma/srq.h"
#include "rdma/timers.h"
#include "rdma/transport.h"

namespace vrnic {

struct TransportContext {
    TransportContext(const TransportWorld& world, const TransportConfig& limits)
        : host(world.host),
          counters(world.counters),
          wire(world.wire),
          faults(world.faults),
          events(world.events),
          streams(world.streams),
          regions(world.regions),
          cqs(world.cqs),
          config(limits),
          gids(limits.max_gids),
          multicast(limits.max_mcast_groups, limits.max_mcast_qps),
          srqs(world.host, world.counters, world.events, world.cqs,
               {limits.max_srqs, limits.max_srq_entries, limits.max_queue_pages}),
          counter_sets(limits.max_counter_sets),
          qps(limits.max_qps),
          timers(QpTable::places(limits.max_qps)),
          ready(QpTable::places(limits.max_qps)),
          stalled(QpTable::places(limits.max_qps)),
          acks(QpTable::places(limits.max_qps)),
          output(world.wire, world.counters, world.faults, world.streams) {}

    Host& host;
    Counters& counters;
    Wire& wire;
    Faults& faults;
    EventQueues& events;
    Streams& streams;
    MrTable& regions;
    CqTable& cqs;

    const TransportConfig config;
    GidTable gids;
    MulticastGroups multicast;
    SrqTable srqs;
    CounterSets counter_sets;
    QpTable qps;
    Timers timers;
    ReadyList ready;
    ReadyList stalled;  // have packets that the wire did not take; wait for wire_ready()
    ReadyList acks;     // have an acknowledgement or short answers that wait for release_acks()
    AckCoalescing ack_coalescing;
    Output output;
    roce::MacAddress port_mac{};
    std::uint32_t addresses_generation = 0;  // another one when GIDs or the port's MAC change
    std::uint32_t datagram_mtu = 0;          // bytes: what a datagram may carry over the port

    void make_ready(const QueuePair& qp) { ready.push(QpTable::index(qp.qpn)); }
    void make_ack_ready(const QueuePair& qp) {
        ack_coalescing.note_request(host.now());
        acks.push(QpTable::index(qp.qpn));
    }
    void set_timer(const QueuePair& qp, Nanoseconds deadline) {
        timers.set(QpTable::index(qp.qpn), deadline);
    }
    void stop_timer(const QueuePair& qp) { timers.cancel(QpTable::index(qp.qpn)); }
    bool timer_runs(const QueuePair& qp) const { return timers.running(QpTable::index(qp.qpn)); }
};

// What one step of a queue pair came to.
enum class Step {
    idle,     // nothing to do until something happens
    sent,     // a packet went out
    worked,   // something else was done, more may follow
    blocked,  // has a packet to send, but the output takes none
};

}  // namespace vrnic
