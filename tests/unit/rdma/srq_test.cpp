// SPDX-License-Identifier: GPL-2.0-or-later
// Shared receive queues, and XRC, which stands on them (IBTA 10.2.9, annex A14).
#include "rdma/srq.h"

#include <functional>

#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

constexpr ConnectionOptions kShared = {.shared_receives = true};
constexpr ConnectionOptions kTarget = {.type = VRNIC_QPT_XRC_TGT};
constexpr ConnectionOptions kInitiator = {.type = VRNIC_QPT_XRC_INI};

unsigned set_limit(Connection& c, std::uint32_t limit) {
    vrnic_cmd_modify_srq fields{};
    fields.srqn = c.srqn;
    fields.limit = limit;
    return c.guest.submit(VRNIC_ADMIN_MODIFY_SRQ, fields).status;
}

vrnic_resp_query_srq query(Connection& c) {
    const auto completion = c.guest.submit_handle(VRNIC_ADMIN_QUERY_SRQ, c.srqn);
    CHECK(completion.status == VRNIC_STATUS_OK);
    vrnic_resp_query_srq response;
    std::memcpy(&response, completion.payload, sizeof(response));
    return response;
}

std::uint8_t xrc(Opcode opcode) {
    return with_service(Service::xrc, opcode);
}

// What is there but COMM_EST.
std::optional<vrnic_eqe> next_event(Connection& c) {
    auto event = c.event();
    if (event && event->type == VRNIC_EVENT_QP_COMM_EST) event = c.event();
    return event;
}

}  // namespace

TEST_CASE("SRQ: a SEND takes an entry, the completion names it by its tag") {
    Connection c(kShared);
    c.post_shared(0xabcd, 0, 100);
    c.post_shared(7, 200, 100);
    CHECK(query(c).entries == 2);
    c.deliver(c.next(kSendOnly), Connection::pattern(50));
    c.deliver(c.next(kSendOnly), Connection::pattern(60, 2));
    const auto first = c.poll();
    const auto second = c.poll();
    REQUIRE(second.has_value());
    CHECK(first->wqe_index == 0xabcd);
    CHECK(first->srqn == c.srqn);
    CHECK(second->wqe_index == 7);
    CHECK(c.holds(0, Connection::pattern(50)));
    CHECK(c.holds(200, Connection::pattern(60, 2)));
    CHECK(query(c).entries == 0);
}

TEST_CASE("SRQ: without an entry the sender is told to wait") {
    Connection c(kShared);
    c.deliver(c.next(kSendOnly), Connection::pattern(4));
    CHECK((unsigned(c.only().packet.syndrome) & kAethKindMask) == kAethRnrNak);
}

TEST_CASE("SRQ: an entry is read when it is taken, and its place is free then") {
    Connection c(kShared);
    c.post_shared(1, 0, 1000);
    c.deliver(c.next(kSendFirst, false), Connection::pattern(kMtu));
    // The same place again, 32 entries later.
    for (std::uint32_t tag = 2; tag <= 33; ++tag) c.post_shared(tag, 2000, 100);
    c.deliver(c.next(kSendLast), Connection::pattern(4));
    CHECK(c.poll()->wqe_index == 1);
    CHECK(c.holds(0, Connection::pattern(kMtu)));
}

TEST_CASE("SRQ: the limit's event comes once, when fewer are left") {
    Connection c(kShared);
    for (std::uint32_t tag = 0; tag < 4; ++tag) c.post_shared(tag, 0, 100);
    CHECK(set_limit(c, 3) == VRNIC_STATUS_OK);
    CHECK(query(c).limit == 3);
    c.deliver(c.next(kSendOnly));  // 3 left
    CHECK_FALSE(next_event(c).has_value());
    c.deliver(c.next(kSendOnly));  // 2 left
    const auto event = next_event(c);
    REQUIRE(event.has_value());
    CHECK(event->type == VRNIC_EVENT_SRQ_LIMIT);
    CHECK(event->number == c.srqn);
    CHECK(query(c).limit == 0);
    c.deliver(c.next(kSendOnly));
    CHECK_FALSE(next_event(c).has_value());
}

TEST_CASE("SRQ: entries that were posted since count before the limit's event") {
    Connection c(kShared);
    for (std::uint32_t tag = 0; tag < 2; ++tag) c.post_shared(tag, 0, 100);
    CHECK(set_limit(c, 2) == VRNIC_STATUS_OK);
    c.post_shared(2, 0, 100);
    c.deliver(c.next(kSendOnly));
    CHECK_FALSE(next_event(c).has_value());
}

TEST_CASE("SRQ: a limit that is already reached is told at once; one beyond the ring is refused") {
    Connection c(kShared);
    CHECK(set_limit(c, 33) == VRNIC_STATUS_INVALID);
    CHECK(set_limit(c, 1) == VRNIC_STATUS_OK);
    CHECK(next_event(c)->type == VRNIC_EVENT_SRQ_LIMIT);
}

namespace {

// Into memory of its own, whose record is behind the ring.
vrnic_cmd_resize_srq resize_fields(Connection& c, std::uint8_t log_size) {
    const std::uint32_t ring = Connection::kRqStride << log_size;
    vrnic_cmd_resize_srq fields{};
    fields.srqn = c.srqn;
    fields.log_size = log_size;
    fields.dbrec_offset = ring;
    fields.memory = contiguous(c.guest.host.allocate(ring + 64), ring + 64);
    vrnic_le32 posted;
    posted = c.srq_pi;
    c.guest.host.store(fields.memory.addr + ring, posted);
    return fields;
}

}  // namespace

TEST_CASE("SRQ: resized, it gives the same entries from other memory") {
    Connection c(kShared);
    const auto log_size = GENERATE(std::uint8_t{2}, std::uint8_t{5}, std::uint8_t{7});
    for (std::uint32_t tag = 0; tag < 31; ++tag) {
        c.post_shared(tag, 0, 100);
        c.deliver(c.next(kSendOnly));
        CHECK(c.poll()->wqe_index == tag);
    }
    for (std::uint32_t tag = 31; tag < 35; ++tag) c.post_shared(tag, 0, 100);  // around its end

    const auto fields = resize_fields(c, log_size);
    REQUIRE(c.guest.submit(VRNIC_ADMIN_RESIZE_SRQ, fields).status == VRNIC_STATUS_OK);
    CHECK(query(c).entries == 4);
    std::memset(c.guest.host.bytes(c.shared, Connection::kSrqMemory).data(), 0xff,
                Connection::kSrqMemory);  // the old one is nobody's
    for (std::uint32_t tag = 31; tag < 35; ++tag) {
        c.deliver(c.next(kSendOnly), Connection::pattern(8));
        CHECK(c.poll()->wqe_index == tag);
    }
    CHECK(c.guest.engine.counters().roce_rnr_nak_sent == 0);
    c.deliver(c.next(kSendOnly), Connection::pattern(8));
    CHECK(c.guest.engine.counters().roce_rnr_nak_sent == 1);
}

TEST_CASE("SRQ: resizing that is refused changes nothing") {
    Connection c(kShared);
    for (std::uint32_t tag = 0; tag < 3; ++tag) c.post_shared(tag, 0, 100);
    auto fields = resize_fields(c, 3);
    std::uint16_t status = VRNIC_STATUS_INVALID;
    std::uint32_t detail = VRNIC_FIELD(vrnic_cmd_resize_srq, log_size);
    SECTION("too small for what is there") {
        fields.log_size = 1;
    }
    SECTION("too large") {
        fields.log_size = GENERATE(std::uint8_t{15}, std::uint8_t{254});
    }
    SECTION("no queue at all") {
        fields.log_size = VRNIC_NO_QUEUE;
    }
    SECTION("misaligned ring") {
        fields.ring_offset = 32;
        detail = VRNIC_FIELD(vrnic_cmd_resize_srq, ring_offset);
    }
    SECTION("misaligned record") {
        fields.dbrec_offset = fields.dbrec_offset + 4;
        detail = VRNIC_FIELD(vrnic_cmd_resize_srq, dbrec_offset);
    }
    SECTION("record past the memory") {
        fields.dbrec_offset = 0x1000;
        detail = VRNIC_FIELD(vrnic_cmd_resize_srq, memory) + offsetof(vrnic_page_list, num_pages);
    }
    SECTION("memory that cannot be written") {
        c.guest.host.hole = fields.memory.addr;
        status = VRNIC_STATUS_DMA;
        detail = VRNIC_FIELD(vrnic_cmd_resize_srq, memory);
    }
    SECTION("no such queue") {
        fields.srqn = 77;
        status = VRNIC_STATUS_NO_OBJECT;
        detail = VRNIC_FIELD(vrnic_cmd_resize_srq, srqn);
    }
    const auto completion = c.guest.submit(VRNIC_ADMIN_RESIZE_SRQ, fields);
    CHECK(completion.status == status);
    CHECK(completion.detail == detail);
    c.guest.host.hole = 0;
    c.deliver(c.next(kSendOnly), Connection::pattern(8));
    CHECK(c.poll()->wqe_index == 0);
}

TEST_CASE("SRQ: a QP in ERR flushes what it has taken, leaves the others, and says so") {
    Connection c(kShared);
    c.post_shared(1, 0, 1000);
    c.post_shared(2, 0, 1000);
    c.deliver(c.next(kSendFirst, false), Connection::pattern(kMtu));
    c.modify(VRNIC_QPS_ERR, VRNIC_QP_STATE);
    c.settle();
    const auto flushed = c.poll();
    REQUIRE(flushed.has_value());
    CHECK(unsigned(flushed->status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK(flushed->wqe_index == 1);
    CHECK(flushed->srqn == c.srqn);
    CHECK_FALSE(c.poll().has_value());
    CHECK(query(c).entries == 1);
    const auto event = next_event(c);
    REQUIRE(event.has_value());
    CHECK(event->type == VRNIC_EVENT_QP_LAST_WQE);
    CHECK(event->number == c.qpn);
    CHECK_FALSE(next_event(c).has_value());
}

TEST_CASE("SRQ: memory that cannot be used fails the queue, with an event, and its user") {
    Connection c(kShared);
    const bool ahead = GENERATE(false, true);
    if (ahead) {
        vrnic_le32 value;
        value = 33u;
        c.guest.host.store(c.shared + Connection::kSrqRecord, value);
    } else {
        c.guest.host.hole = (c.shared + Connection::kSrqRecord) & ~BusAddress{4095};
    }
    c.deliver(c.next(kSendOnly));
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    const auto event = next_event(c);
    REQUIRE(event.has_value());
    CHECK(event->type == VRNIC_EVENT_SRQ_ERROR);
    CHECK(event->code == (ahead ? VRNIC_SYND_RING_INDEX : VRNIC_SYND_DMA_FAILED));
}

TEST_CASE("SRQ: not destroyed while somebody uses it; a PD not while it is there") {
    Connection c(kShared);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_SRQ, c.srqn).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, c.key).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_PD, c.pdn).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_SRQ, c.srqn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_SRQ, c.srqn).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_PD, c.pdn).status == VRNIC_STATUS_OK);
}

TEST_CASE("SRQ: CREATE_SRQ refuses what it cannot make") {
    Connection c(kShared);
    struct Bad {
        const char* what;
        std::function<void(vrnic_cmd_create_srq&)> change;
        unsigned status;
    };
    const Bad kTable[] = {
        {"PD", [](auto& f) { f.pdn = 99u; }, VRNIC_STATUS_NO_OBJECT},
        {"XRC domain", [](auto& f) { f.xrcdn = 99u; }, VRNIC_STATUS_NO_OBJECT},
        {"CQ of an ordinary one", [](auto& f) { f.cqn = 5u; }, VRNIC_STATUS_INVALID},
        {"no entries", [](auto& f) { f.log_size = VRNIC_NO_QUEUE; }, VRNIC_STATUS_INVALID},
        {"too many", [](auto& f) { f.log_size = 15; }, VRNIC_STATUS_INVALID},
        {"stride", [](auto& f) { f.log_stride = 4; }, VRNIC_STATUS_INVALID},
        {"ring offset", [](auto& f) { f.ring_offset = 32u; }, VRNIC_STATUS_INVALID},
        {"record offset", [](auto& f) { f.dbrec_offset = 4u; }, VRNIC_STATUS_INVALID},
        {"past the memory", [](auto& f) { f.ring_offset = 0xffffffc0u; }, VRNIC_STATUS_INVALID},
        {"reserved", [](auto& f) { f.reserved0[1] = 1; }, VRNIC_STATUS_RESERVED},
    };
    for (const Bad& bad : kTable) {
        auto fields = c.srq_fields();
        bad.change(fields);
        CAPTURE(bad.what);
        CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_SRQ, fields).status == bad.status);
    }
    auto fields = c.qp_fields();
    fields.srqn = 77u;
    CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_NO_OBJECT);
    fields = c.qp_fields();
    fields.rq_log_size = 2;
    CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_INVALID);
}

TEST_CASE("XRC: the initiator names the peer's queue in every packet of a request") {
    Connection c(kInitiator);
    auto entry = c.send_entry(VRNIC_OP_SEND, 0, 600);
    entry.xrc_srqn = 0x4711u;
    c.post_send(entry);
    const auto sent = c.sent();
    REQUIRE(sent.size() == 3);
    CHECK(sent[0].opcode() == xrc(kSendFirst));
    CHECK(sent[2].opcode() == xrc(kSendLast));
    for (const Sent& one : sent) CHECK(one.packet.xrc_srq == 0x4711);
    c.acknowledge(Psn(c.options.sq_psn + 2));
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_SUCCESS);

    entry = c.send_entry(VRNIC_OP_READ, 0, 16);
    entry.xrc_srqn = 0x4712u;
    c.post_send(entry);
    const Sent read = c.only();
    CHECK(read.opcode() == xrc(kReadRequest));
    CHECK(read.packet.xrc_srq == 0x4712);
}

TEST_CASE("XRC: others than initiators name no queue") {
    Connection c;
    auto entry = c.send_entry(VRNIC_OP_SEND, 0, 8);
    entry.xrc_srqn = 1u;
    c.post_send(entry);
    CHECK(unsigned(c.poll()->status) == VRNIC_WC_LOC_QP_OP_ERR);
}

TEST_CASE("XRC: the target receives into the queue that is named, and completes there") {
    Connection c(kTarget);
    c.post_shared(5, 0, 1000);
    const auto data = Connection::pattern(300);
    c.deliver(c.next(kSendFirst, false), {data.begin(), data.begin() + kMtu});
    c.deliver(c.next(kSendLast), {data.begin() + kMtu, data.end()});
    const auto done = c.poll();
    REQUIRE(done.has_value());
    CHECK(done->srqn == c.srqn);
    CHECK(done->wqe_index == 5);
    CHECK(done->qpn == c.qpn);
    CHECK(c.holds(0, data));
    const Sent ack = c.only();
    CHECK(ack.opcode() == xrc(kAcknowledge));
}

TEST_CASE("XRC: WRITE, READ and atomics use the PD of the queue") {
    Connection c(ConnectionOptions{.type = VRNIC_QPT_XRC_TGT,
                                   .access = kAccess | VRNIC_ACCESS_REMOTE_ATOMIC});
    c.deliver(c.next_write(kWriteOnly, 64, 8), Connection::pattern(8));
    CHECK(c.only().opcode() == xrc(kAcknowledge));
    CHECK(c.holds(64, Connection::pattern(8)));
    c.deliver(c.read_request(64, 8));
    const Sent response = c.only();
    CHECK(response.opcode() == xrc(kReadResponseOnly));
    CHECK(response.packet.payload.size() == 8);
    // The key of another PD is refused.
    const auto pdn = Guest::handle(c.guest.submit_empty(VRNIC_ADMIN_ALLOC_PD));
    const auto other = c.register_region(c.region, kIova, kRegionSize, kAccess, pdn);
    auto write = c.next_write(kWriteOnly, 0, 8);
    write.rkey = other;
    c.deliver(write, Connection::pattern(8));
    CHECK(unsigned(c.only().packet.syndrome) == kNakRemoteAccess);
}

TEST_CASE("XRC: a queue that is not there, of another domain, or changed within a message") {
    Connection c(kTarget);
    c.post_shared(1, 0, 1000);
    auto fields = c.next(kSendOnly);
    SECTION("none") {
        fields.xrc_srq = c.srqn + 1;
    }
    SECTION("of another domain") {
        const std::uint32_t own = c.xrcdn;
        c.xrcdn = Guest::handle(c.guest.submit_empty(VRNIC_ADMIN_ALLOC_XRCD));
        fields.xrc_srq = Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_SRQ, c.srq_fields()));
        c.xrcdn = own;
    }
    SECTION("an ordinary one") {
        const std::uint32_t own = c.xrcdn;
        c.xrcdn = 0;
        fields.xrc_srq = Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_SRQ, c.srq_fields()));
        c.xrcdn = own;
    }
    SECTION("changed") {
        fields.opcode = kSendFirst;
        fields.ack_request = false;
        c.deliver(fields, Connection::pattern(kMtu));
        fields = c.next(kSendLast);
        fields.xrc_srq = c.srqn + 1;
    }
    c.deliver(fields,
              fields.opcode == kSendLast ? Connection::pattern(4) : std::vector<std::byte>{});
    CHECK(unsigned(c.only().packet.syndrome) == kNakRemoteAccess);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    CHECK(next_event(c)->type == VRNIC_EVENT_QP_ACCESS_ERROR);
}

TEST_CASE("XRC: a queue that goes while a message is on its way takes the target with it") {
    Connection c(kTarget);
    c.post_shared(1, 0, 1000);
    c.deliver(c.next(kSendFirst, false), Connection::pattern(kMtu));
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_SRQ, c.srqn).status == VRNIC_STATUS_OK);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    CHECK_FALSE(c.poll().has_value());
}

TEST_CASE("XRC: a domain is not given back while it is in use") {
    Connection c(kTarget);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_XRCD, c.xrcdn).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, c.qpn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_XRCD, c.xrcdn).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_SRQ, c.srqn).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEALLOC_XRCD, c.xrcdn).status == VRNIC_STATUS_OK);
}

TEST_CASE("XRC: a target has nothing of its own, an initiator nothing to receive with") {
    Connection target(kTarget);
    for (const auto field :
         {&vrnic_cmd_create_qp::pdn, &vrnic_cmd_create_qp::uar, &vrnic_cmd_create_qp::send_cqn,
          &vrnic_cmd_create_qp::recv_cqn, &vrnic_cmd_create_qp::srqn}) {
        auto fields = target.qp_fields();
        fields.*field = 1u;
        CHECK(target.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_INVALID);
    }
    Connection initiator(kInitiator);
    auto fields = initiator.qp_fields();
    fields.rq_log_size = 3;
    CHECK(initiator.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_INVALID);
    fields = initiator.qp_fields();
    fields.xrcdn = 1u;
    CHECK(initiator.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_INVALID);
    // Requests to an initiator are nobody's.
    initiator.deliver(initiator.next(kSendOnly));
    CHECK(initiator.counters().roce_rx_bad_state == 1);
}

TEST_CASE("XRC: a target in SQD has nothing to drain") {
    Connection c(kTarget);
    auto fields = c.modify_fields(VRNIC_QPS_SQD, VRNIC_QP_STATE | VRNIC_QP_EN_SQD_ASYNC_NOTIFY);
    fields.attr.en_sqd_async_notify = 1;
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_QP, fields).status == VRNIC_STATUS_OK);
    CHECK(c.event()->type == VRNIC_EVENT_QP_SQ_DRAINED);
    CHECK(unsigned(c.query().sq_draining) == 0);
}
