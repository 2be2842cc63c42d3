// SPDX-License-Identifier: GPL-2.0-or-later
// Packet sequence number: 24 bits, ordered within half the circle (IBTA 9.7.1).
#pragma once

#include <cstdint>

namespace vrnic {

class Psn {
  public:
    static constexpr std::uint32_t kMask = 0xffffff;

    constexpr Psn() = default;
    constexpr explicit Psn(std::uint32_t value) : value_(value & kMask) {}

    constexpr std::uint32_t value() const { return value_; }
    constexpr Psn operator+(std::uint32_t n) const { return Psn(value_ + n); }
    constexpr Psn& operator++() { return *this = *this + 1; }

    // How far this is past other: negative when it comes before.
    constexpr std::int32_t operator-(Psn other) const {
        return static_cast<std::int32_t>((value_ - other.value_) << 8) >> 8;
    }
    constexpr bool operator==(const Psn&) const = default;
    constexpr bool before(Psn other) const { return *this - other < 0; }
    constexpr bool after(Psn other) const { return *this - other > 0; }

  private:
    std::uint32_t value_ = 0;
};

}  // namespace vrnic
