// SPDX-License-Identifier: GPL-2.0-or-later
// Requests that change what keys grant: BIND_MW, LOCAL_INV, SEND with invalidate.
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

struct WindowConnection : Connection {
    WindowConnection() {
        mr = register_region(region, kIova, kRegionSize,
                             VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_MW_BIND, pdn);
        vrnic_cmd_alloc_mw fields{};
        fields.pdn = pdn;
        fields.type = VRNIC_MW_TYPE_2;
        window = Guest::handle(guest.submit(VRNIC_ADMIN_ALLOC_MW, fields)) + 1;
    }
    vrnic_sqe bind(std::uint32_t length = 64) const {
        vrnic_sqe entry{};
        entry.opcode = VRNIC_OP_BIND_MW;
        entry.flags = VRNIC_SQE_SIGNALED;
        entry.rkey = window;
        entry.remote_addr = kIova;
        vrnic_sqe_bind segment{};
        segment.length = length;
        segment.mr_key = mr;
        segment.access = VRNIC_ACCESS_REMOTE_WRITE;
        std::memcpy(&entry.sge[0], &segment, sizeof(segment));
        return entry;
    }
    vrnic_sqe invalidate(std::uint32_t what) const {
        vrnic_sqe entry{};
        entry.opcode = VRNIC_OP_LOCAL_INV;
        entry.flags = VRNIC_SQE_SIGNALED;
        entry.imm = what;
        return entry;
    }
    PacketFields write_to(std::uint32_t rkey) {
        PacketFields fields = next_write(kWriteOnly, 0, 4);
        fields.rkey = rkey;
        return fields;
    }
    PacketFields send_invalidate(std::uint32_t what) {
        PacketFields fields = next(kSendOnlyInvalidate);
        fields.invalidate_key = what;
        return fields;
    }
    void check_completion(std::uint8_t opcode) {
        const auto cqe = poll();
        REQUIRE(cqe.has_value());
        CHECK(unsigned(cqe->status) == VRNIC_WC_SUCCESS);
        CHECK(unsigned(cqe->opcode) == opcode);
    }
    std::uint32_t mr = 0, window = 0;
};

}  // namespace

TEST_CASE("a window is bound and invalidated by requests, without a packet") {
    WindowConnection c;
    c.post_send(c.bind());
    CHECK(c.sent().empty());
    c.check_completion(VRNIC_OP_BIND_MW);
    c.deliver(c.write_to(c.window), Connection::pattern(4));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    CHECK(c.holds(0, Connection::pattern(4)));
    c.post_send(c.invalidate(c.window));
    c.check_completion(VRNIC_OP_LOCAL_INV);
    c.deliver(c.write_to(c.window), Connection::pattern(4, 9));
    CHECK(unsigned(c.only().packet.syndrome) == kNakRemoteAccess);
    CHECK(c.holds(0, Connection::pattern(4)));
}

TEST_CASE("local requests wait for those before them, and those behind wait for them") {
    WindowConnection c;
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 8));
    c.post_send(c.bind());
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 8));
    const Sent first = c.only();
    CHECK_FALSE(c.poll().has_value());
    c.acknowledge(first.packet.psn);
    c.check_completion(VRNIC_OP_WRITE);
    c.check_completion(VRNIC_OP_BIND_MW);
    const Sent second = c.only();
    CHECK(second.packet.psn == first.packet.psn + 1);  // a local request takes no PSN
    c.acknowledge(second.packet.psn);
    c.check_completion(VRNIC_OP_WRITE);
}

TEST_CASE("a local request is carried out once, however often others are repeated") {
    WindowConnection c;
    c.post_send(c.bind());
    c.post_send(c.send_entry(VRNIC_OP_WRITE, 0, 8));
    c.check_completion(VRNIC_OP_BIND_MW);
    const Psn psn = c.only().packet.psn;
    REQUIRE(c.pass_timer());
    CHECK(c.only().packet.psn == psn);
    c.acknowledge(psn);
    c.check_completion(VRNIC_OP_WRITE);
    CHECK_FALSE(c.poll().has_value());
}

TEST_CASE("local requests that fail end the queue pair") {
    struct Case {
        const char* what;
        vrnic_sqe (*make)(const WindowConnection&);
        std::uint8_t status;
        std::uint32_t syndrome;
    };
    const std::vector<Case> cases = {
        {"a region that is not there",
         [](const WindowConnection& c) {
             vrnic_sqe entry = c.bind();
             entry.sge[0].length = c.mr ^ 1;  // mr_key
             return entry;
         },
         VRNIC_WC_MW_BIND_ERR, VRNIC_SYND_BAD_KEY},
        {"no bytes", [](const WindowConnection& c) { return c.bind(0); }, VRNIC_WC_MW_BIND_ERR,
         VRNIC_SYND_WINDOW_STATE},
        {"more than the region", [](const WindowConnection& c) { return c.bind(kRegionSize + 1); },
         VRNIC_WC_MW_BIND_ERR, VRNIC_SYND_OUT_OF_BOUNDS},
        {"invalidate a region", [](const WindowConnection& c) { return c.invalidate(c.mr); },
         VRNIC_WC_MW_BIND_ERR, VRNIC_SYND_NO_PERMISSION},
        {"invalidate nothing", [](const WindowConnection& c) { return c.invalidate(0x123456); },
         VRNIC_WC_MW_BIND_ERR, VRNIC_SYND_BAD_KEY},
        {"with a list",
         [](const WindowConnection& c) {
             vrnic_sqe entry = c.invalidate(c.window);
             entry.num_sge = 1;
             return entry;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
        {"inline",
         [](const WindowConnection& c) {
             vrnic_sqe entry = c.bind();
             entry.flags |= VRNIC_SQE_INLINE;
             return entry;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
    };
    for (const Case& bad : cases) {
        CAPTURE(bad.what);
        WindowConnection c;
        c.post_send(bad.make(c));
        const auto cqe = c.poll();
        REQUIRE(cqe.has_value());
        CHECK(unsigned(cqe->status) == bad.status);
        CHECK(cqe->syndrome == bad.syndrome);
        CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
        CHECK(c.sent().empty());
    }
}

TEST_CASE("SEND with invalidate on the wire") {
    Connection c;
    vrnic_sqe entry = c.send_entry(VRNIC_OP_SEND_INV, 0, 300);
    entry.imm = 0x01020304;
    c.post_send(entry);
    const auto sent = c.sent();
    REQUIRE(sent.size() == 2);
    CHECK(unsigned(sent[0].opcode()) == kSendFirst);
    CHECK(unsigned(sent[1].opcode()) == kSendLastInvalidate);
    CHECK(sent[1].packet.invalidate_key == 0x01020304);
}

TEST_CASE("a SEND invalidates the key it names, then completes") {
    WindowConnection c;
    c.post_send(c.bind());
    c.check_completion(VRNIC_OP_BIND_MW);
    c.post_recv(512, 100);
    const auto request = c.send_invalidate(c.window);
    c.deliver(request, Connection::pattern(20));
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->opcode) == VRNIC_OP_RECV_INV);
    CHECK(cqe->flags == VRNIC_CQE_INV);
    CHECK(cqe->imm == c.window);
    CHECK(cqe->byte_len == 20);
    CHECK(c.holds(512, Connection::pattern(20)));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    // Bound anew with the same key: a repeated SEND does not take it away again.
    c.post_send(c.bind());
    c.check_completion(VRNIC_OP_BIND_MW);
    c.deliver(request, Connection::pattern(20));
    c.sent();
    c.deliver(c.write_to(c.window), Connection::pattern(4));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
}

TEST_CASE("a SEND that names a wrong key is refused, and so is its receive") {
    WindowConnection c;
    c.post_recv(512, 100);
    const bool region = GENERATE(false, true);
    c.deliver(c.send_invalidate(region ? c.mr : c.window ^ 0x8000), Connection::pattern(20));
    CHECK(unsigned(c.only().packet.syndrome) == kNakRemoteAccess);
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_REM_INV_REQ_ERR);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}

TEST_CASE("windows end with their queue pair") {
    WindowConnection c;
    c.post_send(c.bind());
    c.check_completion(VRNIC_OP_BIND_MW);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, c.mr).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, c.mr).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_PD, c.pdn).status == VRNIC_STATUS_BUSY);
}
