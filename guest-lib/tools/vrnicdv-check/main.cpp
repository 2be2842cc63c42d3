// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// vrnicdv-check DEVICE: tries all of libvrnic on a device, and prints what it found as KTAP. Run as
// root: it gives up and takes back its capabilities. Exit status 1: something is wrong.
#include <fmt/format.h>

#include "bench.h"

int main(int argc, char** argv) {
    using namespace vrnic::dvcheck;
    if (argc != 2) {
        fmt::print(stderr, "vrnicdv-check: give it an RDMA device of vrnic\n");
        return 3;
    }
    std::vector<Case> cases = inspect_cases();
    for (auto* more : {fault_cases, attribute_cases})
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
