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

    // Compilers make one load and a swap of a cast, and do not of a loop.
    constexpr operator T() const {
        if constexpr (Bytes == sizeof(T)) return swap(std::bit_cast<T>(octets));
        T value = 0;
        for (std::uint8_t octet : octets) value = static_cast<T>((value << 8) | octet);
        return value;
    }
    constexpr BigEndian& operator=(T value) {
        if constexpr (Bytes == sizeof(T)) {
            octets = std::bit_cast<std::array<std::uint8_t, Bytes>>(swap(value));
        } else {
            for (std::size_t i = Bytes; i-- > 0; value = static_cast<T>(value >> 7 >> 1))
                octets[i] = static_cast<std::uint8_t>(value);
        }
        return *this;
    }

  private:
    static constexpr T swap(T value) {
        return std::endian::native == std::endian::big ? value : std::byteswap(value);
    }
};

using Be16 = BigEndian<std::uint16_t>;
using Be24 = BigEndian<std::uint32_t, 3>;
using Be32 = BigEndian<std::uint32_t>;
using Be64 = BigEndian<std::uint64_t>;

}  // namespace vrnic
