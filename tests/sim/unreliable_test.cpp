// SPDX-License-Identifier: GPL-2.0-or-later
// UC over a bad link: each message arrives whole and once, or not at all (IBTA 9.8.2).
#include <set>

#include "nodes.h"
#include "pattern.h"
#include "unit/catch.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

constexpr std::uint32_t kMessages = 400;
constexpr std::uint32_t kSlot = 1024;
constexpr std::uint32_t kAccess = VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE;

std::uint32_t size_of(std::uint32_t message) {
    return 1 + message * 37 % 1000;  // 1 to 4 packets of 256 bytes
}

std::pair<GuestQp&, GuestQp&> connect_uc(Pair& pair) {
    return pair.connect({.path_mtu = 1}, {.type = VRNIC_QPT_UC});
}

}  // namespace

TEST_CASE("UC: messages arrive whole and once, or not at all", "[uc][loss]") {
    const char* rules = GENERATE(
        "", "drop,probability=0.1", "corrupt,probability=0.1,bytes=2",
        "reorder,probability=0.1,packets=2",
        "drop,probability=0.05; reorder,probability=0.05; delay,probability=0.05,for=20us");
    INFO(rules);
    Pair pair(seed_or(3));
    pair.a.set_faults(rules);
    auto [qa, qb] = connect_uc(pair);
    Region from = pair.a.driver.reg_mr(kSlot, kAccess);
    Region into = pair.b.driver.reg_mr(kSlot, kAccess);
    pair.b.driver.post_recv(qb, {into.sge(0, kSlot)});
    std::set<std::uint32_t> arrived;
    for (std::uint32_t message = 1; message <= kMessages; ++message) {
        from.buffer.write(0, pattern(message, size_of(message)));
        pair.a.driver.post_send(
            qa,
            {.opcode = VRNIC_OP_SEND_IMM, .sges = {from.sge(0, size_of(message))}, .imm = message});
        const auto sent = pair.wait_a(1);
        REQUIRE(sent.size() == 1);
        CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
        for (const auto& got : pair.wait_b(1, 200 * kMicrosecond)) {
            REQUIRE(int(got.status) == VRNIC_WC_SUCCESS);
            const std::uint32_t number = got.imm;
            INFO("message " << number);
            CHECK(number <= message);
            CHECK(arrived.insert(number).second);
            CHECK(got.byte_len == size_of(number));
            std::vector<std::byte> bytes(size_of(number));
            into.buffer.read(0, bytes);
            CHECK(bytes == pattern(number, size_of(number)));
            pair.b.driver.post_recv(qb, {into.sge(0, kSlot)});
        }
    }
    if (*rules == '\0')
        CHECK(arrived.size() == kMessages);
    else
        CHECK(arrived.size() > kMessages / 3);
    CHECK(arrived.size() + pair.b.counters().roce_rx_dropped_messages <= kMessages);
    CHECK(int(pair.b.driver.state(qb)) == VRNIC_QPS_RTS);
}

TEST_CASE("UC: what arrives of a WRITE is a beginning of it", "[uc][loss]") {
    Pair pair(seed_or(5));
    pair.a.set_faults("drop,probability=0.1");
    auto [qa, qb] = connect_uc(pair);
    Region from = pair.a.driver.reg_mr(kSlot, kAccess);
    Region into = pair.b.driver.reg_mr(kSlot, kAccess);
    std::uint32_t whole = 0;
    for (std::uint32_t round = 0; round < 100; ++round) {
        const auto before = pattern(2 * round, kSlot);
        const auto after = pattern(2 * round + 1, kSlot);
        into.buffer.write(0, before);
        from.buffer.write(0, after);
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                     .sges = {from.sge(0, kSlot)},
                                     .remote_addr = into.iova,
                                     .rkey = into.key});
        REQUIRE(pair.wait_a(1).size() == 1);
        pair.world.run_for(100 * kMicrosecond);
        std::vector<std::byte> found(kSlot);
        into.buffer.read(0, found);
        const auto end = std::mismatch(found.begin(), found.end(), after.begin()).first;
        const auto written = static_cast<std::size_t>(end - found.begin());
        CHECK((written % 256 == 0 || written == kSlot));
        CHECK(std::equal(end, found.end(), before.begin() + static_cast<std::ptrdiff_t>(written)));
        whole += written == kSlot;
    }
    CHECK(whole > 20);
    CHECK(whole < 100);
}
