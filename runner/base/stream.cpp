// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace vrnic::runner {

Stream::Stream(UniqueFd fd, Receive receive) : fd_(std::move(fd)), receive_(std::move(receive)) {
    ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
    reading_ =
        std::make_unique<FdWatch>(fd_.get(), FdWatch::For::reading, [this] { on_readable(); });
}

void Stream::on_readable() {
    std::array<char, 64 * 1024> buffer;
    const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
    if (count > 0) {
        receive_(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
        closed_ = true;
        reading_.reset();
        writing_.reset();
    }
}

void Stream::drain() {
    std::array<char, 64 * 1024> buffer;
    for (int rounds = 0; rounds < 1024 && !closed_; ++rounds) {
        const ssize_t count = ::read(fd_.get(), buffer.data(), buffer.size());
        if (count <= 0) return;
        receive_(std::string_view(buffer.data(), static_cast<std::size_t>(count)));
    }
}

void Stream::send(std::string_view bytes) {
    if (closed_) return;
    unsent_ += bytes;
    flush();
}

void Stream::flush() {
    while (!unsent_.empty()) {
        const ssize_t count = ::write(fd_.get(), unsent_.data(), unsent_.size());
        if (count > 0) {
            unsent_.erase(0, static_cast<std::size_t>(count));
        } else if (errno == EAGAIN) {
            if (!writing_)
                writing_ = std::make_unique<FdWatch>(fd_.get(), FdWatch::For::writing,
                                                     [this] { flush(); });
            return;
        } else if (errno != EINTR) {
            unsent_.clear();  // the reading side sees the end
        }
    }
    writing_.reset();
}

void LineCutter::take(std::string_view bytes) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::size_t room = limit_ - partial_.size();
        const std::size_t count = std::min({end, bytes.size(), room});
        partial_ += bytes.substr(0, count);
        bytes.remove_prefix(count);
        const bool ended = !bytes.empty() && bytes.front() == '\n';
        if (ended) bytes.remove_prefix(1);
        if (ended || partial_.size() >= limit_) emit();
    }
}

void LineCutter::finish() {
    if (!partial_.empty()) emit();
}

void LineCutter::emit() {
    // Moved out first: the callback may feed this cutter again.
    const std::string line = std::exchange(partial_, {});
    line_(line);
}

}  // namespace vrnic::runner
