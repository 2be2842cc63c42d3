// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Descriptors of what the device does.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "bench.h"
#include "descriptor.h"

namespace vrnic::dvcheck {

namespace {

using check::Descriptor;

Result<Descriptor> opened(int fd) {
    if (fd < 0) return wrong(fmt::format("opening: {}", std::strerror(errno)));
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) return wrong("cannot set O_NONBLOCK");
    return Descriptor(fd);
}

Result<Descriptor> open(Bench& bench, const char* name, uint32_t log_size = 0) {
    const vrnic_ib_stream_options options{log_size, 0};
    return opened(vrnicdv_open_interface(bench.context(), name, 1, &options));
}

// All that is there, in reads of so many bytes at most; *end: what the last read said.
std::vector<uint8_t> read_all(int fd, std::size_t chunk, int* end = nullptr) {
    std::vector<uint8_t> all, bytes(chunk);
    ssize_t n;
    while ((n = read(fd, bytes.data(), chunk)) > 0)
        all.insert(all.end(), bytes.begin(), bytes.begin() + n);
    if (end) *end = n < 0 ? errno : 0;
    return all;
}

std::vector<vrnic_stream_record> records(const std::vector<uint8_t>& bytes) {
    std::vector<vrnic_stream_record> all;
    for (std::size_t at = 0; at + sizeof(vrnic_stream_record) <= bytes.size();) {
        vrnic_stream_record record;
        std::memcpy(&record, bytes.data() + at, sizeof(record));
        if (record.size < sizeof(record)) break;
        at += record.size;
        all.push_back(record);
    }
    return all;
}

bool tells(const std::vector<vrnic_stream_record>& all, unsigned what, uint32_t number) {
    return std::ranges::any_of(
        all, [&](const auto& one) { return one.what == what && one.number == number; });
}

short poll_says(int fd, int ms) {
    pollfd one{.fd = fd, .events = POLLIN, .revents = 0};
    poll(&one, 1, ms);
    return one.revents;
}

Result<void> succeeds(Bench& bench, uint32_t bytes = 64) {
    const auto status = bench.write(bytes);
    if (!status) return std::unexpected(status.error());
    return same("the completion's status", *status, IBV_WC_SUCCESS);
}

Result<void> can_be_listed(Bench& bench) {
    std::vector<vrnic_ib_interface> all(16);
    uint32_t count = 16;
    if (int err = vrnicdv_query_interfaces(bench.context(), all.data(), &count))
        return wrong(std::strerror(err));
    all.resize(count);
    for (const char* name : {"capture.vrnic", "events.vrnic", "faults.vrnic"}) {
        const auto found = std::ranges::find_if(
            all, [&](const auto& one) { return std::strcmp(one.name, name) == 0; });
        if (found == all.end()) return wrong(fmt::format("{} is not listed", name));
        if (auto right = same("its version", found->version, 1); !right) return right;
        const Descriptor one(vrnicdv_open_interface(bench.context(), name, 1, nullptr));
        if (one.get() < 0) return wrong(fmt::format("{} cannot be opened", name));
    }
    return {};
}

Result<void> unknown_ones_are_told(Bench& bench) {
    const struct {
        const char* name;
        uint32_t version;
        int err;
    } wanted[] = {{"elephant.vrnic", 1, ENOENT},
                  {"capture.vrni", 1, ENOENT},
                  {"a name that is longer than any", 1, ENOENT},
                  {"events.vrnic", 2, ENOPROTOOPT},
                  {"events.vrnic", 0, EINVAL}};
    for (const auto& one : wanted) {
        errno = 0;
        const Descriptor fd(
            vrnicdv_open_interface(bench.context(), one.name, one.version, nullptr));
        if (fd.get() >= 0) return wrong(fmt::format("{} could be opened", one.name));
        if (auto right =
                same(one.name, static_cast<uint64_t>(errno), static_cast<uint64_t>(one.err));
            !right)
            return right;
    }
    return {};
}

Result<void> events_of_a_queue_pair(Bench& bench) {
    auto fd = opened(vrnicdv_open_qp_events(bench.a.get()));
    if (!fd) return std::unexpected(fd.error());
    if (auto right = succeeds(bench); !right) return right;
    const auto all = records(read_all(fd->get(), 4096));
    const uint32_t qpn = bench.a.get()->qp_num;
    uint64_t time = 0;
    for (const vrnic_stream_record& one : all) {
        if (one.time < time) return wrong("time goes back");
        time = one.time;
        if (one.what != VRNIC_STREAM_COMPLETION && one.number != qpn)
            return wrong(fmt::format("a record is of {}", uint32_t{one.number}));
    }
    for (unsigned what : {VRNIC_STREAM_DOORBELL, VRNIC_STREAM_FETCHED, VRNIC_STREAM_SENT,
                          VRNIC_STREAM_RECEIVED, VRNIC_STREAM_ACKED})
        if (!tells(all, what, qpn)) return wrong(fmt::format("there is no record {}", what));
    const auto completion =
        std::ranges::find(all, VRNIC_STREAM_COMPLETION, &vrnic_stream_record::what);
    if (completion == all.end()) return wrong("there is no completion");
    return same("qp of the completion", completion->a, qpn);
}

Result<void> watches_what_it_is_told(Bench& bench) {
    auto fd = open(bench, "events.vrnic");
    if (!fd) return std::unexpected(fd.error());
    ibv_cq* cq = bench.completions.send_cq();
    if (auto right = succeeds(bench); !right) return right;
    if (auto right = same("records of nothing", read_all(fd->get(), 4096).size(), 0); !right)
        return right;
    if (int err = vrnicdv_watch_cq(fd->get(), cq, true)) return wrong(std::strerror(err));
    if (auto right = same("again: errno", vrnicdv_watch_cq(fd->get(), cq, true), EEXIST); !right)
        return right;
    if (auto right = succeeds(bench); !right) return right;
    const auto all = records(read_all(fd->get(), 4096));
    if (auto right = same("records", all.size(), 1); !right) return right;
    if (int err = vrnicdv_watch_cq(fd->get(), cq, false)) return wrong(std::strerror(err));
    if (auto right = same("again: errno", vrnicdv_watch_cq(fd->get(), cq, false), ENOENT); !right)
        return right;
    if (auto right = succeeds(bench); !right) return right;
    return same("records of nothing", read_all(fd->get(), 4096).size(), 0);
}

uint32_t word(const std::vector<uint8_t>& bytes, std::size_t at) {
    uint32_t out = 0;
    if (at + sizeof(out) <= bytes.size()) std::memcpy(&out, bytes.data() + at, sizeof(out));
    return out;
}

// Packets of a pcapng file whose every block is whole.
Result<uint32_t> packets_of(const std::vector<uint8_t>& file) {
    uint32_t packets = 0;
    std::size_t at = 0;
    while (at < file.size()) {
        const uint32_t type = word(file, at), length = word(file, at + 4);
        if (length < 12 || length % 4 != 0 || at + length > file.size() ||
            word(file, at + length - 4) != length)
            return wrong(fmt::format("at {} there is no block of pcapng", at));
        if (at == 0 && type != 0x0a0d0d0a) return wrong("it does not begin with a section");
        if (type == 6) ++packets;
        at += length;
    }
    return packets;
}

Result<void> capture_is_pcapng(Bench& bench) {
    for (std::size_t chunk : {1, 7, 100, 65536}) {
        auto fd = open(bench, "capture.vrnic");
        if (!fd) return std::unexpected(fd.error());
        if (int err = vrnicdv_watch_qp(fd->get(), bench.a.get(), true))
            return wrong(std::strerror(err));
        for (uint32_t bytes : {1, 63, 4096})
            if (auto right = succeeds(bench, bytes); !right) return right;
        const auto packets = packets_of(read_all(fd->get(), chunk));
        if (!packets) return std::unexpected(packets.error());
        // 1 + 1 + 4096 / MTU packets, and an acknowledgement of each at least.
        if (*packets < 6) return wrong(fmt::format("only {} packets", *packets));
    }
    return {};
}

Result<void> can_be_waited_for(Bench& bench) {
    auto fd = open(bench, "events.vrnic");
    if (!fd) return std::unexpected(fd.error());
    if (int err = vrnicdv_watch_qp(fd->get(), bench.a.get(), true))
        return wrong(std::strerror(err));
    int end = 0;
    read_all(fd->get(), 4096, &end);
    if (auto right = same("read: errno", static_cast<uint64_t>(end), EAGAIN); !right) return right;
    if (auto right = same("poll", static_cast<uint64_t>(poll_says(fd->get(), 0)), 0); !right)
        return right;
    const auto wakes = [&](auto&& wait) {
        std::thread later([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            (void)bench.write(64);
        });
        const bool woken = wait();
        later.join();
        return woken;
    };
    if (!wakes([&] { return poll_says(fd->get(), 10'000) == POLLIN; }))
        return wrong("poll does not tell");
    read_all(fd->get(), 4096);
    fcntl(fd->get(), F_SETFL, 0);
    uint8_t bytes[64];
    if (!wakes([&] { return read(fd->get(), bytes, sizeof(bytes)) > 0; }))
        return wrong("a read that waits does not come back");
    return {};
}

Result<void> ends_with_what_it_watches(Bench& bench) {
    auto fd = opened(vrnicdv_open_qp_events(bench.a.get()));
    if (!fd) return std::unexpected(fd.error());
    if (auto right = succeeds(bench); !right) return right;
    if (auto gone = bench.a.destroy(); !gone) return gone;
    if (!(poll_says(fd->get(), 0) & POLLHUP)) return wrong("poll says nothing of the end");
    int end = -1;
    if (read_all(fd->get(), 4096, &end).empty()) return wrong("what was told is lost");
    return same("the end: errno", static_cast<uint64_t>(end), 0);
}

Result<void> of_others_needs_a_capability(Bench& bench) {
    const vrnic_ib_stream_options all{0, VRNIC_IB_STREAM_EVERYTHING};
    if (seteuid(65534)) return wrong("cannot become another user");
    const Descriptor refused(vrnicdv_open_interface(bench.context(), "capture.vrnic", 1, &all));
    const int err = errno;
    const Descriptor own(vrnicdv_open_interface(bench.context(), "events.vrnic", 1, nullptr));
    const int mine = vrnicdv_watch_qp(own.get(), bench.a.get(), true);
    const int other = vrnicdv_watch_number(own.get(), bench.context(), VRNIC_CONTEXT_QP,
                                           bench.b.get()->qp_num, true);
    if (seteuid(0)) return wrong("cannot become root again");
    if (refused.get() >= 0) return wrong("somebody captures everybody's");
    if (auto right = same("errno", static_cast<uint64_t>(err), EPERM); !right) return right;
    if (auto right = same("one's own: errno", static_cast<uint64_t>(mine), 0); !right) return right;
    if (auto right = same("by number: errno", static_cast<uint64_t>(other), EPERM); !right)
        return right;
    return same("by number, as root: errno",
                static_cast<uint64_t>(vrnicdv_watch_number(
                    own.get(), bench.context(), VRNIC_CONTEXT_QP, bench.b.get()->qp_num, true)),
                0);
}

Result<void> a_full_one_counts(Bench& bench) {
    auto fd = open(bench, "capture.vrnic", VRNIC_STREAM_SIZE_MIN_LOG);
    if (!fd) return std::unexpected(fd.error());
    if (int err = vrnicdv_watch_qp(fd->get(), bench.a.get(), true))
        return wrong(std::strerror(err));
    const auto lost = [&] {
        __u64 count = 0;
        return ioctl(fd->get(), VRNIC_IB_STREAM_LOST, &count) == 0 ? count : UINT64_MAX;
    };
    for (int i = 0; i < 100 && lost() == 0; ++i)
        if (auto right = succeeds(bench, 4096); !right) return right;
    const uint64_t first = lost();
    if (first == 0 || first == UINT64_MAX) return wrong("nothing is lost");
    if (auto packets = packets_of(read_all(fd->get(), 4096)); !packets)
        return std::unexpected(packets.error());
    if (auto right = succeeds(bench); !right) return right;
    const auto more = read_all(fd->get(), 4096);
    if (more.empty()) return wrong("it does not go on");
    return same("lost", lost(), first);
}

Result<void> faults_are_told(Bench& bench) {
    auto fd = open(bench, "faults.vrnic");
    if (!fd) return std::unexpected(fd.error());
    vrnic_fault_rule rule{};
    rule.kind = VRNIC_FAULT_DUPLICATE;
    rule.ppm = VRNIC_FAULT_ALWAYS;
    rule.packets = rule.octets = 1;
    if (int err = vrnicdv_add_fault(fd->get(), bench.context(), &rule, bench.a.get()))
        return wrong(fmt::format("adding: {}", std::strerror(err)));
    if (auto right = same("watching: errno",
                          static_cast<uint64_t>(vrnicdv_watch_qp(fd->get(), bench.a.get(), true)),
                          EOPNOTSUPP);
        !right)
        return right;
    if (auto right = succeeds(bench); !right) return right;
    const auto all = records(read_all(fd->get(), 4096));
    if (all.empty()) return wrong("nothing was told");
    if (auto right = same("what", all[0].what, VRNIC_STREAM_FAULT); !right) return right;
    if (auto right = same("qp", all[0].a, bench.a.get()->qp_num); !right) return right;
    const uint32_t handle = all[0].number;
    *fd = Descriptor();
    vrnic_ib_context context;
    return same("the rule after the end: errno",
                static_cast<uint64_t>(
                    vrnicdv_query_object(bench.context(), VRNIC_CONTEXT_FAULT, handle, &context)),
                ENOENT);
}

Result<void> streams_are_bounded(Bench& bench) {
    std::vector<Descriptor> all;
    while (all.size() < 100) {
        Descriptor fd(vrnicdv_open_interface(bench.context(), "events.vrnic", 1, nullptr));
        if (fd.get() < 0) break;
        all.push_back(std::move(fd));
    }
    if (auto right = same("errno", static_cast<uint64_t>(errno), ENOMEM); !right) return right;
    vrnic_device_caps caps{};
    if (int err = vrnicdv_query_device(bench.context(), &caps)) return wrong(std::strerror(err));
    return same("at once", all.size(), caps.max_streams);
}

Result<void> calls_behave(Bench& bench) {
    auto fd = opened(vrnicdv_open_qp_events(bench.a.get()));
    if (!fd) return std::unexpected(fd.error());
    if (auto right = succeeds(bench); !right) return right;
    int there = 0;
    if (ioctl(fd->get(), FIONREAD, &there) != 0) return wrong("FIONREAD fails");
    vrnic_stream_context context{};
    if (int err = vrnicdv_query_stream(fd->get(), bench.context(), &context))
        return wrong(std::strerror(err));
    if (auto right = same("FIONREAD", static_cast<uint64_t>(there), context.producer); !right)
        return right;
    if (ioctl(fd->get(), 0x4711, &there) == 0 || errno != ENOTTY)
        return wrong("an ioctl that there is not");
    if (write(fd->get(), &there, sizeof(there)) >= 0) return wrong("it can be written to");
    volatile uintptr_t nowhere = 8;  // the compiler would know better
    if (read(fd->get(), reinterpret_cast<void*>(nowhere), 64) >= 0 || errno != EFAULT)
        return wrong("a read to where nothing is");
    return same("bytes after it", read_all(fd->get(), 4096).size(), static_cast<uint64_t>(there));
}

using StreamPtr = std::unique_ptr<vrnicdv_stream, check::Destroy<vrnicdv_destroy_captured>>;

constexpr uint32_t bit(unsigned kind) {
    return 1u << kind;
}

Result<StreamPtr> make(vrnicdv_stream* stream) {
    if (!stream) return wrong(fmt::format("creating: {}", std::strerror(errno)));
    return StreamPtr(stream);
}

Result<void> a_capture_keeps(Bench& bench) {
    const vrnic_ib_filter filter{bit(VRNIC_STREAM_SENT), 0, 0, 0};
    auto capture = make(vrnicdv_create_capture(bench.context(), &filter));
    if (!capture) return std::unexpected(capture.error());
    if (int err = vrnicdv_capture_qp(capture->get(), bench.a.get(), true))
        return wrong(std::strerror(err));
    if (auto right = succeeds(bench); !right) return right;
    for (int i = 0; i < 2; ++i) {  // what was read is gone, what came meanwhile is there
        auto fd = opened(vrnicdv_captured_fd(capture->get()));
        if (!fd) return std::unexpected(fd.error());
        if (auto right = same("records", records(read_all(fd->get(), 4096)).size(), 1); !right)
            return right;
        if (vrnicdv_captured_fd(capture->get()) >= 0 || errno != EBUSY)
            return wrong("there are two descriptors");
        *fd = Descriptor();
        if (auto right = succeeds(bench); !right) return right;
    }
    if (int err = vrnicdv_modify_captured(capture->get(), bit(VRNIC_STREAM_FRAME)))
        return wrong(std::strerror(err));
    auto fd = opened(vrnicdv_captured_fd(capture->get()));
    if (!fd) return std::unexpected(fd.error());
    if (int err = vrnicdv_destroy_captured(capture->release())) return wrong(std::strerror(err));
    int end = -1;
    read_all(fd->get(), 4096, &end);
    if (!(poll_says(fd->get(), 0) & POLLHUP)) return wrong("poll says nothing of the end");
    return same("the end: errno", static_cast<uint64_t>(end), 0);
}

Result<void> counters_count(Bench& bench) {
    const vrnic_ib_filter filter{bit(VRNIC_STREAM_KINDS) - 1 - bit(VRNIC_STREAM_FAULT), 0, 0, 0};
    auto counters = make(vrnicdv_create_counters(bench.context(), &filter));
    if (!counters) return std::unexpected(counters.error());
    vrnicdv_stream* stream = counters->get();
    for (int err : {vrnicdv_capture_qp(stream, bench.a.get(), true),
                    vrnicdv_capture_cq(stream, bench.completions.send_cq(), true),
                    vrnicdv_capture_mr(stream, bench.memory.mr(), true)})
        if (err != 0) return wrong(fmt::format("binding: {}", std::strerror(err)));
    auto fd = opened(vrnicdv_captured_fd(stream));
    if (!fd) return std::unexpected(fd.error());
    if (poll_says(fd->get(), 0) != 0) return wrong("it is readable before anything happened");
    for (int i = 0; i < 3; ++i)
        if (auto right = succeeds(bench, 1000); !right) return right;
    if (poll_says(fd->get(), 1000) != POLLIN) return wrong("poll tells nothing");
    vrnic_stream_counts counts{};
    if (read(fd->get(), &counts, sizeof(counts)) != sizeof(counts)) return wrong("reading");
    vrnic_stream_context context{};
    if (int err = vrnicdv_query_captured(stream, &context)) return wrong(std::strerror(err));
    const struct {
        const char* what;
        uint64_t found, expected;
    } all[] = {{"doorbells", counts.doorbells, 3},
               {"completions", counts.completions, 3},
               {"memory written", counts.memory_written, 3000},
               {"completions, asked for", context.completions, 3},
               {"memory written, asked for", context.memory_written, 3000}};
    for (const auto& one : all)
        if (auto right = same(one.what, one.found, one.expected); !right) return right;
    if (read(fd->get(), &counts, 8) >= 0 || errno != EINVAL)
        return wrong("a read without room for all");
    if (read(fd->get(), &counts, sizeof(counts)) >= 0 || errno != EAGAIN)
        return wrong("a read when nothing happened");
    return {};
}

Result<void> events_on_call(Bench& bench) {
    ibv_cq* cq = bench.completions.send_cq();
    auto fd = opened(vrnicdv_open_cq_events(cq));
    if (!fd) return std::unexpected(fd.error());
    if (int err = vrnicdv_call_cq(cq, VRNIC_CALL_CQ_EVENT)) return wrong(std::strerror(err));
    const auto all = records(read_all(fd->get(), 4096));
    if (!tells(all, VRNIC_STREAM_EVENT, all.empty() ? 0 : uint32_t{all[0].number}))
        return wrong("a completion queue on call raises no event");
    if (auto right = same(
            "a timer that does not run: errno",
            static_cast<uint64_t>(vrnicdv_call_qp(bench.a.get(), VRNIC_CALL_QP_TIMEOUT)), EINVAL);
        !right)
        return right;
    return same("no such operation: errno", static_cast<uint64_t>(vrnicdv_call_cq(cq, 4711)),
                EINVAL);
}

}  // namespace

std::vector<Case> stream_cases() {
    return {
        {"descriptors are listed, and opened by name", can_be_listed},
        {"an unknown name and too new a version are told apart", unknown_ones_are_told},
        {"events of a queue pair", events_of_a_queue_pair},
        {"a descriptor tells of what it watches", watches_what_it_is_told},
        {"a capture is pcapng, however it is read", capture_is_pcapng},
        {"a descriptor can be waited for", can_be_waited_for},
        {"a descriptor ends with what it watches", ends_with_what_it_watches},
        {"watching others needs CAP_NET_RAW", of_others_needs_a_capability},
        {"a full stream drops, counts and goes on", a_full_one_counts},
        {"faults are told of, and end with their descriptor", faults_are_told},
        {"descriptors are bounded, and all go", streams_are_bounded},
        {"ioctl, write and wrong memory", calls_behave},
        {"a completion queue raises its event on call", events_on_call},
        {"a capture keeps records until they are read, and ends its descriptor", a_capture_keeps},
        {"counters count what queue pairs, completion queues and regions see", counters_count},
    };
}

}  // namespace vrnic::dvcheck
