// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "hold.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "bench.h"
#include "descriptor.h"

namespace vrnic::dvcheck {

namespace {

void say(const char* what) {
    fmt::print("{}\n", what);
    std::fflush(stdout);
}

// 0: it has ended, else errno.
int read_to_the_end(int fd) {
    std::array<char, 4096> bytes;
    ssize_t n;
    do n = read(fd, bytes.data(), bytes.size());
    while (n > 0 || (n < 0 && errno == EINTR));
    return n == 0 ? 0 : errno;
}

Result<void> hold(const std::string& device) {
    auto bench = Bench::set_up(device);
    if (!bench) return std::unexpected(bench.error());
    const vrnic_ib_stream_options everything{0, VRNIC_IB_STREAM_EVERYTHING};
    std::array<check::Descriptor, 3> held = {
        check::Descriptor(
            vrnicdv_open_interface(bench->context(), "capture.vrnic", 1, &everything)),
        check::Descriptor(vrnicdv_open_interface(bench->context(), "events.vrnic", 1, &everything)),
        check::Descriptor(vrnicdv_open_interface(bench->context(), "faults.vrnic", 1, nullptr))};
    for (const auto& one : held)
        if (!one.valid()) return wrong(fmt::format("opening: {}", std::strerror(errno)));
    if (auto status = bench->write(64); !status) return std::unexpected(status.error());
    for (std::size_t i = 0; i < 2; ++i) {
        pollfd told{.fd = held[i].get(), .events = POLLIN, .revents = 0};
        if (poll(&told, 1, 5000) != 1) return wrong("a descriptor tells nothing");
    }
    say("busy: descriptors");
    for (const auto& one : held)
        if (const int err = read_to_the_end(one.get()); err != EIO)
            return wrong(fmt::format("the end: {}", std::strerror(err)));
    for (const auto& one : held) {
        pollfd told{.fd = one.get(), .events = POLLIN, .revents = 0};
        if (poll(&told, 1, 0) != 1 || !(told.revents & POLLHUP)) return wrong("poll tells no end");
    }
    say("gone: descriptors");
    char rest;
    while (read(STDIN_FILENO, &rest, 1) > 0) continue;
    held = {};
    say("all was destroyed");
    return {};
}

}  // namespace

int run_hold(const std::string& device) {
    const auto held = hold(device);
    if (!held) say(held.error().message.c_str());
    return held ? 0 : 1;
}

}  // namespace vrnic::dvcheck
