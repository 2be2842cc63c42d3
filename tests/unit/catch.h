// SPDX-License-Identifier: GPL-2.0-or-later
// Catch2: version 2 has one header of this name, version 3 another.
#pragma once

#if __has_include(<catch2/catch.hpp>)
#include <catch2/catch.hpp>
#else
#include <catch2/catch_all.hpp>
#endif
