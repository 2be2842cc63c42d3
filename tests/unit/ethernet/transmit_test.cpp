// SPDX-License-Identifier: GPL-2.0-or-later
#include "ethernet/transmit.h"

#include "unit/catch.h"
#include "unit/ethernet/rings.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

struct Fixture : RingGuest<vrnic_eth_txd> {
    BusAddress buffer = host.allocate(16 * 0x1000);

    Fixture() : RingGuest(VRNIC_ETH_TX) {
        auto bytes = host.bytes(buffer, 16 * 0x1000);
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::byte>(i * 13 + i / 256 + 1);
    }

    vrnic_eth_txd frame(std::vector<std::uint32_t> lengths) {
        vrnic_eth_txd out{};
        out.num_seg = static_cast<std::uint32_t>(lengths.size());
        BusAddress at = buffer;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            out.seg[i].addr = at;
            out.seg[i].length = lengths[i];
            at += 0x1000;
        }
        return out;
    }
    void send(const vrnic_eth_txd& descriptor) {
        post(descriptor);
        doorbell();
    }
    void settle() {
        for (int i = 0; i < 100 && host.runs_scheduled != 0; ++i) {
            host.runs_scheduled = 0;
            engine.run();
        }
    }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a frame is gathered from its segments and sent") {
    send(frame({14, 100, 50}));
    REQUIRE(host.frames.size() == 1);
    REQUIRE(host.frames[0].size() == 164);
    CHECK(std::ranges::equal(std::span(host.frames[0]).first(14), host.bytes(buffer, 14)));
    CHECK(std::ranges::equal(std::span(host.frames[0]).subspan(14, 100),
                             host.bytes(buffer + 0x1000, 100)));
    CHECK(std::ranges::equal(std::span(host.frames[0]).subspan(114),
                             host.bytes(buffer + 0x2000, 50)));
    const auto cqe = poll(cq);
    REQUIRE(cqe);
    CHECK(cqe->status == VRNIC_WC_SUCCESS);
    CHECK(cqe->opcode == VRNIC_OP_ETH_TX);
    CHECK(cqe->qpn == queue);
    CHECK(cqe->wqe_index == 0);
    CHECK(engine.counters().eth_tx_packets == 1);
    CHECK(engine.counters().eth_tx_bytes == 164);
}

TEST_CASE_METHOD(Fixture, "a short frame is padded with zeros") {
    send(frame({14}));
    REQUIRE(host.frames.size() == 1);
    REQUIRE(host.frames[0].size() == 60);
    for (std::size_t i = 14; i < 60; ++i) CHECK(host.frames[0][i] == std::byte{0});
}

TEST_CASE_METHOD(Fixture, "padding does not show an earlier frame") {
    send(frame({2000}));
    send(frame({20}));
    REQUIRE(host.frames.size() == 2);
    for (std::size_t i = 20; i < 60; ++i) CHECK(host.frames[1][i] == std::byte{0});
}

TEST_CASE_METHOD(Fixture, "the longest frame is sent") {
    vrnic_eth_txd whole = frame({kMaxFrame});
    send(whole);
    REQUIRE(host.frames.size() == 1);
    CHECK(host.frames[0].size() == kMaxFrame);
}

TEST_CASE_METHOD(Fixture, "indices go on around the ring") {
    for (int i = 0; i < 50; ++i) {
        send(frame({100u + i}));
        REQUIRE(host.frames.size() == i + 1u);
        CHECK(host.frames.back().size() == 100u + i);
        const auto cqe = poll(cq);
        REQUIRE(cqe);
        CHECK(cqe->wqe_index == static_cast<std::uint32_t>(i));
    }
}

TEST_CASE_METHOD(Fixture, "one doorbell for several frames sends them all") {
    for (int i = 0; i < 4; ++i) post(frame({64}));
    doorbell();
    settle();
    CHECK(host.frames.size() == 4);
    for (int i = 0; i < 4; ++i) CHECK(poll(cq));
}

TEST_CASE_METHOD(Fixture, "a bad descriptor completes with an error, the next one is sent") {
    struct Case {
        const char* what;
        std::function<vrnic_eth_txd(Fixture&)> make;
        std::uint8_t status;
        std::uint32_t syndrome;
    };
    const std::vector<Case> cases = {
        {"no segments", [](Fixture& f) { return f.frame({}); }, VRNIC_WC_LOC_QP_OP_ERR,
         VRNIC_SYND_BAD_WQE},
        {"too many segments",
         [](Fixture& f) {
             auto d = f.frame({60, 60, 60});
             d.num_seg = 4;
             return d;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
        {"as many segments as fit a number",
         [](Fixture& f) {
             auto d = f.frame({60});
             d.num_seg = ~0u;
             return d;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
        {"flags",
         [](Fixture& f) {
             auto d = f.frame({60});
             d.flags = 1;
             return d;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
        {"reserved",
         [](Fixture& f) {
             auto d = f.frame({60});
             d.reserved = 1;
             return d;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
        {"reserved in a segment",
         [](Fixture& f) {
             auto d = f.frame({60, 60});
             d.seg[1].reserved = 1;
             return d;
         },
         VRNIC_WC_LOC_QP_OP_ERR, VRNIC_SYND_BAD_WQE},
        {"empty segment", [](Fixture& f) { return f.frame({60, 0}); }, VRNIC_WC_LOC_QP_OP_ERR,
         VRNIC_SYND_BAD_WQE},
        {"too short", [](Fixture& f) { return f.frame({13}); }, VRNIC_WC_LOC_LEN_ERR,
         VRNIC_SYND_BAD_WQE},
        {"too long", [](Fixture& f) { return f.frame({kMaxFrame + 1}); }, VRNIC_WC_LOC_LEN_ERR,
         VRNIC_SYND_TOO_LONG},
        {"too long together", [](Fixture& f) { return f.frame({9000, 19}); }, VRNIC_WC_LOC_LEN_ERR,
         VRNIC_SYND_TOO_LONG},
        {"lengths that wrap together", [](Fixture& f) { return f.frame({100, ~0u - 50}); },
         VRNIC_WC_LOC_LEN_ERR, VRNIC_SYND_TOO_LONG},
        {"outside memory",
         [](Fixture& f) {
             auto d = f.frame({60, 60});
             d.seg[1].addr = 0x10;
             return d;
         },
         VRNIC_WC_LOC_PROT_ERR, VRNIC_SYND_DMA_FAILED},
        {"at the end of everything",
         [](Fixture& f) {
             auto d = f.frame({60});
             d.seg[0].addr = ~0ull - 10;
             return d;
         },
         VRNIC_WC_LOC_PROT_ERR, VRNIC_SYND_DMA_FAILED},
    };
    std::uint32_t index = 0;
    for (const Case& c : cases) {
        CAPTURE(c.what);
        host.frames.clear();
        const auto errors = engine.counters().eth_tx_errors;
        post(c.make(*this));
        post(frame({70}));
        doorbell();
        const auto bad = poll(cq);
        REQUIRE(bad);
        CHECK(bad->status == c.status);
        CHECK(bad->syndrome == c.syndrome);
        CHECK(bad->wqe_index == index++);
        const auto good = poll(cq);
        REQUIRE(good);
        CHECK(good->status == VRNIC_WC_SUCCESS);
        CHECK(good->wqe_index == index++);
        CHECK(host.frames.size() == 1);
        CHECK(engine.counters().eth_tx_errors == errors + 1);
    }
}

TEST_CASE_METHOD(Fixture, "frames wait while the wire is full, and go in order") {
    host.send_result = SendResult::paused;
    for (int i = 0; i < 3; ++i) send(frame({100u + i}));
    CHECK(host.frames.empty());
    CHECK_FALSE(poll(cq));
    CHECK(engine.counters().wire_pauses == 1);
    engine.run();
    CHECK(host.frames.empty());
    engine.wire_ready();  // and full again at once
    CHECK(engine.counters().wire_pauses == 1);
    host.send_result = SendResult::sent;
    engine.wire_ready();
    settle();
    REQUIRE(host.frames.size() == 3);
    for (int i = 0; i < 3; ++i) CHECK(host.frames[i].size() == 100u + i);
    for (int i = 0; i < 3; ++i) CHECK(poll(cq));
    CHECK_FALSE(poll(cq));
}

TEST_CASE_METHOD(Fixture, "a frame that waits for the wire goes with its queue") {
    host.send_result = SendResult::paused;
    send(frame({100}));
    SECTION("destroyed") {
        CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_OK);
    }
    SECTION("reset") { engine.reset(); }
    host.send_result = SendResult::sent;
    engine.wire_ready();
    engine.run();
    CHECK(host.frames.empty());
    CHECK_FALSE(poll(cq));
}

TEST_CASE_METHOD(Fixture, "frames are dropped while the port or the link is down") {
    SECTION("port") { set_port(0, 9000); }
    SECTION("link") { engine.set_link(false); }
    send(frame({100}));
    CHECK(host.frames.empty());
    CHECK(engine.counters().eth_tx_dropped == 1);
    const auto cqe = poll(cq);
    REQUIRE(cqe);
    CHECK(cqe->status == VRNIC_WC_SUCCESS);
}

TEST_CASE_METHOD(Fixture, "a producer index too far ahead stops the queue until it is made anew") {
    publish(GENERATE(5u, 0x80000000u, ~0u));
    doorbell();
    auto cqe = poll(cq);
    REQUIRE(cqe);
    CHECK(cqe->status == VRNIC_WC_GENERAL_ERR);
    CHECK(cqe->syndrome == VRNIC_SYND_RING_INDEX);
    publish(1);
    doorbell();
    CHECK_FALSE(poll(cq));
    CHECK(host.frames.empty());

    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_OK);
    queue = create();
    send(frame({100}));
    CHECK(host.frames.size() == 1);
}

TEST_CASE_METHOD(Fixture, "a ring or record that cannot be read stops the queue") {
    post(frame({100}));
    host.hole = GENERATE(false, true) ? ring_address : record;
    doorbell();
    host.hole = 0;
    const auto cqe = poll(cq);
    REQUIRE(cqe);
    CHECK(cqe->syndrome == VRNIC_SYND_DMA_FAILED);
    doorbell();
    CHECK(host.frames.empty());
    CHECK_FALSE(poll(cq));
}

TEST_CASE_METHOD(Fixture, "a full CQ stops the queue, not the device") {
    const std::uint32_t entries = 1u << cq.log_size;
    for (std::uint32_t i = 0; i < entries + 2; ++i) send(frame({100}));
    CHECK(host.frames.size() == entries + 1);
    CHECK(next_event(async)->type == VRNIC_EVENT_CQ_ERROR);
    CHECK_FALSE(next_event(async));
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_OK);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_CQ, cq.cqn).status == VRNIC_STATUS_OK);
}

TEST_CASE_METHOD(Fixture, "a bad Ethernet queue is refused with its field") {
    CHECK(submit(VRNIC_ADMIN_CREATE_ETH_QUEUE, fields()).status == VRNIC_STATUS_LIMIT);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_CQ, cq.cqn).status == VRNIC_STATUS_BUSY);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_OK);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, queue).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_ETH_QUEUE, 2).status == VRNIC_STATUS_NO_OBJECT);
    const std::uint32_t uar = handle(submit_empty(VRNIC_ADMIN_ALLOC_UAR));
    const Cq users = create_cq(uar, 1);

    struct Case {
        const char* what;
        std::function<void(vrnic_cmd_create_eth_queue&)> spoil;
        std::uint16_t status;
        std::uint32_t detail;
    };
    constexpr std::uint32_t kRing = VRNIC_FIELD(vrnic_cmd_create_eth_queue, ring);
    const std::vector<Case> cases = {
        {"direction", [](auto& c) { c.direction = 2; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_eth_queue, direction)},
        {"size", [](auto& c) { c.log_size = 13; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_eth_queue, log_size)},
        {"no such CQ", [](auto& c) { c.cqn = 99; }, VRNIC_STATUS_NO_OBJECT,
         VRNIC_FIELD(vrnic_cmd_create_eth_queue, cqn)},
        {"a user's CQ", [&](auto& c) { c.cqn = users.cqn; }, VRNIC_STATUS_PERMISSION,
         VRNIC_FIELD(vrnic_cmd_create_eth_queue, cqn)},
        {"misaligned record", [](auto& c) { c.dbrec = c.dbrec + 4; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_create_eth_queue, dbrec)},
        {"misaligned ring", [](auto& c) { c.ring.offset = 8; }, VRNIC_STATUS_INVALID,
         kRing + offsetof(vrnic_page_list, offset)},
        {"ring past its memory", [](auto& c) { c.log_size = 12; }, VRNIC_STATUS_INVALID,
         kRing + offsetof(vrnic_page_list, num_pages)},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        auto cmd = fields();
        c.spoil(cmd);
        const auto completion = submit(VRNIC_ADMIN_CREATE_ETH_QUEUE, cmd);
        CHECK(completion.status == c.status);
        CHECK(completion.detail == c.detail);
    }
    CHECK(submit_handle(VRNIC_ADMIN_DESTROY_CQ, cq.cqn).status == VRNIC_STATUS_OK);
}
