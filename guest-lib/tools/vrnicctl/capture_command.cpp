// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "stream.h"

namespace vrnic::ctl {

namespace {

struct Options {
    StreamOptions stream;
    std::string file;  // empty: standard output
};

bool write_all(int to, const char* bytes, std::size_t size) {
    while (size != 0) {
        const ssize_t n = write(to, bytes, size);
        if (n < 0) return false;
        bytes += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

// Until the stream ends, or somebody ends us.
int copy(const Stream& stream, int to) {
    std::array<char, 65536> bytes;
    while (!interrupted()) {
        const ssize_t n = read(stream.fd(), bytes.data(), bytes.size());
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EIO) return fail("the device is gone");
        if (n < 0) return fail(fmt::format("cannot read: {}", std::strerror(errno)));
        if (write_all(to, bytes.data(), static_cast<std::size_t>(n))) continue;
        if (errno == EPIPE) break;  // who reads has enough
        if (errno != EINTR) return fail(fmt::format("cannot write: {}", std::strerror(errno)));
    }
    if (const std::uint64_t lost = stream.lost(); lost != 0)
        fmt::print(stderr, "vrnicctl: {} packets found no room\n", lost);
    return 0;
}

int run_capture(const Options& options) {
    if (options.file.empty() && isatty(STDOUT_FILENO))
        return fail("packets are nothing to look at: give --file, or | tshark -i -");
    const auto stream = open_stream("capture.vrnic", options.stream);
    if (!stream) return fail(stream.error());
    int to = STDOUT_FILENO;
    if (!options.file.empty())
        to = open(options.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (to < 0) return fail(fmt::format("cannot make {}: {}", options.file, std::strerror(errno)));
    std::signal(SIGPIPE, SIG_IGN);
    catch_interrupts();
    const int status = copy(*stream, to);
    if (to != STDOUT_FILENO) close(to);
    return status;
}

}  // namespace

void add_capture(CLI::App& program, Run& run) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        program.add_subcommand("capture", "the packets of queue pairs, as a pcapng file");
    command->add_option("--qp", options->stream.qps,
                        "of this queue pair; again for more (default: of all)");
    command->add_option("--file", options->file, "write there (default: standard output)");
    command->add_option("--device", options->stream.device,
                        "RDMA device (default: the first of vrnic)");
    command->footer(
        "Ends with the queue pairs that it was told, or with Ctrl-C. Needs CAP_NET_RAW.\n"
        "  vrnicctl capture --qp 17 | tshark -i -");
    command->callback([options, &run] { run = [options] { return run_capture(*options); }; });
}

}  // namespace vrnic::ctl
