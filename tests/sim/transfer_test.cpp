// SPDX-License-Identifier: GPL-2.0-or-later
// Every operation over a good link: sizes around the path MTU, scatter/gather, inline, page lists.
#include "transfer.h"

#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {
constexpr std::uint64_t kMiB = 1 << 20;
}

TEST_CASE("every operation, path MTU and size", "[transfer]") {
    const auto path_mtu = GENERATE(std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3},
                                   std::uint8_t{4}, std::uint8_t{5});
    const std::uint64_t mtu = mtu_bytes(path_mtu);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = path_mtu, .gid_index = std::uint8_t(path_mtu % 2)});
    Regions regions(pair, kMiB + 2 * kGuard);
    for (const std::uint8_t op : kAllOperations) {
        for (const std::uint64_t size :
             {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, mtu - 1, mtu,
              mtu + 1, 2 * mtu, 5 * mtu + 13, kMiB}) {
            INFO("opcode " << int(op) << ", path MTU " << mtu << ", " << size << " bytes");
            Transfer transfer(pair, qa, qb, regions, op, size, size + op);
            transfer.post();
            transfer.finish();
        }
    }
    // Nothing had to be sent twice, and all that was sent is right by the test's own reading.
    CHECK(pair.a.counters().roce_retransmitted_packets == 0);
    CHECK(pair.b.counters().roce_retransmitted_packets == 0);
    for (const TraceEntry& entry : pair.trace.entries()) {
        const auto packet = parse_roce(entry.frame);
        REQUIRE(packet);
        REQUIRE(packet->icrc_good);
        REQUIRE(packet->end - packet->bth_offset <= 12 + 16 + 4 + mtu + 4);
    }
}

TEST_CASE("page lists of every depth, page size and offset", "[transfer]") {
    const auto layout = GENERATE(BufferLayout{.levels = 0, .page_shift = 12, .offset = 0},
                                 BufferLayout{.levels = 0, .page_shift = 21, .offset = 12345},
                                 BufferLayout{.levels = 1, .page_shift = 12, .offset = 4095},
                                 BufferLayout{.levels = 1, .page_shift = 16, .offset = 777},
                                 BufferLayout{.levels = 2, .page_shift = 12, .offset = 1},
                                 BufferLayout{.levels = 3, .page_shift = 12, .offset = 2048});
    CAPTURE(int(layout.levels), int(layout.page_shift), layout.offset);
    // More than 512 pages of 4 KiB, so that the lowest level has two tables.
    const std::uint64_t bytes = 2 * kMiB + 3 * 4096;
    Pair pair(3, {.memory_bytes = 48 << 20});
    auto [qa, qb] = pair.connect({.path_mtu = 5});
    Regions regions(pair, bytes + 2 * kGuard, layout);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, qa, qb, regions, op, bytes, op);
        transfer.post();
        transfer.finish();
    }
}

TEST_CASE("scatter and gather lists with odd and empty pieces", "[transfer]") {
    const auto op = GENERATE(from_range(std::begin(kAllOperations), std::end(kAllOperations)));
    const auto path_mtu = GENERATE(std::uint8_t{1}, std::uint8_t{3});
    CAPTURE(int(op), int(path_mtu));
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = path_mtu, .gid_index = 1},
                                 {.sq_log_stride = 8, .rq_log_stride = 8});
    Region ra = pair.a.driver.reg_mr(64 << 10, kAllAccess, {.offset = 3});
    Region rb = pair.b.driver.reg_mr(64 << 10, kAllAccess, {.offset = 5});
    const auto cut = [](Region& region, const std::vector<std::uint32_t>& sizes) {
        std::vector<GuardedSlot> slots;
        std::uint64_t at = 0;
        for (std::uint32_t size : sizes) {
            slots.emplace_back(region, at, size);
            at += GuardedSlot::room(size);
        }
        return slots;
    };
    const std::vector<std::uint32_t> many = {1, 0, 255, 257, 3, 1021, 0, 1500, 7, 4096, 13};
    std::uint32_t total = 0;
    for (auto size : many) total += size;
    const auto bytes = pattern(op, total);

    auto local = cut(ra, many);
    // The far side in other pieces: only for SEND; WRITE and READ name one range there.
    auto remote = cut(rb, is_send(op) ? std::vector<std::uint32_t>{2, 1023, 0, 2049, 1, 5000}
                                      : std::vector<std::uint32_t>{total});
    auto& from = op == VRNIC_OP_READ ? remote : local;
    std::uint64_t at = 0;
    for (auto& slot : from) {
        const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
        slot.write({first, first + static_cast<std::ptrdiff_t>(slot.size())});
        at += slot.size();
    }
    SendRequest request{.opcode = op, .imm = has_imm(op) ? kImm : 0};
    for (auto& slot : local) request.sges.push_back(slot.sge());
    std::vector<vrnic_sge> receive;
    if (is_send(op))
        for (auto& slot : remote) receive.push_back(slot.sge());
    else {
        request.remote_addr = remote[0].address();
        request.rkey = remote[0].key();
    }
    if (takes_receive(op)) pair.b.driver.post_recv(qb, receive);
    pair.a.driver.post_send(qa, request);
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    REQUIRE(int(sent[0].status) == VRNIC_WC_SUCCESS);
    if (takes_receive(op)) {
        const auto received = pair.wait_b(1);
        REQUIRE(received.size() == 1);
        CHECK(received[0].byte_len == total);
    }
    for (auto* slots : {&local, &remote}) {
        std::uint64_t place = 0;
        for (auto& slot : *slots) {
            const std::uint64_t size = std::min(slot.size(), total - place);
            const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(place);
            CHECK(slot.holds({first, first + static_cast<std::ptrdiff_t>(size)}));
            CHECK(slot.guards_intact());
            place += size;
        }
        CHECK(place == total);
    }
}

TEST_CASE("inline data", "[transfer]") {
    const auto op = GENERATE(VRNIC_OP_SEND, VRNIC_OP_SEND_IMM, VRNIC_OP_WRITE, VRNIC_OP_WRITE_IMM);
    CAPTURE(op);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1}, {.sq_log_stride = 10});
    Region rb = pair.b.driver.reg_mr(4096, kAllAccess);
    const std::uint32_t most = pair.a.driver.caps().max_inline;
    REQUIRE(most >= 64);
    for (const std::uint32_t size : {0u, 1u, 63u, most}) {
        CAPTURE(size);
        GuardedSlot slot(rb, 0, most);
        SendRequest request{.opcode = std::uint8_t(op),
                            .flags = VRNIC_SQE_SIGNALED | VRNIC_SQE_INLINE,
                            .inline_data = pattern(size, size)};
        if (!is_send(request.opcode)) {
            request.remote_addr = slot.address();
            request.rkey = slot.key();
        }
        if (takes_receive(request.opcode))
            pair.b.driver.post_recv(
                qb, is_send(request.opcode) ? std::vector{slot.sge()} : std::vector<vrnic_sge>{});
        // The entry is the sender's again only when it has completed; its bytes are copied.
        pair.a.driver.post_send(qa, request);
        const auto sent = pair.wait_a(1);
        REQUIRE(sent.size() == 1);
        CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
        if (takes_receive(request.opcode)) {
            const auto received = pair.wait_b(1);
            REQUIRE(received.size() == 1);
            CHECK(received[0].byte_len == size);
        }
        CHECK(slot.holds(request.inline_data));
        CHECK(slot.guards_intact());
    }
}

TEST_CASE("unsignaled requests are silent, signal-all ones are not", "[transfer]") {
    Pair pair;
    const bool all = GENERATE(false, true);
    auto [qa, qb] = pair.connect({}, {.flags = all ? VRNIC_QP_SQ_SIG_ALL : 0});
    Regions regions(pair, 8192);
    for (int i = 0; i < 5; ++i) {
        SendRequest request = Transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 100).request();
        request.flags = i == 4 ? VRNIC_SQE_SIGNALED : 0;
        pair.a.driver.post_send(qa, request);
    }
    const auto sent = pair.wait_a(all ? 5 : 1);
    REQUIRE(sent.size() == (all ? 5 : 1));
    CHECK(sent.back().wqe_index == 4);
    CHECK(pair.wait_a(1, 10 * kMillisecond).empty());
}

TEST_CASE("two QPs of one device", "[transfer][loopback]") {
    Pair pair;
    Connection how{.path_mtu = std::uint8_t(GENERATE(1, 3, 5))};
    GuestQp& q1 = pair.a.driver.create_qp(*pair.cq_a, *pair.cq_a);
    GuestCq& cq2 = pair.a.driver.create_cq();
    GuestQp& q2 = pair.a.driver.create_qp(cq2, cq2);
    connect_qps(pair.a.driver, q1, pair.a.driver, q2, how);
    const std::uint64_t frames = pair.link.frames_sent();
    Region from = pair.a.driver.reg_mr(kMiB + 2 * kGuard, kAllAccess);
    Region to = pair.a.driver.reg_mr(kMiB + 2 * kGuard, kAllAccess);
    for (const std::uint8_t op : kAllOperations)
        for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{5000}, kMiB}) {
            CAPTURE(int(op), size);
            GuardedSlot local(from, 0, size), remote(to, 0, size);
            const auto bytes = pattern(size + op, size);
            (op == VRNIC_OP_READ ? remote : local).write(bytes);
            SendRequest request{.opcode = op, .sges = {local.sge()}, .imm = has_imm(op) ? kImm : 0};
            if (!is_send(op)) {
                request.remote_addr = remote.address();
                request.rkey = remote.key();
            }
            if (takes_receive(op))
                pair.a.driver.post_recv(
                    q2, is_send(op) ? std::vector{remote.sge()} : std::vector<vrnic_sge>{});
            pair.a.driver.post_send(q1, request);
            const auto sent = pair.wait_a(1);
            REQUIRE(sent.size() == 1);
            CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
            CHECK(pair.wait(pair.a.driver, cq2, takes_receive(op) ? 1 : 0, kSecond).size() ==
                  (takes_receive(op) ? 1 : 0));
            CHECK(local.holds(bytes));
            CHECK(remote.holds(bytes));
            CHECK(local.guards_intact());
            CHECK(remote.guards_intact());
        }
    CHECK(pair.link.frames_sent() == frames);  // none of it left the device
}

TEST_CASE("a QP connected to itself", "[transfer][loopback]") {
    Pair pair;
    GuestQp& qp = pair.a.driver.create_qp(*pair.cq_a, *pair.cq_a);
    Connection how;
    how.psn_b = how.psn_a;
    pair.a.driver.to_init(qp, how);
    pair.a.driver.to_rtr(qp, pair.a.driver, qp.qpn, how.psn_a, how);
    pair.a.driver.to_rts(qp, how.psn_a, how);
    Region region = pair.a.driver.reg_mr(1 << 18, kAllAccess);
    GuardedSlot from(region, 0, 50'000), to(region, 1 << 17, 50'000);
    const auto bytes = pattern(9, 50'000);
    from.write(bytes);
    pair.a.driver.post_recv(qp, {to.sge()});
    pair.a.driver.post_send(qp, {.opcode = VRNIC_OP_SEND, .sges = {from.sge()}});
    const auto done = pair.wait_a(2);
    REQUIRE(done.size() == 2);
    CHECK(int(done[0].opcode) == VRNIC_OP_RECV);
    CHECK(int(done[1].opcode) == VRNIC_OP_SEND);
    CHECK(to.holds(bytes));
    CHECK(to.guards_intact());
}

TEST_CASE("frames arrive inside the call that sends them", "[transfer][reentry]") {
    Pair pair;
    pair.link.immediate = true;
    auto [qa, qb] = pair.connect({.path_mtu = 2});
    Regions regions(pair, kMiB + 2 * kGuard);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, qa, qb, regions, op, kMiB, op);
        transfer.post();
        transfer.finish();
    }
}

TEST_CASE("a fence waits for the READs before it", "[transfer]") {
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 64 << 10);
    // A READ brings bytes that the SEND behind it sends on: only with the fence they are there.
    GuardedSlot far(regions.b, 0, 20'000), near(regions.a, 0, 20'000),
        back(regions.b, 32 << 10, 20'000);
    const auto bytes = pattern(4, 20'000);
    far.write(bytes);
    pair.b.driver.post_recv(qb, {back.sge()});
    pair.a.driver.post_send(qa,
                            {.opcode = VRNIC_OP_READ,
                             .sges = {near.sge()},
                             .remote_addr = far.address(),
                             .rkey = far.key()},
                            false);
    pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND,
                                 .flags = VRNIC_SQE_SIGNALED | VRNIC_SQE_FENCE,
                                 .sges = {near.sge()}});
    REQUIRE(pair.wait_a(2).size() == 2);
    CHECK(back.holds(bytes));
    CHECK(back.guards_intact());
}

TEST_CASE("PSNs wrap", "[transfer]") {
    Pair pair;
    const auto before = GENERATE(0u, 1u, 2u, 100u);
    CAPTURE(before);
    auto [qa, qb] = pair.connect({.path_mtu = 1, .psn_a = 0xffffff - before, .psn_b = 0xffffff});
    Regions regions(pair, kMiB);
    for (const std::uint8_t op : kAllOperations) {
        CAPTURE(int(op));
        Transfer transfer(pair, qa, qb, regions, op, 9000, op);
        transfer.post();
        transfer.finish();
    }
    CHECK(pair.a.counters().roce_retransmitted_packets == 0);
}

TEST_CASE("four READs at most are outstanding", "[transfer]") {
    Pair pair;
    auto [qa, qb] = pair.connect({.rd_atomic = 4});
    Regions regions(pair, kMiB);
    int outstanding = 0, most = 0;
    pair.link.filter = [&](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        if (packet->opcode == kReadRequest) most = std::max(most, ++outstanding);
        if (packet->opcode == kReadResponseLast || packet->opcode == kReadResponseOnly)
            --outstanding;
        return Fate::pass;
    };
    for (std::uint64_t i = 0; i < 20; ++i) {
        const auto request =
            Transfer(pair, qa, qb, regions, VRNIC_OP_READ, 5000, i, i * 8192).request();
        pair.a.driver.post_send(qa, request, i == 19);
    }
    REQUIRE(pair.wait_a(20).size() == 20);
    CHECK(most == 4);
}
