// SPDX-License-Identifier: GPL-2.0-or-later
// Hands out numbers first..last of objects; a freed number comes back last, so that stale ones stay
// unused for long.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vrnic {

class IdPool {
  public:
    IdPool(std::uint32_t first, std::uint32_t count) : first_(first), live_(count), free_(count) {
        reset();
    }

    // nullopt: all are taken.
    [[nodiscard]] std::optional<std::uint32_t> take() {
        if (free_count_ == 0) return std::nullopt;
        const std::uint32_t id = free_[head_];
        head_ = next(head_);
        --free_count_;
        live_[id - first_] = true;
        return id;
    }

    bool is_live(std::uint32_t id) const {
        return id >= first_ && id - first_ < live_.size() && live_[id - first_];
    }

    // id must be live.
    void give_back(std::uint32_t id) {
        live_[id - first_] = false;
        const std::size_t tail = (head_ + free_count_) % free_.size();
        free_[tail] = id;
        ++free_count_;
    }

    void reset() {
        live_.assign(live_.size(), false);
        for (std::size_t i = 0; i < free_.size(); ++i)
            free_[i] = first_ + static_cast<std::uint32_t>(i);
        head_ = 0;
        free_count_ = free_.size();
    }

  private:
    std::size_t next(std::size_t at) const { return at + 1 == free_.size() ? 0 : at + 1; }

    std::uint32_t first_;
    std::vector<bool> live_;
    std::vector<std::uint32_t> free_;  // a ring
    std::size_t head_ = 0;
    std::size_t free_count_ = 0;
};

}  // namespace vrnic
