// SPDX-License-Identifier: GPL-2.0-or-later
// What the link does to packets must not be seen in memory or in completions.
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

// How many frames three operations of this kind take on a good link.
std::uint64_t frames_of(std::uint8_t op, const Connection& how, std::uint64_t size) {
    Pair pair;
    auto [qa, qb] = pair.connect(how);
    Regions regions(pair, 16 << 10);
    Transfer transfer(pair, qa, qb, regions, op, size);
    transfer.post();
    transfer.finish();
    return pair.link.frames_sent();
}

const char* name(Fate fate) {
    constexpr const char* kNames[] = {"pass", "drop", "twice", "late", "corrupt"};
    return kNames[static_cast<int>(fate)];
}

}  // namespace

TEST_CASE("each packet of an exchange in turn is lost, doubled, late or corrupted", "[loss]") {
    const auto op = GENERATE(from_range(std::begin(kAllOperations), std::end(kAllOperations)));
    const auto fate = GENERATE(Fate::drop, Fate::twice, Fate::late, Fate::corrupt);
    const std::uint64_t size = GENERATE(100, 1400);
    const Connection how{.path_mtu = 1};
    const std::uint64_t frames = frames_of(op, how, size);
    REQUIRE(frames >= 2);
    for (std::uint64_t hit = 0; hit < frames; ++hit) {
        INFO("opcode " << int(op) << ", " << size << " bytes, frame " << hit << " of " << frames
                       << " " << name(fate));
        Pair pair;
        auto [qa, qb] = pair.connect(how);
        Regions regions(pair, 16 << 10);
        pair.link.filter = [&](std::uint32_t, std::uint64_t number, std::span<const std::byte>) {
            return number == hit ? fate : Fate::pass;
        };
        Transfer transfer(pair, qa, qb, regions, op, size, hit + 1);
        transfer.post();
        transfer.finish();
        // The next one goes through as if nothing had been, and no second completion came of the
        // first.
        Transfer next(pair, qa, qb, regions, op, size, hit + 100, 8 << 10);
        next.post();
        next.finish();
        transfer.check_memory();
        CHECK(pair.wait_a(1, 10 * kMillisecond).empty());
        CHECK(pair.wait_b(1, 10 * kMillisecond).empty());
    }
}

TEST_CASE("a lost acknowledgement delays the completion until one comes", "[loss]") {
    const auto op = GENERATE(VRNIC_OP_SEND, VRNIC_OP_WRITE, VRNIC_OP_WRITE_IMM);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    int acks = 0;
    Nanoseconds second_ack = 0;
    pair.link.filter = [&](std::uint32_t port, std::uint64_t, std::span<const std::byte> frame) {
        if (port != pair.b.host.port() || !parse_roce(frame)->is_ack()) return Fate::pass;
        if (++acks <= 1) return Fate::drop;
        second_ack = pair.world.now();
        return Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, std::uint8_t(op), 3000);
    transfer.post();
    // The data is there and the receiver may know it, yet the sender's request is not done.
    REQUIRE(pair.world.run_until([&] { return acks == 1; }, kSecond));
    pair.world.run_for(500 * kMicrosecond);
    CHECK(transfer.remote().holds(transfer.data()));
    CHECK(pair.wait_a(1, 0).empty());
    if (takes_receive(transfer.request().opcode)) transfer.check_receive(0);
    // What was delivered is the receiver's: a packet sent again must not write it again.
    transfer.remote().clear();
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
    CHECK(acks >= 2);
    CHECK(second_ack != 0);
    CHECK(pair.world.now() > second_ack);
    CHECK(transfer.remote().is_empty());
    CHECK(pair.wait_b(1, 10 * kMillisecond).empty());
    CHECK(pair.b.counters().roce_duplicate_requests >= 1);
    CHECK(pair.a.counters().roce_local_ack_timeouts == 1);
    CHECK(pair.a.counters().roce_retransmitted_packets >= 1);
}

TEST_CASE("the local ACK timeout is never shorter than asked for", "[loss]") {
    const auto timeout = GENERATE(std::uint8_t{8}, std::uint8_t{10}, std::uint8_t{12});
    Pair pair;
    auto [qa, qb] = pair.connect({.timeout = timeout});
    Regions regions(pair, 4096);
    std::vector<Nanoseconds> tries;
    pair.link.filter = [&](std::uint32_t port, std::uint64_t, std::span<const std::byte>) {
        if (port != pair.a.host.port()) return Fate::pass;
        tries.push_back(pair.world.now());
        return tries.size() < 3 ? Fate::drop : Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 10);
    transfer.post();
    transfer.finish();
    REQUIRE(tries.size() == 3);
    const Nanoseconds least = Nanoseconds{4096} << timeout;
    CHECK(tries[1] - tries[0] >= least);
    CHECK(tries[2] - tries[1] >= least);
    CHECK(tries[1] - tries[0] <= 4 * least);  // IBTA 9.9.2.1.2: at most four times
}

TEST_CASE("a dead peer uses the retries up", "[loss]") {
    const auto op = GENERATE(from_range(std::begin(kAllOperations), std::end(kAllOperations)));
    const auto retries = GENERATE(std::uint8_t{0}, std::uint8_t{3}, std::uint8_t{7});
    Pair pair;
    auto [qa, qb] = pair.connect({.retry_cnt = retries});
    Regions regions(pair, 16 << 10);
    int sent_packets = 0;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte>) {
        ++sent_packets;
        return Fate::drop;
    };
    Transfer transfer(pair, qa, qb, regions, op, 10);
    transfer.post();
    pair.a.driver.post_send(qa, transfer.request());
    const auto sent = pair.wait_a(2, 5 * kSecond);
    REQUIRE(sent.size() == 2);
    CHECK(int(sent[0].status) == VRNIC_WC_RETRY_EXC_ERR);
    CHECK(sent[0].syndrome == VRNIC_SYND_TIMEOUT);
    CHECK(int(sent[1].status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK(sent_packets == 2 * (1 + retries));
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
    CHECK(pair.a.counters().roce_retry_exceeded == 1);
    const int before = sent_packets;
    pair.world.run_for(100 * kMillisecond);
    CHECK(sent_packets == before);
}

TEST_CASE("without a timeout a request waits for ever", "[loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.timeout = 0});
    Regions regions(pair, 4096);
    bool dead = true;
    int packets = 0;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte>) {
        ++packets;
        return dead ? Fate::drop : Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 10);
    transfer.post();
    CHECK(pair.wait_a(1, 10 * kSecond).empty());
    CHECK(packets == 1);
    // A later request makes the peer say what it misses.
    dead = false;
    Transfer second(pair, qa, qb, regions, VRNIC_OP_WRITE, 10, 2, 2048);
    second.post();
    const auto done = pair.wait_a(2);
    REQUIRE(done.size() == 2);
    transfer.check_memory();
    second.check_memory();
}

TEST_CASE("a READ that was answered is answered again", "[loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 16 << 10);
    const std::uint64_t size = 256 * 6 + 7;
    std::vector<std::uint32_t> requested;  // PSNs of READ requests
    int responses = 0;
    const int lost_from = GENERATE(0, 1, 3, 6);
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        if (packet->opcode == kReadRequest) requested.push_back(packet->psn);
        if (packet->is_read_response() && responses++ >= lost_from && requested.size() == 1)
            return Fate::drop;
        return Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_READ, size);
    transfer.post();
    transfer.finish();
    REQUIRE(requested.size() == 2);
    CHECK(requested[1] ==
          0x1000u + static_cast<std::uint32_t>(lost_from));  // from the first missing one
    CHECK(responses == 7 + 7 - lost_from);
    CHECK(pair.b.counters().roce_duplicate_requests >= 1);
}

TEST_CASE("a late copy of a READ request finds its region gone", "[loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    std::vector<std::byte> request;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        if (parse_roce(frame)->opcode == kReadRequest) request.assign(frame.begin(), frame.end());
        return Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_READ, 5000);
    transfer.post();
    transfer.finish();
    pair.b.driver.dereg_mr(regions.b);
    const std::uint64_t frames = pair.link.frames_sent();
    pair.link.inject(pair.a.host.port(), request);
    pair.world.run_for(kMillisecond);
    CHECK(pair.b.counters().roce_duplicate_requests == 1);
    CHECK(pair.link.frames_sent() == frames);
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_RTS);
    Regions fresh(pair, 16 << 10);
    Transfer next(pair, qa, qb, fresh, VRNIC_OP_READ, 5000, 2);
    next.post();
    next.finish();
}

TEST_CASE("a missing READ response in the middle", "[loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 16 << 10);
    bool dropped = false;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        if (packet->is_read_response() && packet->psn == 0x1002 && !dropped) {
            dropped = true;
            return Fate::drop;
        }
        return Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_READ, 256 * 10);
    const Nanoseconds start = pair.world.now();
    transfer.post();
    transfer.finish();
    CHECK(pair.world.now() - start <
          500 * kMicrosecond);  // by the later response, not by the timer
    CHECK(pair.a.counters().roce_implied_nak_seq_err == 1);
    CHECK(pair.a.counters().roce_local_ack_timeouts == 0);
}

TEST_CASE("an acknowledgement behind a READ tells that its responses were lost", "[loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 64 << 10);
    int lost = 0;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        return parse_roce(frame)->is_read_response() && lost < 4 ? (++lost, Fate::drop)
                                                                 : Fate::pass;
    };
    Transfer read(pair, qa, qb, regions, VRNIC_OP_READ, 1000, 1, 0);
    Transfer write(pair, qa, qb, regions, VRNIC_OP_WRITE, 1000, 2, 16 << 10);
    pair.a.driver.post_send(qa, read.request(), false);
    pair.a.driver.post_send(qa, write.request());
    const auto done = pair.wait_a(2);
    REQUIRE(done.size() == 2);
    CHECK(int(done[0].opcode) == VRNIC_OP_READ);
    CHECK(int(done[0].status) == VRNIC_WC_SUCCESS);
    CHECK(int(done[1].opcode) == VRNIC_OP_WRITE);
    CHECK(int(done[1].status) == VRNIC_WC_SUCCESS);
    read.check_memory();
    write.check_memory();
    CHECK(pair.a.counters().roce_implied_nak_seq_err >= 1);
}

TEST_CASE("one sequence NAK for a gap, and only what is missing is sent again", "[loss]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 64 << 10);
    int naks = 0;
    std::vector<std::uint32_t> psns;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        if (packet->opcode == kAcknowledge) {
            naks += packet->is_nak(kNakSequence);
            return Fate::pass;
        }
        psns.push_back(packet->psn);
        return packet->psn == 0x1005 && std::ranges::count(psns, 0x1005u) == 1 ? Fate::drop
                                                                               : Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_SEND, 256 * 20);
    transfer.post();
    transfer.finish();
    CHECK(naks == 1);
    CHECK(pair.b.counters().roce_out_of_sequence == 1);
    CHECK(pair.a.counters().roce_packet_seq_err == 1);
    CHECK(pair.a.counters().roce_local_ack_timeouts == 0);
    for (std::uint32_t psn = 0x1000; psn < 0x1005; ++psn) CHECK(std::ranges::count(psns, psn) == 1);
}

TEST_CASE("the engine's own loss", "[loss]") {
    Pair pair(7, {.faults = "drop,probability=0.05"});
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 128 << 10);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, qa, qb, regions, op, 100'000, op);
        transfer.post();
        transfer.finish();
    }
    CHECK(pair.a.counters().faults_dropped_packets > 10);
    CHECK(pair.b.counters().faults_dropped_packets > 10);
    CHECK(pair.a.counters().roce_retransmitted_packets > 10);
}

TEST_CASE("a full wire pauses the engine and loses nothing", "[loss][pause]") {
    Pair pair;
    const Nanoseconds queue = GENERATE(Nanoseconds{0}, Nanoseconds{5000});
    pair.link.bytes_per_us = 1000;
    pair.link.queue_time = queue;
    // The traffic of both directions and READ responses are paused alike.
    auto [qa, qb] = pair.connect({.path_mtu = 3, .timeout = 14});
    Regions regions(pair, 512 << 10);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op), queue);
        Transfer transfer(pair, qa, qb, regions, op, 300'000, op);
        transfer.post();
        transfer.finish();
    }
    CHECK(pair.link.pauses() > 100);
    CHECK(pair.a.counters().wire_pauses + pair.b.counters().wire_pauses == pair.link.pauses());
    CHECK(pair.a.counters().roce_retransmitted_packets == 0);
    CHECK(pair.b.counters().roce_duplicate_requests == 0);
}

TEST_CASE("many QPs on a slow wire: waiting for a turn is not a loss", "[loss][pause]") {
    Pair pair(1, {.memory_bytes = 64 << 20});
    pair.link.bytes_per_us = 60;
    pair.link.queue_time = 2 * kMicrosecond;
    constexpr std::size_t kQps = 64;
    std::vector<GuestQp*> qps;
    for (std::size_t i = 0; i < kQps; ++i)  // 17 ms: all that they send at once takes longer
        qps.push_back(&pair.connect({.path_mtu = 3, .timeout = 12}).first);
    Regions regions(pair, kQps * 64 << 10);
    for (std::size_t i = 0; i < kQps; ++i)
        pair.a.driver.post_send(*qps[i], {.opcode = VRNIC_OP_WRITE,
                                          .sges = {regions.a.sge(i * 60'000, 60'000)},
                                          .remote_addr = regions.b.iova + i * 60'000,
                                          .rkey = regions.b.key});
    const auto sent = pair.wait_a(kQps, 5 * kSecond);
    REQUIRE(sent.size() == kQps);
    for (const vrnic_cqe& cqe : sent) CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
    CHECK(pair.a.counters().roce_local_ack_timeouts == 0);
    CHECK(pair.a.counters().roce_retransmitted_packets == 0);
}
