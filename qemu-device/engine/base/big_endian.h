// SPDX-License-Identifier: GPL-2.0-or-later
// Big-endian fields of packet headers, unaligned, as types.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace vrnic {

// An unsigned integer of Bytes octets, most significant first, alignment 1.
template <typename T, std::size_t Bytes = sizeof(T)>
struct BigEndian {
    std::array<std::uint8_t, Bytes> octets;

    constexpr operator T() const {
        T value = 0;
        for (std::uint8_t octet : octets) value = static_cast<T>((value << 8) | octet);
        return value;
    }
    constexpr BigEndian& operator=(T value) {
        for (std::size_t i = Bytes; i-- > 0; value = static_cast<T>(value >> 7 >> 1))
            octets[i] = static_cast<std::uint8_t>(value);
        return *this;
    }
};

using Be16 = BigEndian<std::uint16_t>;
using Be24 = BigEndian<std::uint32_t, 3>;
using Be32 = BigEndian<std::uint32_t>;
using Be64 = BigEndian<std::uint64_t>;

}  // namespace vrnic
