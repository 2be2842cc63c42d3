// SPDX-License-Identifier: GPL-2.0-or-later
// Memory windows, SEND with invalidate, ATOMIC WRITE and FLUSH: what they do is done once, whatever
// becomes of their packets (IBTA 9.4.1.1.3, 10.6.7.2, annex A19).
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

constexpr std::uint32_t kBindable = VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_MW_BIND;

void check_success(const std::vector<vrnic_cqe>& found, std::size_t count) {
    REQUIRE(found.size() == count);
    for (const vrnic_cqe& cqe : found) CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
}

// A window of B, which is bound by the QP that is asked.
struct Window {
    Window(Pair& pair, GuestQp& qb)
        : pair(pair),
          qb(qb),
          region(pair.b.driver.reg_mr(8192, kBindable)),
          key(pair.b.driver.alloc_mw(VRNIC_MW_TYPE_2)) {}

    std::uint32_t bind() {
        key = (key & ~0xffu) | ((key + 1) & 0xff);
        SendRequest request{.opcode = VRNIC_OP_BIND_MW, .remote_addr = region.iova, .rkey = key};
        request.bind.length = 4096;
        request.bind.mr_key = region.key;
        request.bind.access = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ;
        pair.b.driver.post_send(qb, request);
        const auto done = pair.wait_b(1);
        check_success(done, 1);
        CHECK(int(done[0].opcode) == VRNIC_OP_BIND_MW);
        return key;
    }
    Pair& pair;
    GuestQp& qb;
    Region region;
    std::uint32_t key;
};

Fate fate_of(int which) {
    constexpr Fate kFates[] = {Fate::drop, Fate::twice, Fate::late, Fate::corrupt};
    return kFates[which];
}

}  // namespace

TEST_CASE("each packet of a SEND with invalidate in turn is lost, doubled, late or corrupted",
          "[memory][loss]") {
    const Fate fate = fate_of(GENERATE(range(0, 4)));
    const std::uint32_t size = GENERATE(0u, 600u);
    for (std::uint64_t hit = 0; hit < 8; ++hit) {
        CAPTURE(int(fate), size, hit);
        Pair pair;
        auto [qa, qb] = pair.connect({.path_mtu = 1});
        Regions regions(pair, 16 << 10);
        Window window(pair, qb);
        std::uint64_t number = 0;
        pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte>) {
            return number++ == hit ? fate : Fate::pass;
        };
        // Twice, with a window bound anew in between: a packet that comes again takes nothing away.
        for (int round = 0; round < 2; ++round) {
            const std::uint32_t key = window.bind();
            GuardedSlot from(regions.a, 0, size), to(regions.b, 0, size);
            const auto bytes = pattern(hit + 1, size);
            from.write(bytes);
            pair.b.driver.post_recv(qb, {to.sge()});
            pair.a.driver.post_send(
                qa, {.opcode = VRNIC_OP_SEND_INV, .sges = {from.sge()}, .imm = key});
            const auto received = pair.wait_b(1);
            check_success(received, 1);
            CHECK(int(received[0].opcode) == VRNIC_OP_RECV_INV);
            CHECK((received[0].flags & VRNIC_CQE_INV) != 0);
            CHECK(received[0].imm == key);
            CHECK(received[0].byte_len == size);
            check_success(pair.wait_a(1), 1);
            CHECK(to.holds(bytes));
        }
        const std::uint32_t last = window.bind();
        pair.world.run_for(10 * kMillisecond);
        CHECK(pair.wait_b(1, kMillisecond).empty());
        // The newest binding still grants.
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                     .sges = {regions.a.sge(0, 100)},
                                     .remote_addr = window.region.iova,
                                     .rkey = last});
        check_success(pair.wait_a(1), 1);
    }
}

TEST_CASE("a window grants remote access to its part until it is invalidated", "[memory]") {
    const bool by_peer = GENERATE(false, true);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    Window window(pair, qb);
    const std::uint32_t key = window.bind();
    const auto write = [&](std::uint64_t offset) {
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                     .sges = {regions.a.sge(0, 100)},
                                     .remote_addr = window.region.iova + offset,
                                     .rkey = key});
    };
    regions.a.buffer.fill(0, 100, std::byte{7});
    write(4096 - 100);
    check_success(pair.wait_a(1), 1);
    CHECK(window.region.buffer.read(4096 - 100, 100) == std::vector<std::byte>(100, std::byte{7}));
    if (by_peer) {
        pair.b.driver.post_recv(qb, {});
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND_INV, .imm = key});
        check_success(pair.wait_a(1), 1);
        check_success(pair.wait_b(1), 1);
    } else {
        pair.b.driver.post_send(qb, {.opcode = VRNIC_OP_LOCAL_INV, .imm = key});
        check_success(pair.wait_b(1), 1);
    }
    write(0);
    const auto refused = pair.wait_a(1);
    REQUIRE(refused.size() == 1);
    CHECK(int(refused[0].status) == VRNIC_WC_REM_ACCESS_ERR);
    CHECK(window.region.buffer.read(0, 100) == std::vector<std::byte>(100));
}

TEST_CASE("past the window's end the region is not reached", "[memory][error]") {
    const std::int64_t shift = GENERATE(-1, 4096 - 99, 4096);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    Window window(pair, qb);
    const std::uint32_t key = window.bind();
    pair.a.driver.post_send(qa,
                            {.opcode = std::uint8_t(GENERATE(VRNIC_OP_WRITE, VRNIC_OP_READ)),
                             .sges = {regions.a.sge(0, 100)},
                             .remote_addr = window.region.iova + static_cast<std::uint64_t>(shift),
                             .rkey = key});
    const auto refused = pair.wait_a(1);
    REQUIRE(refused.size() == 1);
    CHECK(int(refused[0].status) == VRNIC_WC_REM_ACCESS_ERR);
}

TEST_CASE("each packet of ATOMIC WRITE and FLUSH in turn is lost, doubled, late or corrupted",
          "[memory][loss]") {
    const Fate fate = fate_of(GENERATE(range(0, 4)));
    const bool flush = GENERATE(false, true);
    for (std::uint64_t hit = 0; hit < 6; ++hit) {
        CAPTURE(int(fate), flush, hit);
        Pair pair;
        auto [qa, qb] = pair.connect();
        Region near = pair.a.driver.reg_mr(4096, kAllAccess);
        Region far = pair.b.driver.reg_mr(4096, kAllAccess | VRNIC_ACCESS_FLUSH_GLOBAL);
        pair.link.filter = [&](std::uint32_t, std::uint64_t number, std::span<const std::byte>) {
            return number == hit ? fate : Fate::pass;
        };
        for (std::uint64_t i = 0; i < 3; ++i) {
            near.buffer.store(i * 8, 0x1000 + i);
            SendRequest request{.opcode = VRNIC_OP_ATOMIC_WRITE,
                                .sges = {near.sge(i * 8, 8)},
                                .remote_addr = far.iova,
                                .rkey = far.key};
            if (flush) {
                request.opcode = VRNIC_OP_FLUSH;
                request.sges.clear();
                request.flush.length = 64;
                request.flush.placement = VRNIC_FLUSH_GLOBAL;
                request.flush.level = i == 1 ? VRNIC_FLUSH_MR : VRNIC_FLUSH_RANGE;
            }
            pair.a.driver.post_send(qa, request);
        }
        const auto done = pair.wait_a(3);
        check_success(done, 3);
        CHECK(int(done[2].opcode) == (flush ? VRNIC_OP_FLUSH : VRNIC_OP_ATOMIC_WRITE));
        CHECK(far.buffer.load<std::uint64_t>(0) == (flush ? 0u : 0x1002u));
        // What the guest writes afterwards no late copy changes.
        far.buffer.store(0, std::uint64_t{42});
        CHECK(pair.wait_a(1, 10 * kMillisecond).empty());
        CHECK(far.buffer.load<std::uint64_t>(0) == 42);
    }
}
