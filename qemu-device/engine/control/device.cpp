// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/device.h"

#include <algorithm>

#include "control/capabilities.h"
#include "host/log.h"

namespace vrnic {
namespace {

TransportConfig transport_config(const vrnic_device_caps& caps) {
    TransportConfig out{};
    out.features = caps.features;
    out.max_qps = caps.max_qps;
    out.max_gids = caps.max_gids;
    out.max_sq_entries = caps.max_sq_entries;
    out.max_rq_entries = caps.max_rq_entries;
    out.max_send_sge = caps.max_send_sge;
    out.max_recv_sge = caps.max_recv_sge;
    out.max_inline = caps.max_inline;
    out.max_rd_atomic = caps.max_rd_atomic;
    out.max_path_mtu = caps.max_path_mtu;
    out.max_queue_pages = kMaxQueuePages;
    out.max_srqs = caps.max_srqs;
    out.max_srq_entries = caps.max_srq_entries;
    out.max_mcast_groups = caps.max_mcast_groups;
    out.max_mcast_qps = caps.max_mcast_qps;
    out.max_counter_sets = caps.max_counter_sets;
    return out;
}

void tell_transport(Transport& transport, const Port& port) {
    std::uint8_t mac[6];
    std::ranges::copy(port.mac(), mac);
    transport.set_port(port.link_up(), mac, port.mtu());
}

}  // namespace

Device::Device(Host& host, const EngineConfig& config)
    : host(host),
      caps(capabilities(config)),
      faults(host, counters, config.seed),
      events(host, counters, faults, config.vectors),
      streams(host, counters, events, kMaxQueuePages),
      uars(config.doorbell_slots, config.doorbell_stride_log),
      pds(caps.max_pds),
      xrcds(caps.max_xrcds),
      regions(host, {caps.max_mrs, caps.max_mr_pages, kMaxTotalPages, caps.max_fast_pages}),
      cqs(host, counters, events, streams, caps.max_cqs, caps.max_cq_entries, kMaxQueuePages),
      wire(host),
      port(config.mac, config.link_up),
      transmitter(host, counters, wire, cqs, port),
      receiver(host, counters, cqs),
      transport({host, counters, wire, faults, events, streams, regions, cqs},
                transport_config(caps)),
      carrier(config.link_up) {
    faults.set_watcher(&streams);
    tell_transport(transport, port);
}

void Device::reset() {
    // Users before what they use.
    faults.reset();
    streams.reset();
    transport.reset();
    transmitter.reset();
    receiver.reset();
    cqs.reset();
    regions.reset();
    pds.reset();
    xrcds.reset();
    uars.reset();
    events.reset();
    port.reset();
    port.set_link(carrier && !faults.link_down());
    tell_transport(transport, port);
    fatal = VRNIC_FATAL_NONE;
    reset_requested = false;
    const std::uint64_t resets = counters.resets + 1;
    counters = Counters{};
    counters.resets = resets;
}

void Device::fail(std::uint32_t reason) {
    if (fatal != VRNIC_FATAL_NONE) return;
    fatal = reason;
    guest_error(host, "device: fatal error {}, only a reset helps", reason);
    events.raise(VRNIC_EVENT_DEVICE_FATAL, 0, reason);
}

void Device::set_link(bool up) {
    carrier = up;
    follow_link();
}

void Device::follow_faults(Nanoseconds now) {
    faults.on_deadline(now);
    follow_link();
}

AdminResult<std::uint32_t> Device::create_fault(const FaultRule& rule) {
    const auto handle = faults.create(rule);
    follow_link();
    return handle;
}

AdminResult<void> Device::modify_fault(std::uint32_t handle, const FaultRule& rule) {
    const auto done = faults.modify(handle, rule);
    follow_link();
    return done;
}

AdminResult<void> Device::destroy_fault(std::uint32_t handle) {
    const auto done = faults.destroy(handle);
    streams.forget(VRNIC_CONTEXT_FAULT, handle);
    follow_link();
    return done;
}

void Device::follow_link() {
    const bool up = carrier && !faults.link_down();
    if (up == port.link_up()) return;
    port.set_link(up);
    tell_transport(transport, port);
    if (events.find(0))  // before the driver has come nobody is to be told
        events.raise(up ? VRNIC_EVENT_PORT_UP : VRNIC_EVENT_PORT_DOWN, kPortNumber);
}

AdminResult<void> Device::set_port(const vrnic_cmd_set_port& cmd) {
    auto result = port.set(cmd);
    if (result) tell_transport(transport, port);
    return result;
}

}  // namespace vrnic
