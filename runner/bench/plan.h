// SPDX-License-Identifier: GPL-2.0-or-later
// What ./vrnic bench measures.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vrnic::runner::bench {

enum class Quantity { bandwidth, latency };

// One perftest line.
struct Measurement {
    std::string operation;  // write, read, send
    Quantity quantity;
    std::uint32_t bytes;  // of a message
    std::uint32_t qps;
    std::uint32_t iterations;  // of each QP

    [[nodiscard]] std::string name() const;
    // The client's, without its peer; for the device in the shell variable `device` and the GID
    // index in `gid`.
    [[nodiscard]] std::string command(const std::string& device, const std::string& gid) const;
};

// quick: fewer sizes, one QP. only: those whose names contain it.
[[nodiscard]] std::vector<Measurement> plan(bool quick, const std::string& only = {});

// "64 B", "4 KiB", "1 MiB"
[[nodiscard]] std::string bytes_text(std::uint32_t bytes);

}  // namespace vrnic::runner::bench
