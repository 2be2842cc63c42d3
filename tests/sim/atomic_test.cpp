// SPDX-License-Identifier: GPL-2.0-or-later
// Compare-and-swap, fetch-and-add: carried out once, whatever becomes of their packets
// (IBTA 9.4.5, 9.7.5.1.3).
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

constexpr std::uint64_t kStart = 0x1122334455667788;

// A counter on B and a place for answers on A.
struct Counter {
    explicit Counter(Pair& pair)
        : answers(pair.a.driver.reg_mr(4096, kAllAccess)),
          word(pair.b.driver.reg_mr(64, kAllAccess)) {
        word.buffer.store(0, kStart);
    }
    std::uint64_t value() const { return word.buffer.load<std::uint64_t>(0); }
    std::uint64_t answer(std::uint32_t place) const {
        return answers.buffer.load<std::uint64_t>(place * 8);
    }
    SendRequest add(std::uint64_t amount, std::uint32_t place = 0) const {
        SendRequest request{.opcode = VRNIC_OP_FETCH_ADD, .sges = {answers.sge(place * 8, 8)}};
        request.remote_addr = word.iova;
        request.rkey = word.key;
        request.swap_or_add = amount;
        return request;
    }
    SendRequest swap(std::uint64_t from, std::uint64_t to, std::uint32_t place = 0) const {
        SendRequest request = add(to, place);
        request.opcode = VRNIC_OP_COMPARE_SWAP;
        request.compare = from;
        return request;
    }
    Region answers, word;
};

void check_success(const std::vector<vrnic_cqe>& found, std::size_t count) {
    REQUIRE(found.size() == count);
    for (const vrnic_cqe& cqe : found) CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
}

}  // namespace

TEST_CASE("atomics change the word and answer what it was", "[atomic]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.gid_index = GENERATE(std::uint8_t{0}, std::uint8_t{1})});
    Counter counter(pair);
    const auto run = [&](const SendRequest& request) {
        pair.a.driver.post_send(qa, request);
        const auto done = pair.wait_a(1);
        check_success(done, 1);
        CHECK(int(done[0].opcode) == request.opcode);
        CHECK(done[0].byte_len == 8);
    };
    run(counter.add(5));
    CHECK(counter.answer(0) == kStart);
    CHECK(counter.value() == kStart + 5);
    run(counter.add(~0ull));  // one less
    CHECK(counter.answer(0) == kStart + 5);
    CHECK(counter.value() == kStart + 4);
    run(counter.swap(kStart, 77));  // another value is there
    CHECK(counter.answer(0) == kStart + 4);
    CHECK(counter.value() == kStart + 4);
    run(counter.swap(kStart + 4, 77));
    CHECK(counter.answer(0) == kStart + 4);
    CHECK(counter.value() == 77);
    CHECK(pair.b.counters().roce_atomic_requests == 4);
}

TEST_CASE("each packet of an atomic in turn is lost, doubled, late or corrupted",
          "[atomic][loss]") {
    const bool swaps = GENERATE(false, true);
    const auto fate = GENERATE(Fate::drop, Fate::twice, Fate::late, Fate::corrupt);
    for (std::uint64_t hit = 0; hit < 8; ++hit) {
        CAPTURE(swaps, int(fate), hit);
        Pair pair;
        auto [qa, qb] = pair.connect({.rd_atomic = 2});
        Counter counter(pair);
        pair.link.filter = [&](std::uint32_t, std::uint64_t number, std::span<const std::byte>) {
            return number == hit ? fate : Fate::pass;
        };
        for (std::uint32_t i = 0; i < 4; ++i)
            pair.a.driver.post_send(
                qa, swaps ? counter.swap(kStart + i, kStart + i + 1, i) : counter.add(1, i));
        check_success(pair.wait_a(4), 4);
        CHECK(counter.value() == kStart + 4);
        for (std::uint32_t i = 0; i < 4; ++i) CHECK(counter.answer(i) == kStart + i);
        CHECK(pair.b.counters().roce_atomic_requests == 4);
        CHECK(pair.wait_a(1, 10 * kMillisecond).empty());
        CHECK(counter.value() == kStart + 4);
    }
}

TEST_CASE("a repeated atomic is answered with what it found then", "[atomic][loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Counter counter(pair);
    int answers = 0;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        return packet->opcode == kAtomicAcknowledge && answers++ < 2 ? Fate::drop : Fate::pass;
    };
    pair.a.driver.post_send(qa, counter.add(1));
    REQUIRE(pair.world.run_until([&] { return answers == 1; }, kSecond));
    // The guest changes the word itself while the answer is under way.
    counter.word.buffer.store(0, std::uint64_t{1000});
    check_success(pair.wait_a(1), 1);
    CHECK(counter.answer(0) == kStart);
    CHECK(counter.value() == 1000);
    CHECK(answers == 3);
    CHECK(pair.b.counters().roce_duplicate_requests == 2);
    CHECK(pair.b.counters().roce_atomic_requests == 1);
}

TEST_CASE("lost answers to atomics between READs and WRITEs", "[atomic][loss]") {
    const std::uint32_t lost = GENERATE(range(0u, 6u));
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1, .rd_atomic = 4});
    Counter counter(pair);
    Regions regions(pair, 64 << 10);
    std::uint32_t answers = 0;
    pair.link.filter = [&](std::uint32_t port, std::uint64_t, std::span<const std::byte>) {
        return port == pair.b.host.port() && answers++ == lost ? Fate::drop : Fate::pass;
    };
    Transfer read(pair, qa, qb, regions, VRNIC_OP_READ, 700, 1, 0);
    Transfer write(pair, qa, qb, regions, VRNIC_OP_WRITE, 700, 2, 8 << 10);
    Transfer again(pair, qa, qb, regions, VRNIC_OP_READ, 700, 3, 16 << 10);
    pair.a.driver.post_send(qa, counter.add(1, 0), false);
    pair.a.driver.post_send(qa, read.request(), false);
    pair.a.driver.post_send(qa, counter.add(2, 1), false);
    pair.a.driver.post_send(qa, write.request(), false);
    pair.a.driver.post_send(qa, counter.add(4, 2), false);
    pair.a.driver.post_send(qa, again.request());
    const auto done = pair.wait_a(6);
    check_success(done, 6);
    CHECK(counter.value() == kStart + 7);
    CHECK(counter.answer(0) == kStart);
    CHECK(counter.answer(1) == kStart + 1);
    CHECK(counter.answer(2) == kStart + 3);
    read.check_memory();
    write.check_memory();
    again.check_memory();
}

TEST_CASE("no more atomics are under way than was agreed", "[atomic]") {
    const std::uint8_t depth = GENERATE(std::uint8_t{1}, std::uint8_t{3}, std::uint8_t{16});
    Pair pair;
    auto [qa, qb] = pair.connect({.rd_atomic = depth}, {.sq_log_size = 6});
    Counter counter(pair);
    int under_way = 0, most = 0;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        if (packet->is_atomic_request()) most = std::max(most, ++under_way);
        if (packet->opcode == kAtomicAcknowledge) --under_way;
        return Fate::pass;
    };
    for (std::uint32_t i = 0; i < 40; ++i) pair.a.driver.post_send(qa, counter.add(1, i), i == 39);
    check_success(pair.wait_a(40), 40);
    CHECK(most == depth);
    CHECK(counter.value() == kStart + 40);
}

TEST_CASE("many QPs of both machines add to one word", "[atomic]") {
    const bool lossy = GENERATE(false, true);
    Pair pair(3, {.memory_bytes = 32 << 20});
    if (lossy) pair.link.faults.loss = pair.link.faults.duplicate = 20'000;
    Counter counter(pair);
    Region own = pair.b.driver.reg_mr(4096, kAllAccess);
    constexpr std::size_t kQps = 4;
    constexpr std::uint32_t kEach = 30;
    std::vector<GuestQp*> far, near;
    for (std::size_t i = 0; i < kQps; ++i) {
        far.push_back(&pair.connect().first);
        // B to itself, over its loopback.
        GuestQp& one = pair.b.driver.create_qp(*pair.cq_b, *pair.cq_b);
        GuestQp& two = pair.b.driver.create_qp(*pair.cq_b, *pair.cq_b);
        connect_qps(pair.b.driver, one, pair.b.driver, two);
        near.push_back(&one);
    }
    for (std::uint32_t i = 0; i < kEach; ++i)
        for (std::size_t q = 0; q < kQps; ++q) {
            pair.a.driver.post_send(*far[q], counter.add(3, i));
            SendRequest request = counter.add(5);
            request.sges = {own.sge(0, 8)};
            pair.b.driver.post_send(*near[q], request);
        }
    check_success(pair.wait_a(kQps * kEach, 5 * kSecond), kQps * kEach);
    check_success(pair.wait_b(kQps * kEach, 5 * kSecond), kQps * kEach);
    CHECK(counter.value() == kStart + kQps * kEach * 8);
}

TEST_CASE("atomics that are refused", "[atomic][error]") {
    struct Case {
        const char* name;
        std::uint32_t qp_access, region_access;
        std::int64_t shift;
        std::uint32_t key_flip;
        std::uint8_t nak;
    };
    constexpr std::uint32_t kQp = VRNIC_ACCESS_REMOTE_ATOMIC;
    constexpr std::uint32_t kMr = VRNIC_ACCESS_REMOTE_ATOMIC | VRNIC_ACCESS_LOCAL_WRITE;
    static constexpr Case kCases[] = {
        {"not aligned to 8", kQp, kMr, 4, 0, kNakInvalid},
        {"not aligned, key wrong too", kQp, kMr, 1, 1, kNakInvalid},
        {"the QP does not permit it", VRNIC_ACCESS_REMOTE_WRITE, kMr, 0, 0, kNakInvalid},
        {"the region does not permit it", kQp, VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_LOCAL_WRITE,
         0, 0, kNakAccess},
        {"key byte wrong", kQp, kMr, 0, 1, kNakAccess},
        {"before the region", kQp, kMr, -8, 0, kNakAccess},
        {"behind the region", kQp, kMr, 64, 0, kNakAccess},
    };
    const Case& bad = GENERATE(from_range(std::begin(kCases), std::end(kCases)));
    const auto op = GENERATE(VRNIC_OP_COMPARE_SWAP, VRNIC_OP_FETCH_ADD);
    CAPTURE(bad.name, op);
    Pair pair;
    auto [qa, qb] = pair.connect({.access = bad.qp_access});
    Region answers = pair.a.driver.reg_mr(64, kAllAccess);
    Region word = pair.b.driver.reg_mr(64, bad.region_access);
    word.buffer.fill(0, 64, kEmptyByte);
    answers.buffer.fill(0, 64, kEmptyByte);
    SendRequest request{.opcode = std::uint8_t(op), .sges = {answers.sge(0, 8)}};
    request.remote_addr = word.iova + static_cast<std::uint64_t>(bad.shift);
    request.rkey = word.key ^ bad.key_flip;
    request.compare = 0xd1d1d1d1d1d1d1d1;
    pair.a.driver.post_send(qa, request);
    const auto done = pair.wait_a(1);
    REQUIRE(done.size() == 1);
    CHECK(int(done[0].status) ==
          (bad.nak == kNakAccess ? VRNIC_WC_REM_ACCESS_ERR : VRNIC_WC_REM_INV_REQ_ERR));
    pair.world.run_for(kMillisecond);
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_ERR);
    for (const Region* region : {&word, &answers})
        CHECK(region->buffer.read(0, 64) == std::vector<std::byte>(64, kEmptyByte));
    CHECK(pair.b.counters().roce_atomic_requests == 0);
}
