// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's only source of chance: splitmix64, the same sequence for the same seed everywhere.
#pragma once

#include <cstdint>

namespace vrnic {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    // True with probability parts / 1 000 000.
    bool chance_ppm(std::uint32_t parts) { return parts != 0 && next() % 1'000'000 < parts; }

  private:
    std::uint64_t state_;
};

}  // namespace vrnic
