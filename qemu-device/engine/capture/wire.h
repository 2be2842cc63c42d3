// SPDX-License-Identifier: GPL-2.0-or-later
// The one place where frames leave the device and come to it, so that a capture misses none.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "capture/capture.h"
#include "host/host.h"

namespace vrnic {

class Wire {
  public:
    explicit Wire(Host& host) : host_(host) {}

    // As Host::send_frame.
    [[nodiscard]] SendResult send(std::span<const std::byte> frame) {
        const SendResult result = host_.send_frame(frame);
        if (result == SendResult::sent) passed(Direction::out, frame);
        return result;
    }
    // A frame that came, or one that goes from the device to itself, either end of its way.
    void passed(Direction direction, std::span<const std::byte> frame) {
        if (capture_) [[unlikely]]
            note(direction, frame);
    }

    // nullptr: none.
    void set_capture(std::unique_ptr<Capture> capture) { capture_ = std::move(capture); }
    const Capture* capture() const { return capture_.get(); }
    void flush();

  private:
    void note(Direction direction, std::span<const std::byte> frame);

    Host& host_;
    std::unique_ptr<Capture> capture_;
};

}  // namespace vrnic
