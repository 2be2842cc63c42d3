// SPDX-License-Identifier: GPL-2.0-or-later
// The admin queue: two rings in guest memory (uapi/vrnic_admin.h).
#pragma once

#include <cstdint>

#include "control/device.h"
#include "host/host.h"
#include "vrnic_regs.h"

namespace vrnic {

class AdminQueue {
  public:
    // The registers ADMIN_*; they can be written only while the queue is disabled.
    struct Setup {
        BusAddress submissions = 0;
        BusAddress completions = 0;
        std::uint32_t log_size = 0;
        std::uint32_t vector = VRNIC_NO_VECTOR;
    };

    AdminQueue(Device& device, std::uint32_t vectors) : device_(device), vectors_(vectors) {}

    Setup& setup() { return setup_; }
    const Setup& setup() const { return setup_; }

    bool enabled() const { return enabled_; }
    // False: the set-up is impossible, or the device is in its fatal state; the queue stays
    // disabled.
    bool enable();
    void disable() { enabled_ = false; }

    void doorbell(std::uint32_t producer);  // ADMIN_DB

    // Carries out at most budget commands. True: more are waiting.
    [[nodiscard]] bool run(std::uint32_t budget);

    void reset();

  private:
    void fail(std::uint32_t reason);
    bool step();                                     // one command; false: the rings failed
    bool answer(const vrnic_admin_cpl& completion);  // false: likewise

    Device& device_;
    std::uint32_t vectors_;
    Setup setup_;
    bool enabled_ = false;
    std::uint32_t producer_ = 0;  // as the driver told
    std::uint32_t consumer_ = 0;  // commands taken
    std::uint32_t answered_ = 0;  // completions written
};

}  // namespace vrnic
