// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench/perftest.h"

#include <sstream>
#include <vector>

namespace vrnic::runner::bench {
namespace {

// The numbers of a line that has nothing else.
std::vector<double> numbers(const std::string& line) {
    std::istringstream in(line);
    std::vector<double> found;
    for (double number = 0; in >> number;) found.push_back(number);
    return in.eof() ? found : std::vector<double>{};
}

}  // namespace

std::optional<double> perftest_figure(const std::string& printed, Quantity quantity) {
    // Bandwidth: size, iterations, peak, average, million messages/s. Latency: size, iterations,
    // minimum, maximum, typical, average, deviation, 99 %, 99.9 %.
    const bool latency = quantity == Quantity::latency;
    const std::size_t least = latency ? 6 : 5;
    std::istringstream in(printed);
    std::optional<double> figure;
    for (std::string line; std::getline(in, line);) {
        const auto columns = numbers(line);
        if (columns.size() >= least) figure = columns[latency ? 4 : 3];
    }
    return figure;
}

}  // namespace vrnic::runner::bench
