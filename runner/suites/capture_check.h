// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "base/error.h"
#include "base/event_loop.h"

namespace vrnic::runner {

// Judges a capture (capture_file.h) as others see it: tshark decodes every RoCEv2 packet and
// finds none malformed, and each invariant CRC is right by a computation of our own that shares
// nothing with the device's. A capture without RoCEv2 packets is a failure.
[[nodiscard]] Result<void> check_capture(EventLoop& loop, const std::filesystem::path& pcap);

enum class Icrc { not_roce, right, wrong };
// One Ethernet frame. RoCEv2 over IPv4 or IPv6, without VLAN tags (IBTA Annex A17).
[[nodiscard]] Icrc judge_icrc(std::span<const std::uint8_t> frame);

}  // namespace vrnic::runner
