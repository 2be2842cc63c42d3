// SPDX-License-Identifier: GPL-2.0-or-later
// Random loss of RoCE packets on their way out, the same packets for the same seed.
#pragma once

#include <cstdint>

#include "base/random.h"

namespace vrnic {

class Loss {
  public:
    Loss(std::uint32_t ppm, std::uint64_t seed) : ppm_(ppm), random_(seed) {}

    bool drops() { return random_.chance_ppm(ppm_); }

  private:
    std::uint32_t ppm_;
    Random random_;
};

}  // namespace vrnic
