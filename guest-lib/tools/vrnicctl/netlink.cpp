// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "netlink.h"

#include <netlink/attr.h>

#include <cerrno>
#include <cstring>

namespace vrnic::ctl {

namespace {

struct Receiver {
    const Netlink::VisitEvent& visit;
    int header_bytes;
    int error = 0;  // errno
};

int on_message(nl_msg* message, void* data) {
    const auto& receiver = *static_cast<Receiver*>(data);
    nlmsghdr* header = nlmsg_hdr(message);
    if (!nlmsg_valid_hdr(header, receiver.header_bytes)) return NL_SKIP;
    receiver.visit(header->nlmsg_type, {nlmsg_attrdata(header, receiver.header_bytes),
                                        nlmsg_attrlen(header, receiver.header_bytes)});
    return NL_OK;
}

int on_error(sockaddr_nl*, nlmsgerr* error, void* data) {
    static_cast<Receiver*>(data)->error = -error->error;
    return NL_STOP;
}

// libnl keeps no errno of its own failures.
int from_libnl(int error) {
    switch (-error) {
        case NLE_NOMEM:
            return ENOMEM;
        case NLE_INTR:
            return EINTR;
        case NLE_PERM:
        case NLE_NOACCESS:
            return EPERM;
        case NLE_PROTO_MISMATCH:
            return EPROTONOSUPPORT;
        case NLE_AGAIN:
            return EAGAIN;
        default:
            return EIO;
    }
}

std::expected<void, int> checked(int result) {
    if (result < 0) return std::unexpected(from_libnl(result));
    return {};
}

}  // namespace

bool Attributes::copy(int type, void* to, int bytes) const {
    nlattr* found = nla_find(first_, bytes_, type);
    if (!found || nla_len(found) < bytes) return false;
    std::memcpy(to, nla_data(found), static_cast<std::size_t>(bytes));
    return true;
}

std::optional<std::string> Attributes::text(int type) const {
    nlattr* found = nla_find(first_, bytes_, type);
    if (!found) return {};
    const auto* text = static_cast<const char*>(nla_data(found));
    return std::string(text, strnlen(text, static_cast<std::size_t>(nla_len(found))));
}

void Attributes::each(int type, const std::function<void(const Attributes&)>& visit) const {
    int left = bytes_;
    for (auto* one = const_cast<nlattr*>(first_); nla_ok(one, left); one = nla_next(one, &left))
        if (nla_type(one) == type) visit({static_cast<nlattr*>(nla_data(one)), nla_len(one)});
}

Request& Request::put(int type, std::uint32_t value) {
    good_ = good_ && nla_put_u32(message_.get(), type, value) == 0;
    return *this;
}

Request& Request::put(int type, const std::string& text) {
    good_ = good_ && nla_put_string(message_.get(), type, text.c_str()) == 0;
    return *this;
}

std::expected<Netlink, int> Netlink::open(int protocol) {
    Netlink netlink(nl_socket_alloc());
    if (!netlink.socket_) return std::unexpected(ENOMEM);
    if (auto connected = checked(nl_connect(netlink.socket_.get(), protocol)); !connected)
        return std::unexpected(connected.error());
    // One answer follows a question, and that is its end.
    nl_socket_disable_auto_ack(netlink.socket_.get());
    return netlink;
}

std::expected<void, int> Netlink::ask(const Request& request, const Visit& visit) {
    if (!request.good_) return std::unexpected(ENOMEM);
    if (auto sent = checked(nl_send_auto(socket_.get(), request.message_.get())); !sent)
        return sent;
    return receive([&](int, const Attributes& attributes) { visit(attributes); },
                   request.header_bytes_);
}

std::expected<void, int> Netlink::join(int group) {
    return checked(nl_socket_add_membership(socket_.get(), group));
}

std::expected<void, int> Netlink::receive(const VisitEvent& visit) {
    return receive(visit, 0);
}

std::expected<void, int> Netlink::receive(const VisitEvent& visit, int header_bytes) {
    Receiver receiver{visit, header_bytes};
    const std::unique_ptr<nl_cb, Free<nl_cb_put>> callbacks(nl_cb_alloc(NL_CB_DEFAULT));
    if (!callbacks) return std::unexpected(ENOMEM);
    nl_cb_set(callbacks.get(), NL_CB_VALID, NL_CB_CUSTOM, on_message, &receiver);
    nl_cb_err(callbacks.get(), NL_CB_CUSTOM, on_error, &receiver);
    const int result = nl_recvmsgs(socket_.get(), callbacks.get());
    if (receiver.error != 0) return std::unexpected(receiver.error);
    return checked(result);
}

}  // namespace vrnic::ctl
