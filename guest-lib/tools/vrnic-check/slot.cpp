// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "slot.h"

#include <fmt/format.h>

#include <algorithm>

#include "random.h"

namespace vrnic::check {

namespace {

constexpr uint32_t kGuard = 64;       // least bytes before the first and after the last piece
constexpr uint32_t kMisalign = 64;    // the first piece begins up to this much later
constexpr uint32_t kLargestGap = 61;  // between two pieces, at least 1

}  // namespace

SlotLayout SlotLayout::plan(uint32_t message_size, uint32_t pieces, uint64_t key) {
    Random random(key);
    SlotLayout layout;
    uint32_t at = kGuard + static_cast<uint32_t>(random.below(kMisalign));
    uint32_t left = message_size;
    for (uint32_t i = 0; i < pieces && left > 0; ++i) {
        const uint32_t later = pieces - 1 - i;
        uint32_t length = left;
        if (later > 0 && left > later) {
            // About a fair share, odd, and at least a byte left for each later piece.
            const uint32_t share = left / (later + 1);
            length = static_cast<uint32_t>(1 + random.below(2 * uint64_t{share})) | 1;
            length = std::min(length, left - later);
        }
        layout.pieces.push_back({at, length});
        left -= length;
        at += length;
        if (left > 0) at += 1 + static_cast<uint32_t>(random.below(kLargestGap));
    }
    layout.size = size_t{at} + kGuard;
    return layout;
}

size_t SlotLayout::largest(uint32_t message_size, uint32_t pieces) {
    const size_t size =
        size_t{message_size} + 2 * kGuard + kMisalign + size_t{pieces} * kLargestGap;
    return (size + 63) / 64 * 64;
}

void Slot::fill_message(const Pattern& message) {
    uint64_t offset = 0;
    for (const auto& piece : layout_.pieces) {
        message.fill(bytes_.subspan(piece.offset, piece.length), offset);
        offset += piece.length;
    }
}

std::optional<std::string> Slot::verify(const Pattern& message) const {
    uint64_t offset = 0;  // in the message
    size_t guard = 0;     // where the guard bytes before the next piece begin
    auto check_guard = [&](size_t end) -> std::optional<std::string> {
        auto mismatch = background_.compare(bytes_.subspan(guard, end - guard), guard);
        if (!mismatch) return std::nullopt;
        return fmt::format(
            "{} guard byte(s) changed, the first {} bytes into the slot (0x{:02x} became "
            "0x{:02x}); "
            "the message has {} piece(s), at {}",
            mismatch->count, guard + mismatch->position, static_cast<unsigned>(mismatch->expected),
            static_cast<unsigned>(mismatch->found), layout_.pieces.size(), message_offset());
    };
    for (const auto& piece : layout_.pieces) {
        if (auto text = check_guard(piece.offset)) return text;
        const auto data = bytes_.subspan(piece.offset, piece.length);
        if (auto mismatch = message.compare(data, offset)) {
            const bool untouched = !background_.compare(data, piece.offset);
            return fmt::format(
                "{} byte(s) of {} wrong, the first at message offset {} (expected 0x{:02x}, found "
                "0x{:02x}){}",
                mismatch->count, piece.length, offset + mismatch->position,
                static_cast<unsigned>(mismatch->expected), static_cast<unsigned>(mismatch->found),
                untouched ? "; nothing was written here at all" : "");
        }
        offset += piece.length;
        guard = piece.offset + piece.length;
    }
    return check_guard(bytes_.size());
}

}  // namespace vrnic::check
