// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "qp_table.h"

#include <new>

namespace vrnic {

QpTable::~QpTable() {
    for (auto& leaf : directory_) delete leaf.load(std::memory_order_relaxed);
}

bool QpTable::insert(uint32_t qpn, Qp* qp) {
    if (qpn >> kQpnBits) return false;
    std::atomic<Leaf*>& slot = directory_[qpn >> kLeafBits];
    Leaf* leaf = slot.load(std::memory_order_relaxed);
    if (leaf == nullptr) {
        leaf = new (std::nothrow) Leaf{};
        if (leaf == nullptr) return false;
        slot.store(leaf, std::memory_order_release);
    }
    (*leaf)[qpn & kLeafMask].store(qp, std::memory_order_release);
    return true;
}

void QpTable::erase(uint32_t qpn) {
    if (qpn >> kQpnBits) return;
    if (Leaf* leaf = directory_[qpn >> kLeafBits].load(std::memory_order_relaxed))
        (*leaf)[qpn & kLeafMask].store(nullptr, std::memory_order_release);
}

}  // namespace vrnic
