// SPDX-License-Identifier: GPL-2.0-or-later
#include "script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vrnic::sim {
namespace {

// Far memory as the device's user names it; nobody looks whether it is there.
constexpr std::uint64_t kFarAddress = 0x9000;
constexpr std::uint32_t kFarKey = 0x4242;

// Headers behind the BTH (IBTA 9.3), by opcode.
bool has_reth(std::uint8_t op) {
    return op == kWriteFirst || op == kWriteOnly || op == kWriteOnlyImm || op == kReadRequest ||
           op == kAtomicWrite || op == kFlush;
}
bool has_atomic_eth(std::uint8_t op) {
    return op == kCompareSwap || op == kFetchAdd;
}
bool has_aeth(std::uint8_t op) {
    return op == kReadResponseFirst || op == kReadResponseLast || op == kReadResponseOnly ||
           op == kAcknowledge || op == kAtomicAcknowledge;
}
bool has_imm(std::uint8_t op) {
    return op == kSendLastImm || op == kSendOnlyImm || op == kWriteLastImm || op == kWriteOnlyImm;
}
bool has_ieth(std::uint8_t op) {
    return op == kSendLastInvalidate || op == kSendOnlyInvalidate;
}
std::size_t extension_bytes(std::uint8_t op) {
    return (op == kFlush ? 4 : 0) + (has_reth(op) ? 16 : 0) + (has_atomic_eth(op) ? 28 : 0) +
           (has_aeth(op) ? 4 : 0) + (op == kAtomicAcknowledge ? 8 : 0) + (has_imm(op) ? 4 : 0) +
           (has_ieth(op) ? 4 : 0);
}

void put64(std::span<std::byte> frame, std::size_t at, std::uint64_t value) {
    put32(frame, at, static_cast<std::uint32_t>(value >> 32));
    put32(frame, at + 4, static_cast<std::uint32_t>(value));
}

std::uint64_t get(std::span<const std::byte> frame, std::size_t at, int octets) {
    std::uint64_t value = 0;
    for (int i = 0; i < octets; ++i)
        value = value << 8 | static_cast<std::uint8_t>(frame[at + static_cast<std::size_t>(i)]);
    return value;
}

constexpr std::size_t kIp = 14, kUdp = kIp + 20, kBth = kUdp + 8, kBody = kBth + 12;

}  // namespace

Script::Script()
    : device_(world_, link_, 1, 1, {}), peer_(world_, device_.host, device_.engine, 2, 2) {
    link_.delay_max = link_.delay_min;
    link_.filter = [this](std::uint32_t, std::uint64_t, std::span<const std::byte> frame) {
        sent_.emplace_back(frame.begin(), frame.end());
        note("device", frame);
        return Fate::drop;  // there is nobody but the script
    };
    device_.driver.start();
    cq_ = &device_.driver.create_cq({.log_size = 9});
    region_ =
        device_.driver.reg_mr(256 << 10, VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE |
                                             VRNIC_ACCESS_REMOTE_READ | VRNIC_ACCESS_REMOTE_ATOMIC);
}

void Script::connect(Connection how) {
    SimDriver& driver = device_.driver;
    how.path_mtu = 1;
    qp_ = &driver.create_qp(*cq_, *cq_, {.sq_log_size = 8});
    driver.to_init(*qp_, how);
    driver.to_rtr(*qp_, peer_, kPeerQpn, kPsn, how);
    driver.to_rts(*qp_, kPsn, how);
}

// ---- the user ----

void Script::user_sends(std::uint8_t opcode, std::uint32_t bytes) {
    SendRequest request{.opcode = opcode, .sges = {region_->sge(128 << 10, bytes)}};
    if (opcode != VRNIC_OP_SEND) {
        request.remote_addr = kFarAddress;
        request.rkey = kFarKey;
        request.swap_or_add = 1;
    }
    device_.driver.post_send(*qp_, request);
    world_.run_for(kSettle);
}

void Script::user_receives(std::uint32_t bytes) {
    device_.driver.post_recv(*qp_, {region_->sge(0, bytes)});
}

void Script::check_completions(const std::vector<std::uint8_t>& statuses) {
    std::vector<std::uint8_t> found;
    while (const auto cqe = device_.driver.poll(*cq_)) {
        found.push_back(cqe->status);
        transcript_.push_back(fmt::format("{} user: entry {} status {}", world_.now(),
                                          std::uint32_t(cqe->wqe_index), cqe->status));
    }
    INFO(story());
    CHECK(found == statuses);
}

void Script::event(std::uint32_t type) {
    const auto found = device_.driver.poll_event(0);
    INFO(story());
    REQUIRE(found.has_value());
    CHECK(found->type == type);
}

// ---- the wire ----

std::vector<std::byte> Script::build(const P& packet) const {
    const auto payload = packet.payload();
    const std::size_t pad = (4 - payload.size() % 4) % 4;
    const std::size_t end = kBody + extension_bytes(packet.opcode) + payload.size() + pad + 4;
    std::vector<std::byte> frame(end);
    const auto to = device_.driver.mac(), from = peer_.mac();
    std::memcpy(frame.data(), to.data(), to.size());
    std::memcpy(frame.data() + 6, from.data(), from.size());
    put16(frame, 12, 0x0800);
    put16(frame, kIp, 0x4500);
    put16(frame, kIp + 2, static_cast<std::uint16_t>(end - kIp));
    put16(frame, kIp + 6, 0x4000);
    put16(frame, kIp + 8, 64 << 8 | 17);
    std::memcpy(frame.data() + kIp + 12, peer_.gid(0).data() + 12, 4);
    std::memcpy(frame.data() + kIp + 16, device_.driver.gid(0).data() + 12, 4);
    put16(frame, kUdp, 0xc000);
    put16(frame, kUdp + 2, 4791);
    put16(frame, kUdp + 4, static_cast<std::uint16_t>(end - kUdp));
    frame[kBth] = std::byte(packet.opcode);
    frame[kBth + 1] = std::byte(0x40 | pad << 4);
    put16(frame, kBth + 2, packet.partition);
    put24(frame, kBth + 5, qp_->qpn);
    frame[kBth + 8] = std::byte(packet.ack_request.value_or(false) ? 0x80 : 0);
    put24(frame, kBth + 9, (kPsn + packet.psn) & 0xffffff);
    std::size_t at = kBody + (packet.opcode == kFlush ? 4 : 0);
    if (has_reth(packet.opcode)) {
        put64(frame, at, packet.address);
        put32(frame, at + 8, packet.rkey);
        put32(frame, at + 12, packet.length.value_or(0));
        at += 16;
    }
    if (has_atomic_eth(packet.opcode)) {
        put64(frame, at, packet.address);
        put32(frame, at + 8, packet.rkey);
        put64(frame, at + 12, packet.swap_or_add);
        at += 28;
    }
    if (has_aeth(packet.opcode)) {
        frame[at] = std::byte(packet.syndrome.value_or(0x1f));
        at += 4;
    }
    if (packet.opcode == kAtomicAcknowledge) put64(frame, at, packet.original.value_or(0));
    std::ranges::copy(payload, frame.end() - static_cast<std::ptrdiff_t>(4 + pad + payload.size()));
    seal(frame);
    if (packet.bad_icrc) frame.back() ^= std::byte{1};
    return frame;
}

void Script::send_all(const std::vector<P>& packets) {
    for (const P& packet : packets) {
        const auto frame = build(packet);
        note("peer", frame);
        link_.inject(~0u, frame);
    }
    world_.run_for(kSettle);
}

void Script::compare(const P& expected, const std::vector<std::byte>& frame) const {
    const auto packet = parse_roce(frame);
    INFO(story());
    REQUIRE(packet.has_value());
    CHECK(packet->icrc_good);
    CHECK(packet->dest_qpn == kPeerQpn);
    CHECK(unsigned(packet->opcode) == unsigned(expected.opcode));
    CHECK(packet->psn == ((kPsn + expected.psn) & 0xffffff));
    const std::size_t body = packet->bth_offset + 12;
    if (expected.bytes)
        CHECK(packet->end - 4 - packet->pad - body - extension_bytes(packet->opcode) ==
              *expected.bytes);
    if (expected.ack_request) CHECK(packet->ack_request == *expected.ack_request);
    if (expected.syndrome) CHECK(unsigned(packet->syndrome.value_or(0xff)) == *expected.syndrome);
    if (expected.length) CHECK(get(frame, body + 12, 4) == *expected.length);
    if (expected.original) CHECK(get(frame, body + 4, 8) == *expected.original);
}

void Script::expect_all(const std::vector<P>& packets) {
    {
        INFO(story());
        REQUIRE(sent_.size() == packets.size());
    }
    for (std::size_t i = 0; i < packets.size(); ++i) {
        CAPTURE(i);
        compare(packets[i], sent_[i]);
    }
    sent_.clear();
}

void Script::wait(Nanoseconds time) {
    world_.run_for(time);
}

void Script::holds(std::uint64_t offset, const std::vector<P>& packets) {
    std::vector<std::byte> bytes;
    for (const P& packet : packets) {
        const auto payload = packet.payload();
        bytes.insert(bytes.end(), payload.begin(), payload.end());
    }
    INFO(story());
    CHECK(region_->buffer.read(offset, bytes.size()) == bytes);
}

// ---- the transcript ----

void Script::note(const char* who, std::span<const std::byte> frame) {
    std::string line = fmt::format("{} {}: {} ", world_.now(), who, describe(frame));
    for (const std::byte octet : frame)
        line += fmt::format("{:02x}", static_cast<std::uint8_t>(octet));
    transcript_.push_back(std::move(line));
}

// Without the octets, the last lines.
std::string Script::story() const {
    constexpr std::size_t kLines = 40;
    std::string text;
    for (std::size_t i = transcript_.size() > kLines ? transcript_.size() - kLines : 0;
         i < transcript_.size(); ++i)
        text += transcript_[i].substr(0, transcript_[i].find(" bytes")) + '\n';
    return text;
}

void Script::finish() {
    world_.run_for(kSettle);
    check_completions({});
    expect_all({});
}

void play(const std::function<void(Script&)>& script) {
    std::vector<std::string> first;
    for (int round = 0; round < 2; ++round) {
        Script s;
        script(s);
        s.finish();
        if (round == 0) first = s.transcript();
        REQUIRE(first == s.transcript());
    }
    CHECK_FALSE(first.empty());
}

}  // namespace vrnic::sim
