// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace vrnic {

struct Qp;

// QP by number, for completions. Two levels of 2^12 each cover the 24 bits of a QPN. find() takes
// no lock and never allocates; the caller sees to it that the QP stays (it holds the lock of a
// completion queue, see Qp destruction). insert() and erase() are called one at a time.
class QpTable {
  public:
    QpTable() = default;
    ~QpTable();
    QpTable(const QpTable&) = delete;
    QpTable& operator=(const QpTable&) = delete;

    // false: no memory, or not a QPN.
    [[nodiscard]] bool insert(uint32_t qpn, Qp* qp);
    void erase(uint32_t qpn);

    // nullptr for a number that is not in the table.
    Qp* find(uint32_t qpn) const {
        if (qpn >> kQpnBits) return nullptr;
        const Leaf* leaf = directory_[qpn >> kLeafBits].load(std::memory_order_acquire);
        return leaf ? (*leaf)[qpn & kLeafMask].load(std::memory_order_acquire) : nullptr;
    }

  private:
    static constexpr uint32_t kQpnBits = 24;
    static constexpr uint32_t kLeafBits = 12;
    static constexpr uint32_t kLeafMask = (1u << kLeafBits) - 1;
    using Leaf = std::array<std::atomic<Qp*>, 1u << kLeafBits>;

    std::array<std::atomic<Leaf*>, 1u << (kQpnBits - kLeafBits)> directory_{};
};

}  // namespace vrnic
