// SPDX-License-Identifier: GPL-2.0-or-later
// QP states while work is going on; destroy, reset and link changes in traffic.
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

// WRITEs from A to B without end, as long as the queue has room.
class Stream {
  public:
    Stream(Pair& pair, GuestQp& qa, std::uint32_t size)
        : pair_(pair), qa_(qa), regions_(pair, 256 << 10), size_(size) {}

    void refill() {
        while (qa_.sq_free() > 0)
            pair_.a.driver.post_send(qa_, {.opcode = VRNIC_OP_WRITE,
                                           .sges = {regions_.a.sge(0, size_)},
                                           .remote_addr = regions_.b.iova,
                                           .rkey = regions_.b.key});
    }
    // Keeps it going for a while; the completions of that time.
    std::vector<vrnic_cqe> run(Nanoseconds time) {
        std::vector<vrnic_cqe> all;
        const Nanoseconds end = pair_.world.now() + time;
        while (pair_.world.now() < end) {
            refill();
            pair_.world.run_for(5 * kMicrosecond);
            while (auto cqe = pair_.a.driver.poll(*pair_.cq_a)) all.push_back(*cqe);
        }
        return all;
    }
    Regions& regions() { return regions_; }

  private:
    Pair& pair_;
    GuestQp& qa_;
    Regions regions_;
    std::uint32_t size_;
};

}  // namespace

TEST_CASE("query tells what was set", "[state]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 4,
                                  .timeout = 14,
                                  .retry_cnt = 5,
                                  .rnr_retry = 6,
                                  .min_rnr_timer = 12,
                                  .rd_atomic = 3});
    const auto attr = pair.a.driver.query(qa);
    CHECK(int(attr.state) == VRNIC_QPS_RTS);
    CHECK(int(attr.path_mtu) == 4);
    CHECK(int(attr.timeout) == 14);
    CHECK(int(attr.retry_cnt) == 5);
    CHECK(int(attr.rnr_retry) == 6);
    CHECK(int(attr.min_rnr_timer) == 12);
    CHECK(int(attr.max_rd_atomic) == 3);
    CHECK(int(attr.max_dest_rd_atomic) == 3);
    CHECK(attr.dest_qpn == qb.qpn);
    CHECK(attr.sq_psn == 0x1000);
    CHECK(attr.rq_psn == 0x2000);
    CHECK(std::ranges::equal(attr.av.dgid, pair.b.driver.gid(0)));
}

TEST_CASE("SQD drains what was begun and starts nothing", "[state]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    pair.link.bytes_per_us = 1000;
    Regions regions(pair, 64 << 10);
    pair.b.driver.events(0);
    pair.a.driver.events(0);
    for (int i = 0; i < 20; ++i)
        pair.a.driver.post_send(qa,
                                {.opcode = VRNIC_OP_WRITE,
                                 .sges = {regions.a.sge(0, 20'000)},
                                 .remote_addr = regions.b.iova,
                                 .rkey = regions.b.key},
                                i == 19);
    pair.world.run_for(30 * kMicrosecond);
    vrnic_qp_attr attr{};
    attr.state = VRNIC_QPS_SQD;
    attr.en_sqd_async_notify = 1;
    REQUIRE(pair.a.driver.try_modify(qa, VRNIC_QP_STATE | VRNIC_QP_EN_SQD_ASYNC_NOTIFY, attr).ok());
    CHECK(int(pair.a.driver.query(qa).state) == VRNIC_QPS_SQD);
    CHECK(int(pair.a.driver.query(qa).sq_draining) == 1);
    const auto drained = [&] {
        const auto events = pair.a.driver.events(0);
        return std::ranges::any_of(events, [&](const vrnic_eqe& e) {
            return e.type == VRNIC_EVENT_QP_SQ_DRAINED && e.number == qa.qpn;
        });
    };
    REQUIRE(pair.world.run_until(drained, kSecond));
    CHECK(int(pair.a.driver.query(qa).sq_draining) == 0);
    std::size_t done = pair.wait_a(20, 10 * kMillisecond).size();
    CHECK(done >= 1);
    CHECK(done < 20);
    const std::uint64_t frames = pair.link.frames_sent();
    pair.world.run_for(20 * kMillisecond);
    CHECK(pair.link.frames_sent() == frames);
    CHECK_FALSE(drained());  // told once
    // As a responder it works on.
    pair.b.driver.post_send(qb, {.opcode = VRNIC_OP_WRITE,
                                 .sges = {regions.b.sge(0, 100)},
                                 .remote_addr = regions.a.iova,
                                 .rkey = regions.a.key});
    const auto back = pair.wait_b(1);
    REQUIRE(back.size() == 1);
    CHECK(int(back[0].status) == VRNIC_WC_SUCCESS);
    pair.a.driver.modify_state(qa, VRNIC_QPS_RTS);
    done += pair.wait_a(20 - done).size();
    CHECK(done == 20);
}

TEST_CASE("ERR flushes both queues in order, and what is posted later", "[state]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 64 << 10);
    bool cut = false;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte>) {
        return cut ? Fate::drop : Fate::pass;
    };
    cut = true;
    for (int i = 0; i < 10; ++i) {
        pair.a.driver.post_recv(qa, {regions.a.sge(0, 10)});
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_WRITE,
                                     .flags = 0,  // errors are told all the same
                                     .sges = {regions.a.sge(0, 100)},
                                     .remote_addr = regions.b.iova,
                                     .rkey = regions.b.key});
    }
    pair.world.run_for(20 * kMicrosecond);
    pair.a.driver.modify_state(qa, VRNIC_QPS_ERR);
    auto done = pair.wait_a(20);
    REQUIRE(done.size() == 20);
    std::uint32_t sends = 0, receives = 0;
    for (const vrnic_cqe& cqe : done) {
        CHECK(int(cqe.status) == VRNIC_WC_WR_FLUSH_ERR);
        CHECK(cqe.qpn == qa.qpn);
        CHECK(cqe.wqe_index == (cqe.flags & VRNIC_CQE_SEND_QUEUE ? sends++ : receives++));
    }
    CHECK(sends == 10);
    CHECK(receives == 10);
    pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND, .sges = {regions.a.sge(0, 10)}});
    pair.a.driver.post_recv(qa, {regions.a.sge(0, 10)});
    pair.a.driver.doorbell(VRNIC_DB_TYPE_RQ, qa.qpn);
    done = pair.wait_a(2);
    REQUIRE(done.size() == 2);
    for (const vrnic_cqe& cqe : done) CHECK(int(cqe.status) == VRNIC_WC_WR_FLUSH_ERR);

    // RESET forgets all; the pair works again.
    cut = false;
    pair.a.driver.modify_state(qa, VRNIC_QPS_RESET);
    pair.b.driver.modify_state(qb, VRNIC_QPS_RESET);
    connect_qps(pair.a.driver, qa, pair.b.driver, qb);
    Transfer again(pair, qa, qb, regions, VRNIC_OP_SEND, 5000);
    again.post();
    again.finish();
}

TEST_CASE("a QP that is destroyed in traffic touches nothing any more", "[state][destroy]") {
    const bool requester = GENERATE(true, false);
    const bool reads = GENERATE(true, false);
    const Nanoseconds when = GENERATE(Nanoseconds{1}, 13 * kMicrosecond, 50 * kMicrosecond);
    CAPTURE(requester, reads, when);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 2});
    pair.link.bytes_per_us = 2000;
    Regions regions(pair, 256 << 10);
    for (int i = 0; i < 16; ++i)
        pair.a.driver.post_send(qa,
                                {.opcode = std::uint8_t(reads ? VRNIC_OP_READ : VRNIC_OP_WRITE),
                                 .sges = {regions.a.sge(0, 200'000)},
                                 .remote_addr = regions.b.iova,
                                 .rkey = regions.b.key},
                                i == 15);
    pair.world.run_for(when);
    Node& node = requester ? pair.a : pair.b;
    node.driver.destroy(requester ? qa : qb);
    // From the completion of the destroy on: no DMA write into the region, no completion, no packet
    // of the QP.
    const Region& region = requester ? regions.a : regions.b;
    GuestCq& cq = requester ? *pair.cq_a : *pair.cq_b;
    while (node.driver.poll(cq)) {
    }
    std::uint64_t writes = 0;
    node.host.on_write = [&](BusAddress address, std::size_t) {
        for (std::uint64_t page = 0; page < region.length(); page += 4096)
            writes +=
                address >= region.buffer.bus(page) && address < region.buffer.bus(page) + 4096;
        writes += address >= cq.memory.bus(0) && address < cq.memory.bus(0) + 4096;
    };
    const std::uint32_t port = node.host.port();
    std::uint64_t packets = 0;
    pair.link.filter = [&](std::uint32_t from, std::uint64_t, std::span<const std::byte>) {
        packets += from == port;
        return Fate::pass;
    };
    pair.world.run_for(100 * kMillisecond);
    CHECK(writes == 0);
    CHECK(packets == 0);
    CHECK(node.driver.try_handle_command(VRNIC_ADMIN_QUERY_QP, (requester ? qa : qb).qpn).status ==
          VRNIC_STATUS_NO_OBJECT);
    if (!requester) {
        const auto sent = pair.wait_a(1, 10 * kSecond);
        REQUIRE(sent.size() == 1);
    }
    // Nothing of it keeps other objects.
    node.driver.dereg_mr(region);
}

TEST_CASE("a region deregistered in traffic is not touched any more", "[state][destroy]") {
    const auto op = GENERATE(VRNIC_OP_WRITE, VRNIC_OP_READ, VRNIC_OP_SEND);
    const bool near = GENERATE(true, false);
    CAPTURE(op, near);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 2});
    pair.link.bytes_per_us = 2000;
    Regions regions(pair, 512 << 10);
    if (op == VRNIC_OP_SEND) pair.b.driver.post_recv(qb, {regions.b.sge(0, 500'000)});
    SendRequest request{.opcode = std::uint8_t(op), .sges = {regions.a.sge(0, 500'000)}};
    request.remote_addr = regions.b.iova;
    request.rkey = regions.b.key;
    pair.a.driver.post_send(qa, request);
    pair.world.run_for(60 * kMicrosecond);
    Node& node = near ? pair.a : pair.b;
    Region& region = near ? regions.a : regions.b;
    node.driver.dereg_mr(region);
    region.buffer.fill(0, region.length(), kEmptyByte);
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    if (near)
        CHECK(int(sent[0].status) == VRNIC_WC_LOC_PROT_ERR);
    else
        CHECK(int(sent[0].status) ==
              (op == VRNIC_OP_SEND ? VRNIC_WC_REM_OP_ERR : VRNIC_WC_REM_ACCESS_ERR));
    const auto bytes = region.buffer.read(0, region.length());
    CHECK(std::ranges::all_of(bytes, [](std::byte b) { return b == kEmptyByte; }));
}

TEST_CASE("objects in use are not taken away", "[state][destroy]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    SimDriver& driver = pair.a.driver;
    Region region = driver.reg_mr(4096, kAllAccess);
    CHECK(driver.try_handle_command(VRNIC_ADMIN_DESTROY_CQ, pair.cq_a->cqn).status ==
          VRNIC_STATUS_BUSY);
    CHECK(driver.try_handle_command(VRNIC_ADMIN_DEALLOC_PD, driver.pdn()).status ==
          VRNIC_STATUS_BUSY);
    CHECK(driver.try_handle_command(VRNIC_ADMIN_FREE_UAR, driver.uar()).status ==
          VRNIC_STATUS_BUSY);
    CHECK(driver.try_handle_command(VRNIC_ADMIN_DESTROY_EQ, 1).status == VRNIC_STATUS_BUSY);
    driver.destroy(qa);
    driver.dereg_mr(region);
    driver.handle_command(VRNIC_ADMIN_DESTROY_CQ, pair.cq_a->cqn);
    driver.handle_command(VRNIC_ADMIN_DEALLOC_PD, driver.pdn());
    driver.handle_command(VRNIC_ADMIN_FREE_UAR, driver.uar());
    driver.handle_command(VRNIC_ADMIN_DESTROY_EQ, 1);
}

TEST_CASE("reset in traffic", "[state][reset]") {
    const bool by_register = GENERATE(true, false);
    const bool paused = GENERATE(true, false);
    CAPTURE(by_register, paused);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 2, .retry_cnt = 2});
    pair.link.bytes_per_us = 1000;
    pair.link.queue_time = paused ? 0 : 100 * kMicrosecond;
    Stream stream(pair, qa, 50'000);
    stream.run(100 * kMicrosecond);
    if (by_register)
        pair.a.driver.write32(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    else
        pair.a.engine.reset();
    std::uint64_t writes = 0, packets = 0;
    pair.a.host.on_write = [&](BusAddress, std::size_t) { ++writes; };
    pair.link.filter = [&](std::uint32_t from, std::uint64_t, std::span<const std::byte>) {
        packets += from == pair.a.host.port();
        return Fate::pass;
    };
    pair.world.run_for(100 * kMillisecond);
    CHECK(writes == 0);
    CHECK(packets == 0);
    CHECK(pair.a.driver.read32(VRNIC_REG_ADMIN_ENABLE) == 0);
    CHECK(pair.a.counters().resets == 1);
    // It works again from the start.
    pair.a.host.on_write = nullptr;
    pair.link.filter = nullptr;
    pair.a.driver.start();
    pair.cq_a = &pair.a.driver.create_cq({.log_size = 8});
    auto [na, nb] = pair.connect();
    Regions regions(pair, 16 << 10);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, na, nb, regions, op, 5000, op);
        transfer.post();
        transfer.finish();
    }
}

TEST_CASE("the link goes down and comes up again in traffic", "[state][link]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 3, .timeout = 10});
    Stream stream(pair, qa, 10'000);
    for (const vrnic_cqe& cqe : stream.run(200 * kMicrosecond))
        CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
    pair.a.driver.events(0);
    pair.a.engine.set_link(false);
    CHECK((pair.a.driver.read32(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
    std::uint64_t packets = 0;
    pair.link.filter = [&](std::uint32_t from, std::uint64_t, std::span<const std::byte>) {
        packets += from == pair.a.host.port();
        return Fate::pass;
    };
    for (const vrnic_cqe& cqe : stream.run(5 * kMillisecond))
        CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
    CHECK(packets == 0);
    pair.a.engine.set_link(true);
    CHECK((pair.a.driver.read32(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) != 0);
    const auto after = stream.run(12 * kMillisecond);
    CHECK(after.size() > 100);
    for (const vrnic_cqe& cqe : after) REQUIRE(int(cqe.status) == VRNIC_WC_SUCCESS);
    std::vector<std::uint32_t> types;
    for (const vrnic_eqe& event : pair.a.driver.events(0)) types.push_back(event.type);
    CHECK(types == std::vector<std::uint32_t>{VRNIC_EVENT_PORT_DOWN, VRNIC_EVENT_PORT_UP});
}

TEST_CASE("the first packet in RTR is told", "[state]") {
    Pair pair;
    auto [qa, qb] = pair.make_qps();
    const Connection how;
    pair.a.driver.to_init(qa, how);
    pair.b.driver.to_init(qb, how);
    pair.a.driver.to_rtr(qa, pair.b.driver, qb.qpn, how.psn_b, how);
    pair.b.driver.to_rtr(qb, pair.a.driver, qa.qpn, how.psn_a, how);
    pair.a.driver.to_rts(qa, how.psn_a, how);
    pair.b.driver.events(0);
    Regions regions(pair, 16 << 10);
    // A receiver in RTR takes everything.
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, qa, qb, regions, op, 3000, op);
        transfer.post();
        transfer.finish();
    }
    const auto events = pair.b.driver.events(0);
    REQUIRE(events.size() == 1);
    CHECK(events[0].type == VRNIC_EVENT_QP_COMM_EST);
    CHECK(events[0].number == qb.qpn);
}

TEST_CASE("packets for a QP that is not ready are dropped, and the peer tries again", "[state]") {
    Pair pair;
    auto [qa, qb] = pair.make_qps();
    const Connection how;
    pair.a.driver.to_init(qa, how);
    pair.a.driver.to_rtr(qa, pair.b.driver, qb.qpn, how.psn_b, how);
    pair.a.driver.to_rts(qa, how.psn_a, how);
    pair.b.driver.to_init(qb, how);
    Regions regions(pair, 16 << 10);
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_SEND, 3000);
    transfer.post();
    pair.world.run_for(2 * kMillisecond);
    CHECK(pair.b.counters().roce_rx_bad_state > 0);
    pair.b.driver.to_rtr(qb, pair.a.driver, qa.qpn, how.psn_a, how);
    transfer.finish();
}
