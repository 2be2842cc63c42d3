// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/port.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vrnic::agent {
namespace {

// There is no udev here to make /dev/virtio-ports.
std::string device_of(std::string_view name) {
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator("/sys/class/virtio-ports", error)) {
        if (trim(read_file(entry.path() / "name")) == name) return entry.path().filename();
    }
    return {};
}

}  // namespace

Result<Port> Port::open(std::string_view name) {
    std::string device;
    // The host announces port names a moment after the driver is loaded.
    if (!wait_until([&] { return !(device = device_of(name)).empty(); }, std::chrono::seconds(10)))
        return std::unexpected("no virtio-serial port " + std::string(name));
    const int fd = ::open(("/dev/" + device).c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return std::unexpected("cannot open /dev/" + device + ": " + std::strerror(errno));
    return Port(fd);
}

void Port::write(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
        if (count > 0)
            bytes.remove_prefix(static_cast<std::size_t>(count));
        else if (errno != EINTR && errno != EAGAIN)
            return;  // the runner is gone
    }
}

}  // namespace vrnic::agent
