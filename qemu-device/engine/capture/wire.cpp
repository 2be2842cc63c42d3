// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/wire.h"

namespace vrnic {

void Wire::note(Direction direction, std::span<const std::byte> frame) {
    capture_->add(direction, frame);
    if (capture_->ended()) capture_.reset();
}

void Wire::flush() {
    if (!capture_) return;
    capture_->flush();
    if (capture_->ended()) capture_.reset();
}

}  // namespace vrnic
