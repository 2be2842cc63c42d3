// SPDX-License-Identifier: GPL-2.0-or-later
// ATOMIC WRITE and FLUSH (IBTA annex A19).
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

constexpr std::uint32_t kFlushAccess = kAccess | VRNIC_ACCESS_FLUSH_GLOBAL;

struct PlacementConnection : Connection {
    explicit PlacementConnection(std::uint32_t qp_access = kFlushAccess)
        : Connection({.access = qp_access}) {
        flushable = register_region(region, kIova, kRegionSize, kFlushAccess, pdn);
    }
    PacketFields atomic_write(std::uint32_t offset) { return next_write(kAtomicWrite, offset, 8); }
    PacketFields flush(std::uint8_t placement, std::uint8_t level, std::uint32_t length) {
        PacketFields fields = next_write(kFlush, 0, length);
        fields.rkey = flushable;
        fields.flush_placement = placement;
        fields.flush_level = level;
        return fields;
    }
    std::uint32_t flushable = 0;
};

void check_done(Connection& c, Psn psn) {
    const Sent response = c.only();
    CHECK(unsigned(response.opcode()) == kReadResponseOnly);
    CHECK(response.packet.psn == psn);
    CHECK(response.packet.payload.empty());
    CHECK(unsigned(response.packet.syndrome) == kAckUnlimited);
}

}  // namespace

TEST_CASE("an ATOMIC WRITE is placed once and answered each time") {
    PlacementConnection c;
    const auto request = c.atomic_write(16);
    c.deliver(request, Connection::pattern(8));
    check_done(c, request.psn);
    CHECK(c.holds(16, Connection::pattern(8)));
    c.fill(16, 8, 77);
    c.deliver(request, Connection::pattern(8));
    check_done(c, request.psn);
    CHECK(c.holds(16, Connection::pattern(8, 77)));
}

TEST_CASE("a FLUSH is answered when its range may be flushed") {
    PlacementConnection c;
    for (const std::uint8_t level : {VRNIC_FLUSH_RANGE, VRNIC_FLUSH_MR}) {
        const auto request = c.flush(VRNIC_FLUSH_GLOBAL, level, 100);
        c.deliver(request);
        check_done(c, request.psn);
        c.deliver(request);
        check_done(c, request.psn);
    }
}

TEST_CASE("ATOMIC WRITE and FLUSH that are refused") {
    struct Case {
        const char* what;
        std::uint32_t qp_access;
        PacketFields (*make)(PlacementConnection&);
        std::uint32_t bytes;
        std::uint8_t syndrome;
    };
    const std::vector<Case> cases = {
        {"not aligned", kFlushAccess, [](auto& c) { return c.atomic_write(4); }, 8,
         kNakInvalidRequest},
        {"four bytes", kFlushAccess, [](auto& c) { return c.atomic_write(0); }, 4,
         kNakInvalidRequest},
        {"QP without writes", VRNIC_ACCESS_REMOTE_READ, [](auto& c) { return c.atomic_write(0); },
         8, kNakInvalidRequest},
        {"past the region", kFlushAccess, [](auto& c) { return c.atomic_write(kRegionSize); }, 8,
         kNakRemoteAccess},
        {"persistence", kFlushAccess,
         [](auto& c) { return c.flush(VRNIC_FLUSH_PERSISTENT, VRNIC_FLUSH_RANGE, 8); }, 0,
         kNakRemoteAccess},
        {"both placements", kFlushAccess,
         [](auto& c) {
             return c.flush(VRNIC_FLUSH_GLOBAL | VRNIC_FLUSH_PERSISTENT, VRNIC_FLUSH_MR, 8);
         },
         0, kNakRemoteAccess},
        {"unknown placement", kFlushAccess, [](auto& c) { return c.flush(4, VRNIC_FLUSH_MR, 8); },
         0, kNakInvalidRequest},
        {"no placement", kFlushAccess, [](auto& c) { return c.flush(0, VRNIC_FLUSH_RANGE, 8); }, 0,
         kNakInvalidRequest},
        {"unknown level", kFlushAccess, [](auto& c) { return c.flush(VRNIC_FLUSH_GLOBAL, 2, 8); },
         0, kNakInvalidRequest},
        {"QP without flush", kAccess,
         [](auto& c) { return c.flush(VRNIC_FLUSH_GLOBAL, VRNIC_FLUSH_MR, 8); }, 0,
         kNakInvalidRequest},
        {"region without flush", kFlushAccess,
         [](auto& c) {
             auto fields = c.flush(VRNIC_FLUSH_GLOBAL, VRNIC_FLUSH_RANGE, 8);
             fields.rkey = c.key;
             return fields;
         },
         0, kNakRemoteAccess},
        {"whole of no region", kFlushAccess,
         [](auto& c) {
             auto fields = c.flush(VRNIC_FLUSH_GLOBAL, VRNIC_FLUSH_MR, 8);
             fields.rkey ^= 1;
             return fields;
         },
         0, kNakRemoteAccess},
    };
    for (const Case& bad : cases) {
        CAPTURE(bad.what);
        PlacementConnection c(bad.qp_access);
        c.deliver(bad.make(c), Connection::pattern(bad.bytes));
        const Sent nak = c.only();
        CHECK(unsigned(nak.opcode()) == kAcknowledge);
        CHECK(unsigned(nak.packet.syndrome) == bad.syndrome);
        CHECK(c.holds(0, std::vector<std::byte>(8)));
    }
}

TEST_CASE("ATOMIC WRITE and FLUSH as they are sent, and what ends them") {
    PlacementConnection c;
    vrnic_sqe entry = c.send_entry(VRNIC_OP_ATOMIC_WRITE, 0, 8);
    c.fill(0, 8);
    c.post_send(entry);
    const Sent write = c.only();
    CHECK(unsigned(write.opcode()) == kAtomicWrite);
    CHECK(write.packet.length == 8);
    CHECK(write.packet.payload.size() == 8);

    vrnic_sqe flush = c.send_entry(VRNIC_OP_FLUSH, 0, 0);
    flush.num_sge = 0;
    vrnic_sqe_flush segment{};
    segment.length = 99;
    segment.placement = VRNIC_FLUSH_GLOBAL;
    segment.level = VRNIC_FLUSH_MR;
    std::memcpy(&flush.sge[0], &segment, sizeof(segment));
    c.post_send(flush);
    const Sent flushed = c.only();
    CHECK(unsigned(flushed.opcode()) == kFlush);
    CHECK(flushed.packet.length == 99);
    CHECK(unsigned(flushed.packet.flush_placement) == VRNIC_FLUSH_GLOBAL);
    CHECK(unsigned(flushed.packet.flush_level) == VRNIC_FLUSH_MR);

    for (const Sent* request : {&write, &flushed}) {
        PacketFields response;
        response.opcode = kReadResponseOnly;
        response.psn = request->packet.psn;
        response.syndrome = kAckUnlimited;
        c.deliver(response);
        const auto cqe = c.poll();
        REQUIRE(cqe.has_value());
        CHECK(unsigned(cqe->status) == VRNIC_WC_SUCCESS);
    }
    segment.placement = 0;
    SECTION("a FLUSH to nowhere") {
        std::memcpy(&flush.sge[0], &segment, sizeof(segment));
        c.post_send(flush);
        CHECK(c.poll()->status == VRNIC_WC_LOC_QP_OP_ERR);
        return;
    }
    // Seven bytes are no ATOMIC WRITE.
    c.post_send(c.send_entry(VRNIC_OP_ATOMIC_WRITE, 0, 7));
    CHECK(c.poll()->status == VRNIC_WC_LOC_LEN_ERR);
}
