// SPDX-License-Identifier: GPL-2.0-or-later
// Hands out numbers first .. first + count - 1 of objects; a freed number comes back last, so that
// stale ones stay unused for long. Memory is that of the numbers which were ever given out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vrnic {

class IdPool {
  public:
    IdPool(std::uint32_t first, std::uint32_t count) : first_(first), count_(count) {}

    // nullopt: all are taken.
    [[nodiscard]] std::optional<std::uint32_t> take() {
        std::uint32_t at;
        if (next_.size() < count_) {
            at = static_cast<std::uint32_t>(next_.size());
            next_.push_back(kLive);
        } else if (oldest_ != kNone) {
            at = oldest_;
            oldest_ = next_[at];
            if (oldest_ == kNone) newest_ = kNone;
            next_[at] = kLive;
        } else {
            return std::nullopt;
        }
        return first_ + at;
    }

    bool is_live(std::uint32_t id) const {
        return id >= first_ && id - first_ < next_.size() && next_[id - first_] == kLive;
    }

    // id must be live.
    void give_back(std::uint32_t id) {
        const std::uint32_t at = id - first_;
        next_[at] = kNone;
        (newest_ == kNone ? oldest_ : next_[newest_]) = at;
        newest_ = at;
    }

    void reset() {
        next_.clear();
        oldest_ = newest_ = kNone;
    }

  private:
    static constexpr std::uint32_t kNone = ~0u;      // end of the list
    static constexpr std::uint32_t kLive = ~0u - 1;  // given out

    std::uint32_t first_;
    std::uint32_t count_;
    // Of the numbers that were given out once: live, or the next one in the list of freed ones,
    // oldest first.
    std::vector<std::uint32_t> next_;
    std::uint32_t oldest_ = kNone;
    std::uint32_t newest_ = kNone;
};

}  // namespace vrnic
