// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/capture_check.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/child_process.h"
#include "suites/capture_file.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t ethernet_size = 14;
constexpr std::size_t vlan_size = 4;
constexpr std::size_t ipv4_size = 20;
constexpr std::size_t ipv6_size = 40;
constexpr std::size_t udp_size = 8;
constexpr std::size_t bth_size = 12;
constexpr std::size_t icrc_size = 4;
constexpr std::uint8_t protocol_udp = 17;
constexpr unsigned roce_port = 4791;

// Protocols that tshark takes payloads for when some bytes happen to suit. Ours are random bytes:
// what it then calls malformed is its guess, not the packet.
constexpr std::array payload_guesses{"rpcrdma_infiniband",    "eth_over_ib",     "smcr_infiniband",
                                     "smb_direct_infiniband", "iser_infiniband", "sdp_infiniband",
                                     "fc_infiniband",         "mellanox_eoib"};

unsigned big_endian16(std::span<const std::uint8_t> bytes, std::size_t at) {
    return static_cast<unsigned>(bytes[at]) << 8 | bytes[at + 1];
}

std::uint32_t little_endian32(std::span<const std::uint8_t> bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 4; i-- > 0;) value = value << 8 | bytes[at + i];
    return value;
}

// Where the IP and UDP headers begin and the UDP datagram ends; empty when this is not UDP over IP.
struct Datagram {
    std::size_t ip;
    std::size_t udp;
    std::size_t end;
};

std::optional<Datagram> find_datagram(std::span<const std::uint8_t> frame) {
    if (frame.size() < ethernet_size + vlan_size + ipv4_size + udp_size) return {};
    const bool tagged = big_endian16(frame, 12) == 0x8100;
    const unsigned type = big_endian16(frame, tagged ? 16 : 12);
    const std::size_t ip = ethernet_size + (tagged ? vlan_size : 0);
    std::size_t udp = 0;
    if (type == 0x0800 && frame[ip] == 0x45 && frame[ip + 9] == protocol_udp) udp = ip + ipv4_size;
    if (type == 0x86dd && frame[ip + 6] == protocol_udp) udp = ip + ipv6_size;
    if (udp == 0 || udp + udp_size > frame.size()) return {};
    const std::size_t end = udp + big_endian16(frame, udp + 4);
    if (end > frame.size() || end < udp + udp_size) return {};
    return Datagram{ip, udp, end};
}

struct Counts {
    std::size_t roce = 0;
    std::size_t wrong_icrc = 0;
    std::size_t first_wrong = 0;  // frame number from 1, as tshark counts
};

Result<Counts> count_packets(const fs::path& file) {
    const auto capture = CaptureFile::read(file);
    if (!capture) return std::unexpected(capture.error());
    Counts counts;
    std::size_t number = 0;
    for (const auto& frame : capture->frames()) {
        ++number;
        const auto verdict = judge_icrc(frame.bytes);
        if (verdict == Icrc::not_roce) continue;
        ++counts.roce;
        if (verdict == Icrc::wrong && counts.wrong_icrc++ == 0) counts.first_wrong = number;
    }
    return counts;
}

// The frame numbers that match a display filter.
Result<std::vector<std::string>> tshark_frames(EventLoop& loop, const fs::path& pcap,
                                               const std::string& filter) {
    const fs::path out = pcap.string() + ".tshark";
    fs::remove(out);
    ChildCommand command;
    command.argv = {"tshark", "-n", "-r",     pcap.string(), "-Y",
                    filter,   "-T", "fields", "-e",          "frame.number"};
    for (const char* guess : payload_guesses)
        command.argv.insert(command.argv.end(), {"--disable-heuristic", guess});
    command.output_file = out;
    auto ended = run_to_end(loop, std::move(command), Clock::now() + std::chrono::minutes(2));
    if (!ended) return std::unexpected(ended.error());
    std::vector<std::string> frames;
    std::ifstream in(out);
    for (std::string line; std::getline(in, line);) {
        // Remarks, such as that root should not run it, come on the same file.
        if (!line.empty() && std::ranges::all_of(line, ::isdigit))
            frames.push_back(line);
        else if (ended->status != 0)
            return fail(ExitStatus::failure, "tshark failed: {}", line);
    }
    if (ended->status != 0)
        return fail(ExitStatus::failure, "tshark failed with {}", ended->text());
    return frames;
}

}  // namespace

Icrc judge_icrc(std::span<const std::uint8_t> frame) {
    const auto datagram = find_datagram(frame);
    if (!datagram || big_endian16(frame, datagram->udp + 2) != roce_port) return Icrc::not_roce;
    const auto [begin, udp, end] = *datagram;
    if (end < udp + udp_size + bth_size + icrc_size) return Icrc::wrong;

    // IBTA A17.3.3: over the packet from the IP header on, behind eight bytes of ones in the
    // place of an LRH; what routers may change counts as ones.
    Bytes covered(8, 0xff);
    covered.insert(covered.end(), frame.begin() + static_cast<std::ptrdiff_t>(begin),
                   frame.begin() + static_cast<std::ptrdiff_t>(end - icrc_size));
    const std::size_t ip = 8;
    const std::size_t covered_udp = ip + udp - begin;
    if (udp == begin + ipv4_size) {
        for (std::size_t field : {1, 8, 10, 11}) covered[ip + field] = 0xff;  // TOS, TTL, checksum
    } else {
        covered[ip] |= 0x0f;  // traffic class and flow label
        for (std::size_t field : {1, 2, 3, 7}) covered[ip + field] = 0xff;  // and hop limit
    }
    covered[covered_udp + 6] = covered[covered_udp + 7] = 0xff;  // UDP checksum
    covered[covered_udp + udp_size + 4] = 0xff;                  // BTH resv8a
    const auto computed =
        static_cast<std::uint32_t>(::crc32(0, covered.data(), static_cast<uInt>(covered.size())));
    return computed == little_endian32(frame, end - icrc_size) ? Icrc::right : Icrc::wrong;
}

Result<void> check_capture(EventLoop& loop, const fs::path& pcap) {
    const auto counts = count_packets(pcap);
    if (!counts) return std::unexpected(counts.error());
    if (counts->roce == 0) return fail(ExitStatus::failure, "the capture holds no RoCEv2 packet");
    if (counts->wrong_icrc > 0)
        return fail(ExitStatus::failure,
                    "{} of {} RoCEv2 packets have a wrong ICRC, first frame {}", counts->wrong_icrc,
                    counts->roce, counts->first_wrong);
    const auto decoded = tshark_frames(loop, pcap, "infiniband");
    if (!decoded) return std::unexpected(decoded.error());
    if (decoded->size() != counts->roce)
        return fail(ExitStatus::failure, "tshark decodes {} RoCEv2 packets of {}", decoded->size(),
                    counts->roce);
    const auto malformed = tshark_frames(loop, pcap, "infiniband && _ws.malformed");
    if (!malformed) return std::unexpected(malformed.error());
    if (!malformed->empty())
        return fail(ExitStatus::failure, "tshark calls {} packets malformed, first frame {}",
                    malformed->size(), malformed->front());
    return {};
}

}  // namespace vrnic::runner
