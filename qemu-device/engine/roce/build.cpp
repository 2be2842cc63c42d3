// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/build.h"

#include <algorithm>
#include <cstring>

#include "roce/checksum.h"

namespace vrnic::roce {

namespace {

template <typename Header>
Header& put(std::span<std::byte> buffer, std::size_t& offset) {
    static_assert(alignof(Header) == 1);
    auto* header = reinterpret_cast<Header*>(buffer.data() + offset);
    *header = Header{};
    offset += sizeof(Header);
    return *header;
}

}  // namespace

PathHeaders PathHeaders::make(const Path& path) {
    PathHeaders out;
    out.ipv4 = path.ipv4;
    out.service = path.service;
    out.destination_qp = path.destination_qp;
    out.source_qp = path.source_qp;
    std::size_t offset = 0;
    const std::uint16_t ip_type = path.ipv4 ? kEtherTypeIpv4 : kEtherTypeIpv6;

    auto& ethernet = put<EthernetHeader>(out.bytes, offset);
    ethernet.destination = path.destination_mac;
    ethernet.source = path.source_mac;
    ethernet.type = path.has_vlan ? kEtherTypeVlan : ip_type;
    if (path.has_vlan) {
        auto& tag = put<VlanTag>(out.bytes, offset);
        tag.tci = static_cast<std::uint16_t>((path.service_level & 7) << 13 | (path.vlan & 0xfff));
        tag.type = ip_type;
    }
    out.ip_offset = static_cast<std::uint8_t>(offset);
    if (path.ipv4) {
        auto& ip = put<Ipv4Header>(out.bytes, offset);
        ip.version_ihl = 0x45;
        ip.tos = path.traffic_class;
        ip.fragment = Ipv4Header::kDontFragment;
        ip.ttl = path.hop_limit;
        ip.protocol = kIpProtocolUdp;
        std::copy_n(path.source.begin() + 12, 4, ip.source.begin());
        std::copy_n(path.destination.begin() + 12, 4, ip.destination.begin());
        out.ip_sum = internet_sum(std::as_bytes(std::span(&ip, 1)));
    } else {
        auto& ip = put<Ipv6Header>(out.bytes, offset);
        ip.version_class_flow = 6u << 28 | static_cast<std::uint32_t>(path.traffic_class) << 20 |
                                (path.flow_label & 0xfffff);
        ip.next_header = kIpProtocolUdp;
        ip.hop_limit = path.hop_limit;
        ip.source = path.source;
        ip.destination = path.destination;
    }
    auto& udp = put<UdpHeader>(out.bytes, offset);
    udp.source_port = path.source_port;
    udp.destination_port = kUdpPort;  // the checksum stays zero: none (annex A17.3.2)
    out.size = static_cast<std::uint8_t>(offset);
    return out;
}

std::span<std::byte> FrameBuilder::begin(const PathHeaders& path, const PacketFields& fields,
                                         std::uint32_t payload_bytes) {
    const OpcodeInfo& info = opcode_info(with_service(path.service, fields.opcode));
    pad_ = (4 - payload_bytes % 4) % 4;
    ip_offset_ = path.ip_offset;
    std::memcpy(buffer_.data(), path.bytes.data(), path.size);

    // Lengths. UDP is always the last header of the path.
    const std::size_t udp_length =
        sizeof(UdpHeader) + info.header_bytes + payload_bytes + pad_ + kIcrcSize;
    auto& udp = *reinterpret_cast<UdpHeader*>(buffer_.data() + path.size - sizeof(UdpHeader));
    udp.length = static_cast<std::uint16_t>(udp_length);
    if (path.ipv4) {
        auto& ip = *reinterpret_cast<Ipv4Header*>(buffer_.data() + ip_offset_);
        const auto total = static_cast<std::uint16_t>(sizeof(Ipv4Header) + udp_length);
        ip.total_length = total;
        ip.checksum = internet_checksum(path.ip_sum + total);
    } else {
        auto& ip = *reinterpret_cast<Ipv6Header*>(buffer_.data() + ip_offset_);
        ip.payload_length = static_cast<std::uint16_t>(udp_length);
    }

    std::size_t offset = path.size;
    auto& bth = put<Bth>(buffer_, offset);
    bth.opcode = info.opcode;
    bth.flags = static_cast<std::uint8_t>((fields.solicited ? Bth::kSolicited : 0) |
                                          Bth::kMigrated | pad_ << Bth::kPadShift);
    bth.pkey = kDefaultPkey;
    if (info.operation == Operation::congestion) bth.fecn_becn = Bth::kBecn;  // annex A17.9.3
    bth.destination_qp = path.destination_qp;
    bth.ack_request = fields.ack_request ? Bth::kAckRequest : 0;
    bth.psn = fields.psn.value();
    if (info.has(kXrceth)) put<Xrceth>(buffer_, offset).srq = fields.xrc_srq;
    if (info.has(kDeth)) {
        auto& deth = put<Deth>(buffer_, offset);
        deth.qkey = fields.qkey;
        deth.source_qp = fields.source_qp;
    }
    if (info.has(kFeth))
        put<Feth>(buffer_, offset).bits =
            std::uint32_t{fields.flush_level} << Feth::kLevelShift | fields.flush_placement;
    if (info.has(kReth)) {
        auto& reth = put<Reth>(buffer_, offset);
        reth.address = fields.address;
        reth.rkey = fields.rkey;
        reth.length = fields.length;
    }
    if (info.has(kAtomicEth)) {
        auto& atomic = put<AtomicEth>(buffer_, offset);
        atomic.address = fields.address;
        atomic.rkey = fields.rkey;
        atomic.swap_or_add = fields.swap_or_add;
        atomic.compare = fields.compare;
    }
    if (info.has(kAeth)) {
        auto& aeth = put<Aeth>(buffer_, offset);
        aeth.syndrome = fields.syndrome;
        aeth.msn = fields.msn & 0xffffff;
    }
    if (info.has(kAtomicAckEth)) put<AtomicAckEth>(buffer_, offset).original = fields.original;
    if (info.has(kImmDt)) put<ImmDt>(buffer_, offset).octets = fields.immediate;
    if (info.has(kCnp)) put<CnpReserved>(buffer_, offset);
    if (info.has(kIeth)) put<Ieth>(buffer_, offset).rkey = fields.invalidate_key;

    payload_end_ = offset + payload_bytes;
    return buffer_.subspan(offset, payload_bytes);
}

std::span<const std::byte> FrameBuilder::finish() {
    if (pad_ != 0) std::memset(buffer_.data() + payload_end_, 0, pad_);
    const std::size_t end = payload_end_ + pad_;
    const std::uint32_t crc = icrc(buffer_.subspan(ip_offset_, end - ip_offset_));
    for (std::size_t i = 0; i < kIcrcSize; ++i)
        buffer_[end + i] = static_cast<std::byte>(crc >> (8 * i));
    return buffer_.first(end + kIcrcSize);
}

}  // namespace vrnic::roce
