// SPDX-License-Identifier: GPL-2.0-or-later
// Completion queues: overflow, arming, solicited events (IBTA 11.4.2).
#include <map>

#include "transfer.h"

using namespace vrnic;
using namespace vrnic::sim;

TEST_CASE("a full completion queue fails, loudly and once", "[cq]") {
    Pair pair;
    GuestCq& small = pair.a.driver.create_cq({.log_size = 2});
    GuestQp& qa = pair.a.driver.create_qp(small, small);
    GuestQp& qb = pair.b.driver.create_qp(*pair.cq_b, *pair.cq_b);
    connect_qps(pair.a.driver, qa, pair.b.driver, qb);
    Regions regions(pair, 4096);
    pair.a.driver.events(0);
    for (int i = 0; i < 10; ++i)
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                     .sges = {regions.a.sge(0, 8)},
                                     .remote_addr = regions.b.iova,
                                     .rkey = regions.b.key});
    pair.world.run_for(20 * kMillisecond);
    CHECK(pair.a.counters().cq_overflows == 1);
    int overflow = 0, fatal = 0;
    for (const vrnic_eqe& event : pair.a.driver.events(0)) {
        overflow += event.type == VRNIC_EVENT_CQ_ERROR && event.number == small.cqn;
        fatal += event.type == VRNIC_EVENT_QP_FATAL && event.number == qa.qpn;
    }
    CHECK(overflow == 1);
    CHECK(fatal == 1);
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
    // What was there before is not written over.
    for (std::uint32_t i = 0; i < 4; ++i) {
        const auto cqe = pair.a.driver.poll(small);
        REQUIRE(cqe);
        CHECK(int(cqe->status) == VRNIC_WC_SUCCESS);
        CHECK(cqe->wqe_index == i);
    }
    CHECK_FALSE(pair.a.driver.poll(small));
}

TEST_CASE("a completion queue that is emptied in time goes round and round", "[cq]") {
    Pair pair;
    GuestCq& small = pair.a.driver.create_cq({.log_size = 1});
    GuestQp& qa = pair.a.driver.create_qp(small, small);
    GuestQp& qb = pair.b.driver.create_qp(*pair.cq_b, *pair.cq_b);
    connect_qps(pair.a.driver, qa, pair.b.driver, qb);
    Regions regions(pair, 4096);
    for (int i = 0; i < 50; ++i) {
        for (int k = 0; k < 2; ++k)
            pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                         .sges = {regions.a.sge(0, 8)},
                                         .remote_addr = regions.b.iova,
                                         .rkey = regions.b.key});
        REQUIRE(pair.wait(pair.a.driver, small, 2, kSecond).size() == 2);
    }
    CHECK(pair.a.counters().cq_overflows == 0);
}

TEST_CASE("an armed queue tells of the next completion, once", "[cq][arm]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    SimDriver& a = pair.a.driver;
    const auto write = [&, &qa = qa] {
        a.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                         .sges = {regions.a.sge(0, 8)},
                         .remote_addr = regions.b.iova,
                         .rkey = regions.b.key});
        pair.world.run_for(100 * kMicrosecond);
    };
    const std::uint64_t interrupts = pair.a.host.interrupts(SimDriver::kCompletionVector);
    write();
    CHECK(a.events(1).empty());  // not armed

    a.arm(*pair.cq_a, false);  // one is there already and not consumed
    pair.world.run_for(10 * kMicrosecond);
    auto events = a.events(1);
    REQUIRE(events.size() == 1);
    CHECK(events[0].type == VRNIC_EVENT_COMPLETION);
    CHECK(events[0].number == pair.cq_a->cqn);
    CHECK(pair.a.host.interrupts(SimDriver::kCompletionVector) == interrupts + 1);

    REQUIRE(a.poll(*pair.cq_a));
    a.arm(*pair.cq_a, false);
    pair.world.run_for(10 * kMicrosecond);
    CHECK(a.events(1).empty());  // nothing new
    write();
    write();
    CHECK(a.events(1).size() == 1);
    CHECK(pair.a.host.interrupts(SimDriver::kCompletionVector) == interrupts + 2);
}

TEST_CASE("armed for solicited completions", "[cq][arm]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    const auto send = [&, &qa = qa, &qb = qb](std::uint8_t flags, std::uint8_t op) {
        pair.b.driver.post_recv(qb, {regions.b.sge(0, 100)});
        pair.a.driver.post_send(qa, {.opcode = op,
                                     .flags = std::uint8_t(VRNIC_SQE_SIGNALED | flags),
                                     .sges = {regions.a.sge(0, 8)},
                                     .remote_addr = regions.b.iova,
                                     .rkey = regions.b.key});
        const auto received = pair.wait_b(1);
        REQUIRE(received.size() == 1);
        CHECK(bool(received[0].flags & VRNIC_CQE_SOLICITED) == bool(flags & VRNIC_SQE_SOLICITED));
        pair.world.run_for(10 * kMicrosecond);
        return pair.b.driver.events(1).size();
    };
    const auto op = GENERATE(std::uint8_t{VRNIC_OP_SEND}, std::uint8_t{VRNIC_OP_SEND_IMM},
                             std::uint8_t{VRNIC_OP_WRITE_IMM});
    pair.b.driver.arm(*pair.cq_b, true);
    CHECK(send(0, op) == 0);
    CHECK(send(VRNIC_SQE_SOLICITED, op) == 1);
    CHECK(send(VRNIC_SQE_SOLICITED, op) == 0);  // no longer armed
    pair.b.driver.arm(*pair.cq_b, true);
    CHECK(send(0, op) == 0);
    // An error counts as solicited.
    pair.b.driver.post_recv(qb, {regions.b.sge(0, 100)});
    pair.b.driver.modify_state(qb, VRNIC_QPS_ERR);
    pair.world.run_for(100 * kMicrosecond);
    CHECK(pair.b.driver.events(1).size() == 1);
}

TEST_CASE("arming and completing race without a lost event", "[cq][arm]") {
    // Arm at every moment around a completion: there is always an event, or the completion was seen
    // before.
    for (Nanoseconds when = 0; when < 12 * kMicrosecond; when += 300) {
        CAPTURE(when);
        Pair pair(1, {.memory_bytes = 4 << 20});
        auto [qa, qb] = pair.connect();
        Regions regions(pair, 4096);
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                     .sges = {regions.a.sge(0, 8)},
                                     .remote_addr = regions.b.iova,
                                     .rkey = regions.b.key});
        pair.world.run_for(when);
        const bool seen = pair.a.driver.poll(*pair.cq_a).has_value();
        pair.a.driver.arm(*pair.cq_a, false);
        pair.world.run_for(kMillisecond);
        CHECK(pair.a.driver.events(1).size() == (seen ? 0 : 1));
    }
}

TEST_CASE("one completion queue takes the completions of thousands of queue pairs", "[cq]") {
    constexpr std::uint32_t kQps = 4000;
    constexpr std::uint32_t kRounds = 2;
    Pair pair(seed_or(7), {.memory_bytes = 96 << 20});
    GuestCq& cq_a = pair.a.driver.create_cq({.log_size = 13});
    GuestCq& cq_b = pair.b.driver.create_cq({.log_size = 13});
    Regions regions(pair, 4096);
    const QpOptions small{
        .sq_log_size = 1, .sq_log_stride = 6, .rq_log_size = 1, .rq_log_stride = 5};
    std::vector<GuestQp*> senders;
    std::map<std::uint32_t, std::uint32_t> number_a, number_b;  // by QPN
    for (std::uint32_t i = 0; i < kQps; ++i) {
        GuestQp& qa = pair.a.driver.create_qp(cq_a, cq_a, small);
        GuestQp& qb = pair.b.driver.create_qp(cq_b, cq_b, small);
        connect_qps(pair.a.driver, qa, pair.b.driver, qb);
        for (std::uint32_t round = 0; round < kRounds; ++round)
            pair.b.driver.post_recv(qb, {regions.b.sge(0, 16)});
        senders.push_back(&qa);
        number_a[qa.qpn] = number_b[qb.qpn] = i;
    }
    REQUIRE(number_a.size() == kQps);
    REQUIRE(number_b.size() == kQps);
    for (std::uint32_t round = 0; round < kRounds; ++round)
        for (std::uint32_t i = 0; i < kQps; ++i)
            pair.a.driver.post_send(*senders[i], {.opcode = VRNIC_OP_SEND_IMM,
                                                  .sges = {regions.a.sge(0, 16)},
                                                  .imm = round << 16 | i});
    const auto sent = pair.wait(pair.a.driver, cq_a, kQps * kRounds, 60 * kSecond);
    const auto received = pair.wait(pair.b.driver, cq_b, kQps * kRounds, 60 * kSecond);
    REQUIRE(sent.size() == kQps * kRounds);
    REQUIRE(received.size() == kQps * kRounds);
    // Each QP's in its own order, each once.
    std::vector<std::uint32_t> sends(kQps), receives(kQps);
    for (const vrnic_cqe& cqe : sent) {
        CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
        CHECK(cqe.wqe_index == sends[number_a.at(cqe.qpn)]++);
    }
    for (const vrnic_cqe& cqe : received) {
        const std::uint32_t number = number_b.at(cqe.qpn);
        CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
        CHECK(cqe.imm == (receives[number] << 16 | number));
        CHECK(cqe.wqe_index == receives[number]++);
    }
    CHECK_FALSE(pair.a.driver.poll(cq_a));
    CHECK_FALSE(pair.b.driver.poll(cq_b));
}

TEST_CASE("a moderated queue tells of many completions at once, and of few in time", "[cq][arm]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    SimDriver& a = pair.a.driver;
    vrnic_cmd_moderate_cq moderate{};
    moderate.cqn = pair.cq_a->cqn;
    moderate.count = 4;
    moderate.period = 500;
    a.admin(VRNIC_ADMIN_MODERATE_CQ, moderate);
    const auto write = [&, &qa = qa](int count) {
        for (int i = 0; i < count; ++i)
            a.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                             .sges = {regions.a.sge(0, 8)},
                             .remote_addr = regions.b.iova,
                             .rkey = regions.b.key});
    };
    a.arm(*pair.cq_a, false);
    write(4);
    pair.world.run_for(200 * kMicrosecond);
    CHECK(a.events(1).size() == 1);
    REQUIRE(pair.wait_a(4).size() == 4);

    a.arm(*pair.cq_a, false);
    const Nanoseconds begin = pair.world.now();
    write(2);
    CHECK(pair.world.run_until([&] { return a.events(1).size() == 1; }, kSecond));
    CHECK(pair.world.now() - begin >= 500 * kMicrosecond);
    CHECK(pair.world.now() - begin < 700 * kMicrosecond);
    REQUIRE(pair.wait_a(2).size() == 2);
}

TEST_CASE("a queue is resized while completions come", "[cq]") {
    Pair pair;
    GuestCq& cq = pair.a.driver.create_cq({.log_size = 3});
    GuestQp& qa = pair.a.driver.create_qp(cq, cq);
    GuestQp& qb = pair.b.driver.create_qp(*pair.cq_b, *pair.cq_b);
    connect_qps(pair.a.driver, qa, pair.b.driver, qb);
    Regions regions(pair, 4096);
    std::uint32_t posted = 0, taken = 0;
    for (const std::uint8_t log_size : {4, 2, 3, 5, 2}) {
        // At most two are in the ring whatever its size, some still on their way.
        for (; posted < taken + 2; ++posted)
            pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                         .sges = {regions.a.sge(0, 8)},
                                         .remote_addr = regions.b.iova,
                                         .rkey = regions.b.key});
        pair.world.run_for(log_size * kMicrosecond);
        pair.a.driver.resize_cq(cq, log_size);
        for (const vrnic_cqe& cqe : pair.wait(pair.a.driver, cq, 1, kSecond)) {
            CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
            CHECK(cqe.wqe_index == taken++);
        }
    }
    CHECK(pair.wait(pair.a.driver, cq, posted - taken, kSecond).size() == posted - taken);
    CHECK(taken == 5);
}
