// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "stream.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace vrnic::ctl {

namespace {

std::string why_not_opened(const char* name, int err) {
    switch (err) {
        case EPERM:
            return "looking at what others do needs CAP_NET_RAW: try as root";
        case ENOENT:
        case ENOPROTOOPT:
        case EPROTONOSUPPORT:
        case EOPNOTSUPP:
            return fmt::format("the driver or the device is older than this: there is no {}", name);
        case ENOMEM:
            return "there are too many descriptors of this device, or there is no memory";
        default:
            return fmt::format("cannot open {}: {}", name, std::strerror(err));
    }
}

struct Watched {
    const char* name;
    std::uint32_t type;
    const std::vector<std::uint32_t>& numbers;
};

volatile std::sig_atomic_t interrupt_came = 0;

}  // namespace

std::uint64_t Stream::lost() const {
    __u64 lost = 0;
    return ioctl(fd_, VRNIC_IB_STREAM_LOST, &lost) == 0 ? lost : 0;
}

std::expected<Stream, std::string> open_stream(const char* name, const StreamOptions& options) {
    auto context = open_device(options.device);
    if (!context) return std::unexpected(context.error());
    const Watched watched[] = {{"qp", VRNIC_CONTEXT_QP, options.qps},
                               {"cq", VRNIC_CONTEXT_CQ, options.cqs},
                               {"srq", VRNIC_CONTEXT_SRQ, options.srqs}};
    vrnic_ib_stream_options wanted{};
    if (options.qps.empty() && options.cqs.empty() && options.srqs.empty())
        wanted.flags = VRNIC_IB_STREAM_EVERYTHING;
    ibv_context* device = context->get();
    const int fd = vrnicdv_open_interface(device, name, 1, &wanted);
    if (fd < 0) return std::unexpected(why_not_opened(name, errno));
    Stream stream(std::move(*context), fd);
    for (const Watched& one : watched) {
        for (const std::uint32_t number : one.numbers) {
            const int err = vrnicdv_watch_number(fd, device, one.type, number, true);
            if (err == ENOENT)
                return std::unexpected(fmt::format("there is no {} {}", one.name, number));
            if (err != 0 && err != EEXIST) return std::unexpected(why_not_opened(name, err));
        }
    }
    return stream;
}

bool interrupted() {
    return interrupt_came != 0;
}

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { interrupt_came = 1; };  // no SA_RESTART: reads end
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

// The signals are let in by ppoll alone, so that none comes between the question and the wait.
bool wait_readable(int fd) {
    sigset_t ending, before;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    sigprocmask(SIG_BLOCK, &ending, &before);
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    while (!interrupted() && ppoll(&readable, 1, nullptr, &before) < 0 && errno == EINTR) {
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return !interrupted();
}

}  // namespace vrnic::ctl
