// SPDX-License-Identifier: GPL-2.0-or-later
// Compiled once for all files of the simulator: Catch2 alone takes seconds.
#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "unit/catch.h"
