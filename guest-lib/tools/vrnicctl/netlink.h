// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Questions to the kernel over netlink, and its answers. Errors are errno values.
#pragma once

#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vrnic::ctl {

template <auto kFree>
struct Free {
    template <typename T>
    void operator()(T* object) const {
        (void)kFree(object);
    }
};

// Attributes of a message, or those nested in one of them. Valid during the call that gives it.
class Attributes {
  public:
    Attributes(const nlattr* first, int bytes) : first_(first), bytes_(bytes) {}

    // Nothing: it is not there, or too short.
    std::optional<std::uint8_t> u8(int type) const { return value<std::uint8_t>(type); }
    std::optional<std::uint16_t> u16(int type) const { return value<std::uint16_t>(type); }
    std::optional<std::uint32_t> u32(int type) const { return value<std::uint32_t>(type); }
    std::optional<std::uint64_t> u64(int type) const { return value<std::uint64_t>(type); }
    std::optional<std::string> text(int type) const;
    // Calls back with what each attribute of this type holds.
    void each(int type, const std::function<void(const Attributes&)>& visit) const;

  private:
    template <typename T>
    std::optional<T> value(int type) const {
        T value;
        if (!copy(type, &value, sizeof(value))) return {};
        return value;
    }
    bool copy(int type, void* to, int bytes) const;

    const nlattr* first_;
    int bytes_;
};

// A question: a type, the fixed header of its family, attributes.
class Request {
  public:
    template <typename Header>
    Request(int type, int flags, const Header& header)
        : message_(nlmsg_alloc_simple(type, flags)), header_bytes_(sizeof(Header)) {
        good_ = message_ && nlmsg_append(message_.get(), const_cast<Header*>(&header),
                                         sizeof(header), NLMSG_ALIGNTO) == 0;
    }
    Request(int type, int flags) : message_(nlmsg_alloc_simple(type, flags)) {
        good_ = message_ != nullptr;
    }

    Request& put(int type, std::uint32_t value);
    Request& put(int type, const std::string& text);

  private:
    friend class Netlink;
    std::unique_ptr<nl_msg, Free<nlmsg_free>> message_;
    int header_bytes_ = 0;
    bool good_ = false;
};

class Netlink {
  public:
    static std::expected<Netlink, int> open(int protocol);

    using Visit = std::function<void(const Attributes&)>;
    // Calls back for each message of the answer: of one that is a dump (NLM_F_DUMP) any number.
    std::expected<void, int> ask(const Request& request, const Visit& visit);

    // What the kernel tells of itself, in a group.
    std::expected<void, int> join(int group);
    int fd() const { return nl_socket_get_fd(socket_.get()); }
    // Waits for the next datagram. type: the message's.
    using VisitEvent = std::function<void(int type, const Attributes&)>;
    std::expected<void, int> receive(const VisitEvent& visit);

  private:
    explicit Netlink(nl_sock* socket) : socket_(socket) {}
    std::expected<void, int> receive(const VisitEvent& visit, int header_bytes);

    std::unique_ptr<nl_sock, Free<nl_socket_free>> socket_;
};

}  // namespace vrnic::ctl
