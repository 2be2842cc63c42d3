// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "bench.h"

#include <fmt/format.h>

namespace vrnic::dvcheck {

Result<Bench> Bench::set_up(const std::string& name) {
    auto device = check::Device::open(name, std::nullopt, false);
    if (!device) return std::unexpected(device.error());
    Bench bench;
    bench.device = std::move(*device);
    auto completions = check::Completions::create(bench.context(), 64, false);
    if (!completions) return std::unexpected(completions.error());
    bench.completions = std::move(*completions);
    auto memory = check::Buffer::create(bench.device.pd.get(), kSize,
                                        IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
    if (!memory) return std::unexpected(memory.error());
    bench.memory = std::move(*memory);
    check::QpOptions options;
    options.depth = 16;
    for (check::QueuePair* pair : {&bench.a, &bench.b}) {
        auto made = check::QueuePair::create(bench.device, bench.completions, options);
        if (!made) return std::unexpected(made.error());
        *pair = std::move(*made);
    }
    for (auto [pair, peer] : {std::pair{&bench.a, &bench.b}, std::pair{&bench.b, &bench.a}})
        if (auto connected = pair->connect(peer->describe()); !connected)
            return std::unexpected(connected.error());
    return bench;
}

Result<ibv_wc_status> Bench::write(uint32_t bytes) {
    if (auto posted = a.post_write(memory, bytes); !posted) return std::unexpected(posted.error());
    auto done = completions.wait(30);
    if (!done) return std::unexpected(done.error());
    return done->front().status;
}

Result<void> same(const char* what, uint64_t found, uint64_t expected) {
    if (found == expected) return {};
    return wrong(fmt::format("{} is {}, not {}", what, found, expected));
}

}  // namespace vrnic::dvcheck
