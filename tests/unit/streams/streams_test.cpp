// SPDX-License-Identifier: GPL-2.0-or-later
// Streams of what the device does.
#include "streams/streams.h"

#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr std::uint8_t kLogSize = VRNIC_STREAM_SIZE_MIN_LOG;
constexpr std::uint32_t kRing = 1u << kLogSize;  // bytes; the doorbell record follows

constexpr std::uint32_t bit(unsigned what) {
    return 1u << what;
}
constexpr std::uint32_t kEvents = (bit(VRNIC_STREAM_KINDS) - 1) & ~bit(VRNIC_STREAM_FRAME);

struct Told {
    vrnic_stream_record record;
    Frame data;
};

// A reader, as a driver is one.
struct WatchedConnection : Connection {
    std::uint32_t handle = 0;
    BusAddress memory = 0;
    std::uint64_t taken = 0;

    vrnic_cmd_create_stream fields(std::uint32_t kinds, bool everything = false) {
        memory = guest.host.allocate(kRing + sizeof(vrnic_stream_dbrec));
        vrnic_cmd_create_stream out{};
        out.kinds = kinds;
        out.log_size = kLogSize;
        out.everything = everything;
        out.dbrec_offset = kRing;
        out.memory = contiguous(memory, kRing + sizeof(vrnic_stream_dbrec));
        return out;
    }
    void open(std::uint32_t kinds, bool everything = false) {
        handle = Guest::handle(guest.submit(VRNIC_ADMIN_CREATE_STREAM, fields(kinds, everything)));
        CHECK(handle != 0);
    }
    std::uint16_t watch(std::uint32_t type, std::uint32_t number, bool on = true) {
        vrnic_cmd_watch cmd{};
        cmd.stream = handle;
        cmd.type = type;
        cmd.number = number;
        cmd.on = on;
        return guest.submit(VRNIC_ADMIN_WATCH, cmd).status;
    }
    // A fault that always comes.
    std::uint32_t create_fault(std::uint8_t kind) {
        vrnic_cmd_create_fault cmd{};
        cmd.rule.kind = kind;
        cmd.rule.ppm = VRNIC_FAULT_ALWAYS;
        cmd.rule.packets = cmd.rule.octets = 1;
        return Guest::handle(guest.submit(VRNIC_ADMIN_CREATE_FAULT, cmd));
    }
    void close() {
        vrnic_cmd_handle cmd{};
        cmd.handle = handle;
        CHECK(guest.submit(VRNIC_ADMIN_DESTROY_STREAM, cmd).status == VRNIC_STATUS_OK);
    }

    std::uint64_t in_record(std::size_t field) {
        return guest.host.load<std::uint64_t>(memory + kRing + field);
    }
    std::uint64_t producer() { return in_record(offsetof(vrnic_stream_dbrec, producer)); }
    std::uint64_t lost() { return in_record(offsetof(vrnic_stream_dbrec, lost)); }
    void tell_consumer(std::uint64_t value) {
        guest.host.store(memory + kRing + offsetof(vrnic_stream_dbrec, consumer), value);
    }
    void arm(std::uint64_t value) {
        guest.host.store(memory + kRing + offsetof(vrnic_stream_dbrec, arm), value);
    }

    // All that is new, byte by byte: a record may begin anew with the ring.
    std::vector<Told> take() {
        std::vector<Told> all;
        const std::uint64_t end = producer();
        while (taken != end) {
            Told one;
            read(&one.record, taken, sizeof(one.record));
            REQUIRE(one.record.size >= sizeof(one.record) + one.record.length);
            REQUIRE(one.record.size % 8 == 0);
            one.data.resize(one.record.length);
            read(one.data.data(), taken + sizeof(one.record), one.data.size());
            taken += one.record.size;
            all.push_back(std::move(one));
        }
        tell_consumer(taken);
        return all;
    }
    std::vector<unsigned> kinds_taken() {
        std::vector<unsigned> out;
        for (const Told& one : take()) out.push_back(one.record.what);
        return out;
    }

    // An interrupt comes with the next completion.
    void arm_completion() {
        guest.arm(completions);
        guest.host.store(cq.record + offsetof(vrnic_cq_dbrec, arm), std::uint32_t{1});
        guest.ring(uar, VRNIC_DB_TYPE_CQ_ARM, cq.cqn);
    }

    void exchange() {  // a WRITE of three packets, acknowledged
        post_send(send_entry(VRNIC_OP_WRITE, 0, 3 * kMtu));
        const auto packets = sent();
        REQUIRE(packets.size() == 3);
        acknowledge(packets.back().packet.psn);
        CHECK(poll()->status == VRNIC_WC_SUCCESS);
    }

  private:
    void read(void* to, std::uint64_t at, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            static_cast<std::uint8_t*>(to)[i] =
                guest.host.load<std::uint8_t>(memory + (at + i) % kRing);
    }
};

}  // namespace

TEST_CASE("a stream tells what a queue pair does, in order") {
    WatchedConnection c;
    c.open(kEvents);
    CHECK(c.watch(VRNIC_CONTEXT_QP, c.qpn) == VRNIC_STATUS_OK);
    c.exchange();
    const auto told = c.take();
    REQUIRE(told.size() == 8);
    const unsigned expected[] = {VRNIC_STREAM_DOORBELL, VRNIC_STREAM_FETCHED,
                                 VRNIC_STREAM_SENT,     VRNIC_STREAM_SENT,
                                 VRNIC_STREAM_SENT,     VRNIC_STREAM_RECEIVED};
    for (std::size_t i = 0; i < std::size(expected); ++i) {
        INFO("record " << i);
        CHECK(told[i].record.what == expected[i]);
        CHECK(told[i].record.number == c.qpn);
        CHECK(told[i].record.length == 0);
    }
    CHECK(told[0].record.a == VRNIC_DB_TYPE_SQ);
    CHECK(told[1].record.b == VRNIC_OP_WRITE);
    CHECK(told[2].record.a == c.options.sq_psn);
    CHECK(told[2].record.b == roce::kWriteFirst);
    CHECK(told[4].record.a == c.options.sq_psn + 2);
    CHECK(told[5].record.way == VRNIC_STREAM_IN);
    // The completion before the acknowledgement is noted, or after.
    for (std::size_t i = 6; i < 8; ++i) {
        const auto& record = told[i].record;
        if (record.what == VRNIC_STREAM_ACKED) {
            CHECK(record.a == c.options.sq_psn + 3);
        } else {
            CHECK(record.what == VRNIC_STREAM_COMPLETION);
            CHECK(record.number == c.cq.cqn);
            CHECK(record.a == c.qpn);
            CHECK(record.b == VRNIC_WC_SUCCESS);
        }
    }
    CHECK(told[6].record.what != told[7].record.what);
}

TEST_CASE("a stream has frames as they were on the wire") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_FRAME));
    CHECK(c.watch(VRNIC_CONTEXT_QP, c.qpn) == VRNIC_STATUS_OK);
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 3 * kMtu));
    const auto packets = c.sent();
    const auto told = c.take();
    REQUIRE(told.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(told[i].data == packets[i].frame);
}

TEST_CASE("a stream tells only of what it watches, and as long as it does") {
    WatchedConnection c;
    c.open(kEvents);
    c.exchange();
    CHECK(c.take().empty());
    CHECK(c.watch(VRNIC_CONTEXT_CQ, c.cq.cqn) == VRNIC_STATUS_OK);
    c.exchange();
    CHECK(c.kinds_taken() == std::vector<unsigned>{VRNIC_STREAM_COMPLETION});
    CHECK(c.watch(VRNIC_CONTEXT_CQ, c.cq.cqn, false) == VRNIC_STATUS_OK);
    c.exchange();
    CHECK(c.take().empty());
    c.close();

    c.taken = 0;
    c.open(bit(VRNIC_STREAM_SENT), true);
    c.exchange();
    CHECK(c.kinds_taken().size() == 3);
    const std::uint64_t before = c.producer();
    c.close();
    c.exchange();
    CHECK(c.producer() == before);
}

TEST_CASE("a full stream loses records, counts them, and goes on when there is room") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_FRAME), true);
    while (c.lost() == 0) c.exchange();
    const std::uint64_t full = c.producer();
    const std::uint64_t lost = c.lost();
    CHECK(full <= kRing);
    c.exchange();
    CHECK(c.producer() == full);
    CHECK(c.lost() == lost + 4);  // three packets, an acknowledgement
    CHECK(!c.take().empty());
    for (int i = 0; i < 20; ++i) {  // over the ring's end, more than once
        c.exchange();
        CHECK(c.take().size() == 4);
    }
    CHECK(c.producer() > 2 * kRing);
    CHECK(c.lost() == lost + 4);
    c.exchange();
    CHECK(c.take().back().record.lost == lost + 4);
}

TEST_CASE("a stream tells of faults that it watches") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_FAULT));
    const std::uint32_t rule = c.create_fault(VRNIC_FAULT_DUPLICATE);
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, kMtu));
    CHECK(c.sent().size() == 2);
    CHECK(c.take().empty());
    CHECK(c.watch(VRNIC_CONTEXT_FAULT, rule) == VRNIC_STATUS_OK);
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, kMtu));
    CHECK(c.sent().size() == 2);
    const auto told = c.take();
    REQUIRE(told.size() == 1);
    CHECK(told[0].record.number == rule);
    CHECK(told[0].record.a == c.qpn);
    CHECK(told[0].record.b == VRNIC_FAULT_DUPLICATE);
}

TEST_CASE("a stream tells of a lost interrupt, and not of its own that is lost by telling") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_FAULT));
    const std::uint32_t rule = c.create_fault(VRNIC_FAULT_LOSE_INTERRUPT);
    CHECK(c.watch(VRNIC_CONTEXT_FAULT, rule) == VRNIC_STATUS_OK);
    c.take();
    const std::uint64_t lost = c.guest.engine.counters().faults_lost_interrupts;
    c.guest.arm(c.async);  // where the stream's event comes
    c.arm_completion();
    c.arm(1);
    c.exchange();
    CHECK(c.take().size() == 1);
    CHECK(c.guest.engine.counters().faults_lost_interrupts == lost + 2);
}

TEST_CASE("a stream without a ring counts") {
    WatchedConnection c;
    vrnic_cmd_create_stream fields = c.fields(kEvents | bit(VRNIC_STREAM_FRAME));
    fields.log_size = 0;
    c.handle = Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_STREAM, fields));
    REQUIRE(c.handle != 0);
    CHECK(c.watch(VRNIC_CONTEXT_QP, c.qpn) == VRNIC_STATUS_OK);
    c.exchange();
    c.exchange();
    const auto counts = c.guest.host.load<vrnic_stream_counts>(c.memory);
    CHECK(counts.doorbells == 2);
    CHECK(counts.sent == 6);
    CHECK(counts.received == 2);
    CHECK(counts.frames == 8);
    CHECK(counts.completions == 2);
    CHECK(counts.bytes_out > 6 * kMtu);
    CHECK(counts.bytes_in > 0);
    CHECK(c.producer() == 2 + 2 + 6 + 2 + 8 + 2 + 2);  // acknowledgements and entries, too
    c.arm(1);
    c.exchange();
    CHECK(c.guest.next_event(c.async).has_value());
}

TEST_CASE("a stream tells of other kinds from now on") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_SENT), true);
    vrnic_cmd_modify_stream cmd{};
    cmd.stream = c.handle;
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_STREAM, cmd).status == VRNIC_STATUS_INVALID);
    cmd.kinds = bit(VRNIC_STREAM_DOORBELL);
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_STREAM, cmd).status == VRNIC_STATUS_OK);
    c.exchange();
    CHECK(c.kinds_taken() == std::vector<unsigned>{VRNIC_STREAM_DOORBELL});
    cmd.stream = c.handle + 1;
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_STREAM, cmd).status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE("an armed stream raises one event") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_DOORBELL), true);
    c.exchange();
    CHECK_FALSE(c.guest.next_event(c.async).has_value());
    c.arm(1);
    c.exchange();
    const auto event = c.guest.next_event(c.async);
    REQUIRE(event.has_value());
    CHECK(event->type == VRNIC_EVENT_STREAM);
    CHECK(event->number == c.handle);
    c.exchange();
    CHECK_FALSE(c.guest.next_event(c.async).has_value());
}

TEST_CASE("a stream whose record makes no sense ends, and hurts nobody") {
    WatchedConnection c;
    c.open(bit(VRNIC_STREAM_SENT), true);
    c.exchange();
    c.tell_consumer(c.producer() + kRing);
    c.exchange();
    const std::uint64_t before = c.producer();
    c.tell_consumer(0);
    c.exchange();
    CHECK(c.producer() == before);
    c.close();
}

TEST_CASE("streams are bounded, and bad ones refused") {
    WatchedConnection c;
    for (std::uint32_t i = 0; i < Streams::kMax; ++i) c.open(kEvents);
    CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_STREAM, c.fields(kEvents)).status ==
          VRNIC_STATUS_LIMIT);
    c.close();
    const auto refused = [&](auto spoil) {
        vrnic_cmd_create_stream fields = c.fields(kEvents);
        spoil(fields);
        return c.guest.submit(VRNIC_ADMIN_CREATE_STREAM, fields).status == VRNIC_STATUS_INVALID;
    };
    CHECK(refused([](auto& f) { f.kinds = 0; }));
    CHECK(refused([](auto& f) { f.kinds = 1u << VRNIC_STREAM_KINDS; }));
    CHECK(refused([](auto& f) { f.log_size = VRNIC_STREAM_SIZE_MIN_LOG - 1; }));
    CHECK(refused([](auto& f) { f.log_size = VRNIC_STREAM_SIZE_MAX_LOG + 1; }));
    CHECK(refused([](auto& f) { f.everything = 2; }));
    CHECK(refused([](auto& f) { f.ring_offset = 8; }));
    CHECK(refused([](auto& f) { f.dbrec_offset = kRing + 8; }));
    CHECK(refused([](auto& f) { f.dbrec_offset = kRing + 4096; }));  // past the memory
    c.open(kEvents);
    CHECK(c.watch(VRNIC_CONTEXT_QP, 0x4711) == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.watch(VRNIC_CONTEXT_SRQ, 1) == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.watch(VRNIC_CONTEXT_PORT, 1) == VRNIC_STATUS_INVALID);
    CHECK(c.watch(0x4711, 1) == VRNIC_STATUS_INVALID);
}
