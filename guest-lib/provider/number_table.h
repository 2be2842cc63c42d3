// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

namespace vrnic {

// Objects by number (QPN, SRQN), for completions. Two levels of 2^12 each cover 24 bits. find()
// takes no lock and never allocates; the caller sees to it that the object stays (he holds the lock
// of a completion queue, see Qp and Srq destruction). insert() and erase() are called one at a
// time.
template <typename T>
class NumberTable {
  public:
    NumberTable() = default;
    ~NumberTable() {
        for (auto& leaf : directory_) delete leaf.load(std::memory_order_relaxed);
    }
    NumberTable(const NumberTable&) = delete;
    NumberTable& operator=(const NumberTable&) = delete;

    // false: no memory, or a number of more than 24 bits.
    [[nodiscard]] bool insert(uint32_t number, T* object) {
        if (number >> kBits) return false;
        std::atomic<Leaf*>& slot = directory_[number >> kLeafBits];
        Leaf* leaf = slot.load(std::memory_order_relaxed);
        if (leaf == nullptr) {
            leaf = new (std::nothrow) Leaf{};
            if (leaf == nullptr) return false;
            slot.store(leaf, std::memory_order_release);
        }
        (*leaf)[number & kLeafMask].store(object, std::memory_order_release);
        return true;
    }
    void erase(uint32_t number) {
        if (number >> kBits) return;
        if (Leaf* leaf = directory_[number >> kLeafBits].load(std::memory_order_relaxed))
            (*leaf)[number & kLeafMask].store(nullptr, std::memory_order_release);
    }

    // nullptr for a number that is not in the table.
    T* find(uint32_t number) const {
        if (number >> kBits) return nullptr;
        const Leaf* leaf = directory_[number >> kLeafBits].load(std::memory_order_acquire);
        return leaf ? (*leaf)[number & kLeafMask].load(std::memory_order_acquire) : nullptr;
    }

  private:
    static constexpr uint32_t kBits = 24;
    static constexpr uint32_t kLeafBits = 12;
    static constexpr uint32_t kLeafMask = (1u << kLeafBits) - 1;
    using Leaf = std::array<std::atomic<T*>, 1u << kLeafBits>;

    std::array<std::atomic<Leaf*>, 1u << (kBits - kLeafBits)> directory_{};
};

}  // namespace vrnic
