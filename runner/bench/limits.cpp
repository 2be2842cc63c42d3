// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/limits.h"

#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "base/socket_pair.h"

namespace vrnic::runner::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds duration{300};
constexpr double mebibyte = 1 << 20;

double per_second(double bytes, Clock::time_point begin) {
    const std::chrono::duration<double> time = Clock::now() - begin;
    return bytes / mebibyte / time.count();
}

double copy_speed() {
    constexpr std::size_t piece = 1 << 20, pieces = 64;  // more than a cache holds
    std::vector<char> from(piece * pieces, 1), to(piece * pieces, 2);
    double bytes = 0;
    const auto begin = Clock::now();
    for (std::size_t i = 0; Clock::now() - begin < duration; i = (i + 1) % pieces) {
        std::memcpy(&to[i * piece], &from[i * piece], piece);
        bytes += piece;
    }
    return per_second(bytes, begin);
}

double frame_speed(std::size_t payload) {
    constexpr std::size_t headers = 14 + 20 + 8 + 12 + 4;  // Ethernet, IPv4, UDP, BTH, ICRC
    auto pair = make_socket_pair();
    if (!pair) return 0;
    std::jthread reader([fd = pair->second.get()] {
        std::vector<char> buffer(64 << 10);
        while (::read(fd, buffer.data(), buffer.size()) > 0) {
        }
    });
    const std::vector<char> frame(payload + headers, 3);
    double bytes = 0;
    const auto begin = Clock::now();
    while (Clock::now() -
           begin<duration&& ::send(pair->first.get(), frame.data(), frame.size(), MSG_NOSIGNAL)> 0)
        bytes += static_cast<double>(payload);
    const double speed = per_second(bytes, begin);
    ::shutdown(pair->first.get(), SHUT_WR);
    return speed;
}

}  // namespace

Limits measure_limits() {
    // Path MTUs that links of these MTUs have.
    return {
        .copy = copy_speed(), .frames_1500 = frame_speed(1024), .frames_9000 = frame_speed(4096)};
}

}  // namespace vrnic::runner::bench
