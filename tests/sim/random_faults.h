// SPDX-License-Identifier: GPL-2.0-or-later
// Rules for the device by chance: every kind of fault that a connection survives.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

#include "base/random.h"

namespace vrnic::sim {

// Each kind about every second time, with a probability of at most most_ppm.
inline std::string random_faults(Random& random, std::uint32_t most_ppm) {
    static constexpr const char* kPacketFaults[] = {
        "drop",
        "drop,dir=in",
        "drop,opcode=ack",
        "duplicate",
        "duplicate,for=20us",
        "duplicate,dir=in,for=50us",
        "delay,for=30us",
        "delay,dir=in,for=100us",
        "reorder",
        "reorder,packets=3,for=200us",
        "reorder,dir=in,packets=2,for=100us",
        "corrupt,bytes=3",
        "corrupt,dir=in",
    };
    std::string rules;
    for (const char* fault : kPacketFaults)
        if (random.next() % 2 != 0)
            rules += fmt::format("{},probability=0.{:06};", fault, 1 + random.next() % most_ppm);
    rules += "lose-interrupt,probability=0.2;delay-interrupt,probability=0.2,for=10us;";
    if (random.next() % 4 == 0)
        rules += fmt::format("link-down,after={}us,for={}us;", random.next() % 3000,
                             1 + random.next() % 2000);
    return rules;
}

}  // namespace vrnic::sim
