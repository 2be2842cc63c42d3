// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/address.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "rdma/multicast.h"

namespace vrnic {

namespace {

constexpr std::uint32_t kMaxFlowLabel = 0xfffff;
constexpr std::uint8_t kMaxServiceLevel = 15;
constexpr std::uint8_t kDefaultHopLimit = 64;

// Connections spread over the ports that annex A17 gives for it; one connection keeps to one.
std::uint16_t choose_source_port(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t mixed = (a * 0x9e3779b1u) ^ (b * 0x85ebca6bu);
    return static_cast<std::uint16_t>(0xc000 | (mixed >> 18));
}

bool destination_fits(const roce::Gid& destination, const GidEntry& source, const Ends& ends) {
    if (is_ipv4(destination) != is_ipv4(source.gid) || destination == roce::Gid{}) return false;
    const bool group = ends.destination_qpn == VRNIC_MULTICAST_QPN;
    if (ends.service == roce::Service::ud) return is_multicast(destination) == group;
    return !is_multicast(destination);
}

}  // namespace

std::expected<Peer, std::uint32_t> resolve(const GidTable& gids, const roce::MacAddress& port_mac,
                                           const vrnic_av& av, const Ends& ends) {
    const auto wrong = [](std::size_t offset) {
        return std::unexpected(static_cast<std::uint32_t>(offset));
    };
    const GidEntry* source = gids.find(av.sgid_index);
    if (!source) return wrong(offsetof(vrnic_av, sgid_index));
    Peer to;
    std::copy(std::begin(av.dgid), std::end(av.dgid), to.remote_gid.begin());
    if (!destination_fits(to.remote_gid, *source, ends)) return wrong(offsetof(vrnic_av, dgid));
    to.multicast = is_multicast(to.remote_gid);
    if (av.flow_label > kMaxFlowLabel) return wrong(offsetof(vrnic_av, flow_label));
    if ((av.dmac[0] & 1) != 0 && !to.multicast) return wrong(offsetof(vrnic_av, dmac));
    if (av.sl > kMaxServiceLevel) return wrong(offsetof(vrnic_av, sl));

    roce::Path path;
    path.service = ends.service;
    path.source_mac = source->mac;
    if (to.multicast)
        path.destination_mac = multicast_mac(to.remote_gid);
    else
        std::copy(std::begin(av.dmac), std::end(av.dmac), path.destination_mac.begin());
    path.has_vlan = source->vlan != VRNIC_VLAN_NONE;
    path.vlan = path.has_vlan ? source->vlan : 0;
    path.source = source->gid;
    path.destination = to.remote_gid;
    path.ipv4 = is_ipv4(path.source);
    path.service_level = av.sl;
    path.traffic_class = av.traffic_class;
    path.hop_limit = av.hop_limit != 0 ? av.hop_limit : kDefaultHopLimit;
    path.flow_label = av.flow_label;
    path.source_port = av.udp_sport != 0 ? std::uint16_t{av.udp_sport}
                                         : choose_source_port(ends.qpn, ends.destination_qpn);
    path.destination_qp = ends.destination_qpn;
    path.source_qp = ends.qpn;

    to.path = roce::PathHeaders::make(path);
    to.local_gid = path.source;
    to.local_mac = path.source_mac;
    to.vlan = path.vlan;
    to.loopback =
        !to.multicast && (path.destination_mac == path.source_mac ||
                          path.destination_mac == port_mac || gids.contains(path.destination));
    return to;
}

}  // namespace vrnic
