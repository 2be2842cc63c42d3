// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "stream.h"

namespace vrnic::ctl {

namespace {

struct Options {
    StreamOptions stream;
    std::uint64_t count = 0;  // records; 0: without end
    bool json = false;
};

// What a record is of, and what its numbers are; nullptr: nothing.
struct Kind {
    const char *name, *number, *a, *b;
    bool has_way;
};
constexpr std::array<Kind, VRNIC_STREAM_KINDS> kKinds = {{
    {"frame", "qp", nullptr, nullptr, true},
    {"doorbell", "qp", nullptr, nullptr, true},
    {"fetched", "qp", "index", nullptr, true},
    {"sent", "qp", "psn", "opcode", false},
    {"received", "qp", "psn", "opcode", false},
    {"acknowledged", "qp", "psn", nullptr, false},
    {"completion", "cq", "qp", "status", false},
    {"event", "cq", nullptr, nullptr, false},
    {"fault", "fault", "qp", "kind", false},
}};

const char* queue_of(const vrnic_stream_record& record) {
    return record.way == VRNIC_STREAM_IN ? "receive" : "send";
}

void print_text(const vrnic_stream_record& record, const Kind& kind) {
    fmt::print("{}.{:09} {} {} {}", record.time / 1'000'000'000, record.time % 1'000'000'000,
               kind.name, kind.number, record.number);
    if (kind.has_way) fmt::print(" queue {}", queue_of(record));
    if (kind.a) fmt::print(" {} {}", kind.a, record.a);
    if (kind.b) fmt::print(" {} {:#x}", kind.b, record.b);
    fmt::print("\n");
}

void print_json(const vrnic_stream_record& record, const Kind& kind) {
    nlohmann::ordered_json out;
    out["time"] = std::uint64_t{record.time};
    out["what"] = kind.name;
    out[kind.number] = std::uint32_t{record.number};
    if (kind.has_way) out["queue"] = queue_of(record);
    if (kind.a) out[kind.a] = std::uint32_t{record.a};
    if (kind.b) out[kind.b] = std::uint32_t{record.b};
    fmt::print("{}\n", out.dump());
}

// Records, of which a read may give any bytes.
class Reader {
  public:
    // False: what came is none.
    template <typename Tell>
    bool take(std::span<const std::byte> bytes, Tell&& tell) {
        pending_.insert(pending_.end(), bytes.begin(), bytes.end());
        std::size_t at = 0;
        vrnic_stream_record record;
        while (pending_.size() - at >= sizeof(record)) {
            std::memcpy(&record, pending_.data() + at, sizeof(record));
            if (record.size < sizeof(record)) return false;
            if (pending_.size() - at < record.size) break;
            at += record.size;
            if (!tell(record)) break;
        }
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(at));
        return true;
    }

  private:
    std::vector<std::byte> pending_;
};

int tell_all(const Stream& stream, const Options& options) {
    Reader reader;
    std::array<std::byte, 65536> bytes;
    std::uint64_t told = 0, lost = 0;
    const auto tell = [&](const vrnic_stream_record& record) {
        if (record.lost != lost)
            fmt::print(stderr, "vrnicctl: {} records found no room\n", record.lost - lost);
        lost = record.lost;
        if (record.what < kKinds.size())
            (options.json ? print_json : print_text)(record, kKinds[record.what]);
        return ++told != options.count;
    };
    while ((options.count == 0 || told < options.count) && wait_readable(stream.fd())) {
        const ssize_t n = read(stream.fd(), bytes.data(), bytes.size());
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EIO) return fail("the device is gone");
        if (n < 0) return fail(fmt::format("cannot read: {}", std::strerror(errno)));
        if (!reader.take(std::span(bytes).first(static_cast<std::size_t>(n)), tell))
            return fail("the device wrote what is no record");
        if (std::fflush(stdout) != 0) break;
    }
    return 0;
}

int run_events(const Options& options) {
    catch_interrupts();
    const auto stream = open_stream("events.vrnic", options.stream);
    if (!stream) return fail(stream.error());
    return tell_all(*stream, options);
}

}  // namespace

void add_events(CLI::App& program, Run& run) {
    const auto options = std::make_shared<Options>();
    CLI::App* command = program.add_subcommand("events", "what the device does, as it does it");
    command->add_option("--qp", options->stream.qps, "to this queue pair; again for more");
    command->add_option("--cq", options->stream.cqs, "to this completion queue");
    command->add_option("--srq", options->stream.srqs, "to this shared receive queue");
    command->add_option("--count", options->count, "end after so many");
    command->add_option("--device", options->stream.device,
                        "RDMA device (default: the first of vrnic)");
    command->add_flag("--json", options->json, "a JSON object a line");
    command->footer(
        "Without --qp, --cq and --srq: to all. Times are of the device's clock, in seconds.\n"
        "Ends with what it was told to look at, or with Ctrl-C. Needs CAP_NET_RAW.");
    command->callback([options, &run] { run = [options] { return run_events(*options); }; });
}

}  // namespace vrnic::ctl
