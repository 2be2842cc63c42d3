// SPDX-License-Identifier: GPL-2.0-or-later
// Requests that must fail: keys, permissions, bounds, lengths, memory that is not there
// (IBTA 9.7.4, 9.9).
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

bool has_event(const std::vector<vrnic_eqe>& events, std::uint32_t type, std::uint32_t number) {
    return std::ranges::any_of(
        events, [&](const vrnic_eqe& e) { return e.type == type && e.number == number; });
}

// What the peer is asked to touch, and how it must say no.
struct BadTarget {
    const char* name;
    std::uint32_t qp_access;
    std::uint32_t region_access;
    bool other_pd;
    bool stale_key;  // deregistered
    std::uint32_t key_flip;
    std::int64_t shift;  // of the address
    std::uint32_t size;
    std::uint8_t nak;
};

constexpr std::uint32_t kWr = VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_LOCAL_WRITE;
constexpr std::uint32_t kRd = VRNIC_ACCESS_REMOTE_READ;
constexpr std::uint32_t kBoth = kWr | kRd;
constexpr std::uint32_t kRegionBytes = 8192;

const BadTarget kBadTargets[] = {
    // clang-format off
    // name                          QP     region                   PD     stale  key      shift  size
    {"key byte wrong",               kBoth, kBoth,                   false, false, 1,       0,     100,  kNakAccess},
    {"key of no region",             kBoth, kBoth,                   false, false, 0x40000, 0,     100,  kNakAccess},
    {"deregistered",                 kBoth, kBoth,                   false, true,  0,       0,     100,  kNakAccess},
    {"another protection domain",    kBoth, kBoth,                   true,  false, 0,       0,     100,  kNakAccess},
    {"region is only local",         kBoth, VRNIC_ACCESS_LOCAL_WRITE, false, false, 0,      0,     100,  kNakAccess},
    {"begins one byte before",       kBoth, kBoth,                   false, false, 0,       -1,    100,  kNakAccess},
    {"ends one byte behind",         kBoth, kBoth,                   false, false, 0, kRegionBytes - 99, 100, kNakAccess},
    {"more than all of it",          kBoth, kBoth,                   false, false, 0,       0, kRegionBytes + 1, kNakAccess},
    {"wraps",                        kBoth, kBoth,                   false, false, 0, -0x7f00'0000'2000, 0x3000, kNakAccess},
    {"the QP does not permit it",    0,     kBoth,                   false, false, 0,       0,     100,  kNakInvalid},
    // clang-format on
};

}  // namespace

TEST_CASE("what the peer does not permit", "[error]") {
    const auto& bad = GENERATE(from_range(std::begin(kBadTargets), std::end(kBadTargets)));
    const auto op = GENERATE(VRNIC_OP_WRITE, VRNIC_OP_WRITE_IMM, VRNIC_OP_READ);
    CAPTURE(bad.name, op);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1, .access = bad.qp_access});
    Region near = pair.a.driver.reg_mr(32 << 10, kAllAccess);
    Region far =
        pair.b.driver.reg_mr(kRegionBytes, bad.region_access, {.offset = 16},
                             bad.other_pd ? std::optional(pair.b.driver.alloc_pd()) : std::nullopt);
    if (bad.stale_key) pair.b.driver.dereg_mr(far);
    GuardedSlot local(near, 0, bad.size);
    const auto bytes = pattern(1, bad.size);
    if (op != VRNIC_OP_READ) local.write(bytes);
    far.buffer.fill(0, far.length(), kEmptyByte);
    if (op == VRNIC_OP_WRITE_IMM) pair.b.driver.post_recv(qb, {});

    SendRequest request{.opcode = std::uint8_t(op), .sges = {local.sge()}};
    request.remote_addr = far.iova + static_cast<std::uint64_t>(bad.shift);
    request.rkey = far.key ^ bad.key_flip;
    pair.a.driver.post_send(qa, request, false);
    request.rkey = far.key;
    request.remote_addr = far.iova;
    request.sges[0].length = 1;
    pair.a.driver.post_send(qa, request);  // would be right, but comes behind

    const auto sent = pair.wait_a(2);
    REQUIRE(sent.size() == 2);
    CHECK(int(sent[0].status) ==
          (bad.nak == kNakAccess ? VRNIC_WC_REM_ACCESS_ERR : VRNIC_WC_REM_INV_REQ_ERR));
    CHECK(sent[0].syndrome ==
          (bad.nak == kNakAccess ? VRNIC_SYND_NAK_ACCESS : VRNIC_SYND_NAK_INVALID));
    CHECK(int(sent[1].status) == VRNIC_WC_WR_FLUSH_ERR);
    pair.world.run_for(kMillisecond);
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_ERR);
    const auto far_bytes = far.buffer.read(0, far.length());
    CHECK(std::ranges::all_of(far_bytes, [](std::byte b) { return b == kEmptyByte; }));
    CHECK(local.holds(op == VRNIC_OP_READ ? std::vector<std::byte>{} : bytes));
    CHECK(local.guards_intact());
    CHECK(has_event(pair.b.driver.events(0),
                    bad.nak == kNakAccess ? VRNIC_EVENT_QP_ACCESS_ERROR : VRNIC_EVENT_QP_REQ_ERROR,
                    qb.qpn));
    CHECK(pair.b.counters().roce_nak_sent == 1);
    // The receive that WRITE with immediate would have used comes back flushed.
    if (op == VRNIC_OP_WRITE_IMM) {
        const auto received = pair.wait_b(1);
        REQUIRE(received.size() == 1);
        CHECK(int(received[0].status) == VRNIC_WC_WR_FLUSH_ERR);
    }
}

TEST_CASE("no bytes need no key", "[error]") {
    const auto op = GENERATE(VRNIC_OP_WRITE, VRNIC_OP_READ);  // IBTA 9.7.4.1.5
    Pair pair;
    auto [qa, qb] = pair.connect();
    pair.a.driver.post_send(
        qa, {.opcode = std::uint8_t(op), .remote_addr = 0x1234, .rkey = 0x77777777});
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
}

TEST_CASE("a message longer than the receive buffer", "[error]") {
    const auto size = GENERATE(std::uint32_t{101}, std::uint32_t{256}, std::uint32_t{3000});
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 32 << 10);
    GuardedSlot local(regions.a, 0, size), remote(regions.b, 0, size - 1);
    local.write(pattern(1, size));
    pair.b.driver.post_recv(qb, {remote.sge()});
    pair.b.driver.post_recv(qb, {remote.sge()});
    pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND, .sges = {local.sge()}});
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_REM_INV_REQ_ERR);
    const auto received = pair.wait_b(2);
    REQUIRE(received.size() == 2);
    CHECK(int(received[0].status) == VRNIC_WC_LOC_LEN_ERR);
    CHECK(received[0].wqe_index == 0);
    CHECK(int(received[1].status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK(remote.guards_intact());
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_ERR);
}

TEST_CASE("wrong local keys of the sender", "[error]") {
    const auto op = GENERATE(VRNIC_OP_SEND, VRNIC_OP_WRITE, VRNIC_OP_READ);
    const auto what = GENERATE(0, 1, 2, 3, 4);
    CAPTURE(op, what);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    Region other =
        pair.a.driver.reg_mr(16 << 10, what == 4 ? 0u : kAllAccess, {},
                             what == 3 ? std::optional(pair.a.driver.alloc_pd()) : std::nullopt);
    if (what == 4 && op != VRNIC_OP_READ) return;  // reading needs no permission
    GuardedSlot remote(regions.b, 0, 4000);
    vrnic_sge sge = other.sge(0, 4000);
    if (what == 0) sge.lkey = sge.lkey ^ 0x55;
    if (what == 1) sge.addr = sge.addr + 16000;
    if (what == 2) sge.length = 0x80000001;
    SendRequest request{.opcode = std::uint8_t(op), .sges = {regions.a.sge(0, 10), sge}};
    request.remote_addr = remote.address();
    request.rkey = remote.key();
    pair.b.driver.post_recv(qb, {remote.sge()});
    // One before it still succeeds, one behind is flushed.
    SendRequest good{.opcode = VRNIC_OP_WRITE, .sges = {regions.a.sge(0, 0)}};
    pair.a.driver.post_send(qa, good, false);
    pair.a.driver.post_send(qa, request, false);
    pair.a.driver.post_send(qa, good);
    const auto sent = pair.wait_a(3);
    REQUIRE(sent.size() == 3);
    CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
    CHECK(int(sent[1].status) == (what == 2 ? VRNIC_WC_LOC_LEN_ERR : VRNIC_WC_LOC_PROT_ERR));
    constexpr std::uint32_t kSyndromes[] = {VRNIC_SYND_BAD_KEY, VRNIC_SYND_OUT_OF_BOUNDS,
                                            VRNIC_SYND_TOO_LONG, VRNIC_SYND_WRONG_PD,
                                            VRNIC_SYND_NO_PERMISSION};
    CHECK(sent[1].syndrome == kSyndromes[what]);
    CHECK(int(sent[2].status) == VRNIC_WC_WR_FLUSH_ERR);
    CHECK(remote.is_empty());
    CHECK(pair.wait_b(1, 10 * kMillisecond).empty());
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_RTS);
}

TEST_CASE("wrong local keys of the receiver", "[error]") {
    const auto what = GENERATE(0, 1, 2);
    CAPTURE(what);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    Region weak = pair.b.driver.reg_mr(4096, 0);
    vrnic_sge sge = what == 2 ? weak.sge(0, 2000) : regions.b.sge(0, 2000);
    if (what == 0) sge.lkey = sge.lkey ^ 1;
    if (what == 1) sge.addr = sge.addr - 1;
    weak.buffer.fill(0, 4096, kEmptyByte);
    pair.b.driver.post_recv(qb, {sge});
    pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND, .sges = {regions.a.sge(0, 1000)}});
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_REM_OP_ERR);  // IBTA 9.9.3: class C
    const auto received = pair.wait_b(1);
    REQUIRE(received.size() == 1);
    CHECK(int(received[0].status) == VRNIC_WC_LOC_PROT_ERR);
    const auto bytes = weak.buffer.read(0, 4096);
    CHECK(std::ranges::all_of(bytes, [](std::byte b) { return b == kEmptyByte; }));
}

TEST_CASE("malformed send entries", "[error]") {
    struct Bad {
        const char* name;
        std::size_t offset;  // of the octet to change
        std::uint8_t value;
    };
    const auto bad =
        GENERATE(Bad{"opcode 0", 0, 0}, Bad{"opcode of later", 0, 13},
                 Bad{"opcode of receives", 0, VRNIC_OP_RECV}, Bad{"unknown flag", 1, 0x81},
                 Bad{"FLUSH with a list", 0, VRNIC_OP_FLUSH},
                 Bad{"BIND_MW with a list", 0, VRNIC_OP_BIND_MW}, Bad{"too many pieces", 2, 255},
                 Bad{"one piece more than fits", 2, 7}, Bad{"reserved", 3, 1},
                 Bad{"inline length without inline", 8, 4}, Bad{"reserved at the end", 24, 1},
                 Bad{"reserved at the very end", 31, 1},
                 Bad{"inline with pieces", 1, VRNIC_SQE_SIGNALED | VRNIC_SQE_INLINE});
    CAPTURE(bad.name);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 16 << 10);
    const std::uint64_t frames = pair.link.frames_sent();
    SendRequest request = Transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 100).request();
    pair.a.driver.post_send(qa, request, false);
    qa.memory.store(qa.sq_offset + bad.offset, bad.value);
    pair.a.driver.ring_sq(qa);
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_LOC_QP_OP_ERR);
    CHECK((sent[0].flags & VRNIC_CQE_SEND_QUEUE) != 0);
    CHECK(pair.link.frames_sent() == frames);
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
}

TEST_CASE("producer indices ahead of the ring", "[error]") {
    const bool send = GENERATE(true, false);
    const std::uint32_t ahead = GENERATE(33u, 0x80000000u, 0xffffffffu);
    CAPTURE(send, ahead);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    vrnic_le32 index;
    index = ahead;
    GuestQp& qp = send ? qa : qb;
    qp.memory.store(qp.dbrec + (send ? 0 : 64), index);
    if (send)
        pair.a.driver.ring_sq(qa);
    else
        pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND, .sges = {regions.a.sge(0, 10)}});
    Node& node = send ? pair.a : pair.b;
    const auto gone = [&] { return node.driver.state(qp) == VRNIC_QPS_ERR; };
    pair.world.run_for(10 * kMillisecond);
    CHECK(gone());
    CHECK(has_event(node.driver.events(0), VRNIC_EVENT_QP_FATAL, qp.qpn));
    if (!send) {
        const auto sent = pair.wait_a(1);
        REQUIRE(sent.size() == 1);
        CHECK(int(sent[0].status) == VRNIC_WC_REM_OP_ERR);
    }
}

TEST_CASE("memory that the bus refuses is an error, never zeros", "[error]") {
    const auto op = GENERATE(from_range(std::begin(kAllOperations), std::end(kAllOperations)));
    const bool near_hole = GENERATE(true, false);
    CAPTURE(int(op), near_hole);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 16 << 10);
    if (op == VRNIC_OP_WRITE_IMM && !near_hole) pair.b.driver.post_recv(qb, {});
    Transfer transfer(pair, qa, qb, regions, op, 9000);
    // The third page of the region, after it was registered.
    (near_hole ? pair.a : pair.b)
        .host.make_hole((near_hole ? regions.a : regions.b).buffer.bus(8192));
    transfer.post();
    const auto sent = pair.wait_a(1, 5 * kSecond);
    REQUIRE(sent.size() == 1);
    if (near_hole)
        CHECK(int(sent[0].status) == VRNIC_WC_LOC_PROT_ERR);
    else
        CHECK(int(sent[0].status) == VRNIC_WC_REM_OP_ERR);
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
    CHECK((near_hole ? pair.a : pair.b).counters().dma_errors >= 1);
    // What arrived is a beginning of the data and nothing else.
    (near_hole ? pair.a : pair.b)
        .host.fill_hole((near_hole ? regions.a : regions.b).buffer.bus(8192));
    GuardedSlot& target = op == VRNIC_OP_READ ? transfer.local() : transfer.remote();
    const auto got = target.content();
    std::size_t same = 0;
    while (same < got.size() && got[same] == transfer.data()[same]) ++same;
    CHECK(std::all_of(got.begin() + static_cast<std::ptrdiff_t>(same), got.end(),
                      [](std::byte b) { return b == kEmptyByte; }));
    CHECK(target.guards_intact());
}

TEST_CASE("queues in memory that the bus refuses", "[error]") {
    const auto which =
        GENERATE(0, 1, 2, 3);  // send queue, receive queue, send record, completion queue
    CAPTURE(which);
    Pair pair;
    auto [qa, qb] = pair.connect();
    Regions regions(pair, 4096);
    Node& node = which == 1 ? pair.b : pair.a;
    GuestQp& qp = which == 1 ? qb : qa;
    pair.b.driver.post_recv(qb, {regions.b.sge(0, 100)});
    pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND, .sges = {regions.a.sge(0, 100)}}, false);
    const BusAddress hole = which == 0   ? qa.memory.bus(qa.sq_offset)
                            : which == 1 ? qb.memory.bus(qb.rq_offset)
                            : which == 2 ? qa.memory.bus(0)
                                         : pair.cq_a->memory.bus(64);
    node.host.make_hole(hole);
    pair.a.driver.ring_sq(qa);
    pair.world.run_for(50 * kMillisecond);
    CHECK(node.driver.state(qp) == VRNIC_QPS_ERR);
    const auto events = node.driver.events(0);
    CHECK(has_event(events, VRNIC_EVENT_QP_FATAL, qp.qpn));
    if (which == 3) CHECK(has_event(events, VRNIC_EVENT_CQ_ERROR, pair.cq_a->cqn));
    CHECK(node.counters().dma_errors >= 1);
}

TEST_CASE("no receive entry: RNR NAK, and the request goes on when there is one", "[rnr]") {
    const auto op = GENERATE(VRNIC_OP_SEND, VRNIC_OP_SEND_IMM, VRNIC_OP_WRITE_IMM);
    const auto timer = GENERATE(std::uint8_t{1}, std::uint8_t{14});
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1, .min_rnr_timer = timer});
    Regions regions(pair, 16 << 10);
    std::vector<Nanoseconds> naks, tries;
    pair.link.filter = [&](std::uint32_t port, std::uint64_t, std::span<const std::byte> frame) {
        const auto packet = parse_roce(frame);
        if (packet->is_rnr_nak()) {
            CHECK((*packet->syndrome & 0x1f) == timer);
            naks.push_back(pair.world.now());
        } else if (port == pair.a.host.port() && tries.size() < naks.size()) {
            tries.push_back(pair.world.now());
        }
        return Fate::pass;
    };
    Transfer transfer(pair, qa, qb, regions, std::uint8_t(op), 3000);
    pair.a.driver.post_send(qa, transfer.request());
    CHECK(pair.wait_a(1, 5 * kMillisecond).empty());
    REQUIRE(!naks.empty());
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_RTS);
    transfer.post_receive();
    transfer.finish();
    const Nanoseconds least = (timer == 1 ? 10 : 1280) * kMicrosecond;  // IBTA table 46
    REQUIRE(tries.size() >= 1);
    for (std::size_t i = 0; i < tries.size(); ++i) {
        CHECK(tries[i] - naks[i] >= least);
        CHECK(tries[i] - naks[i] <= least + 100 * kMicrosecond);
    }
    CHECK(pair.a.counters().roce_rnr_nak_received == naks.size());
    CHECK(pair.b.counters().roce_rnr_nak_sent == naks.size());
    CHECK(pair.a.counters().roce_local_ack_timeouts == 0);
}

TEST_CASE("RNR retries used up", "[rnr]") {
    const auto retries = GENERATE(std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{6});
    Pair pair;
    auto [qa, qb] = pair.connect({.rnr_retry = retries});
    Regions regions(pair, 4096);
    pair.a.driver.post_send(qa, {.opcode = VRNIC_OP_SEND, .sges = {regions.a.sge(0, 100)}});
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_RNR_RETRY_EXC_ERR);
    CHECK(pair.b.counters().roce_rnr_nak_sent == retries + 1u);
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_RTS);  // the receiver did nothing wrong
}

TEST_CASE("more READs than the peer allows", "[error]") {
    Pair pair;
    auto [qa, qb] = pair.make_qps();
    Connection a_side, b_side;
    a_side.rd_atomic = 8;
    b_side.rd_atomic = 1;
    pair.a.driver.to_init(qa, a_side);
    pair.b.driver.to_init(qb, b_side);
    pair.a.driver.to_rtr(qa, pair.b.driver, qb.qpn, 0x2000, a_side);
    pair.b.driver.to_rtr(qb, pair.a.driver, qa.qpn, 0x1000, b_side);
    pair.a.driver.to_rts(qa, 0x1000, a_side);
    pair.b.driver.to_rts(qb, 0x2000, b_side);
    Regions regions(pair, 256 << 10);
    pair.link.bytes_per_us = 100;  // so that the first is not over when the others come
    for (int i = 0; i < 8; ++i)
        pair.a.driver.post_send(qa,
                                {.opcode = VRNIC_OP_READ,
                                 .sges = {regions.a.sge(0, 100'000)},
                                 .remote_addr = regions.b.iova,
                                 .rkey = regions.b.key},
                                i == 7);
    const auto sent = pair.wait_a(8);
    REQUIRE(sent.size() == 8);
    CHECK(std::ranges::count_if(
              sent, [](const vrnic_cqe& c) { return c.status == VRNIC_WC_REM_INV_REQ_ERR; }) == 1);
    CHECK(pair.a.driver.state(qa) == VRNIC_QPS_ERR);
}
