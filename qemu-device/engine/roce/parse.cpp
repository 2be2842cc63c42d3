// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/parse.h"

#include <bit>
#include <cstring>

#include "roce/checksum.h"

namespace vrnic::roce {

namespace {

// Reads headers one after the other, never past the end.
class Reader {
  public:
    explicit Reader(std::span<const std::byte> data) : data_(data) {}

    template <typename Header>
    const Header* take() {
        static_assert(alignof(Header) == 1);
        if (data_.size() < sizeof(Header)) return nullptr;
        const auto* header = reinterpret_cast<const Header*>(data_.data());
        data_ = data_.subspan(sizeof(Header));
        return header;
    }
    std::span<const std::byte> rest() const { return data_; }

  private:
    std::span<const std::byte> data_;
};

Gid mapped(const std::array<std::uint8_t, 4>& address) {
    return {0, 0, 0,    0,    0,          0,          0,          0,
            0, 0, 0xff, 0xff, address[0], address[1], address[2], address[3]};
}

// What follows the Ethernet header: the IP packet without padding, and what its header says.
struct IpPacket {
    std::span<const std::byte> bytes;
    std::size_t header_bytes;
};

std::expected<IpPacket, ParseError> parse_ipv4(std::span<const std::byte> data, Packet& packet) {
    Reader reader(data);
    const auto* ip = reader.take<Ipv4Header>();
    if (!ip) return std::unexpected(ParseError::too_short);
    if (ip->version_ihl != 0x45 || ip->protocol != kIpProtocolUdp ||
        (ip->fragment & Ipv4Header::kFragmentMask) != 0)
        return std::unexpected(ParseError::not_ip);
    if (internet_checksum(internet_sum(data.first(sizeof(Ipv4Header)))) != 0)
        return std::unexpected(ParseError::bad_checksum);
    const std::size_t total = ip->total_length;
    if (total < sizeof(Ipv4Header) || total > data.size())
        return std::unexpected(ParseError::bad_length);
    packet.ipv4 = true;
    packet.source = mapped(ip->source);
    packet.destination = mapped(ip->destination);
    packet.ip_header = data.first(sizeof(Ipv4Header));
    packet.traffic_class = ip->tos;
    return IpPacket{data.first(total), sizeof(Ipv4Header)};
}

std::expected<IpPacket, ParseError> parse_ipv6(std::span<const std::byte> data, Packet& packet) {
    Reader reader(data);
    const auto* ip = reader.take<Ipv6Header>();
    if (!ip) return std::unexpected(ParseError::too_short);
    if (ip->version_class_flow >> 28 != 6 || ip->next_header != kIpProtocolUdp)
        return std::unexpected(ParseError::not_ip);
    const std::size_t total = sizeof(Ipv6Header) + ip->payload_length;
    if (total > data.size()) return std::unexpected(ParseError::bad_length);
    packet.source = ip->source;
    packet.destination = ip->destination;
    packet.ip_header = data.first(sizeof(Ipv6Header));
    packet.traffic_class = static_cast<std::uint8_t>(ip->version_class_flow >> 20);
    return IpPacket{data.first(total), sizeof(Ipv6Header)};
}

// A checksum of zero means none; RoCEv2 sends none (annex A17.3.2), but a given one must be right.
bool udp_checksum_right(const IpPacket& ip, bool v4) {
    const std::size_t addresses = v4 ? 8 : 32;
    const auto udp = ip.bytes.subspan(ip.header_bytes);
    std::uint32_t sum = internet_sum(ip.bytes.subspan(ip.header_bytes - addresses, addresses));
    sum += kIpProtocolUdp + static_cast<std::uint32_t>(udp.size());
    return internet_checksum(internet_sum(udp, sum)) == 0;
}

std::expected<void, ParseError> parse_into(Packet& packet, std::span<const std::byte> frame) {
    Reader link(frame);
    const auto* ethernet = link.take<EthernetHeader>();
    if (!ethernet) return std::unexpected(ParseError::too_short);
    packet.destination_mac = ethernet->destination;
    packet.source_mac = ethernet->source;
    std::uint16_t type = ethernet->type;
    if (type == kEtherTypeVlan) {
        const auto* tag = link.take<VlanTag>();
        if (!tag) return std::unexpected(ParseError::too_short);
        packet.vlan = tag->tci & 0xfff;
        packet.priority = static_cast<std::uint8_t>(tag->tci >> 13);
        type = tag->type;
    }

    std::expected<IpPacket, ParseError> ip = std::unexpected(ParseError::not_ip);
    if (type == kEtherTypeIpv4)
        ip = parse_ipv4(link.rest(), packet);
    else if (type == kEtherTypeIpv6)
        ip = parse_ipv6(link.rest(), packet);
    if (!ip) return std::unexpected(ip.error());

    Reader reader(ip->bytes.subspan(ip->header_bytes));
    const auto* udp = reader.take<UdpHeader>();
    if (!udp) return std::unexpected(ParseError::too_short);
    if (udp->destination_port != kUdpPort) return std::unexpected(ParseError::not_roce);
    if (udp->length != ip->bytes.size() - ip->header_bytes)
        return std::unexpected(ParseError::bad_length);
    if (udp->checksum != 0 && !udp_checksum_right(*ip, packet.ipv4))
        return std::unexpected(ParseError::bad_checksum);

    const auto* bth = reader.take<Bth>();
    if (!bth || reader.rest().size() < kIcrcSize) return std::unexpected(ParseError::too_short);
    if ((bth->flags & Bth::kVersionMask) != 0) return std::unexpected(ParseError::bad_header);

    const auto covered = ip->bytes.first(ip->bytes.size() - kIcrcSize);
    std::uint8_t wire_icrc[kIcrcSize];
    std::memcpy(wire_icrc, ip->bytes.data() + covered.size(), kIcrcSize);
    const std::uint32_t received = wire_icrc[0] | wire_icrc[1] << 8 | wire_icrc[2] << 16 |
                                   static_cast<std::uint32_t>(wire_icrc[3]) << 24;
    if (icrc(covered) != received) return std::unexpected(ParseError::bad_icrc);

    packet.opcode = &opcode_info(bth->opcode);
    packet.solicited = (bth->flags & Bth::kSolicited) != 0;
    packet.ack_request = (bth->ack_request & Bth::kAckRequest) != 0;
    packet.pkey = bth->pkey;
    packet.destination_qp = bth->destination_qp;
    packet.psn = Psn(bth->psn);
    if (packet.opcode->operation == Operation::none) return std::unexpected(ParseError::bad_opcode);

    // From here on nothing may be read past the ICRC.
    Reader body(reader.rest().first(reader.rest().size() - kIcrcSize));
    if (packet.opcode->has(kXrceth)) {
        const auto* xrceth = body.take<Xrceth>();
        if (!xrceth) return std::unexpected(ParseError::too_short);
        packet.xrc_srq = xrceth->srq;
    }
    if (packet.opcode->has(kDeth)) {
        const auto* deth = body.take<Deth>();
        if (!deth) return std::unexpected(ParseError::too_short);
        packet.qkey = deth->qkey;
        packet.source_qp = deth->source_qp;
    }
    if (packet.opcode->has(kFeth)) {
        const auto* feth = body.take<Feth>();
        if (!feth) return std::unexpected(ParseError::too_short);
        packet.flush_placement = static_cast<std::uint8_t>(feth->bits & Feth::kPlacementMask);
        packet.flush_level =
            static_cast<std::uint8_t>(feth->bits >> Feth::kLevelShift & Feth::kLevelMask);
    }
    if (packet.opcode->has(kReth)) {
        const auto* reth = body.take<Reth>();
        if (!reth) return std::unexpected(ParseError::too_short);
        packet.address = reth->address;
        packet.rkey = reth->rkey;
        packet.length = reth->length;
    }
    if (packet.opcode->has(kAtomicEth)) {
        const auto* atomic = body.take<AtomicEth>();
        if (!atomic) return std::unexpected(ParseError::too_short);
        packet.address = atomic->address;
        packet.rkey = atomic->rkey;
        packet.swap_or_add = atomic->swap_or_add;
        packet.compare = atomic->compare;
    }
    if (packet.opcode->has(kAeth)) {
        const auto* aeth = body.take<Aeth>();
        if (!aeth) return std::unexpected(ParseError::too_short);
        packet.syndrome = aeth->syndrome;
        packet.msn = aeth->msn;
    }
    if (packet.opcode->has(kAtomicAckEth)) {
        const auto* answer = body.take<AtomicAckEth>();
        if (!answer) return std::unexpected(ParseError::too_short);
        packet.original = answer->original;
    }
    if (packet.opcode->has(kImmDt)) {
        const auto* imm = body.take<ImmDt>();
        if (!imm) return std::unexpected(ParseError::too_short);
        packet.immediate = imm->octets;
    }
    if (packet.opcode->has(kIeth)) {
        const auto* ieth = body.take<Ieth>();
        if (!ieth) return std::unexpected(ParseError::too_short);
        packet.invalidate_key = ieth->rkey;
    }
    if (packet.opcode->has(kCnp) && !body.take<CnpReserved>())
        return std::unexpected(ParseError::too_short);

    const std::size_t pad = (bth->flags >> Bth::kPadShift) & 3;
    if (body.rest().size() < pad || body.rest().size() % 4 != 0)
        return std::unexpected(ParseError::bad_header);
    packet.payload = body.rest().first(body.rest().size() - pad);
    return {};
}

}  // namespace

const char* to_string(ParseError error) {
    switch (error) {
        case ParseError::too_short:
            return "too short";
        case ParseError::not_ip:
            return "no plain IP packet";
        case ParseError::bad_checksum:
            return "wrong checksum";
        case ParseError::bad_length:
            return "wrong length";
        case ParseError::not_roce:
            return "not RoCEv2";
        case ParseError::bad_header:
            return "bad transport header";
        case ParseError::bad_icrc:
            return "wrong ICRC";
        case ParseError::bad_opcode:
            return "unknown opcode";
    }
    return "?";
}

std::expected<Packet, ParseError> parse(std::span<const std::byte> frame) {
    std::expected<Packet, ParseError> packet;  // filled in place: it is large
    if (const auto parsed = parse_into(*packet, frame); !parsed)
        packet = std::unexpected(parsed.error());
    return packet;
}

}  // namespace vrnic::roce
