// SPDX-License-Identifier: GPL-2.0-or-later
// All queue pairs by number. The number is an index, so that finding one is a load.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/id_pool.h"
#include "rdma/queue_pair.h"

namespace vrnic {

class QpTable {
  public:
    // Numbers 0 and 1 are those of management (IBTA 3.9.5); the others below are left free to tell
    // QPNs from other numbers when people read traces.
    static constexpr std::uint32_t kFirstQpn = 0x10;

    explicit QpTable(std::uint32_t size) : numbers_(kFirstQpn, size), qps_(size) {}

    std::uint32_t size() const { return static_cast<std::uint32_t>(qps_.size()); }

    // nullptr: all numbers are taken.
    QueuePair* add(QueuePair&& qp) {
        const auto qpn = numbers_.take();
        if (!qpn) return nullptr;
        auto& place = qps_[index(*qpn)];
        place = std::make_unique<QueuePair>(std::move(qp));
        place->qpn = *qpn;
        return place.get();
    }
    void remove(std::uint32_t qpn) {  // must be there
        qps_[index(qpn)].reset();
        numbers_.give_back(qpn);
    }
    void clear() {
        for (auto& place : qps_) place.reset();
        numbers_.reset();
    }

    // nullptr: no such QP.
    QueuePair* find(std::uint32_t qpn) const { return by_index(qpn - kFirstQpn); }
    QueuePair* by_index(std::uint32_t index) const {
        return index < qps_.size() ? qps_[index].get() : nullptr;
    }
    static std::uint32_t index(std::uint32_t qpn) { return qpn - kFirstQpn; }

    // O(n), for commands that are rare.
    template <typename Visit>
    void for_each(Visit visit) const {
        for (const auto& qp : qps_)
            if (qp) visit(*qp);
    }
    template <typename Predicate>
    std::uint32_t count(Predicate predicate) const {
        std::uint32_t found = 0;
        for_each([&](const QueuePair& qp) { found += predicate(qp); });
        return found;
    }

  private:
    IdPool numbers_;
    std::vector<std::unique_ptr<QueuePair>> qps_;
};

}  // namespace vrnic
