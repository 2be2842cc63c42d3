// SPDX-License-Identifier: GPL-2.0-or-later
// Every operation over a good link: sizes around the path MTU, scatter/gather, inline, page lists.
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {
constexpr std::uint64_t kMiB = 1 << 20;
}

TEST_CASE("every operation, path MTU and size", "[transfer]") {
    const auto path_mtu = GENERATE(std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}, std::uint8_t{4},
                                   std::uint8_t{5});
    const std::uint64_t mtu = mtu_bytes(path_mtu);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = path_mtu, .gid_index = std::uint8_t(path_mtu % 2)});
    Regions regions(pair, kMiB + 2 * kGuard);
    for (const std::uint8_t op : kAllOperations) {
        for (const std::uint64_t size :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, mtu - 1, mtu,
              mtu + 1, 2 * mtu, 5 * mtu + 13, kMiB}) {
            INFO("opcode " << int(op) << ", path MTU " << mtu << ", " << size << " bytes");
            Transfer transfer(pair, qa, qb, regions, op, size, size + op);
            transfer.post();
            transfer.finish();
        }
    }
    // Nothing had to be sent twice, and all that was sent is right by the test's own reading.
    CHECK(pair.a.counters().roce_retransmitted_packets == 0);
    CHECK(pair.b.counters().roce_retransmitted_packets == 0);
    for (const TraceEntry& entry : pair.trace.entries()) {
        const auto packet = parse_roce(entry.frame);
        REQUIRE(packet);
        REQUIRE(packet->icrc_good);
        REQUIRE(packet->end - packet->bth_offset <= 12 + 16 + 4 + mtu + 4);
    }
}
