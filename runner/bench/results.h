// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "bench/plan.h"

namespace vrnic::runner::bench {

// The figures of one device's rounds, and what became of those that gave none.
struct Samples {
    std::vector<double> figures;
    std::vector<std::string> failures;

    // 0 when there are none.
    [[nodiscard]] double median() const;
    [[nodiscard]] double least() const;
    [[nodiscard]] double most() const;
};

struct Comparison {
    Measurement measurement;
    int mtu = 0;
    Samples vrnic;
    Samples rxe;

    // How many times better vrnic is; 0: not known.
    [[nodiscard]] double ratio() const;
};

// What the host can do at all, in MiB/s.
struct Limits {
    double copy = 0;         // memcpy of 1 MiB
    double frames_1500 = 0;  // a bare program that sends frames of that size, one call for each
    double frames_9000 = 0;
};

struct Results {
    std::string date;
    std::string kernel, guest, qemu, accel;
    int rounds = 0;
    Limits limits;
    std::vector<Comparison> comparisons;

    [[nodiscard]] nlohmann::json json() const;
};

// "391 MiB/s", "52.3 µs"
[[nodiscard]] std::string figure_text(double figure, Quantity quantity);

}  // namespace vrnic::runner::bench
