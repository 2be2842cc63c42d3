// SPDX-License-Identifier: GPL-2.0-or-later
// What is to go wrong on purpose, as plain data. Whoever may ask for it hands rules in; text.h has
// the form that people type.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>

#include "base/direction.h"
#include "host/host.h"

namespace vrnic {

// Where the device asks whether something is to go wrong.
enum class FaultPoint : std::uint8_t {
    packet_out,  // a RoCE packet is built and leaves, to the wire or to this device itself
    packet_in,   // a RoCE packet has come, from there
    command,     // an admin command was read
    interrupt,   // a vector is to be raised
    completion,  // an entry of a work queue was taken
    link,        // the carrier
};

enum class FaultKind : std::uint8_t {
    drop,
    duplicate,
    delay,
    reorder,
    corrupt,
    fail_command,
    lose_command,
    lose_interrupt,
    delay_interrupt,
    fail_completion,
    link_down,
};

enum class WorkQueue : std::uint8_t { send, receive };

using OpcodeSet = std::bitset<256>;

struct FaultRule {
    static constexpr std::uint32_t kAlways = 1'000'000;

    FaultKind kind = FaultKind::drop;

    // Which; all that is given has to fit.
    Direction direction = Direction::out;   // packets
    WorkQueue queue = WorkQueue::send;      // completions
    std::optional<std::uint32_t> qpn{};     // of this device; packets, completions
    std::optional<std::uint32_t> vector{};  // interrupts
    // Packets: of the BTH. Commands: VRNIC_ADMIN_*. Completions of the send queue: VRNIC_OP_*.
    OpcodeSet opcodes = OpcodeSet().set();

    // When: of those that fit, counted from 1. All that are given have to hold.
    std::uint64_t nth = 0;                // this one; 0: not given
    std::uint64_t every = 0;              // each whose number is a multiple
    std::uint64_t first = 0;              // none after this one
    std::uint32_t ppm = kAlways;          // by chance, in parts per million
    std::optional<std::uint64_t> seed{};  // of chance; none: follows from the device's seed

    // How.
    Nanoseconds time = 0;       // held back, or the link down, for so long; link_down 0: for good
    Nanoseconds after = 0;      // link_down: so long after the rule was given
    std::uint32_t packets = 1;  // reorder: so many of its QP and direction go before it
    std::uint32_t octets = 1;   // corrupt: a run of so many octets changes
    bool sealed = false;        // corrupt: only payload, and the ICRC is made right again
    std::uint16_t status = 0;   // VRNIC_STATUS_* of a command, VRNIC_WC_* of a completion

    bool operator==(const FaultRule&) const = default;
};

inline constexpr std::uint32_t kMaxFaultRules = 32;
inline constexpr Nanoseconds kMaxFaultTime = 3'600'000'000'000;  // an hour
inline constexpr std::uint32_t kMaxFaultPackets = 1000;
// A CRC-32 finds every burst of up to 32 bits.
inline constexpr std::uint32_t kMaxFaultOctets = 4;

}  // namespace vrnic
