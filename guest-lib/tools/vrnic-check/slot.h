// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pattern.h"

namespace vrnic::check {

// Where one message lies in its slot of a buffer: in one or more pieces, at odd offsets, with guard
// bytes before, between and after. Both sides derive it from the same key.
struct SlotLayout {
    struct Piece {
        uint32_t offset;  // in the slot
        uint32_t length;
    };
    std::vector<Piece> pieces;  // none for an empty message
    size_t size = 0;            // of the slot, guards included

    // `pieces` at least 1; fewer are made of a message that has fewer bytes.
    static SlotLayout plan(uint32_t message_size, uint32_t pieces, uint64_t key);
    // Most that a slot needs, in bytes: a multiple of 64.
    static size_t largest(uint32_t message_size, uint32_t pieces);

    // A receive may offer this much more room than the message needs; it must stay untouched.
    static constexpr uint32_t kSlack = 17;
};

// The bytes of a slot: the message in its pieces, the background everywhere else.
class Slot {
  public:
    Slot(std::span<std::byte> bytes, SlotLayout layout, uint64_t background_key)
        : bytes_(bytes.first(layout.size)),
          layout_(std::move(layout)),
          background_(background_key) {}

    const SlotLayout& layout() const { return layout_; }
    std::byte* at(const SlotLayout::Piece& piece) const { return bytes_.data() + piece.offset; }
    // Of a message in one piece.
    size_t message_offset() const { return layout_.pieces.empty() ? 0 : layout_.pieces[0].offset; }

    void fill_background() { background_.fill(bytes_, 0); }
    void fill_message(const Pattern& message);
    // Looks at every byte. The text tells where the first wrong one is.
    [[nodiscard]] std::optional<std::string> verify(const Pattern& message) const;

  private:
    std::span<std::byte> bytes_;
    SlotLayout layout_;
    Pattern background_;
};

}  // namespace vrnic::check
