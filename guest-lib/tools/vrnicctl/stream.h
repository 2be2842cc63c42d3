// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// A descriptor of what a device does, of objects that are told by number.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "commands.h"
#include "open_device.h"
#include "vrnicdv.h"

namespace vrnic::ctl {

// What the subcommands that read one have in common.
struct StreamOptions {
    std::string device;
    std::vector<std::uint32_t> qps, cqs, srqs;  // none of all: everything
};

class Stream {
  public:
    Stream(ContextPtr context, int fd) : context_(std::move(context)), fd_(fd) {}
    Stream(Stream&& other) noexcept
        : context_(std::move(other.context_)), fd_(std::exchange(other.fd_, -1)) {}
    Stream& operator=(Stream&&) = delete;
    ~Stream() {
        if (fd_ >= 0) close(fd_);
    }
    int fd() const { return fd_; }
    std::uint64_t lost() const;  // records for which there was no room

  private:
    ContextPtr context_;
    int fd_;
};

// name: of the interface. On failure a line for a person.
std::expected<Stream, std::string> open_stream(const char* name, const StreamOptions& options);

// From here on SIGINT and SIGTERM only make interrupted() true. To be called before a stream is
// opened: a shell starts what is in its background with SIGINT ignored.
void catch_interrupts();
bool interrupted();

// Until there is something to read, be it the end. False: interrupted, also by what came before.
bool wait_readable(int fd);

}  // namespace vrnic::ctl
