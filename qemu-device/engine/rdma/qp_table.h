// SPDX-License-Identifier: GPL-2.0-or-later
// All queue pairs by number. The number is an index, so that finding one is a load.
#pragma once

#include <cstdint>

#include "base/chunked_table.h"
#include "base/id_pool.h"
#include "rdma/queue_pair.h"

namespace vrnic {

class QpTable {
  public:
    // Numbers 0 and 1 are those of management (IBTA 3.9.5); the others below are left free to tell
    // QPNs from other numbers when people read traces.
    static constexpr std::uint32_t kFirstQpn = 0x10;

    static constexpr std::uint32_t kGsiQpn = 1;

    // `count` queue pairs, and the GSI one.
    explicit QpTable(std::uint32_t count) : numbers_(kFirstQpn, count), qps_(places(count)) {}

    // Indices that such a table has.
    static constexpr std::uint32_t places(std::uint32_t count) {
        return count + kFirstQpn - kGsiQpn;
    }

    // nullptr: all numbers are taken.
    QueuePair* add(QueuePair&& qp) {
        const auto qpn = numbers_.take();
        if (!qpn) return nullptr;
        return put(std::move(qp), *qpn);
    }
    // nullptr: there is one.
    QueuePair* add_gsi(QueuePair&& qp) {
        return find(kGsiQpn) ? nullptr : put(std::move(qp), kGsiQpn);
    }
    void remove(std::uint32_t qpn) {  // must be there
        *find(qpn) = {};
        if (qpn != kGsiQpn) numbers_.give_back(qpn);
    }
    void clear() {
        qps_.clear();
        numbers_.reset();
    }

    // nullptr: no such QP.
    QueuePair* find(std::uint32_t qpn) { return by_index(index(qpn)); }
    QueuePair* by_index(std::uint32_t index) {
        QueuePair* qp = qps_.find(index);
        return qp && qp->qpn != 0 ? qp : nullptr;
    }
    const QueuePair* by_index(std::uint32_t index) const {
        return const_cast<QpTable*>(this)->by_index(index);
    }
    static std::uint32_t index(std::uint32_t qpn) { return qpn - kGsiQpn; }

    // O(n), for commands that are rare.
    template <typename Visit>
    void for_each(Visit visit) {
        qps_.for_each([&](QueuePair& qp) {
            if (qp.qpn != 0) visit(qp);
        });
    }
    template <typename Predicate>
    std::uint32_t count(Predicate predicate) const {
        std::uint32_t found = 0;
        qps_.for_each([&](const QueuePair& qp) { found += qp.qpn != 0 && predicate(qp); });
        return found;
    }

  private:
    QueuePair* put(QueuePair&& qp, std::uint32_t qpn) {
        QueuePair& place = qps_.make(index(qpn));
        place = std::move(qp);
        place.qpn = qpn;
        return &place;
    }

    IdPool numbers_;
    ChunkedTable<QueuePair> qps_;  // qpn 0: none
};

}  // namespace vrnic
