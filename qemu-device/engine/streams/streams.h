// SPDX-License-Identifier: GPL-2.0-or-later
// Streams of what the device does, for who watches it from the guest (uapi/vrnic_stream.h). Where
// nobody watches, a place that could tell something asks one question: any().
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_map>

#include "base/counters.h"
#include "base/result.h"
#include "control/events.h"
#include "faults/faults.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "vrnic_admin.h"
#include "vrnic_contexts.h"
#include "vrnic_stream.h"

namespace vrnic {

// One thing that the device did.
struct Happening {
    std::uint8_t what;  // VRNIC_STREAM_*
    std::uint8_t way = VRNIC_STREAM_OUT;
    std::uint32_t a = 0, b = 0;         // see there
    std::span<const std::byte> data{};  // holds during the call
};

class Streams final : public FaultWatcher {
  public:
    static constexpr std::uint32_t kMax = 8;  // streams at once

    Streams(Host& host, Counters& counters, EventQueues& events, std::uint32_t max_pages)
        : host_(host), counters_(counters), events_(events), max_pages_(max_pages) {}

    AdminResult<std::uint32_t> create(const vrnic_cmd_create_stream& cmd);
    AdminResult<void> modify(const vrnic_cmd_modify_stream& cmd);
    AdminResult<void> destroy(std::uint32_t handle);      // nothing more is written after it
    AdminResult<void> watch(const vrnic_cmd_watch& cmd);  // the object was checked to exist
    std::optional<vrnic_stream_context> describe(std::uint32_t handle) const;
    void reset();

    bool any() const { return live_ != 0; }
    void of_qp(std::uint32_t qpn, const Happening& what) { tell(watching(qps_, qpn), qpn, what); }
    void of_cq(std::uint32_t cqn, const Happening& what) { tell(watching(cqs_, cqn), cqn, what); }
    // For who watches either.
    void of_completion(std::uint32_t cqn, std::uint32_t qpn, std::uint8_t status);
    void of_receive_entry(std::uint32_t qpn, std::uint32_t srqn,
                          std::uint32_t index);  // srqn: or 0
    void of_memory(std::uint32_t key, std::uint32_t qpn, std::uint8_t way, std::size_t bytes);
    void injected(std::uint32_t fault, std::uint32_t qpn, FaultKind kind) override;
    // They are gone: another one of this number is not watched.
    void forget(std::uint32_t type, std::uint32_t number);  // VRNIC_CONTEXT_*

  private:
    using Mask = std::uint8_t;  // bit n: stream n
    // As struct vrnic_stream_counts.
    using Counts = std::array<vrnic_le64, sizeof(vrnic_stream_counts) / sizeof(vrnic_le64)>;
    using Watched = std::unordered_map<std::uint32_t, Mask>;

    struct Stream {
        bool failed = false;
        bool everything = false;
        std::uint32_t kinds = 0;
        std::uint32_t size = 0;  // of the ring, bytes, a power of two; 0: it only counts
        std::uint32_t ring_offset = 0;
        std::uint32_t dbrec_offset = 0;
        std::uint64_t producer = 0;
        std::uint64_t consumer = 0;  // as last read
        std::uint64_t lost = 0;
        std::uint64_t arm = 0;  // as last answered
        Counts counts{};
        PagedMemory memory;
    };

    Stream* find(std::uint32_t handle);
    Watched* watched_of(std::uint32_t type);  // VRNIC_CONTEXT_*; nullptr: not to be watched
    Mask watching(const Watched& watched, std::uint32_t number) const;
    void tell(Mask mask, std::uint32_t number, const Happening& what);
    static void count(Counts& counts, const Happening& what);
    void publish_counts(Stream& stream, std::uint32_t handle);
    // The producer has moved: whoever waits for that is told.
    void publish_producer(Stream& stream, std::uint32_t handle);
    std::array<Watched*, 5> all_watched() { return {&qps_, &cqs_, &srqs_, &faults_, &keys_}; }
    void append(Stream& stream, std::uint32_t handle, vrnic_stream_record record,
                std::span<const std::byte> data);
    bool write_ring(const Stream& stream, std::uint64_t at, std::span<const std::byte> bytes);
    bool read_record(Stream& stream, std::uint64_t& arm);
    void fail(Stream& stream, std::uint32_t handle, const char* why);

    Host& host_;
    Counters& counters_;
    EventQueues& events_;
    std::uint32_t max_pages_;
    Mask live_ = 0;
    Mask everything_ = 0;
    bool injecting_ = false;
    std::array<Stream, kMax> streams_;
    Watched qps_, cqs_, srqs_, faults_;
    Watched keys_;  // by index
};

}  // namespace vrnic
