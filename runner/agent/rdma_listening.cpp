// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <rdma/rdma_netlink.h>

#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "agent/listening.h"

namespace vrnic::agent {
namespace {

constexpr int listen_state = 8;  // RDMA_CM_LISTEN of the kernel's rdma_cm.h

struct FreeSocket {
    void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
struct FreeMessage {
    void operator()(nl_msg* message) const { nlmsg_free(message); }
};

using Visitor = std::function<void(nlmsghdr&)>;

int visit(nl_msg* message, void* visitor) {
    (*static_cast<Visitor*>(visitor))(*nlmsg_hdr(message));
    return NL_OK;
}

// Calls back for each message of the answer. A failure is an empty answer: the modules may not be
// there.
void dump(nl_sock* socket, int command, const std::uint32_t* device, Visitor visitor) {
    const std::unique_ptr<nl_msg, FreeMessage> message(
        nlmsg_alloc_simple(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command), NLM_F_DUMP));
    if (!message) return;
    if (device && nla_put_u32(message.get(), RDMA_NLDEV_ATTR_DEV_INDEX, *device) < 0) return;
    if (nl_socket_modify_cb(socket, NL_CB_VALID, NL_CB_CUSTOM, visit, &visitor) < 0) return;
    if (nl_send_auto(socket, message.get()) >= 0) nl_recvmsgs_default(socket);
}

int port_of(const nlattr* address) {
    sockaddr_storage storage{};
    if (nla_len(address) < static_cast<int>(sizeof(sockaddr_in6))) return 0;
    std::memcpy(&storage, nla_data(address),
                std::min(sizeof(storage), static_cast<std::size_t>(nla_len(address))));
    // The port is at the same place in both families.
    return ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
}

void add_id(const nlattr* entry, std::set<Listener>& found) {
    auto* within = const_cast<nlattr*>(entry);
    const nlattr* state = nla_find(static_cast<nlattr*>(nla_data(within)), nla_len(within),
                                   RDMA_NLDEV_ATTR_RES_STATE);
    const nlattr* address = nla_find(static_cast<nlattr*>(nla_data(within)), nla_len(within),
                                     RDMA_NLDEV_ATTR_RES_SRC_ADDR);
    if (state && address && nla_get_u8(const_cast<nlattr*>(state)) == listen_state)
        found.insert({Transport::rdma_cm, port_of(address)});
}

}  // namespace

void add_rdma_listeners(std::set<Listener>& found) {
    const std::unique_ptr<nl_sock, FreeSocket> socket(nl_socket_alloc());
    if (!socket || nl_connect(socket.get(), NETLINK_RDMA) < 0) return;

    std::vector<std::uint32_t> devices;
    dump(socket.get(), RDMA_NLDEV_CMD_GET, nullptr, [&](nlmsghdr& header) {
        if (nlattr* index = nlmsg_find_attr(&header, 0, RDMA_NLDEV_ATTR_DEV_INDEX))
            devices.push_back(nla_get_u32(index));
    });
    // An id that listens everywhere has a child on each device.
    for (const std::uint32_t device : devices) {
        dump(socket.get(), RDMA_NLDEV_CMD_RES_CM_ID_GET, &device, [&](nlmsghdr& header) {
            nlattr* table = nlmsg_find_attr(&header, 0, RDMA_NLDEV_ATTR_RES_CM_ID);
            if (!table) return;
            nlattr* entry;
            int left;
            nla_for_each_nested(entry, table, left) add_id(entry, found);
        });
    }
}

}  // namespace vrnic::agent
