// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>

namespace vrnic {

// The device's clock, which completions are stamped with, in ns. It is a register that the context
// has mapped for reading.
class DeviceClock {
  public:
    DeviceClock() = default;
    explicit DeviceClock(const void* reg) : register_(static_cast<const volatile uint64_t*>(reg)) {}

    bool present() const { return register_ != nullptr; }
    uint64_t now() const;

  private:
    const volatile uint64_t* register_ = nullptr;
};

// Tells the wall clock time of a device time: both clocks are read together now and then, and what
// lies between is the same on both. One user at a time.
class WallClock {
  public:
    // ns since 1970 (CLOCK_REALTIME) of a time of the device's clock.
    uint64_t at(const DeviceClock& clock, uint64_t device_time);

  private:
    void compare(const DeviceClock& clock);

    bool known_ = false;
    uint64_t device_ = 0;  // the same moment on both
    uint64_t wall_ = 0;
};

}  // namespace vrnic
