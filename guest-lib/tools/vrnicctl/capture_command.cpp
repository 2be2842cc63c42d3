// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fcntl.h>
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

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
        if (n < 0 && errno == EINTR && !interrupted()) continue;
        if (n < 0) return false;
        bytes += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

// What was read and not written yet.
class Blocks {
  public:
    void add(std::span<const char> bytes) {
        pending_.insert(pending_.end(), bytes.begin(), bytes.end());
    }

    // Whole ones only: a file that ends within one is broken.
    bool write_whole(int to) {
        const std::size_t size = whole();
        if (!write_all(to, pending_.data(), size)) return false;
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<long>(size));
        return true;
    }

  private:
    static constexpr std::size_t kShortest = 12;

    // The second word of a block is its length (pcapng, 3.1).
    std::size_t whole() const {
        std::size_t at = 0;
        while (pending_.size() - at >= kShortest) {
            std::uint32_t length;
            std::memcpy(&length, pending_.data() + at + sizeof(length), sizeof(length));
            if (length < kShortest || length > pending_.size() - at) break;
            at += length;
        }
        return at;
    }

    std::vector<char> pending_;
};

// Until the stream ends, or somebody ends us.
int copy(const Stream& stream, int to) {
    Blocks blocks;
    std::array<char, 65536> bytes;
    while (wait_readable(stream.fd())) {
        const ssize_t n = read(stream.fd(), bytes.data(), bytes.size());
        if (n == 0) break;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EIO) return fail("the device is gone");
        if (n < 0) return fail(fmt::format("cannot read: {}", std::strerror(errno)));
        blocks.add(std::span(bytes).first(static_cast<std::size_t>(n)));
        if (blocks.write_whole(to)) continue;
        if (errno == EPIPE || errno == EINTR) break;  // who reads has enough, or we are ended
        return fail(fmt::format("cannot write: {}", std::strerror(errno)));
    }
    if (const std::uint64_t lost = stream.lost(); lost != 0)
        fmt::print(stderr, "vrnicctl: {} packets found no room\n", lost);
    return 0;
}

int run_capture(const Options& options) {
    if (options.file.empty() && isatty(STDOUT_FILENO))
        return fail("packets are nothing to look at: give --file, or | tshark -i -");
    catch_interrupts();
    const auto stream = open_stream("capture.vrnic", options.stream);
    if (!stream) return fail(stream.error());
    int to = STDOUT_FILENO;
    if (!options.file.empty())
        to = open(options.file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (to < 0) return fail(fmt::format("cannot make {}: {}", options.file, std::strerror(errno)));
    std::signal(SIGPIPE, SIG_IGN);
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
