// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/cq.h"

#include "unit/catch.h"
#include "unit/fake_host.h"
#include "vrnic_regs.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr std::uint32_t kEq = 1;
constexpr std::uint8_t kLogSize = 2;
constexpr std::uint32_t kSize = 1u << kLogSize;
constexpr std::uint32_t kRing = 64;  // offset; the record is at 0

struct Fixture {
    FakeHost host;
    Counters counters;
    Faults faults{host, counters, 0};
    EventQueues events{host, counters, faults, 4};
    Streams streams{host, counters, events, 64};
    CqTable table{host, counters, events, streams, 4, 16, 64};
    BusAddress async_ring = make_eq(0);
    BusAddress event_ring = make_eq(kEq);
    BusAddress memory = host.allocate(0x1000);

    BusAddress make_eq(std::uint32_t eqn) {
        vrnic_cmd_create_eq cmd{};
        cmd.eqn = eqn;
        cmd.vector = eqn;
        cmd.log_size = 5;
        cmd.ring = contiguous(host.allocate(0x1000), 0x1000);
        REQUIRE(events.create(cmd));
        return cmd.ring.addr;
    }
    vrnic_cmd_create_cq fields() {
        vrnic_cmd_create_cq cmd{};
        cmd.eqn = kEq;
        cmd.log_size = kLogSize;
        cmd.ring_offset = kRing;
        cmd.memory = contiguous(memory, 0x1000);
        return cmd;
    }
    std::uint32_t create() { return table.create(fields()).value(); }

    vrnic_cqe entry(std::uint32_t position) {
        return host.load<vrnic_cqe>(memory + kRing + position * sizeof(vrnic_cqe));
    }
    void consume(std::uint32_t index) { host.store(memory, index); }
    void arm(std::uint32_t cqn, std::uint32_t value) {
        host.store(memory + 4, value);
        table.arm(*table.find(cqn));
    }
    // Events since the last call; they are not yet consumed.
    std::uint64_t seen = 0;
    unsigned unconsumed_events() {
        unsigned count = 0;
        const auto seq = [&] {
            return host.load<vrnic_eqe>(event_ring + (seen & 31) * sizeof(vrnic_eqe)).seq;
        };
        for (; seq() == seen + 1; ++seen) ++count;
        return count;
    }
    void consume_events() {
        events.doorbell(kEq, static_cast<std::uint32_t>(seen));
        table.events_consumed(kEq);
    }
    unsigned new_events() {
        const unsigned count = unconsumed_events();
        consume_events();
        return count;
    }
    vrnic_eqe async(std::uint32_t i) {
        return host.load<vrnic_eqe>(async_ring + i * sizeof(vrnic_eqe));
    }
};

vrnic_cqe completion(std::uint32_t flags = 0, std::uint8_t status = VRNIC_WC_SUCCESS) {
    vrnic_cqe cqe{};
    cqe.qpn = 7;
    cqe.opcode = VRNIC_OP_RECV;
    cqe.flags = static_cast<std::uint16_t>(flags);
    cqe.status = status;
    cqe.byte_len = 1234;
    return cqe;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a completion is written whole, its sequence last") {
    const std::uint32_t cqn = create();
    std::vector<std::pair<BusAddress, std::size_t>> accesses;
    host.on_dma = [&](BusAddress address, std::size_t size) {
        accesses.push_back({address, size});
    };
    REQUIRE(table.post(cqn, completion()));
    REQUIRE(accesses.size() == 2);
    CHECK(accesses[0] == std::pair<BusAddress, std::size_t>{memory + kRing, 56});
    CHECK(accesses[1] == std::pair<BusAddress, std::size_t>{memory + kRing + 56, 8});
    CHECK(entry(0).seq == 1);
    CHECK(entry(0).byte_len == 1234);
    CHECK(entry(0).qpn == 7);
    CHECK(entry(0).timestamp == host.time);
    CHECK(counters.completions == 1);
}

TEST_CASE_METHOD(Fixture,
                 "sequences go on around the ring, the record is read only when it seems full") {
    const std::uint32_t cqn = create();
    unsigned reads = 0;
    host.on_dma = [&](BusAddress address, std::size_t) { reads += address == memory; };
    for (std::uint32_t i = 0; i < 3 * kSize; ++i) {
        consume(i);
        REQUIRE(table.post(cqn, completion()));
        CHECK(entry(i % kSize).seq == i + 1);
    }
    CHECK(reads == 2);
    CHECK(counters.cq_overflows == 0);
}

TEST_CASE_METHOD(Fixture, "an overflow ends the queue, with one event") {
    const std::uint32_t cqn = create();
    for (std::uint32_t i = 0; i < kSize; ++i) REQUIRE(table.post(cqn, completion()));
    CHECK_FALSE(table.post(cqn, completion()));
    CHECK_FALSE(table.post(cqn, completion()));
    CHECK(counters.cq_overflows == 1);
    CHECK(async(0).type == VRNIC_EVENT_CQ_ERROR);
    CHECK(async(0).number == cqn);
    CHECK(async(0).seq == 1);
    CHECK(async(1).seq == 0);
    CHECK(entry(0).seq == 1);  // nothing was overwritten
    consume(kSize);
    CHECK_FALSE(table.post(cqn, completion()));
    arm(cqn, 1);
    CHECK(new_events() == 0);
    CHECK(host.logged("CQ 0: overflow"));
}

TEST_CASE_METHOD(Fixture, "an impossible consumer index ends the queue") {
    const std::uint32_t cqn = create();
    const std::uint32_t bad = GENERATE(1u, 100u, 0x80000000u, ~0u);
    consume(bad);
    arm(cqn, 1);
    CHECK_FALSE(table.post(cqn, completion()));
    CHECK(async(0).type == VRNIC_EVENT_CQ_ERROR);
    CHECK(async(0).code == VRNIC_SYND_RING_INDEX);
}

TEST_CASE_METHOD(Fixture, "memory that cannot be reached ends the queue") {
    const std::uint32_t cqn = create();
    host.hole = memory;
    CHECK_FALSE(table.post(cqn, completion()));
    CHECK(async(0).code == VRNIC_SYND_DMA_FAILED);
    CHECK(counters.dma_errors == 1);
    host.hole = 0;
    CHECK_FALSE(table.post(cqn, completion()));
}

TEST_CASE_METHOD(Fixture, "a record that cannot be read ends the queue when it is armed") {
    const std::uint32_t cqn = create();
    host.hole = memory;
    arm(cqn, 1);
    CHECK(async(0).code == VRNIC_SYND_DMA_FAILED);
}

TEST_CASE_METHOD(Fixture, "each arming gives one event") {
    const std::uint32_t cqn = create();
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 0);  // not armed

    consume(1);
    arm(cqn, 1);
    CHECK(new_events() == 0);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 1);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 0);

    arm(cqn, 1);  // the same sequence again
    CHECK(new_events() == 0);
    arm(cqn, 2);  // completions wait already
    CHECK(new_events() == 1);
    consume(3);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 0);
}

TEST_CASE_METHOD(Fixture, "armed for solicited completions, others do not count") {
    const std::uint32_t cqn = create();
    arm(cqn, 1 | VRNIC_CQ_ARM_SOLICITED);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 0);
    SECTION("a solicited one does") {
        REQUIRE(table.post(cqn, completion(VRNIC_CQE_SOLICITED)));
        CHECK(new_events() == 1);
    }
    SECTION("an error does") {
        REQUIRE(table.post(cqn, completion(0, VRNIC_WC_WR_FLUSH_ERR)));
        CHECK(new_events() == 1);
        CHECK(counters.completion_errors == 1);
    }
    SECTION("any does, when the driver then asks for any") {
        arm(cqn, 2);
        CHECK(new_events() == 1);  // the first was not consumed
    }
}

TEST_CASE_METHOD(Fixture, "a solicited completion that was consumed is not told again") {
    const std::uint32_t cqn = create();
    REQUIRE(table.post(cqn, completion(VRNIC_CQE_SOLICITED)));
    REQUIRE(table.post(cqn, completion()));
    SECTION("consumed") {
        consume(1);
        arm(cqn, 1 | VRNIC_CQ_ARM_SOLICITED);
        CHECK(new_events() == 0);
    }
    SECTION("not consumed") {
        arm(cqn, 1 | VRNIC_CQ_ARM_SOLICITED);
        CHECK(new_events() == 1);
    }
}

TEST_CASE_METHOD(Fixture, "a request for any completion is not narrowed by a later one") {
    const std::uint32_t cqn = create();
    arm(cqn, 1);
    arm(cqn, 2 | VRNIC_CQ_ARM_SOLICITED);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 1);
}

TEST_CASE_METHOD(Fixture, "a CQ has one event at most that was not consumed; the next one waits") {
    const std::uint32_t cqn = create();
    for (std::uint32_t sequence = 1; sequence < 100; ++sequence) {
        arm(cqn, sequence);
        REQUIRE(table.post(cqn, completion()));
        consume(sequence);
    }
    CHECK(unconsumed_events() == 1);
    consume_events();
    CHECK(unconsumed_events() == 1);
    consume_events();
    CHECK(unconsumed_events() == 0);
    CHECK(counters.eq_overflows == 0);
    arm(cqn, 100);
    REQUIRE(table.post(cqn, completion()));
    CHECK(unconsumed_events() == 1);
}

TEST_CASE_METHOD(Fixture,
                 "armed between the event and the polling, it wakes for what is new only") {
    const std::uint32_t cqn = create();
    arm(cqn, 1);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 1);
    arm(cqn, 2);  // not consumed yet, but told
    CHECK(new_events() == 0);
    REQUIRE(table.post(cqn, completion()));
    CHECK(new_events() == 1);
    REQUIRE(table.post(cqn, completion()));  // between event and arming
    arm(cqn, 3);
    CHECK(new_events() == 1);
}

TEST_CASE_METHOD(Fixture, "an event that waits interrupts when its time comes") {
    const std::uint32_t cqn = create();
    events.doorbell(kEq, VRNIC_EQ_DB_ARM);
    arm(cqn, 1);
    REQUIRE(table.post(cqn, completion()));
    arm(cqn, 2);
    REQUIRE(table.post(cqn, completion()));
    CHECK(host.interrupts[kEq] == 1);
    events.doorbell(kEq, 1 | VRNIC_EQ_DB_ARM);
    table.events_consumed(kEq);
    CHECK(host.interrupts[kEq] == 2);
}

TEST_CASE_METHOD(Fixture, "a full event queue delays events and loses none") {
    CHECK(events.destroy(kEq));
    vrnic_cmd_create_eq cmd{};
    cmd.eqn = kEq;
    cmd.vector = kEq;
    cmd.log_size = 1;  // two entries for four queues
    cmd.ring = contiguous(host.allocate(0x1000), 0x1000);
    event_ring = cmd.ring.addr;
    REQUIRE(events.create(cmd));
    for (int i = 0; i < 4; ++i) {
        memory = host.allocate(0x1000);
        const std::uint32_t cqn = create();
        arm(cqn, 1);
        REQUIRE(table.post(cqn, completion()));
    }
    std::vector<unsigned> told(4);
    for (std::uint64_t i = 0; i < 4; ++i) {
        const auto event = host.load<vrnic_eqe>(event_ring + (i & 1) * sizeof(vrnic_eqe));
        REQUIRE(event.seq == i + 1);
        ++told.at(event.number);
        events.doorbell(kEq, static_cast<std::uint32_t>(i + 1));
        table.events_consumed(kEq);
    }
    CHECK(told == std::vector<unsigned>{1, 1, 1, 1});
    CHECK(counters.eq_overflows == 0);
}

TEST_CASE_METHOD(Fixture, "an event that waits goes with its CQ") {
    std::vector<std::uint32_t> cqns;
    for (int i = 0; i < 3; ++i) {
        memory = host.allocate(0x1000);
        cqns.push_back(create());
        arm(cqns.back(), 1);
        REQUIRE(table.post(cqns.back(), completion()));
        arm(cqns.back(), 2);
        REQUIRE(table.post(cqns.back(), completion()));
    }
    const std::uint32_t gone = cqns[GENERATE(0u, 1u, 2u)];
    CHECK(unconsumed_events() == 3);
    CHECK(table.destroy(gone));
    const std::uint64_t first = seen;
    consume_events();
    CHECK(unconsumed_events() == 2);
    for (std::uint64_t i = first; i < seen; ++i)
        CHECK(host.load<vrnic_eqe>(event_ring + i * sizeof(vrnic_eqe)).number != gone);
    for (const std::uint32_t cqn : cqns)
        if (cqn != gone) CHECK(table.destroy(cqn));
    consume_events();
    CHECK(events.destroy(kEq));
}

TEST_CASE_METHOD(Fixture, "a bad CQ is refused with its field") {
    struct Case {
        const char* what;
        void (*spoil)(vrnic_cmd_create_cq&);
        std::uint16_t status;
        std::uint32_t detail;
    };
    constexpr std::uint32_t kMemory = VRNIC_FIELD(vrnic_cmd_create_cq, memory);
    const std::vector<Case> cases = {
        {"no such EQ", [](auto& c) { c.eqn = 2; }, VRNIC_STATUS_NO_OBJECT,
         VRNIC_FIELD(vrnic_cmd_create_cq, eqn)},
        {"the asynchronous EQ", [](auto& c) { c.eqn = 0; }, VRNIC_STATUS_NO_OBJECT,
         VRNIC_FIELD(vrnic_cmd_create_cq, eqn)},
        {"EQ number of all ones", [](auto& c) { c.eqn = ~0u; }, VRNIC_STATUS_NO_OBJECT,
         VRNIC_FIELD(vrnic_cmd_create_cq, eqn)},
        {"too large", [](auto& c) { c.log_size = 5; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_cq, log_size)},
        {"hugest", [](auto& c) { c.log_size = 255; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_cq, log_size)},
        {"misaligned ring", [](auto& c) { c.ring_offset = 32; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_cq, ring_offset)},
        {"misaligned record", [](auto& c) { c.dbrec_offset = 4; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_cq, dbrec_offset)},
        {"misaligned memory", [](auto& c) { c.memory.offset = 8; }, VRNIC_STATUS_INVALID,
         kMemory + offsetof(vrnic_page_list, offset)},
        {"ring past the memory", [](auto& c) { c.ring_offset = 0x1000 - 64; }, VRNIC_STATUS_INVALID,
         kMemory + offsetof(vrnic_page_list, num_pages)},
        {"ring far past the memory", [](auto& c) { c.ring_offset = 0xffffffc0; },
         VRNIC_STATUS_INVALID, kMemory + offsetof(vrnic_page_list, num_pages)},
        {"record past the memory", [](auto& c) { c.dbrec_offset = 0x1000; }, VRNIC_STATUS_INVALID,
         kMemory + offsetof(vrnic_page_list, num_pages)},
        {"record far past the memory", [](auto& c) { c.dbrec_offset = 0xfffffff8; },
         VRNIC_STATUS_INVALID, kMemory + offsetof(vrnic_page_list, num_pages)},
        {"too many pages", [](auto& c) { c.memory.num_pages = 65; }, VRNIC_STATUS_LIMIT,
         kMemory + offsetof(vrnic_page_list, num_pages)},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        vrnic_cmd_create_cq cmd = fields();
        c.spoil(cmd);
        const auto result = table.create(cmd);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == c.status);
        CHECK(result.error().detail == c.detail);
    }
    CHECK(events.find(kEq)->users == 0);
}

TEST_CASE_METHOD(Fixture, "CQs are limited, stay while they are used, and keep their EQ") {
    for (std::uint32_t i = 0; i < 4; ++i) create();
    CHECK(table.create(fields()).error().status == VRNIC_STATUS_LIMIT);
    CHECK(table.cqs_of_uar(0) == 4);
    CHECK(table.cqs_of_uar(1) == 0);

    table.find(2)->users = 1;
    CHECK(table.destroy(2).error().status == VRNIC_STATUS_BUSY);
    table.find(2)->users = 0;
    CHECK(events.destroy(kEq).error().status == VRNIC_STATUS_BUSY);
    for (std::uint32_t i = 0; i < 4; ++i) CHECK(table.destroy(i));
    CHECK(table.destroy(2).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(table.destroy(~0u).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK_FALSE(table.post(2, completion()));
    CHECK_FALSE(table.post(~0u, completion()));
    CHECK(events.destroy(kEq));
}

TEST_CASE_METHOD(Fixture, "a CQ of one entry") {
    vrnic_cmd_create_cq cmd = fields();
    cmd.log_size = 0;
    const std::uint32_t cqn = table.create(cmd).value();
    for (std::uint32_t i = 0; i < 5; ++i) {
        consume(i);
        REQUIRE(table.post(cqn, completion()));
        CHECK(entry(0).seq == i + 1);
    }
    CHECK_FALSE(table.post(cqn, completion()));
}

// ---- moderation ----

namespace {

constexpr Nanoseconds kMicrosecond = 1000;

struct Moderated : Fixture {
    std::uint32_t cqn = create();

    void moderate(std::uint32_t count, std::uint32_t period) {
        vrnic_cmd_moderate_cq cmd{};
        cmd.cqn = cqn;
        cmd.count = count;
        cmd.period = period;
        REQUIRE(table.moderate(cmd));
    }
    void post(std::uint32_t flags = 0) { REQUIRE(table.post(cqn, completion(flags))); }
    void pass(Nanoseconds time) {
        host.time += time;
        table.on_deadline(host.time);
    }
};

}  // namespace

TEST_CASE_METHOD(Moderated, "a moderated event waits for so many completions") {
    moderate(3, 100);
    CHECK(table.next_deadline() == kNever);
    arm(cqn, 1);
    post();
    post();
    CHECK(new_events() == 0);
    CHECK(table.next_deadline() == host.time + 100 * kMicrosecond);
    post();
    CHECK(new_events() == 1);
    pass(1000 * kMicrosecond);
    CHECK(new_events() == 0);
}

TEST_CASE_METHOD(Moderated, "or so long since the first of them") {
    moderate(3, 100);
    arm(cqn, 1);
    pass(500 * kMicrosecond);  // nothing is there to tell of
    CHECK(new_events() == 0);
    post();
    pass(60 * kMicrosecond);
    post();
    pass(39 * kMicrosecond);
    CHECK(new_events() == 0);
    pass(1 * kMicrosecond);
    CHECK(new_events() == 1);
    pass(1000 * kMicrosecond);
    CHECK(new_events() == 0);

    SECTION("not armed, nothing waits") {
        post();
        pass(1000 * kMicrosecond);
        CHECK(new_events() == 0);
    }
    SECTION("what came before the arming counts, its time from the arming on") {
        post();
        arm(cqn, 2);
        CHECK(new_events() == 0);
        pass(99 * kMicrosecond);
        CHECK(new_events() == 0);
        pass(1 * kMicrosecond);
        CHECK(new_events() == 1);
    }
    SECTION("as many as were asked for before the arming: at once") {
        consume(2);
        for (int i = 0; i < 3; ++i) post();
        arm(cqn, 2);
        CHECK(new_events() == 1);
    }
    SECTION("what was consumed before the arming does not") {
        post();
        consume(3);
        arm(cqn, 2);
        pass(1000 * kMicrosecond);
        CHECK(new_events() == 0);
    }
}

TEST_CASE_METHOD(Moderated, "armed for solicited completions, only those wait and count") {
    moderate(2, 100);
    arm(cqn, 1 | VRNIC_CQ_ARM_SOLICITED);
    post();
    pass(1000 * kMicrosecond);
    CHECK(new_events() == 0);
    post(VRNIC_CQE_SOLICITED);
    CHECK(new_events() == 0);
    SECTION("a second one") {
        post(VRNIC_CQE_SOLICITED);
        CHECK(new_events() == 1);
    }
    SECTION("its time") {
        pass(100 * kMicrosecond);
        CHECK(new_events() == 1);
    }
    SECTION("armed again for any: all three count") {
        arm(cqn, 2);
        CHECK(new_events() == 1);
    }
}

TEST_CASE_METHOD(Moderated, "changing or ending the moderation while completions wait") {
    moderate(3, 100);
    arm(cqn, 1);
    post();
    post();
    SECTION("none any more") {
        moderate(GENERATE(0u, 1u), 100);
        CHECK(new_events() == 1);
    }
    SECTION("no time to wait is no waiting") {
        moderate(3, 0);
        CHECK(new_events() == 1);
    }
    SECTION("fewer") {
        moderate(2, 100);
        CHECK(new_events() == 1);
    }
    SECTION("the new time counts from now") {
        pass(50 * kMicrosecond);
        moderate(3, 10);
        pass(9 * kMicrosecond);
        CHECK(new_events() == 0);
        pass(1 * kMicrosecond);
        CHECK(new_events() == 1);
    }
    SECTION("the queue is destroyed, and its number another's") {
        CHECK(table.destroy(cqn));
        pass(1000 * kMicrosecond);
        const std::uint32_t other = create();
        arm(other, 3);
        pass(1000 * kMicrosecond);
        CHECK(new_events() == 0);
    }
    SECTION("the queue fails") {
        host.hole = memory;
        CHECK_FALSE(table.post(cqn, completion()));
        pass(1000 * kMicrosecond);
        CHECK(new_events() == 0);
    }
    SECTION("reset") {
        table.reset();
        CHECK(table.next_deadline() == kNever);
        pass(1000 * kMicrosecond);
        CHECK(new_events() == 0);
    }
}

// ---- resizing ----

namespace {

struct Resized : Fixture {
    std::uint32_t cqn = create();
    BusAddress fresh = host.allocate(0x1000);
    static constexpr std::uint32_t kNewRing = 128;  // the record is at 8

    vrnic_cmd_resize_cq fields(std::uint8_t log_size) {
        vrnic_cmd_resize_cq cmd{};
        cmd.cqn = cqn;
        cmd.log_size = log_size;
        cmd.ring_offset = kNewRing;
        cmd.dbrec_offset = 8;
        cmd.memory = contiguous(fresh, 0x1000);
        return cmd;
    }
    void post(std::uint32_t count) {
        for (std::uint32_t i = 0; i < count; ++i) {
            vrnic_cqe cqe = completion();
            cqe.wqe_index = posted++;
            REQUIRE(table.post(cqn, cqe));
        }
    }
    vrnic_cqe moved(std::uint64_t index, std::uint8_t log_size) {
        return host.load<vrnic_cqe>(fresh + kNewRing +
                                    (index & ((1u << log_size) - 1)) * sizeof(vrnic_cqe));
    }
    std::uint32_t posted = 0;
};

}  // namespace

TEST_CASE_METHOD(Resized, "a resized queue goes on where it was, in other memory") {
    post(3);
    consume(3);
    post(3);  // 3, 4, 5: around the end of the old ring
    consume(4);
    const std::uint8_t log_size = GENERATE(std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{4});
    host.store(fresh + 8, std::uint32_t{4});
    REQUIRE(table.resize(fields(log_size)));
    for (const std::uint32_t index : {4u, 5u}) {
        CHECK(moved(index, log_size).seq == index + 1);
        CHECK(moved(index, log_size).wqe_index == index);
    }
    const std::uint32_t size = 1u << log_size;
    post(size - 2);
    CHECK(moved(posted - 1, log_size).seq == posted);
    CHECK(host.load<vrnic_cqe>(memory + kRing + 2 * 64).seq == 3);  // the old one is left alone
    CHECK_FALSE(table.post(cqn, completion()));                     // full, by the new record
    CHECK(counters.cq_overflows == 1);
}

TEST_CASE_METHOD(Resized, "an armed queue stays armed; the new record is the one that arms") {
    arm(cqn, 1);
    host.store(fresh + 12, std::uint32_t{1});
    REQUIRE(table.resize(fields(3)));
    post(1);
    CHECK(new_events() == 1);
    host.store(fresh + 8, std::uint32_t{1});
    arm(cqn, 2);  // in the old one
    post(1);
    CHECK(new_events() == 0);
    host.store(fresh + 12, std::uint32_t{2});
    table.arm(*table.find(cqn));
    CHECK(new_events() == 1);
}

TEST_CASE_METHOD(Resized, "a ring too small for what is there is refused, and nothing changes") {
    post(3);
    const auto result = table.resize(fields(1));
    REQUIRE_FALSE(result);
    CHECK(result.error().status == VRNIC_STATUS_INVALID);
    CHECK(result.error().detail == VRNIC_FIELD(vrnic_cmd_resize_cq, log_size));
    post(1);
    CHECK(entry(3).seq == 4);
    consume(2);
    CHECK(table.resize(fields(1)));
}

TEST_CASE_METHOD(Resized, "resizing with bad fields, bad memory, of a queue that has failed") {
    post(2);
    vrnic_cmd_resize_cq cmd = fields(3);
    std::uint16_t status = VRNIC_STATUS_INVALID;
    std::uint32_t detail = 0;
    SECTION("no such queue") {
        cmd.cqn = 1;
        status = VRNIC_STATUS_NO_OBJECT;
        detail = VRNIC_FIELD(vrnic_cmd_resize_cq, cqn);
    }
    SECTION("too large") {
        cmd.log_size = GENERATE(std::uint8_t{5}, std::uint8_t{255});
        detail = VRNIC_FIELD(vrnic_cmd_resize_cq, log_size);
    }
    SECTION("misaligned ring") {
        cmd.ring_offset = 32;
        detail = VRNIC_FIELD(vrnic_cmd_resize_cq, ring_offset);
    }
    SECTION("misaligned record") {
        cmd.dbrec_offset = 4;
        detail = VRNIC_FIELD(vrnic_cmd_resize_cq, dbrec_offset);
    }
    SECTION("ring past the memory") {
        cmd.ring_offset = 0x1000 - 64;
        detail = VRNIC_FIELD(vrnic_cmd_resize_cq, memory) + offsetof(vrnic_page_list, num_pages);
    }
    SECTION("new memory that cannot be written") {
        host.hole = fresh;
        status = VRNIC_STATUS_DMA;
        detail = VRNIC_FIELD(vrnic_cmd_resize_cq, memory);
    }
    const auto result = table.resize(cmd);
    REQUIRE_FALSE(result);
    CHECK(result.error().status == status);
    CHECK(result.error().detail == detail);
    post(1);
    CHECK(entry(2).seq == 3);

    for (int i = 0; i < 2; ++i) (void)table.post(cqn, completion());  // overflow
    CHECK(table.resize(fields(3)).error().status == VRNIC_STATUS_BAD_STATE);
}

TEST_CASE_METHOD(Fixture, "resizing copies a large ring, piece by piece") {
    constexpr std::uint8_t kLarge = 8;
    CqTable large{host, counters, events, streams, 4, 1024, 64};
    const auto memory_of = [&](std::uint8_t log_size) {
        const std::uint64_t bytes = kRing + (sizeof(vrnic_cqe) << log_size);
        return contiguous(host.allocate(bytes), bytes);
    };
    vrnic_cmd_create_cq cmd = fields();
    cmd.log_size = kLarge;
    cmd.memory = memory_of(kLarge);
    const std::uint32_t cqn = large.create(cmd).value();
    for (std::uint32_t i = 0; i < 300; ++i) {
        host.store(cmd.memory.addr, i < 100 ? i : 100u);
        REQUIRE(large.post(cqn, completion()));
    }
    vrnic_cmd_resize_cq resize{};
    resize.cqn = cqn;
    resize.log_size = GENERATE(std::uint8_t{8}, std::uint8_t{10});
    resize.ring_offset = kRing;
    resize.memory = memory_of(resize.log_size);
    REQUIRE(large.resize(resize));
    for (std::uint64_t i = 100; i < 300; ++i)
        CHECK(host.load<vrnic_cqe>(resize.memory.addr + kRing +
                                   (i & ((1u << resize.log_size) - 1)) * sizeof(vrnic_cqe))
                  .seq == i + 1);
}
