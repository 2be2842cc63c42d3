// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/ack_coalescing.h"

#include "unit/catch.h"

namespace vrnic {
namespace {

constexpr Nanoseconds kMicrosecond = 1000;

// Requests at this distance, until they are known for what they are. The time of the last.
Nanoseconds requests(AckCoalescing& acks, Nanoseconds from, Nanoseconds gap) {
    constexpr int kMany = 40;
    for (int i = 0; i < kMany; ++i) {
        acks.note_request(from += gap);
        if (acks.due(from)) acks.released();
    }
    return from;
}

}  // namespace

TEST_CASE("a requester that waits for each acknowledgement gets it at once") {
    AckCoalescing acks;
    const Nanoseconds now = requests(acks, 0, 80 * kMicrosecond);
    acks.note_request(now + 80 * kMicrosecond);
    CHECK_FALSE(acks.holds());
    CHECK(acks.deadline() == kNever);
    CHECK(acks.due(now + 80 * kMicrosecond));
}

TEST_CASE("acknowledgements of a stream wait for its pause") {
    AckCoalescing acks;
    Nanoseconds now = requests(acks, 0, 10 * kMicrosecond);
    acks.released();
    acks.note_request(now += 10 * kMicrosecond);
    CHECK(acks.holds());
    CHECK(acks.deadline() == now + AckCoalescing::kPause);
    acks.note_request(now += 10 * kMicrosecond);
    // The deadline passes while the stream goes on: it moves.
    now += 10 * kMicrosecond;
    CHECK_FALSE(acks.due(now));
    CHECK(acks.deadline() == now + 10 * kMicrosecond);
    CHECK(acks.due(now + 10 * kMicrosecond));
}

TEST_CASE("no acknowledgement waits for ever") {
    AckCoalescing acks;
    Nanoseconds now = requests(acks, 0, 10 * kMicrosecond);
    acks.released();
    const Nanoseconds first = now + 10 * kMicrosecond;
    do {
        acks.note_request(now += 10 * kMicrosecond);
    } while (!acks.due(now));
    CHECK(now == first + AckCoalescing::kLongestWait);
}

TEST_CASE("a stream that has become slow is none") {
    AckCoalescing acks;
    const Nanoseconds now = requests(acks, 0, 10 * kMicrosecond);
    acks.note_request(requests(acks, now, 100 * kMicrosecond));
    CHECK_FALSE(acks.holds());
}

}  // namespace vrnic
