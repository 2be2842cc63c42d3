// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "monitor.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <poll.h>
#include <rdma/rdma_netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>

#include "rdma_device.h"

namespace vrnic::ctl {

namespace {

using Kind = DeviceEvent::Kind;

class Fd {
  public:
    explicit Fd(int fd) : fd_(fd) {}
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    int get() const { return fd_; }

  private:
    int fd_;
};

std::string failure(const char* what, int error) {
    return fmt::format("cannot {}: {}", what, std::strerror(error));
}

bool kernel_monitors(Netlink& rdma) {
    bool does = false;
    (void)rdma.ask(Request(RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_SYS_GET), 0),
                   [&](const Attributes& system) {
                       does = system.u8(RDMA_NLDEV_SYS_ATTR_MONITOR_MODE).value_or(0) != 0;
                   });
    return does;
}

std::optional<DeviceEvent> from_netlink(int type, const Attributes& event) {
    if (type != RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_MONITOR)) return {};
    const auto name = event.text(RDMA_NLDEV_ATTR_DEV_NAME);
    const auto what = event.u8(RDMA_NLDEV_ATTR_EVENT_TYPE);
    if (!name || !what) return {};
    const std::string netdev = event.text(RDMA_NLDEV_ATTR_NDEV_NAME).value_or("");
    switch (*what) {
        case RDMA_REGISTER_EVENT:
            return DeviceEvent{Kind::came, *name, {}};
        case RDMA_UNREGISTER_EVENT:
            return DeviceEvent{Kind::went, *name, {}};
        case RDMA_NETDEV_ATTACH_EVENT:
            return DeviceEvent{Kind::netdev_came, *name, netdev};
        case RDMA_NETDEV_DETACH_EVENT:
            return DeviceEvent{Kind::netdev_went, *name, netdev};
        default:
            return {};  // of a later kernel
    }
}

// "ACTION@PATH", then KEY=VALUE, each with a zero byte behind it.
std::optional<DeviceEvent> from_uevent(std::string_view message, bool names_only) {
    std::map<std::string_view, std::string_view> fields;
    while (!message.empty()) {
        const std::string_view one = message.substr(0, message.find('\0'));
        message.remove_prefix(std::min(one.size() + 1, message.size()));
        if (const auto at = one.find('='); at != one.npos)
            fields[one.substr(0, at)] = one.substr(at + 1);
    }
    const auto base = [](std::string_view path) {
        return std::string(path.substr(path.rfind('/') + 1));
    };
    if (fields["SUBSYSTEM"] != "infiniband") return {};
    const std::string name = base(fields["DEVPATH"]);
    if (fields["ACTION"] == "move")
        return DeviceEvent{Kind::renamed, base(fields["DEVPATH_OLD"]), name};
    if (names_only) return {};
    if (fields["ACTION"] == "add") return DeviceEvent{Kind::came, name, {}};
    if (fields["ACTION"] == "remove") return DeviceEvent{Kind::went, name, {}};
    return {};
}

int open_uevents() {
    const int fd = ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1;  // the kernel's own; udev has the next
    if (fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) {
        const int error = errno;
        ::close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

}  // namespace

std::expected<void, std::string> monitor(const std::function<void()>& started,
                                         const std::function<bool(const DeviceEvent&)>& tell) {
    auto rdma = open_rdma();
    if (!rdma) return std::unexpected(rdma.error());
    const bool by_netlink = kernel_monitors(*rdma);
    if (by_netlink)
        if (auto joined = rdma->join(RDMA_NL_GROUP_NOTIFY); !joined)
            return std::unexpected(failure("watch RDMA devices", joined.error()));
    const Fd uevents(open_uevents());
    if (uevents.get() < 0) return std::unexpected(failure("watch uevents", errno));
    started();

    bool wanted = true;
    const auto pass = [&](const std::optional<DeviceEvent>& event) {
        if (wanted && event) wanted = tell(*event);
    };
    std::array<char, 8192> buffer;
    std::array<pollfd, 2> ready{
        {{uevents.get(), POLLIN, 0}, {by_netlink ? rdma->fd() : -1, POLLIN, 0}}};
    while (wanted) {
        if (::poll(ready.data(), ready.size(), -1) < 0) {
            if (errno == EINTR) continue;
            return std::unexpected(failure("wait", errno));
        }
        if (ready[0].revents != 0) {
            const ssize_t bytes = ::recv(uevents.get(), buffer.data(), buffer.size(), 0);
            // ENOBUFS: some were lost, which is no reason to end.
            if (bytes > 0)
                pass(from_uevent({buffer.data(), static_cast<std::size_t>(bytes)}, by_netlink));
        }
        if (ready[1].revents != 0)
            (void)rdma->receive(
                [&](int type, const Attributes& event) { pass(from_netlink(type, event)); });
    }
    return {};
}

}  // namespace vrnic::ctl
