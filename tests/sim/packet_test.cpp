// SPDX-License-Identifier: GPL-2.0-or-later
// Frames that no honest peer sends: dropped and counted, or answered as IBTA 9.7.4 has it.
#include "transfer.h"
#include "wire.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

using Frame = std::vector<std::byte>;

// A connected pair, and a good WRITE of 100 bytes that was caught before it reached B.
struct Caught {
    explicit Caught(std::uint8_t gid_index = 0, std::uint8_t op = VRNIC_OP_WRITE,
                    std::uint32_t size = 100)
        : how{.path_mtu = 1, .retry_cnt = 7, .gid_index = gid_index},
          qps(pair.connect(how)),
          regions(pair, 16 << 10),
          transfer(pair, qps.first, qps.second, regions, op, size) {
        pair.link.filter = [this](std::uint32_t, std::uint64_t, std::span<const std::byte> sent) {
            frames.emplace_back(sent.begin(), sent.end());
            return Fate::drop;
        };
        transfer.post();
        pair.world.run_for(50 * kMicrosecond);
        REQUIRE(!frames.empty());
        frame = frames[0];
        packet = *parse_roce(frame);
        pair.link.filter = nullptr;
    }
    void inject(const Frame& changed) {
        pair.link.inject(pair.a.host.port(), changed);
        pair.world.run_for(100 * kMicrosecond);
    }
    const Counters& counters() const { return pair.b.counters(); }

    Pair pair;
    Connection how;
    std::pair<GuestQp&, GuestQp&> qps;
    Regions regions;
    Transfer transfer;
    std::vector<Frame> frames;
    Frame frame;
    RocePacket packet;
};

struct Forgery {
    const char* name;
    void (*change)(Frame&, const RocePacket&);
    bool sealed;  // checksums made right again
    std::uint64_t Counters::*counter;
};

const Forgery kForgeries[] = {
    // clang-format off
    {"wrong ICRC", [](Frame& f, const RocePacket& p) { f[p.end - 1] ^= std::byte{1}; }, false, &Counters::roce_rx_bad_icrc},
    {"changed payload", [](Frame& f, const RocePacket& p) { f[p.end - 20] ^= std::byte{0x80}; }, false, &Counters::roce_rx_bad_icrc},
    {"changed PSN", [](Frame& f, const RocePacket& p) { put24(f, p.bth_offset + 9, p.psn + 1); }, false, &Counters::roce_rx_bad_icrc},
    {"unknown QP", [](Frame& f, const RocePacket& p) { put24(f, p.bth_offset + 5, 0xabcdef); }, true, &Counters::roce_rx_unknown_qp},
    {"QP 0", [](Frame& f, const RocePacket& p) { put24(f, p.bth_offset + 5, 0); }, true, &Counters::roce_rx_unknown_qp},
    {"QP 1", [](Frame& f, const RocePacket& p) { put24(f, p.bth_offset + 5, 1); }, true, &Counters::roce_rx_unknown_qp},
    {"wrong source address", [](Frame& f, const RocePacket& p) { f[p.ip_offset + (p.ipv6 ? 23 : 15)] ^= std::byte{4}; }, true, &Counters::roce_rx_wrong_source},
    {"wrong destination address", [](Frame& f, const RocePacket& p) { f[p.ip_offset + (p.ipv6 ? 39 : 19)] ^= std::byte{4}; }, true, &Counters::roce_rx_wrong_source},
    {"wrong partition", [](Frame& f, const RocePacket& p) { put16(f, p.bth_offset + 2, 0x8001); }, true, &Counters::roce_rx_bad_pkey},
    {"transport version 1", [](Frame& f, const RocePacket& p) { f[p.bth_offset + 1] |= std::byte{1}; }, true, &Counters::roce_rx_malformed},
    {"UDP length too short", [](Frame& f, const RocePacket& p) { put16(f, p.udp_offset + 4, 20); }, true, &Counters::roce_rx_malformed},
    {"UDP length too long", [](Frame& f, const RocePacket& p) { put16(f, p.udp_offset + 4, 9000); }, true, &Counters::roce_rx_malformed},
    {"UDP checksum wrong", [](Frame& f, const RocePacket& p) { put16(f, p.udp_offset + 6, 0x1234); }, true, &Counters::roce_rx_malformed},
    {"opcode of no transport", [](Frame& f, const RocePacket& p) { f[p.bth_offset] = std::byte{0x1f}; }, false, nullptr},
    // clang-format on
};

}  // namespace

TEST_CASE("forged packets are counted and dropped", "[packet]") {
    const auto& forgery = GENERATE(from_range(std::begin(kForgeries), std::end(kForgeries)));
    const std::uint8_t gid_index = GENERATE(0, 1);
    CAPTURE(forgery.name, int(gid_index));
    Caught caught(gid_index);
    REQUIRE(caught.packet.icrc_good);
    Frame changed = caught.frame;
    forgery.change(changed, caught.packet);
    if (forgery.sealed) seal(changed);
    const std::uint64_t before = forgery.counter ? caught.counters().*forgery.counter : 0;
    const std::uint64_t sent = caught.counters().roce_tx_packets;
    caught.inject(changed);
    if (forgery.counter) CHECK(caught.counters().*forgery.counter == before + 1);
    CHECK(caught.counters().roce_tx_packets == sent);  // not a word in answer
    CHECK(caught.transfer.remote().is_empty());
    CHECK(caught.transfer.remote().guards_intact());
    // The connection did not suffer: the good packet, sent again by the timer, is taken.
    caught.transfer.finish();
}

TEST_CASE("frames cut at every length", "[packet]") {
    const std::uint8_t gid_index = GENERATE(0, 1);
    const auto op = GENERATE(std::uint8_t{VRNIC_OP_WRITE_IMM}, std::uint8_t{VRNIC_OP_READ});
    CAPTURE(int(op), int(gid_index));
    Caught caught(gid_index, op, 20);
    for (std::size_t length = 0; length < caught.frame.size(); ++length) {
        Frame cut(caught.frame.begin(), caught.frame.begin() + static_cast<std::ptrdiff_t>(length));
        caught.pair.link.inject(caught.pair.a.host.port(), cut);
        // And with the lengths and checksums of the headers right: what is missing is inside of BTH
        // and behind.
        if (length < caught.packet.bth_offset) continue;
        const auto udp = static_cast<std::uint16_t>(length - caught.packet.udp_offset);
        put16(cut, caught.packet.udp_offset + 4, udp);
        put16(cut, caught.packet.ip_offset + (caught.packet.ipv6 ? 4 : 2),
              caught.packet.ipv6 ? udp : static_cast<std::uint16_t>(udp + 20));
        seal(cut);
        caught.pair.link.inject(caught.pair.a.host.port(), cut);
    }
    caught.pair.world.run_for(50 * kMicrosecond);
    CHECK(caught.counters().roce_rx_malformed + caught.counters().roce_rx_bad_icrc > 20);
    // Some of the sealed ones are whole packets of an impossible length: the responder may end the
    // connection, but nothing may be written.
    CHECK(caught.transfer.remote().holds(op == VRNIC_OP_READ ? caught.transfer.data() : Frame{}));
    CHECK(caught.transfer.remote().guards_intact());
}

TEST_CASE("frames padded and frames too long", "[packet]") {
    const std::uint8_t gid_index = GENERATE(0, 1);
    Caught caught(gid_index, VRNIC_OP_WRITE, 1);
    Frame padded = caught.frame;
    padded.resize(padded.size() + 30, std::byte{0xaa});  // as Ethernet pads a short frame
    caught.inject(padded);
    CHECK(caught.transfer.remote().holds(caught.transfer.data()));
    Frame huge = caught.frame;
    huge.resize(60'000);
    caught.inject(huge);
    CHECK(caught.counters().eth_rx_too_long >= 1);
    caught.transfer.finish();
}

TEST_CASE("every octet of a packet changed, with and without right checksums", "[packet]") {
    const std::uint8_t gid_index = GENERATE(0, 1);
    const bool sealed = GENERATE(false, true);
    CAPTURE(int(gid_index), sealed);
    Caught caught(gid_index, VRNIC_OP_WRITE, 20);
    const Frame before = caught.transfer.remote().content();
    for (std::size_t at = 0; at < caught.packet.end; ++at) {
        // Sealed, every address and key in reach of the change must still be refused or harmless.
        for (const int bit : {0, 3, 7}) {
            Frame changed = caught.frame;
            changed[at] ^= std::byte(1u << bit);
            if (sealed) seal(changed);
            caught.pair.link.inject(caught.pair.a.host.port(), changed);
        }
    }
    caught.pair.world.run_for(100 * kMicrosecond);
    CHECK(caught.transfer.remote().guards_intact());
    // Without right checksums only fields that the ICRC leaves out may have been changed: then the
    // packet is the same one. With them it is a test that nothing breaks.
    const Frame now = caught.transfer.remote().content();
    if (!sealed) CHECK((now == before || now == caught.transfer.data()));
}

TEST_CASE("an ICRC that covers what IBTA A17.3.3 says", "[packet]") {
    // Fields that routers change are not covered: the packet stays good.
    const std::uint8_t gid_index = GENERATE(0, 1);
    Caught caught(gid_index);
    Frame changed = caught.frame;
    if (caught.packet.ipv6) {
        changed[caught.packet.ip_offset] ^= std::byte{0x03};      // traffic class
        changed[caught.packet.ip_offset + 3] ^= std::byte{0x11};  // flow label
        changed[caught.packet.ip_offset + 7] = std::byte{3};      // hop limit
    } else {
        changed[caught.packet.ip_offset + 1] ^= std::byte{0x03};  // ECN
        changed[caught.packet.ip_offset + 8] = std::byte{3};      // time to live
    }
    changed[caught.packet.bth_offset + 4] |= std::byte{0xc0};  // FECN, BECN
    const Frame routed = changed;
    seal(changed);
    // Only the IPv4 header checksum may differ after sealing, not the ICRC.
    CHECK(std::equal(changed.end() - 4, changed.end(), routed.end() - 4));
    caught.inject(changed);
    CHECK(caught.transfer.remote().holds(caught.transfer.data()));
}

TEST_CASE("packets out of order within a message", "[packet]") {
    // Opcode, wanted answer. B expects the first packet of a message.
    const auto opcode = GENERATE(kSendMiddle, kSendLast, kSendLastImm, kWriteMiddle, kWriteLast);
    Caught caught(0, VRNIC_OP_SEND, 256);
    Frame changed = caught.frame;
    changed[caught.packet.bth_offset] = std::byte(opcode);
    seal(changed);
    std::vector<RocePacket> answers;
    caught.pair.link.filter = [&](std::uint32_t port, std::uint64_t,
                                  std::span<const std::byte> frame) {
        if (port == caught.pair.b.host.port()) answers.push_back(*parse_roce(frame));
        return Fate::pass;
    };
    caught.inject(changed);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].is_nak(kNakInvalid));
    CHECK(answers[0].psn == caught.packet.psn);
    const auto sent = caught.pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_REM_INV_REQ_ERR);
    CHECK(caught.pair.b.driver.state(caught.qps.second) == VRNIC_QPS_ERR);
    CHECK(caught.transfer.remote().is_empty());
}

TEST_CASE("a first packet inside of a message, and lengths that do not fit", "[packet]") {
    struct Bad {
        const char* name;
        std::uint8_t op;
        std::uint32_t size;
        std::size_t packet;    // of the message: the one that is changed
        std::uint8_t opcode;   // 0xff: stays
        std::uint32_t length;  // of the RETH; 0: stays
    };
    const auto bad = GENERATE(Bad{"SEND first in a SEND", VRNIC_OP_SEND, 800, 1, kSendFirst, 0},
                              Bad{"SEND only in a SEND", VRNIC_OP_SEND, 800, 1, kSendOnly, 0},
                              Bad{"WRITE middle in a SEND", VRNIC_OP_SEND, 800, 1, kWriteMiddle, 0},
                              Bad{"SEND middle in a WRITE", VRNIC_OP_WRITE, 800, 1, kSendMiddle, 0},
                              Bad{"last packet as middle", VRNIC_OP_SEND, 700, 2, kSendMiddle, 0},
                              Bad{"RETH longer than the data", VRNIC_OP_WRITE, 100, 0, 0xff, 101},
                              Bad{"RETH shorter than the data", VRNIC_OP_WRITE, 100, 0, 0xff, 99},
                              Bad{"first packet not full", VRNIC_OP_SEND, 100, 0, kSendFirst, 0},
                              Bad{"atomic", VRNIC_OP_SEND, 28, 0, 0x13, 0});
    CAPTURE(bad.name);
    Pair pair;
    auto [qa, qb] = pair.connect({.path_mtu = 1});
    Regions regions(pair, 16 << 10);
    Transfer transfer(pair, qa, qb, regions, bad.op, bad.size);
    pair.link.delay_max = pair.link.delay_min;  // so that the changed packet keeps its place
    std::vector<RocePacket> naks;
    std::size_t number = 0;
    bool changed_one = false;
    pair.link.filter = [&](std::uint32_t port, std::uint64_t, std::span<const std::byte> sent) {
        const auto packet = parse_roce(sent);
        if (port == pair.b.host.port()) {
            if (!packet->is_ack()) naks.push_back(*packet);
            return Fate::pass;
        }
        if (number++ != bad.packet || changed_one) return Fate::pass;
        changed_one = true;
        Frame changed(sent.begin(), sent.end());
        if (bad.opcode != 0xff) changed[packet->bth_offset] = std::byte(bad.opcode);
        if (bad.length != 0) put32(changed, packet->bth_offset + 12 + 12, bad.length);
        // seal() knows RC opcodes only as far as the simulator does; the ICRC does not depend on
        // them.
        const std::uint32_t icrc = compute_icrc(changed, *packet);
        for (std::size_t i = 0; i < 4; ++i)
            changed[packet->end - 4 + i] = std::byte(icrc >> (8 * i) & 0xff);
        pair.link.inject(port, changed);
        return Fate::drop;
    };
    transfer.post();
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_REM_INV_REQ_ERR);
    REQUIRE(naks.size() == 1);
    CHECK(naks[0].is_nak(kNakInvalid));
    CHECK(transfer.remote().guards_intact());
    CHECK(pair.b.driver.state(qb) == VRNIC_QPS_ERR);
}

TEST_CASE("answers that nobody waits for are ignored", "[packet]") {
    Caught caught(0, VRNIC_OP_WRITE, 100);
    // A forged acknowledgement from B to A: for PSNs never sent, and for ones long gone.
    for (const std::uint32_t psn : {0x1001u, 0x1100u, 0x0fffu, 0x800fffu, 0x801000u}) {
        for (const std::uint8_t syndrome :
             {0x00, 0x1f, 0x21, 0x60, 0x61, 0x62, 0x63, 0x64, 0x7f, 0x80}) {
            Frame ack(caught.frame.begin(),
                      caught.frame.begin() +
                          static_cast<std::ptrdiff_t>(caught.packet.bth_offset + 12 + 4 + 4));
            std::swap_ranges(ack.begin(), ack.begin() + 6, ack.begin() + 6);
            std::swap_ranges(
                ack.begin() + static_cast<std::ptrdiff_t>(caught.packet.ip_offset + 12),
                ack.begin() + static_cast<std::ptrdiff_t>(caught.packet.ip_offset + 16),
                ack.begin() + static_cast<std::ptrdiff_t>(caught.packet.ip_offset + 16));
            put16(ack, caught.packet.ip_offset + 2, 20 + 8 + 12 + 4 + 4);
            put16(ack, caught.packet.udp_offset + 4, 8 + 12 + 4 + 4);
            ack[caught.packet.bth_offset] = std::byte{kAcknowledge};
            ack[caught.packet.bth_offset + 1] = std::byte{0};
            put24(ack, caught.packet.bth_offset + 5, caught.qps.first.qpn);
            put32(ack, caught.packet.bth_offset + 8, psn);
            put32(ack, caught.packet.bth_offset + 12, std::uint32_t{syndrome} << 24);
            seal(ack);
            caught.pair.link.inject(caught.pair.b.host.port(), ack);
        }
    }
    caught.pair.world.run_for(20 * kMicrosecond);
    CHECK(caught.pair.wait_a(1, 0).empty());
    CHECK(caught.pair.a.driver.state(caught.qps.first) == VRNIC_QPS_RTS);
    caught.transfer.finish();
}
