// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "options.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <limits>
#include <map>
#include <random>

namespace vrnic::check {

namespace {

// The ends of packets, pages and cache lines, and their neighbours.
const std::vector<uint32_t> kDefaultSizes = {0,    1,    2,    3,     7,     63,      64,     65,
                                             255,  256,  257,  1023,  1024,  1025,    4095,   4096,
                                             4097, 8191, 9000, 65535, 65536, 1048577, 4194304};

constexpr auto kFooter =
    "Start one side with --server and the other with the server's name or address. What is to be\n"
    "done is said to the client; it tells the server.\n\n"
    "Exit status: 0 all right, 1 data or behaviour wrong, 2 a verbs call or the peer failed,\n"
    "3 wrong usage.";

std::map<std::string, Operation> operation_names() {
    std::map<std::string, Operation> names;
    for (const auto& operation : kOperations) names.emplace(operation.name, operation.operation);
    return names;
}

// A number of bytes, with K, M or G if liked.
std::optional<uint32_t> size_from(const std::string& text) {
    size_t end = 0;
    uint64_t value = 0;
    try {
        value = std::stoull(text, &end, 0);
    } catch (const std::exception&) {
        return std::nullopt;
    }
    uint64_t unit = 1;
    if (end + 1 == text.size()) {
        switch (text[end] | 0x20) {
            case 'k':
                unit = 1u << 10;
                break;
            case 'm':
                unit = 1u << 20;
                break;
            case 'g':
                unit = 1u << 30;
                break;
            default:
                return std::nullopt;
        }
    } else if (end != text.size()) {
        return std::nullopt;
    }
    constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max() / 2;  // RoCE: 2^31 at most
    if (value > kMost / unit) return std::nullopt;
    return static_cast<uint32_t>(value * unit);
}

}  // namespace

std::expected<Options, ExitStatus> Options::parse(int argc, char** argv) {
    Options options;
    Plan& plan = options.plan;
    CLI::App app("Moves data by RDMA between two machines and looks at every byte.", "vrnic-check");
    app.footer(kFooter);
    std::vector<std::string> sizes, operations;
    std::string directions = "both";
    app.add_option("HOST", options.host, "the server to connect to");
    app.add_flag("--server", options.server, "wait for a client");
    app.add_option("-d,--device", options.device, "RDMA device (default: the first)");
    app.add_option("-p,--port", options.port, "TCP port on which the two sides talk (18516)");
    app.add_option("--gid-index", options.gid_index,
                   "of the GID to use (default: the first RoCEv2 one)");
    app.add_flag("--ipv6", plan.ipv6, "choose an IPv6 GID instead of an IPv4 one");
    app.add_option("--mtu", plan.mtu, "path MTU in bytes (default: the smaller of both ports)")
        ->check(CLI::IsMember({256, 512, 1024, 2048, 4096}));
    app.add_option("--ops", operations,
                   "operations, separated by commas: send, send-imm, write, write-imm, read")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--sizes", sizes,
                   "message sizes, separated by commas; K, M and G are understood")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--rounds", plan.rounds, "of each operation and size, each with other data (2)")
        ->check(CLI::Range(1, 1000000));
    app.add_option("--qps", plan.qps, "queue pairs (1)")->check(CLI::Range(1, 4096));
    app.add_option("--depth", plan.depth, "messages under way on each queue pair (4)")
        ->check(CLI::Range(1, 1024));
    app.add_option("--direction", directions, "who starts the operations: client, server, both")
        ->check(CLI::IsMember({"client", "server", "both"}));
    app.add_option("--seed", plan.seed, "of the data (default: a new one each time, printed)");
    app.add_flag("--events", plan.events, "wait for completion events instead of polling");
    app.add_flag("--errors", plan.errors, "check what is reported on errors, instead of data");
    app.add_flag("--atomics", plan.atomics,
                 "check that queue pairs of both sides change words atomically, each change once");
    app.add_flag("--extensions", plan.extensions,
                 "check memory windows, invalidation, ATOMIC WRITE and FLUSH");
    app.add_flag("--removal", options.removal,
                 "alone, without a peer: work until the device is taken away, and look at what\n"
                 "that does; --qps, --depth and --events count. Ends with its standard input");
    app.add_flag(
        "--dmabuf", plan.dmabuf,
        "buffers of /dev/udmabuf, registered as dma-buf (needs root); with --errors also what\n"
        "becomes of those that move (needs the project's test module dmabuf_mover)");
    app.add_flag(
        "--lenient", plan.lenient,
        "with --errors or --extensions: accept what Linux's rdma_rxe is known to report instead");
    app.add_option("--timeout", plan.timeout_seconds, "seconds to wait for one completion (30)")
        ->check(CLI::Range(1, 3600));
    app.add_flag("--json", options.json, "report as JSON");

    auto usage = [](const std::string& text) {
        fmt::print(stderr, "vrnic-check: {}; --help tells more\n", text);
        return std::unexpected(ExitStatus::kUsage);
    };
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        fmt::print("{}", app.help());
        return std::unexpected(ExitStatus::kRight);
    } catch (const CLI::ParseError& error) {
        return usage(error.what());
    }
    const int sides = options.server + !options.host.empty() + options.removal;
    if (sides != 1) return usage("give one of --server, a HOST and --removal");

    plan.directions = directions == "client"   ? Directions::kClient
                      : directions == "server" ? Directions::kServer
                                               : Directions::kBoth;
    const auto names = operation_names();
    for (const auto& operation : kOperations)
        if (operations.empty()) plan.operations.push_back(operation.operation);
    for (const auto& name : operations) {
        const auto found = names.find(name);
        if (found == names.end()) return usage(fmt::format("no operation \"{}\"", name));
        plan.operations.push_back(found->second);
    }
    if (sizes.empty()) plan.sizes = kDefaultSizes;
    for (const auto& text : sizes) {
        const auto size = size_from(text);
        if (!size) return usage(fmt::format("\"{}\" is no size", text));
        plan.sizes.push_back(*size);
    }
    if (app.count("--seed") == 0) plan.seed = std::random_device{}();
    return options;
}

}  // namespace vrnic::check
