// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "capture/pcapng.h"
#include "host/log.h"

namespace vrnic {

namespace {
constexpr std::size_t kBuffer = 256 * 1024;
}

std::expected<std::unique_ptr<Capture>, std::string> Capture::open(Host& host, std::string file,
                                                                   std::string_view interface) {
    // A pipe that nobody reads, or reads too slowly, must not stop the machine.
    const int fd =
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0644);
    if (fd < 0) return std::unexpected(text("capture={}: {}", file, std::strerror(errno)));
    return std::unique_ptr<Capture>(new Capture(host, std::move(file), fd, interface));
}

Capture::Capture(Host& host, std::string file, int fd, std::string_view interface)
    : host_(host), file_(std::move(file)), fd_(fd) {
    buffer_.reserve(kBuffer);
    pcapng::append_header(buffer_, interface);
}

Capture::~Capture() {
    flush();
    if (fd_ >= 0) ::close(fd_);
}

void Capture::add(Direction direction, std::span<const std::byte> frame) {
    if (buffer_.size() + pcapng::packet_block_size(frame.size()) > kBuffer) flush();
    if (fd_ >= 0) pcapng::append_packet(buffer_, direction, host_.wall_time(), frame);
}

void Capture::flush() {
    std::span<const std::byte> rest = buffer_;
    while (fd_ >= 0 && !rest.empty()) {
        const ssize_t taken = ::write(fd_, rest.data(), rest.size());
        if (taken >= 0)
            rest = rest.subspan(static_cast<std::size_t>(taken));
        else if (errno != EINTR)
            end(errno);
    }
    written_ += buffer_.size();
    buffer_.clear();
}

void Capture::end(int error) {
    // What is in the file stays readable: no part of a block.
    static_cast<void>(::ftruncate(fd_, static_cast<off_t>(written_)));
    ::close(std::exchange(fd_, -1));
    log_info(host_, "capture: {} cannot be written ({}), it ends after {} bytes", file_,
             std::strerror(error), written_);
}

}  // namespace vrnic
