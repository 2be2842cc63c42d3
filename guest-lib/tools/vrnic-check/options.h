// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <expected>
#include <optional>
#include <string>

#include "failure.h"
#include "plan.h"

namespace vrnic::check {

// The command line.
struct Options {
    std::string device;  // empty: the first
    std::string host;    // the server to connect to
    bool server = false;
    bool removal = false;  // alone, without a peer
    std::string port = "18516";
    std::optional<uint32_t> gid_index;
    bool json = false;
    Plan plan;  // the client's counts; a server is told by it

    // An exit status when the program has nothing more to do (usage error, --help).
    static std::expected<Options, ExitStatus> parse(int argc, char** argv);
};

}  // namespace vrnic::check
