// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "device.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace vrnic::check {

namespace {

enum class Family { kIpv4, kLinkLocal, kIpv6 };

Family family_of(const ibv_gid& gid) {
    const auto* address = reinterpret_cast<const in6_addr*>(gid.raw);
    if (IN6_IS_ADDR_V4MAPPED(address)) return Family::kIpv4;
    if (IN6_IS_ADDR_LINKLOCAL(address)) return Family::kLinkLocal;
    return Family::kIpv6;
}

Result<ContextPtr> open_by_name(const std::string& name) {
    int count = 0;
    std::unique_ptr<ibv_device*[], Destroy<ibv_free_device_list>> list(ibv_get_device_list(&count));
    if (!list) return verbs_error(fmt::format("no RDMA devices: {}", std::strerror(errno)));
    std::string known;
    for (int i = 0; i < count; ++i) {
        const char* candidate = ibv_get_device_name(list[i]);
        known += fmt::format(" {}", candidate);
        if (!name.empty() && name != candidate) continue;
        ContextPtr context(ibv_open_device(list[i]));
        if (!context)
            return verbs_error(fmt::format("cannot open {}: {}", candidate, std::strerror(errno)));
        return context;
    }
    return verbs_error(count == 0
                           ? std::string("this machine has no RDMA device that libibverbs knows")
                           : fmt::format("no RDMA device {}; there are:{}", name, known));
}

Result<ibv_gid_entry> choose_gid(ibv_context* context, const ibv_port_attr& port, bool ipv6) {
    std::vector<ibv_gid_entry> table(static_cast<size_t>(port.gid_tbl_len));
    const ssize_t count = ibv_query_gid_table(context, table.data(), table.size(), 0);
    if (count < 0)
        return verbs_error(
            fmt::format("cannot read the GID table: {}", std::strerror(static_cast<int>(-count))));
    const ibv_gid_entry* best = nullptr;
    for (ssize_t i = 0; i < count; ++i) {
        const ibv_gid_entry& entry = table[static_cast<size_t>(i)];
        if (entry.port_num != kPort || entry.gid_type != IBV_GID_TYPE_ROCE_V2) continue;
        const Family family = family_of(entry.gid);
        if ((family == Family::kIpv4) == ipv6) continue;
        if (!best || (family == Family::kIpv6 && family_of(best->gid) == Family::kLinkLocal))
            best = &entry;
    }
    if (!best)
        return verbs_error(fmt::format("no RoCEv2 GID of {}: has the network interface an address?",
                                       ipv6 ? "IPv6" : "IPv4"));
    return *best;
}

}  // namespace

Result<Device> Device::open(const std::string& name, std::optional<uint32_t> gid_index, bool ipv6) {
    auto context = open_by_name(name);
    if (!context) return std::unexpected(context.error());
    Device device;
    device.context = std::move(*context);
    device.name = ibv_get_device_name(device.context->device);
    if (int err = ibv_query_device(device.context.get(), &device.attributes))
        return verbs_error(fmt::format("ibv_query_device: {}", std::strerror(err)));
    if (int err = ibv_query_port(device.context.get(), kPort, &device.port))
        return verbs_error(fmt::format("ibv_query_port: {}", std::strerror(err)));
    if (device.port.state != IBV_PORT_ACTIVE)
        return verbs_error(fmt::format("port {} of {} is {}, not active", kPort, device.name,
                                       ibv_port_state_str(device.port.state)));
    if (gid_index) {
        device.gid_index = *gid_index;
        if (ibv_query_gid(device.context.get(), kPort, static_cast<int>(*gid_index), &device.gid))
            return verbs_error(fmt::format("no GID with index {}", *gid_index));
    } else {
        auto entry = choose_gid(device.context.get(), device.port, ipv6);
        if (!entry) return std::unexpected(entry.error());
        device.gid_index = entry->gid_index;
        device.gid = entry->gid;
    }
    device.pd.reset(ibv_alloc_pd(device.context.get()));
    if (!device.pd) return verbs_error(fmt::format("ibv_alloc_pd: {}", std::strerror(errno)));
    return device;
}

std::string to_string(const ibv_gid& gid) {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(AF_INET6, gid.raw, text, sizeof(text));
}

std::optional<ibv_gid> gid_from_string(const std::string& text) {
    ibv_gid gid;
    if (inet_pton(AF_INET6, text.c_str(), gid.raw) != 1) return std::nullopt;
    return gid;
}

uint32_t bytes_of(ibv_mtu mtu) {
    return 128u << mtu;
}

std::optional<ibv_mtu> mtu_of(uint32_t bytes) {
    for (ibv_mtu mtu : {IBV_MTU_256, IBV_MTU_512, IBV_MTU_1024, IBV_MTU_2048, IBV_MTU_4096})
        if (bytes_of(mtu) == bytes) return mtu;
    return std::nullopt;
}

}  // namespace vrnic::check
