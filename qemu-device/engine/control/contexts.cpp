// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/contexts.h"

#include <algorithm>
#include <array>
#include <optional>

namespace vrnic {
namespace {

using Found = std::optional<ObjectContext>;  // nullopt: there is none of this number

Found of_port(const Device& device, std::uint32_t number) {
    if (number != kPortNumber) return std::nullopt;
    const Port& port = device.port;
    vrnic_port_context out{};
    out.flags = (port.admin_up() ? VRNIC_PORT_UP : 0) |
                (port.promiscuous() ? VRNIC_PORT_PROMISC : 0) |
                (port.all_multicast() ? VRNIC_PORT_ALLMULTI : 0);
    out.mtu = port.mtu();
    std::ranges::copy(port.mac(), &out.mac0);
    out.link_up = port.link_up();
    out.carrier = device.carrier;
    out.multicast_hash = port.multicast_hash();
    return ObjectContext(out);
}

Found of_domain(bool exists, std::uint32_t number, std::uint32_t users) {
    if (!exists) return std::nullopt;
    vrnic_domain_context out{};
    out.number = number;
    out.users = users;
    return ObjectContext(out);
}

Found of_pd(const Device& device, std::uint32_t number) {
    return of_domain(device.pds.exists(number), number,
                     device.regions.users_of(number) + device.transport.users_of_pd(number));
}

Found of_xrcd(const Device& device, std::uint32_t number) {
    return of_domain(device.xrcds.exists(number), number, device.transport.users_of_xrcd(number));
}

template <typename Context>
Found found(const std::optional<Context>& context) {
    return context ? Found(ObjectContext(*context)) : std::nullopt;
}

Found of_cq(const Device& device, std::uint32_t number) {
    return found(device.cqs.describe(number));
}

Found of_srq(const Device& device, std::uint32_t number) {
    return found(device.transport.describe_srq(number));
}

Found of_qp(const Device& device, std::uint32_t number) {
    return found(device.transport.describe_qp(number));
}

Found of_key(const Device& device, std::uint32_t number) {
    return found(device.regions.describe(number));
}

Found of_fault(const Device& device, std::uint32_t number) {
    const ArmedRule* rule = device.faults.find(number);
    if (!rule) return std::nullopt;
    vrnic_fault_context out{};
    out.seen = rule->seen;
    out.injected = rule->injected;
    return ObjectContext(out);
}

Found of_counters(const Device& device, std::uint32_t number) {
    return found(device.transport.describe_counters(number));
}

Found of_stream(const Device& device, std::uint32_t number) {
    return found(device.streams.describe(number));
}

struct Row {
    std::uint32_t type;
    Found (*find)(const Device&, std::uint32_t number);
};
constexpr auto kRows = std::to_array<Row>({
    {VRNIC_CONTEXT_PORT, of_port},
    {VRNIC_CONTEXT_PD, of_pd},
    {VRNIC_CONTEXT_XRCD, of_xrcd},
    {VRNIC_CONTEXT_CQ, of_cq},
    {VRNIC_CONTEXT_SRQ, of_srq},
    {VRNIC_CONTEXT_QP, of_qp},
    {VRNIC_CONTEXT_KEY, of_key},
    {VRNIC_CONTEXT_FAULT, of_fault},
    {VRNIC_CONTEXT_COUNTERS, of_counters},
    {VRNIC_CONTEXT_STREAM, of_stream},
});

}  // namespace

AdminResult<ObjectContext> object_context(const Device& device, std::uint32_t type,
                                          std::uint32_t number) {
    const auto row = std::ranges::find(kRows, type, &Row::type);
    if (row == kRows.end())
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_query_object, type));
    if (auto context = row->find(device, number)) return *context;
    return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_query_object, number));
}

}  // namespace vrnic
