// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

#include "vrnic_ring.h"

namespace vrnic {

// Why something was refused: VRNIC_SYND_*.
using Syndrome = std::uint32_t;

const char* syndrome_name(Syndrome syndrome);  // for people

}  // namespace vrnic
