// SPDX-License-Identifier: GPL-2.0-or-later
#include "streams/streams.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstring>

#include "host/log.h"

namespace vrnic {
namespace {

#define STREAM_FIELD(field) VRNIC_FIELD(vrnic_cmd_create_stream, field)

constexpr std::uint32_t kAlignment = 64;  // of ring and record, bytes
constexpr std::uint32_t kFirst = 1;       // handle

std::unexpected<AdminError> invalid(std::uint32_t field) {
    return admin_error(VRNIC_STATUS_INVALID, field);
}

// The key byte does not count.
std::uint32_t place_of(std::uint32_t type, std::uint32_t number) {
    return type == VRNIC_CONTEXT_KEY ? number >> 8 : number;
}

std::span<const std::byte> bytes_of(const auto& value) {
    return std::as_bytes(std::span(&value, 1));
}

}  // namespace

Streams::Stream* Streams::find(std::uint32_t handle) {
    const std::uint32_t place = handle - kFirst;
    return place < kMax && (live_ >> place & 1) != 0 ? &streams_[place] : nullptr;
}

AdminResult<std::uint32_t> Streams::create(const vrnic_cmd_create_stream& cmd) {
    if (cmd.kinds == 0 || cmd.kinds >> VRNIC_STREAM_KINDS != 0) return invalid(STREAM_FIELD(kinds));
    if (cmd.log_size != 0 &&
        (cmd.log_size < VRNIC_STREAM_SIZE_MIN_LOG || cmd.log_size > VRNIC_STREAM_SIZE_MAX_LOG))
        return invalid(STREAM_FIELD(log_size));
    if (cmd.everything > 1) return invalid(STREAM_FIELD(everything));
    if (cmd.ring_offset % kAlignment != 0) return invalid(STREAM_FIELD(ring_offset));
    if (cmd.dbrec_offset % kAlignment != 0) return invalid(STREAM_FIELD(dbrec_offset));
    if (cmd.memory.offset % kAlignment != 0)
        return invalid(STREAM_FIELD(memory) + offsetof(vrnic_page_list, offset));
    const std::uint32_t place = static_cast<std::uint32_t>(std::countr_one(live_));
    if (place >= kMax) return admin_error(VRNIC_STATUS_LIMIT);

    Stream stream;
    stream.everything = cmd.everything != 0;
    stream.kinds = cmd.kinds;
    stream.size = cmd.log_size == 0 ? 0 : 1u << cmd.log_size;
    stream.ring_offset = cmd.ring_offset;
    stream.dbrec_offset = cmd.dbrec_offset;
    const std::uint64_t ring_end =
        std::uint64_t{stream.ring_offset} + (stream.size == 0 ? sizeof(Counts) : stream.size);
    const std::uint64_t record_end =
        std::uint64_t{stream.dbrec_offset} + sizeof(vrnic_stream_dbrec);
    auto memory = PagedMemory::create(host_, cmd.memory, std::max(ring_end, record_end), max_pages_,
                                      STREAM_FIELD(memory));
    if (!memory) return std::unexpected(memory.error());
    stream.memory = std::move(*memory);
    const bool everything = stream.everything;
    streams_[place] = std::move(stream);
    live_ |= static_cast<Mask>(1 << place);
    if (everything) everything_ |= static_cast<Mask>(1 << place);
    return kFirst + place;
}

AdminResult<void> Streams::modify(const vrnic_cmd_modify_stream& cmd) {
    Stream* stream = find(cmd.stream);
    if (!stream)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_modify_stream, stream));
    if (cmd.kinds == 0 || cmd.kinds >> VRNIC_STREAM_KINDS != 0)
        return invalid(VRNIC_FIELD(vrnic_cmd_modify_stream, kinds));
    stream->kinds = cmd.kinds;
    return {};
}

AdminResult<void> Streams::destroy(std::uint32_t handle) {
    Stream* stream = find(handle);
    if (!stream) return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    const Mask others = static_cast<Mask>(~(1 << (handle - kFirst)));
    live_ &= others;
    everything_ &= others;
    for (Watched* watched : all_watched()) {
        for (auto& [number, mask] : *watched) mask &= others;
        std::erase_if(*watched, [](const auto& one) { return one.second == 0; });
    }
    *stream = {};
    return {};
}

AdminResult<void> Streams::watch(const vrnic_cmd_watch& cmd) {
    if (!find(cmd.stream))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_watch, stream));
    if (cmd.on > 1) return invalid(VRNIC_FIELD(vrnic_cmd_watch, on));
    Watched* watched = watched_of(cmd.type);
    if (!watched) return invalid(VRNIC_FIELD(vrnic_cmd_watch, type));
    const Mask bit = static_cast<Mask>(1 << (cmd.stream - kFirst));
    const std::uint32_t place = place_of(cmd.type, cmd.number);
    if (cmd.on != 0) {
        (*watched)[place] |= bit;
        return {};
    }
    const auto found = watched->find(place);
    if (found == watched->end()) return {};
    found->second &= static_cast<Mask>(~bit);
    if (found->second == 0) watched->erase(found);
    return {};
}

void Streams::forget(std::uint32_t type, std::uint32_t number) {
    if (Watched* watched = watched_of(type)) watched->erase(place_of(type, number));
}

Streams::Watched* Streams::watched_of(std::uint32_t type) {
    switch (type) {
        case VRNIC_CONTEXT_QP:
            return &qps_;
        case VRNIC_CONTEXT_CQ:
            return &cqs_;
        case VRNIC_CONTEXT_SRQ:
            return &srqs_;
        case VRNIC_CONTEXT_KEY:
            return &keys_;
        case VRNIC_CONTEXT_FAULT:
            return &faults_;
        default:
            return nullptr;
    }
}

std::optional<vrnic_stream_context> Streams::describe(std::uint32_t handle) const {
    const Stream* stream = const_cast<Streams*>(this)->find(handle);
    if (!stream) return std::nullopt;
    vrnic_stream_context out{};
    out.producer = stream->producer;
    out.consumer = stream->consumer;
    out.lost = stream->lost;
    out.kinds = stream->kinds;
    out.size = stream->size;
    out.failed = stream->failed;
    out.everything = stream->everything;
    static_assert(sizeof(stream->counts) == sizeof(out) - offsetof(vrnic_stream_context, frames));
    std::memcpy(&out.frames, stream->counts.data(), sizeof(stream->counts));
    return out;
}

void Streams::reset() {
    live_ = everything_ = 0;
    for (Stream& stream : streams_) stream = {};
    for (Watched* watched : all_watched()) watched->clear();
}

// ---- telling ----

Streams::Mask Streams::watching(const Watched& watched, std::uint32_t number) const {
    const auto found = watched.find(number);
    return everything_ | (found == watched.end() ? Mask{0} : found->second);
}

void Streams::of_completion(std::uint32_t cqn, std::uint32_t qpn, std::uint8_t status) {
    tell(watching(cqs_, cqn) | watching(qps_, qpn), cqn,
         {.what = VRNIC_STREAM_COMPLETION, .a = qpn, .b = status});
}

void Streams::of_receive_entry(std::uint32_t qpn, std::uint32_t srqn, std::uint32_t index) {
    const Mask mask = watching(qps_, qpn) | (srqn == 0 ? Mask{0} : watching(srqs_, srqn));
    tell(mask, qpn, {.what = VRNIC_STREAM_FETCHED, .way = VRNIC_STREAM_IN, .a = index, .b = srqn});
}

void Streams::of_memory(std::uint32_t key, std::uint32_t qpn, std::uint8_t way, std::size_t bytes) {
    tell(watching(keys_, place_of(VRNIC_CONTEXT_KEY, key)), key,
         {.what = VRNIC_STREAM_MEMORY,
          .way = way,
          .a = static_cast<std::uint32_t>(bytes),
          .b = qpn});
}

// The interrupt that tells of a record may be the next one to be hit.
void Streams::injected(std::uint32_t fault, std::uint32_t qpn, FaultKind kind) {
    if (injecting_ || !any()) return;
    injecting_ = true;
    tell(watching(faults_, fault), fault,
         {.what = VRNIC_STREAM_FAULT, .a = qpn, .b = static_cast<std::uint32_t>(kind)});
    injecting_ = false;
}

// Bytes behind the kinds: those of frames, then those of memory.
void Streams::count(Counts& counts, const Happening& what) {
    constexpr std::size_t kBytes = VRNIC_STREAM_KINDS, kMemory = kBytes + 2;
    static_assert(std::tuple_size_v<Counts> == kMemory + 2);
    const auto add = [&counts](std::size_t place, std::uint64_t n) {
        counts[place] = counts[place] + n;
    };
    add(what.what, 1);
    if (what.what == VRNIC_STREAM_FRAME) add(kBytes + what.way, what.data.size());
    if (what.what == VRNIC_STREAM_MEMORY) add(kMemory + what.way, what.a);
}

void Streams::tell(Mask mask, std::uint32_t number, const Happening& what) {
    for (std::uint32_t place = 0; place < kMax; ++place) {
        Stream& stream = streams_[place];
        if ((mask >> place & 1) == 0 || stream.failed || (stream.kinds >> what.what & 1) == 0)
            continue;
        count(stream.counts, what);
        if (stream.size == 0) {
            publish_counts(stream, kFirst + place);
            continue;
        }
        vrnic_stream_record record{};
        record.what = what.what;
        record.way = what.way;
        record.time = what.what == VRNIC_STREAM_FRAME ? host_.wall_time() : host_.now();
        record.number = number;
        record.length = static_cast<std::uint32_t>(what.data.size());
        record.a = what.a;
        record.b = what.b;
        record.lost = stream.lost;
        record.size = static_cast<std::uint32_t>(sizeof(record) + (what.data.size() + 7) / 8 * 8);
        append(stream, kFirst + place, record, what.data);
    }
}

void Streams::append(Stream& stream, std::uint32_t handle, vrnic_stream_record record,
                     std::span<const std::byte> data) {
    const std::uint64_t size = record.size;
    std::uint64_t arm = stream.arm;
    if (stream.producer + size - stream.consumer > stream.size && !read_record(stream, arm))
        return fail(stream, handle, "its record could not be read, or makes no sense");
    const std::uint64_t record_at = stream.dbrec_offset;
    if (stream.producer + size - stream.consumer > stream.size) {
        ++stream.lost;
        if (!stream.memory.store64(host_, record_at + offsetof(vrnic_stream_dbrec, lost),
                                   stream.lost))
            fail(stream, handle, "its record could not be written");
        return;
    }
    if (!write_ring(stream, stream.producer, bytes_of(record)) ||
        !write_ring(stream, stream.producer + sizeof(record), data))
        return fail(stream, handle, "its ring could not be written");
    stream.producer += size;
    publish_producer(stream, handle);
}

void Streams::publish_counts(Stream& stream, std::uint32_t handle) {
    if (!stream.memory.write(host_, stream.ring_offset, bytes_of(stream.counts)))
        return fail(stream, handle, "its counts could not be written");
    ++stream.producer;
    publish_producer(stream, handle);
}

void Streams::publish_producer(Stream& stream, std::uint32_t handle) {
    const std::uint64_t record_at = stream.dbrec_offset;
    std::uint64_t arm = stream.arm;
    if (!stream.memory.store64(host_, record_at + offsetof(vrnic_stream_dbrec, producer),
                               stream.producer))
        return fail(stream, handle, "its record could not be written");
    // The guest arms, then looks at the producer; we write that, then look whether it has armed.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!read_record(stream, arm))
        return fail(stream, handle, "its record could not be read, or makes no sense");
    if (arm == stream.arm) return;
    stream.arm = arm;
    events_.raise(VRNIC_EVENT_STREAM, handle);
}

// In two pieces where the ring begins anew.
bool Streams::write_ring(const Stream& stream, std::uint64_t at, std::span<const std::byte> bytes) {
    const std::uint64_t place = at & (stream.size - 1);
    const std::size_t first = std::min<std::uint64_t>(bytes.size(), stream.size - place);
    return (first == 0 ||
            stream.memory.write(host_, stream.ring_offset + place, bytes.first(first))) &&
           (first == bytes.size() ||
            stream.memory.write(host_, stream.ring_offset, bytes.subspan(first)));
}

// What the guest has written; false: it cannot be read, or says that more was taken than there was.
bool Streams::read_record(Stream& stream, std::uint64_t& arm) {
    struct {
        vrnic_le64 consumer, arm;
    } record{};
    if (!stream.memory.read(host_, stream.dbrec_offset,
                            std::as_writable_bytes(std::span(&record, 1))))
        return false;
    if (record.consumer < stream.consumer || record.consumer > stream.producer) return false;
    stream.consumer = record.consumer;
    arm = record.arm;
    return true;
}

void Streams::fail(Stream& stream, std::uint32_t handle, const char* why) {
    stream.failed = true;
    ++counters_.dma_errors;
    guest_error(host_, "stream {}: {}: it tells nothing more", handle, why);
    events_.raise(VRNIC_EVENT_STREAM, handle, 1);
}

}  // namespace vrnic
