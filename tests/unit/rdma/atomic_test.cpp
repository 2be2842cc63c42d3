// SPDX-License-Identifier: GPL-2.0-or-later
// Atomics, packet by packet, as responder and as requester (IBTA 9.4.5, 9.7.5.1.3).
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

constexpr std::uint32_t kAtomicAccess = kAccess | VRNIC_ACCESS_REMOTE_ATOMIC;

// A connection whose QP and region let the peer do atomics.
struct AtomicConnection : Connection {
    explicit AtomicConnection(ConnectionOptions how = {.access = kAtomicAccess}) : Connection(how) {
        words = register_region(region, kIova, kRegionSize, kAtomicAccess, pdn);
    }
    PacketFields request(Opcode opcode, std::uint32_t offset, std::uint64_t swap_or_add,
                         std::uint64_t compare = 0) {
        PacketFields fields = next(opcode);
        fields.address = kIova + offset;
        fields.rkey = words;
        fields.swap_or_add = swap_or_add;
        fields.compare = compare;
        return fields;
    }
    void set(std::uint32_t offset, std::uint64_t value) {
        std::memcpy(memory(offset, 8).data(), &value, 8);
    }
    std::uint64_t get(std::uint32_t offset) {
        std::uint64_t value;
        std::memcpy(&value, memory(offset, 8).data(), 8);
        return value;
    }
    // An atomic of ours into memory at offset 8.
    vrnic_sqe entry(std::uint8_t opcode, std::uint64_t swap_or_add, std::uint64_t compare,
                    std::uint32_t length = 8) const {
        vrnic_sqe out = send_entry(opcode, 0, 0);
        vrnic_sqe_atomic segment{};
        segment.swap_or_add = swap_or_add;
        segment.compare = compare;
        std::memcpy(&out.sge[0], &segment, sizeof(segment));
        out.sge[1] = sge(8, length);
        return out;
    }
    void answer(Psn psn, std::uint64_t original) {
        PacketFields fields;
        fields.opcode = kAtomicAcknowledge;
        fields.psn = psn;
        fields.syndrome = kAckUnlimited;
        fields.original = original;
        deliver(fields);
    }
    std::uint32_t words = 0;
};

void check_answer(const Sent& sent, Psn psn, std::uint64_t original) {
    CHECK(unsigned(sent.opcode()) == kAtomicAcknowledge);
    CHECK(sent.packet.psn == psn);
    CHECK(unsigned(sent.packet.syndrome) == kAckUnlimited);
    CHECK(sent.packet.original == original);
}

}  // namespace

TEST_CASE("atomics are answered with what the word was") {
    AtomicConnection c;
    c.set(16, 0xfffffffffffffffe);
    const auto add = c.request(kFetchAdd, 16, 3);
    c.deliver(add);
    check_answer(c.only(), add.psn, 0xfffffffffffffffe);
    CHECK(c.get(16) == 1);
    const auto miss = c.request(kCompareSwap, 16, 9, 2);
    c.deliver(miss);
    check_answer(c.only(), miss.psn, 1);
    CHECK(c.get(16) == 1);
    const auto hit = c.request(kCompareSwap, 16, 9, 1);
    c.deliver(hit);
    const Sent last = c.only();
    check_answer(last, hit.psn, 1);
    CHECK(last.packet.msn == 3);
    CHECK(c.get(16) == 9);
    CHECK(c.counters().roce_atomic_requests == 3);
}

TEST_CASE("a repeated atomic is answered from memory of it") {
    AtomicConnection c({.max_dest_rd_atomic = 16, .access = kAtomicAccess});
    c.set(0, 100);
    std::vector<PacketFields> requests;
    for (std::uint32_t i = 0; i < 20; ++i) {
        requests.push_back(c.request(kFetchAdd, 0, 1));
        c.deliver(requests.back());
    }
    CHECK(c.sent().size() == 20);
    for (std::uint32_t i = 4; i < 20; ++i) {  // as many as can be outstanding
        c.deliver(requests[i]);
        check_answer(c.only(), requests[i].psn, 100 + i);
    }
    // Older ones nobody can wait for: silence, and no second addition.
    for (std::uint32_t i = 0; i < 4; ++i) c.deliver(requests[i]);
    CHECK(c.sent().empty());
    CHECK(c.get(0) == 120);
    CHECK(c.counters().roce_atomic_requests == 20);
    CHECK(c.counters().roce_duplicate_requests == 20);
}

TEST_CASE("answers that wait for the wire go out once, in order") {
    AtomicConnection c;
    c.set(0, 7);
    c.guest.host.send_result = SendResult::paused;
    const auto first = c.request(kFetchAdd, 0, 1);
    const auto second = c.request(kFetchAdd, 0, 1);
    for (const auto& request : {first, second, first, second}) c.deliver(request);
    CHECK(c.sent().empty());
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    const auto sent = c.sent();
    REQUIRE(sent.size() == 2);
    check_answer(sent[0], first.psn, 7);
    check_answer(sent[1], second.psn, 8);
    // A repeated one comes before the newer one that waits.
    c.guest.host.send_result = SendResult::paused;
    const auto third = c.request(kFetchAdd, 0, 1);
    c.deliver(third);
    c.deliver(second);
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    const auto more = c.sent();
    REQUIRE(more.size() == 2);
    check_answer(more[0], second.psn, 8);
    check_answer(more[1], third.psn, 9);
}

TEST_CASE("atomics that a responder refuses") {
    struct Case {
        const char* what;
        std::uint32_t qp_access;
        std::uint32_t offset;
        bool key_of_plain_region;
        std::uint8_t syndrome;
        std::uint32_t event;
    };
    const std::vector<Case> cases = {
        {"not aligned", kAtomicAccess, 4, false, kNakInvalidRequest, VRNIC_EVENT_QP_REQ_ERROR},
        {"QP without atomics", kAccess, 0, false, kNakInvalidRequest, VRNIC_EVENT_QP_REQ_ERROR},
        {"region without atomics", kAtomicAccess, 0, true, kNakRemoteAccess,
         VRNIC_EVENT_QP_ACCESS_ERROR},
        {"past the region", kAtomicAccess, kRegionSize, false, kNakRemoteAccess,
         VRNIC_EVENT_QP_ACCESS_ERROR},
    };
    for (const Case& bad : cases) {
        CAPTURE(bad.what);
        AtomicConnection c({.access = bad.qp_access});
        auto fields = c.request(kFetchAdd, bad.offset, 1);
        if (bad.key_of_plain_region) fields.rkey = c.key;
        c.deliver(fields);
        const Sent nak = c.only();
        CHECK(unsigned(nak.opcode()) == kAcknowledge);
        CHECK(unsigned(nak.packet.syndrome) == bad.syndrome);
        CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
        const auto told = c.event();
        REQUIRE(told.has_value());
        CHECK(told->type == bad.event);
        CHECK(c.get(0) == 0);
    }
}

TEST_CASE("more atomics than agreed are refused") {
    AtomicConnection c({.max_dest_rd_atomic = 2, .access = kAtomicAccess});
    c.guest.host.send_result = SendResult::paused;
    for (int i = 0; i < 3; ++i) c.deliver(c.request(kFetchAdd, 0, 1));
    c.guest.host.send_result = SendResult::sent;
    c.guest.engine.wire_ready();
    c.settle();
    CHECK(c.sent_opcodes() ==
          std::vector<unsigned>{kAtomicAcknowledge, kAtomicAcknowledge, kAcknowledge});
    CHECK(c.get(0) == 2);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("an atomic request on the wire") {
    AtomicConnection c;
    c.post_send(c.entry(VRNIC_OP_COMPARE_SWAP, 0x1111222233334444, 0x5555666677778888));
    const Sent sent = c.only();
    CHECK(unsigned(sent.opcode()) == kCompareSwap);
    CHECK(sent.packet.ack_request);
    CHECK(sent.packet.address == 0x9000);
    CHECK(sent.packet.rkey == 0x4242);
    CHECK(sent.packet.swap_or_add == 0x1111222233334444);
    CHECK(sent.packet.compare == 0x5555666677778888);
    CHECK(sent.packet.payload.empty());
    c.answer(sent.packet.psn, 0x0102030405060708);
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(cqe->opcode) == VRNIC_OP_COMPARE_SWAP);
    CHECK(cqe->byte_len == 8);
    CHECK(c.get(8) == 0x0102030405060708);
    CHECK(c.get(0) == 0);
    CHECK(c.get(16) == 0);
}

TEST_CASE("atomics wait for each other's answers as READs do") {
    AtomicConnection c({.max_rd_atomic = 1, .access = kAtomicAccess});
    c.post_send(c.entry(VRNIC_OP_FETCH_ADD, 1, 0));
    c.post_send(c.send_entry(VRNIC_OP_READ, 64, 8));
    vrnic_sqe fenced = c.send_entry(VRNIC_OP_WRITE, 64, 8);
    fenced.flags |= VRNIC_SQE_FENCE;
    const Sent first = c.only();
    c.post_send(fenced);
    CHECK(c.sent().empty());
    c.answer(first.packet.psn, 5);
    CHECK(c.sent_opcodes() == std::vector<unsigned>{kReadRequest});
}

TEST_CASE("an answer that does not fit its request") {
    AtomicConnection c;
    SECTION("an atomic's to a READ") {
        c.post_send(c.send_entry(VRNIC_OP_READ, 64, 8));
        c.answer(c.only().packet.psn, 5);
    }
    SECTION("a READ's to an atomic") {
        c.post_send(c.entry(VRNIC_OP_FETCH_ADD, 1, 0));
        PacketFields fields;
        fields.opcode = kReadResponseOnly;
        fields.psn = c.only().packet.psn;
        fields.syndrome = kAckUnlimited;
        c.deliver(fields, Connection::pattern(8));
    }
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_BAD_RESP_ERR);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("an acknowledgement where an atomic's answer is due asks for it again") {
    AtomicConnection c;
    c.post_send(c.entry(VRNIC_OP_FETCH_ADD, 1, 0));
    const Psn psn = c.only().packet.psn;
    c.acknowledge(psn);
    CHECK_FALSE(c.poll().has_value());
    const Sent again = c.only();
    CHECK(unsigned(again.opcode()) == kFetchAdd);
    CHECK(again.packet.psn == psn);
    c.answer(psn, 5);
    CHECK(c.poll().has_value());
    CHECK(c.get(8) == 5);
}

TEST_CASE("atomics whose entry is wrong") {
    struct Case {
        const char* what;
        std::uint8_t flags;
        std::uint32_t length;
        std::uint8_t num_sge;
        std::uint8_t max_rd_atomic;
        std::uint8_t status;
    };
    const std::vector<Case> cases = {
        {"inline", VRNIC_SQE_INLINE, 8, 0, 2, VRNIC_WC_LOC_QP_OP_ERR},
        {"seven bytes", 0, 7, 1, 2, VRNIC_WC_LOC_LEN_ERR},
        {"no list", 0, 8, 0, 2, VRNIC_WC_LOC_LEN_ERR},
        {"list past the entry", 0, 8, 6, 2, VRNIC_WC_LOC_QP_OP_ERR},
        {"QP without atomics", 0, 8, 1, 0, VRNIC_WC_LOC_QP_OP_ERR},
    };
    for (const Case& bad : cases) {
        CAPTURE(bad.what);
        AtomicConnection c({.max_rd_atomic = bad.max_rd_atomic, .access = kAtomicAccess});
        vrnic_sqe entry = c.entry(VRNIC_OP_FETCH_ADD, 1, 0, bad.length);
        entry.flags |= bad.flags;
        entry.num_sge = bad.num_sge;
        c.post_send(entry);
        CHECK(c.sent().empty());
        const auto cqe = c.poll();
        REQUIRE(cqe.has_value());
        CHECK(unsigned(cqe->status) == bad.status);
    }
    AtomicConnection c;
    vrnic_sqe entry = c.entry(VRNIC_OP_FETCH_ADD, 1, 0);
    entry.sge[1].lkey = 0x123400;
    c.post_send(entry);
    CHECK(c.poll()->status == VRNIC_WC_LOC_PROT_ERR);
}
