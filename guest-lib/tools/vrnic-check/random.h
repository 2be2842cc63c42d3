// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>

namespace vrnic::check {

// Spreads every input bit over the output: neighbouring keys give unlike patterns.
constexpr uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

// A key made of several numbers, the order counts.
template <typename... Numbers>
constexpr uint64_t key_of(Numbers... numbers) {
    uint64_t key = 0;
    ((key = mix(key ^ static_cast<uint64_t>(numbers))), ...);
    return key;
}

// The same numbers on both sides from the same key.
class Random {
  public:
    explicit Random(uint64_t key) : state_(key) {}
    // 0..limit-1; limit at least 1.
    uint64_t below(uint64_t limit) { return mix(state_++) % limit; }

  private:
    uint64_t state_;
};

}  // namespace vrnic::check
