// SPDX-License-Identifier: GPL-2.0-or-later
// The headers of a RoCEv2 packet as they lie on the wire (IBTA vol. 1 ch. 9, annex A17): big-endian
// fields, alignment 1.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/big_endian.h"

namespace vrnic::roce {

using MacAddress = std::array<std::uint8_t, 6>;
using Gid = std::array<std::uint8_t, 16>;  // an IPv4 address is ::ffff:a.b.c.d

// As == does, for the path of a packet: compilers make two compares of it, and a call of ==.
inline bool same(const Gid& a, const Gid& b) {
    using Halves = std::array<std::uint64_t, 2>;
    const auto x = std::bit_cast<Halves>(a), y = std::bit_cast<Halves>(b);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

inline constexpr std::uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherTypeIpv6 = 0x86dd;
inline constexpr std::uint16_t kEtherTypeVlan = 0x8100;
inline constexpr std::uint8_t kIpProtocolUdp = 17;
inline constexpr std::uint16_t kUdpPort = 4791;
inline constexpr std::size_t kIcrcSize = 4;

struct EthernetHeader {
    MacAddress destination;
    MacAddress source;
    Be16 type;
};
static_assert(sizeof(EthernetHeader) == 14);

struct VlanTag {
    Be16 tci;  // priority (3 bits), DEI, VLAN id (12 bits)
    Be16 type;
};
static_assert(sizeof(VlanTag) == 4);

struct Ipv4Header {
    std::uint8_t version_ihl;
    std::uint8_t tos;
    Be16 total_length;
    Be16 id;
    Be16 fragment;  // flags (3 bits), offset
    std::uint8_t ttl;
    std::uint8_t protocol;
    Be16 checksum;
    std::array<std::uint8_t, 4> source;
    std::array<std::uint8_t, 4> destination;

    static constexpr std::uint16_t kDontFragment = 0x4000;
    static constexpr std::uint16_t kFragmentMask = 0x3fff;  // "more fragments" and the offset
};
static_assert(sizeof(Ipv4Header) == 20);

struct Ipv6Header {
    Be32 version_class_flow;  // 4, 8 and 20 bits
    Be16 payload_length;
    std::uint8_t next_header;
    std::uint8_t hop_limit;
    Gid source;
    Gid destination;
};
static_assert(sizeof(Ipv6Header) == 40);

struct UdpHeader {
    Be16 source_port;
    Be16 destination_port;
    Be16 length;
    Be16 checksum;
};
static_assert(sizeof(UdpHeader) == 8);

// Base transport header, IBTA 9.2.
struct Bth {
    std::uint8_t opcode;
    std::uint8_t flags;  // SE, M, pad count (2 bits), version (4 bits)
    Be16 pkey;
    std::uint8_t fecn_becn;  // and 6 reserved bits
    Be24 destination_qp;
    std::uint8_t ack_request;  // A, 7 reserved bits
    Be24 psn;

    static constexpr std::uint8_t kSolicited = 0x80;
    static constexpr std::uint8_t kMigrated = 0x40;
    static constexpr unsigned kPadShift = 4;
    static constexpr std::uint8_t kVersionMask = 0x0f;
    static constexpr std::uint8_t kAckRequest = 0x80;
    static constexpr std::uint8_t kFecn = 0x80;
    static constexpr std::uint8_t kBecn = 0x40;
};
static_assert(sizeof(Bth) == 12);

// XRC extended transport header, IBTA A14.3: the shared receive queue.
struct Xrceth {
    std::uint8_t reserved;
    Be24 srq;
};
static_assert(sizeof(Xrceth) == 4);

// Datagram extended transport header, IBTA 9.3.2.
struct Deth {
    Be32 qkey;
    std::uint8_t reserved;
    Be24 source_qp;
};
static_assert(sizeof(Deth) == 8);

// What follows the BTH of a congestion notification, IBTA A17.9.3: nothing that is known.
struct CnpReserved {
    std::array<std::uint8_t, 16> octets;
};
static_assert(sizeof(CnpReserved) == 16);

// RDMA extended transport header, IBTA 9.3.3.
struct Reth {
    Be64 address;
    Be32 rkey;
    Be32 length;
};
static_assert(sizeof(Reth) == 16);

// ACK extended transport header, IBTA 9.3.5.
struct Aeth {
    std::uint8_t syndrome;
    Be24 msn;
};
static_assert(sizeof(Aeth) == 4);

// Atomic headers, IBTA 9.3.6 and 9.3.7.
struct AtomicEth {
    Be64 address;
    Be32 rkey;
    Be64 swap_or_add;
    Be64 compare;
};
static_assert(sizeof(AtomicEth) == 28);

struct AtomicAckEth {
    Be64 original;
};
static_assert(sizeof(AtomicAckEth) == 8);

// Immediate data: four octets that pass through unchanged (IBTA 9.3.8).
struct ImmDt {
    std::array<std::uint8_t, 4> octets;
};
static_assert(sizeof(ImmDt) == 4);

// Invalidate extended transport header, IBTA 9.3.9.
struct Ieth {
    Be32 rkey;
};
static_assert(sizeof(Ieth) == 4);

// Flush extended transport header, IBTA A19.3: 26 reserved bits, selectivity level (2), placement
// type (4).
struct Feth {
    Be32 bits;

    static constexpr std::uint32_t kPlacementMask = 0xf;
    static constexpr unsigned kLevelShift = 4;
    static constexpr std::uint32_t kLevelMask = 0x3;
};
static_assert(sizeof(Feth) == 4);

// AETH syndrome, IBTA 9.7.5.2.1 table 44: bits 6:5 say which, bits 4:0 are its value.
inline constexpr std::uint8_t kAethKindMask = 0x60;
inline constexpr std::uint8_t kAethValueMask = 0x1f;
inline constexpr std::uint8_t kAethAck = 0x00;     // value: credits, 31: not counted
inline constexpr std::uint8_t kAethRnrNak = 0x20;  // value: timer
inline constexpr std::uint8_t kAethNak = 0x60;
inline constexpr std::uint8_t kAckUnlimited = kAethAck | 31;
inline constexpr std::uint8_t kNakSequence = kAethNak | 0;
inline constexpr std::uint8_t kNakInvalidRequest = kAethNak | 1;
inline constexpr std::uint8_t kNakRemoteAccess = kAethNak | 2;
inline constexpr std::uint8_t kNakOperational = kAethNak | 3;

inline constexpr std::uint16_t kDefaultPkey = 0xffff;

// Longest packet: VLAN, IPv6, the longest header that goes with a payload, 4096 bytes, ICRC.
inline constexpr std::size_t kMaxPathMtu = 4096;
inline constexpr std::size_t kMaxHeaders = sizeof(EthernetHeader) + sizeof(VlanTag) +
                                           sizeof(Ipv6Header) + sizeof(UdpHeader) + sizeof(Bth) +
                                           sizeof(Xrceth) + sizeof(AtomicEth) + sizeof(ImmDt);
// What a datagram's buffer begins with: a GRH, or the place of one (IBTA 11.4.1.2, A17.4.5.1).
inline constexpr std::size_t kGrhSize = sizeof(Ipv6Header);
// The two ECN bits of the traffic class: congestion experienced (RFC 3168).
inline constexpr std::uint8_t kEcnMask = 0x3;
inline constexpr std::uint8_t kEcnCongestion = 0x3;
inline constexpr std::size_t kMaxFrame = kMaxHeaders + kMaxPathMtu + kIcrcSize;

}  // namespace vrnic::roce
