// SPDX-License-Identifier: GPL-2.0-or-later
// Faults of the device that a driver and its programs see.
#include <fmt/format.h>

#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

std::vector<std::uint32_t> event_types(SimDriver& driver) {
    std::vector<std::uint32_t> types;
    for (const vrnic_eqe& event : driver.events(0)) types.push_back(event.type);
    return types;
}

}  // namespace

TEST_CASE("rules that make no sense leave the old ones as they were", "[faults]") {
    Pair pair;
    pair.a.set_faults("drop,nth=1");
    const auto refused = pair.a.engine.set_faults("drop,nht=1");
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().find("nht=1") != std::string::npos);
    CHECK(pair.a.engine.faults() == "drop,nth=1");
    const FaultRule bad{.kind = FaultKind::delay};
    CHECK_FALSE(pair.a.engine.set_faults(std::span(&bad, 1)).has_value());
    CHECK(pair.a.engine.faults() == "drop,nth=1");
    const FaultRule good{.kind = FaultKind::delay, .time = kSecond};
    CHECK(pair.a.engine.set_faults(std::span(&good, 1)).has_value());
    CHECK(pair.a.engine.faults() == "delay,for=1s");
}

TEST_CASE("an admin command fails, and has changed nothing", "[faults][command]") {
    Pair pair;
    SimDriver& driver = pair.a.driver;
    pair.a.set_faults("fail-command,opcode=ALLOC_PD,nth=2,status=LIMIT");
    const std::uint32_t before = driver.alloc_pd();
    const AdminReply reply = driver.try_handle_command(VRNIC_ADMIN_ALLOC_PD, 0);
    CHECK(reply.status == VRNIC_STATUS_LIMIT);
    CHECK(driver.alloc_pd() != before);
    CHECK(pair.a.counters().faults_failed_commands == 1);
    CHECK(pair.a.counters().admin_errors == 1);
}

TEST_CASE("an admin command is never answered; others are, also around the ring",
          "[faults][command]") {
    Pair pair;
    SimDriver& driver = pair.a.driver;
    pair.a.set_faults("lose-command,opcode=ALLOC_PD,nth=1");
    const std::uint64_t interrupts = pair.a.host.interrupts(SimDriver::kAdminVector);
    CHECK_THROWS_AS(driver.alloc_pd(), DriverError);
    CHECK(pair.a.host.interrupts(SimDriver::kAdminVector) == interrupts);
    for (int i = 0; i < 40; ++i) driver.handle_command(VRNIC_ADMIN_DEALLOC_PD, driver.alloc_pd());
    CHECK(pair.a.counters().faults_lost_commands == 1);
    // A reset makes everything good.
    driver.write32(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    driver.start();
    driver.alloc_pd();
}

TEST_CASE("an interrupt is lost, its event is not", "[faults][interrupt]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    SimDriver& driver = pair.a.driver;
    pair.a.set_faults("lose-interrupt,vector=2,nth=1");
    const auto write = [&] {
        Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 10);
        driver.arm(*pair.cq_a, false);
        transfer.post();
        transfer.finish();
    };
    write();
    CHECK(pair.a.host.interrupts(SimDriver::kCompletionVector) == 0);
    CHECK(driver.events(1).size() == 1);
    write();
    CHECK(pair.a.host.interrupts(SimDriver::kCompletionVector) == 1);
    CHECK(pair.a.counters().faults_lost_interrupts == 1);
    // That of the admin queue, too: the answer is there.
    pair.a.set_faults("lose-interrupt,vector=0");
    const std::uint64_t before = pair.a.host.interrupts(SimDriver::kAdminVector);
    driver.alloc_pd();
    CHECK(pair.a.host.interrupts(SimDriver::kAdminVector) == before);
}

TEST_CASE("an interrupt comes later", "[faults][interrupt]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    pair.a.set_faults("delay-interrupt,vector=2,for=3ms");
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 10);
    pair.a.driver.arm(*pair.cq_a, false);
    transfer.post();
    transfer.finish();
    pair.world.run_for(3 * kMillisecond - 100 * kMicrosecond);
    CHECK(pair.a.host.interrupts(SimDriver::kCompletionVector) == 0);
    pair.world.run_for(200 * kMicrosecond);
    CHECK(pair.a.host.interrupts(SimDriver::kCompletionVector) == 1);
}

TEST_CASE("a send request completes with the error that was asked for", "[faults][completion]") {
    const auto status =
        GENERATE(std::uint8_t{VRNIC_WC_LOC_PROT_ERR}, std::uint8_t{VRNIC_WC_RETRY_EXC_ERR},
                 std::uint8_t{VRNIC_WC_GENERAL_ERR});
    Pair pair;
    auto [qa, qb] = pair.connect();
    auto [other_a, other_b] = pair.connect();
    Regions regions(pair, 16 << 10);
    pair.a.set_faults(
        fmt::format("fail-completion,qpn={},opcode=WRITE,nth=2,status={}", qa.qpn, status));
    Transfer first(pair, qa, qb, regions, VRNIC_OP_WRITE, 100, 1, 0);
    Transfer second(pair, qa, qb, regions, VRNIC_OP_WRITE, 100, 2, 4096);
    Transfer third(pair, qa, qb, regions, VRNIC_OP_WRITE, 100, 3, 8192);
    first.post();
    second.post();
    third.post();
    const auto done = pair.wait_a(3);
    REQUIRE(done.size() == 3);
    CHECK(int(done[0].status) == VRNIC_WC_SUCCESS);
    CHECK(int(done[1].status) == status);
    CHECK(done[1].syndrome == VRNIC_SYND_INJECTED);
    CHECK(int(done[2].status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
    first.check_memory();
    CHECK(second.remote().is_empty());
    CHECK(pair.a.counters().faults_failed_completions == 1);
    // Other QPs know nothing of it.
    Transfer fourth(pair, other_a, other_b, regions, VRNIC_OP_WRITE, 100, 4, 12'000);
    fourth.post();
    fourth.finish();
}

TEST_CASE("a receive request completes with the error that was asked for", "[faults][completion]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    pair.b.set_faults("fail-completion,queue=receive,nth=1,status=LOC_PROT_ERR");
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_SEND, 100);
    transfer.post();
    const auto received = pair.wait_b(1);
    REQUIRE(received.size() == 1);
    CHECK(int(received[0].status) == VRNIC_WC_LOC_PROT_ERR);
    CHECK(received[0].syndrome == VRNIC_SYND_INJECTED);
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_REM_OP_ERR);
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_ERR);
    CHECK(transfer.remote().is_empty());
}

TEST_CASE("the link goes down for a time", "[faults][link]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.timeout = 10});
    Regions regions(pair, 16 << 10);
    const auto status = [&] { return pair.a.driver.read32(VRNIC_REG_STATUS); };
    pair.a.driver.events(0);
    pair.a.set_faults("link-down,after=1ms,for=5ms");
    CHECK((status() & VRNIC_STATUS_LINK_UP) != 0);
    pair.world.run_for(1100 * kMicrosecond);
    CHECK((status() & VRNIC_STATUS_LINK_UP) == 0);
    CHECK(event_types(pair.a.driver) == std::vector<std::uint32_t>{VRNIC_EVENT_PORT_DOWN});
    // Nothing goes out, nothing comes in.
    const std::uint64_t frames = pair.link.frames_sent(), came = pair.a.counters().roce_rx_packets;
    Transfer out(pair, qa, qb, regions, VRNIC_OP_WRITE, 100, 1);
    Transfer in(pair, qa, qb, regions, VRNIC_OP_READ, 100, 2, 8192);
    out.post();
    pair.b.driver.post_send(qb, {.opcode = VRNIC_OP_WRITE,
                                 .sges = {regions.b.sge(4096, 10)},
                                 .remote_addr = regions.a.iova + 4096,
                                 .rkey = regions.a.key});
    pair.world.run_for(kMillisecond);
    CHECK(pair.link.frames_sent() == frames + 1);  // B's
    CHECK(pair.a.counters().roce_rx_packets == came);
    // The cable that is pulled meanwhile stays pulled.
    const bool pulled = GENERATE(false, true);
    if (pulled) pair.a.engine.set_link(false);
    pair.world.run_for(5 * kMillisecond);
    CHECK((status() & VRNIC_STATUS_LINK_UP) == (pulled ? 0 : VRNIC_STATUS_LINK_UP));
    if (pulled) pair.a.engine.set_link(true);
    CHECK(event_types(pair.a.driver) == std::vector<std::uint32_t>{VRNIC_EVENT_PORT_UP});
    out.finish();
    CHECK(pair.wait_b(1).size() == 1);
    CHECK(pair.a.counters().faults_link_downs == 1);
}

TEST_CASE("the link is down until the rule is taken back, over a reset, too", "[faults][link]") {
    Pair pair;
    pair.a.set_faults("link-down");
    CHECK((pair.a.driver.read32(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
    pair.a.engine.reset();
    CHECK((pair.a.driver.read32(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
    pair.a.set_faults("");
    CHECK((pair.a.driver.read32(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) != 0);
}

TEST_CASE("a packet that was held back outlives its QP as one on a wire does", "[faults]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.timeout = 0});
    Regions regions(pair, 16 << 10);
    pair.a.set_faults("delay,for=2ms,first=1");
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 100);
    transfer.post();
    pair.world.run_for(100 * kMicrosecond);
    const bool other_end = GENERATE(false, true);
    if (other_end)
        pair.b.driver.destroy(qb);
    else
        pair.a.driver.destroy(qa);
    const std::uint64_t frames = pair.link.frames_sent();
    std::uint64_t writes = 0;
    Node& gone = other_end ? pair.b : pair.a;
    gone.host.on_write = [&](BusAddress, std::size_t) { ++writes; };
    pair.world.run_for(5 * kMillisecond);
    CHECK(pair.link.frames_sent() >= frames + 1);
    CHECK(writes == 0);
    CHECK(gone.counters().roce_rx_unknown_qp == 1);  // the packet, or what answers it
    CHECK(transfer.remote().guards_intact());
}

TEST_CASE("a reset takes what was held back with it", "[faults][reset]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.timeout = 0});
    Regions regions(pair, 16 << 10);
    pair.a.set_faults("delay,for=2ms; delay-interrupt,for=2ms");
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 100);
    transfer.post();
    pair.a.driver.alloc_pd();
    pair.world.run_for(100 * kMicrosecond);
    const std::uint64_t frames = pair.link.frames_sent();
    const std::uint64_t interrupts = pair.a.host.interrupts(SimDriver::kAdminVector);
    pair.a.engine.reset();
    pair.world.run_for(10 * kMillisecond);
    CHECK(pair.link.frames_sent() == frames);
    CHECK(pair.a.host.interrupts(SimDriver::kAdminVector) == interrupts);
    CHECK(pair.a.engine.faults() == "delay,for=2ms; delay-interrupt,for=2ms");
}

TEST_CASE("faults between two QPs of one device", "[faults][loopback]") {
    const auto rule = GENERATE("drop,probability=0.1", "duplicate,every=5", "reorder,every=6",
                               "delay,every=6,for=30us", "corrupt,every=7", "drop,dir=in,every=7",
                               "reorder,dir=in,every=6", "duplicate");
    CAPTURE(rule);
    Pair pair;
    SimDriver& driver = pair.a.driver;
    GuestQp& one = driver.create_qp(*pair.cq_a, *pair.cq_a);
    GuestQp& other = driver.create_qp(*pair.cq_a, *pair.cq_a);
    connect_qps(driver, one, driver, other, {.path_mtu = 1});
    Region region = driver.reg_mr(256 << 10, kAllAccess);
    const auto bytes = pattern(1, 50'000);
    region.buffer.write(0, bytes);
    pair.a.set_faults(rule);
    driver.post_send(one, {.opcode = VRNIC_OP_WRITE,
                           .sges = {region.sge(0, 50'000)},
                           .remote_addr = region.iova + 100'000,
                           .rkey = region.key});
    driver.post_send(other, {.opcode = VRNIC_OP_READ,
                             .sges = {region.sge(180'000, 50'000)},
                             .remote_addr = region.iova,
                             .rkey = region.key});
    const auto done = pair.wait_a(2, 20 * kSecond);
    REQUIRE(done.size() == 2);
    for (const vrnic_cqe& cqe : done) CHECK(int(cqe.status) == VRNIC_WC_SUCCESS);
    CHECK(region.buffer.read(100'000, 50'000) == bytes);
    CHECK(region.buffer.read(180'000, 50'000) == bytes);
}

TEST_CASE("faults on a wire that is full again and again", "[faults][pause]") {
    const auto rule = GENERATE("drop,every=20", "duplicate,every=3", "reorder,every=10,packets=3",
                               "delay,every=10,for=30us", "corrupt,every=20");
    CAPTURE(rule);
    Pair pair(3, {.faults = rule});
    pair.link.faults.refuse = 300'000;
    auto [qa, qb] = pair.connect({.path_mtu = 1, .timeout = 10});
    Regions regions(pair, 64 << 10);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, qa, qb, regions, op, 20'000, op);
        transfer.post();
        transfer.finish(20 * kSecond);
    }
    CHECK(pair.link.pauses() > 50);
}
