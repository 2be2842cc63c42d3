// SPDX-License-Identifier: GPL-2.0-or-later
// A file of all frames, in pcapng. Frames gather in a buffer; the file is written when that is
// full, when the host's timer says so (flush), and at the end. A file that cannot be written any
// more (a full disk) ends the capture, with a line in the log, and nothing else.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/direction.h"
#include "host/host.h"

namespace vrnic {

class Capture {
  public:
    // Makes the file, or empties it. interface: the name that readers of the file are shown. The
    // error is one line for people.
    static std::expected<std::unique_ptr<Capture>, std::string> open(Host& host, std::string file,
                                                                     std::string_view interface);
    ~Capture();  // flushes
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;

    void add(Direction direction, std::span<const std::byte> frame);
    void flush();

    bool ended() const { return fd_ < 0; }  // nothing is written any more
    const std::string& file() const { return file_; }

  private:
    Capture(Host& host, std::string file, int fd, std::string_view interface);
    void end(int error);

    Host& host_;
    std::string file_;
    int fd_;
    std::vector<std::byte> buffer_;
    std::uint64_t written_ = 0;  // bytes of the file: whole blocks
};

}  // namespace vrnic
