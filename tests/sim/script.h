// SPDX-License-Identifier: GPL-2.0-or-later
// Scripts: one device whose peer is the test. A script reads as what happens on the wire,
//
//     SCRIPT("a packet ahead gets one NAK") {
//         s.connect();
//         s.user_receives(1000);
//         s.peer_sends(P(kSendFirst, 0).data(256), P(kSendLast, 2).data(10));  // 1 is lost
//         s.device_sends(nak(1));
//     }
//
// and is played twice: both times every packet has the same octets and the same time. PSNs count
// from the connection's first one. What the device sends and no line expects is an error.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nodes.h"
#include "pattern.h"
#include "unit/catch.h"
#include "wire.h"

namespace vrnic::sim {

// A packet: to be sent, or what is expected of one.
class P {
  public:
    P(std::uint8_t opcode, std::uint32_t psn) : opcode(opcode), psn(psn) {}

    P& data(std::uint32_t octets) { return bytes = octets, *this; }  // payload
    P& asks(bool does = true) { return ack_request = does, *this; }  // AckReq
    P& says(std::uint8_t aeth) { return syndrome = aeth, *this; }
    P& reth(std::uint64_t to, std::uint32_t key, std::uint32_t octets) {
        return address = to, rkey = key, length = octets, *this;
    }
    P& atomic(std::uint64_t on, std::uint32_t key, std::uint64_t operand) {
        return address = on, rkey = key, swap_or_add = operand, *this;
    }
    P& found(std::uint64_t was) { return original = was, *this; }
    P& broken() { return bad_icrc = true, *this; }  // on its way
    P& pkey(std::uint16_t other) { return partition = other, *this; }

    std::vector<std::byte> payload() const { return pattern(1000 + psn, bytes.value_or(0)); }

    std::uint8_t opcode;
    std::uint32_t psn;
    std::optional<std::uint32_t> bytes{};
    std::optional<bool> ack_request{};
    std::optional<std::uint8_t> syndrome{};
    std::optional<std::uint64_t> original{};
    std::optional<std::uint32_t> length{};  // of the RETH
    std::uint64_t address = 0;
    std::uint32_t rkey = 0;
    std::uint64_t swap_or_add = 0;
    std::uint16_t partition = 0xffff;
    bool bad_icrc = false;
};

inline P ack(std::uint32_t psn) {
    return P(kAcknowledge, psn).says(0x1f);
}
inline P nak(std::uint32_t psn, std::uint8_t code = kNakSequence) {
    return P(kAcknowledge, psn).says(code);
}
inline P rnr_nak(std::uint32_t psn, std::uint8_t timer) {
    return P(kAcknowledge, psn).says(static_cast<std::uint8_t>(0x20 | timer));
}

class Script {
  public:
    static constexpr std::uint32_t kMtu = 256;
    static constexpr std::uint32_t kPsn = 0xfffffe;  // so that PSNs wrap in nearly every script
    static constexpr std::uint32_t kPeerQpn = 0x777;

    Script();

    void connect(Connection how = {});

    // ---- the device's user ----
    void user_sends(std::uint8_t opcode, std::uint32_t bytes);  // VRNIC_OP_*; to or from far memory
    void user_receives(std::uint32_t bytes);                    // at near(0)
    // The next completions have these statuses; there are no more of them.
    template <typename... Statuses>
    void user_sees(Statuses... statuses) {
        check_completions({static_cast<std::uint8_t>(statuses)...});
    }
    void user_sees_nothing() { check_completions({}); }
    void event(std::uint32_t type);  // VRNIC_EVENT_*: the next one
    std::uint8_t state() { return device_.driver.state(*qp_); }

    // ---- the peer ----
    template <typename... Packets>
    void peer_sends(const Packets&... packets) {
        send_all({packets...});
    }
    void send_all(const std::vector<P>& packets);

    // ---- the device ----
    // Exactly these packets since the last such line.
    template <typename... Packets>
    void device_sends(const Packets&... packets) {
        expect_all({packets...});
    }
    void device_sends_nothing() { expect_all({}); }
    void expect_all(const std::vector<P>& packets);

    // ---- time ----
    void wait(Nanoseconds time);

    // ---- memory: a region of the device that its peer may use, one part for each purpose ----
    std::uint64_t near(std::uint64_t offset) const { return region_->iova + offset; }
    std::uint32_t key() const { return region_->key; }
    // These packets' payloads lie one behind the other at an offset of the region.
    void holds(std::uint64_t offset, const std::vector<P>& packets);
    template <typename T>
    T load(std::uint64_t offset) const {
        return region_->buffer.load<T>(offset);
    }
    template <typename T>
    void store(std::uint64_t offset, const T& value) {
        region_->buffer.store(offset, value);
    }

    const Counters& counters() const { return device_.counters(); }
    Node& device() { return device_; }
    void finish();  // nothing is left that no line expected
    const std::vector<std::string>& transcript() const { return transcript_; }

  private:
    static constexpr Nanoseconds kSettle = 20 * kMicrosecond;

    void check_completions(const std::vector<std::uint8_t>& statuses);
    std::vector<std::byte> build(const P& packet) const;
    void compare(const P& expected, const std::vector<std::byte>& frame) const;
    void note(const char* who, std::span<const std::byte> frame);
    std::string story() const;

    World world_;
    Trace trace_;
    Link link_{world_, trace_, 1};
    Node device_;
    SimDriver peer_;  // for its addresses
    std::optional<Region> region_;
    GuestCq* cq_ = nullptr;
    GuestQp* qp_ = nullptr;
    std::deque<std::vector<std::byte>> sent_;
    std::vector<std::string> transcript_;
};

void play(const std::function<void(Script&)>& script);

#define VRNIC_SCRIPT_(function, name) \
    static void function(Script& s);  \
    TEST_CASE(name, "[script]") {     \
        play(function);               \
    }                                 \
    static void function(Script& s)
#define VRNIC_SCRIPT_AT_(line, name) VRNIC_SCRIPT_(script_of_line_##line, name)
#define VRNIC_SCRIPT_LINE_(line, name) VRNIC_SCRIPT_AT_(line, name)
#define SCRIPT(name) VRNIC_SCRIPT_LINE_(__LINE__, name)

}  // namespace vrnic::sim
