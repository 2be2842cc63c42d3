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

TEST_CASE("a quick requester that waits for each acknowledgement seldom waits for a pause") {
    AckCoalescing acks;
    constexpr int kMessages = 10'000;
    constexpr Nanoseconds kRoundTrip = 15 * kMicrosecond;
    int held = 0;
    Nanoseconds now = 0;
    for (int i = 0; i < kMessages; ++i) {
        acks.note_request(now += kRoundTrip);
        if (!acks.due(now)) {
            ++held;
            now = acks.deadline();
            CHECK(acks.due(now));
        }
        acks.released();
    }
    CHECK(held > 0);  // once in a while it is tried again
    CHECK(held < kMessages / 500);
    // A stream is known for one after a single batch.
    while (!acks.holds()) acks.note_request(now += 10 * kMicrosecond);
    acks.note_request(now);
    acks.released();
    acks.note_request(now + 10 * kMicrosecond);
    CHECK(acks.holds());
}

TEST_CASE("a stream that has become slow is none") {
    AckCoalescing acks;
    const Nanoseconds now = requests(acks, 0, 10 * kMicrosecond);
    acks.note_request(requests(acks, now, 100 * kMicrosecond));
    CHECK_FALSE(acks.holds());
}

}  // namespace vrnic
