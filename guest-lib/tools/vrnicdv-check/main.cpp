// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// vrnicdv-check DEVICE: tries all of libvrnic on a device, and prints what it found as KTAP.
// vrnicdv-check DEVICE --race SECONDS: see race.h; --hold: see hold.h. Run as root: it gives up and
// takes back its capabilities. Exit status 1: something is wrong.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "bench.h"
#include "hold.h"
#include "race.h"

int main(int argc, char** argv) {
    using namespace vrnic::dvcheck;
    if (argc == 4 && std::strcmp(argv[2], "--race") == 0)
        return run_race(argv[1], static_cast<unsigned>(std::strtoul(argv[3], nullptr, 10)));
    if (argc == 3 && std::strcmp(argv[2], "--hold") == 0) return run_hold(argv[1]);
    if (argc != 2) {
        fmt::print(stderr,
                   "vrnicdv-check DEVICE [--race SECONDS | --hold]: of an RDMA device of vrnic\n");
        return 3;
    }
    std::vector<Case> cases = inspect_cases();
    for (auto* more : {fault_cases, stream_cases, attribute_cases})
        for (Case& one : more()) cases.push_back(std::move(one));
    fmt::print("KTAP version 1\n1..{}\n", cases.size());
    int status = 0, number = 0;
    for (const Case& one : cases) {
        ++number;
        auto bench = Bench::set_up(argv[1]);
        const auto result = bench ? one.run(*bench) : Result<void>(std::unexpected(bench.error()));
        if (!result) {
            status = 1;
            fmt::print("# {}\n", result.error().message);
        }
        fmt::print("{} {} {}\n", result ? "ok" : "not ok", number, one.name);
        std::fflush(stdout);
    }
    return status;
}
