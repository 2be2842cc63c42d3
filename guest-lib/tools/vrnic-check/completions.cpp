// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "completions.h"

#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace vrnic::check {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBatch = 32;
constexpr int kPollsBeforeSleep = 2000;  // leave the CPU to others when nothing comes

Result<CqPtr> create_cq(ibv_context* context, uint32_t entries, ibv_comp_channel* channel) {
    CqPtr cq(ibv_create_cq(context, static_cast<int>(entries), nullptr, channel, 0));
    if (!cq) return verbs_error(fmt::format("ibv_create_cq: {}", std::strerror(errno)));
    return cq;
}

}  // namespace

Result<Completions> Completions::create(ibv_context* context, uint32_t entries, bool events) {
    Completions completions;
    if (events) {
        completions.channel_.reset(ibv_create_comp_channel(context));
        if (!completions.channel_)
            return verbs_error(fmt::format("ibv_create_comp_channel: {}", std::strerror(errno)));
    }
    for (CqPtr* cq : {&completions.send_cq_, &completions.receive_cq_}) {
        auto created = create_cq(context, entries, completions.channel_.get());
        if (!created) return std::unexpected(created.error());
        *cq = std::move(*created);
    }
    return completions;
}

Result<std::vector<ibv_wc>> Completions::poll() {
    std::vector<ibv_wc> found;
    std::array<ibv_wc, kBatch> batch;
    for (ibv_cq* cq : {send_cq(), receive_cq()}) {
        const int count = ibv_poll_cq(cq, kBatch, batch.data());
        if (count < 0) return verbs_error("ibv_poll_cq failed");
        found.insert(found.end(), batch.begin(), batch.begin() + count);
    }
    return found;
}

Result<std::vector<ibv_wc>> Completions::wait(uint32_t timeout_seconds) {
    if (channel_) return wait_for_event(timeout_seconds);
    const auto deadline = Clock::now() + std::chrono::seconds(timeout_seconds);
    for (int polls = 0;; ++polls) {
        auto found = poll();
        if (!found || !found->empty()) return found;
        if (polls < kPollsBeforeSleep) continue;
        if (Clock::now() >= deadline)
            return verbs_error(fmt::format("no completion within {} s", timeout_seconds));
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
}

Result<std::vector<ibv_wc>> Completions::sleep() {
    for (ibv_cq* cq : {send_cq(), receive_cq()})
        if (int err = ibv_req_notify_cq(cq, 0))
            return verbs_error(fmt::format("ibv_req_notify_cq: {}", std::strerror(err)));
    auto found = poll();
    if (!found || !found->empty()) return found;
    ibv_cq* cq = nullptr;
    void* unused = nullptr;
    if (ibv_get_cq_event(channel_.get(), &cq, &unused) == 0)
        ibv_ack_cq_events(cq, 1);
    else if (errno != EIO)
        return wrong(fmt::format("ibv_get_cq_event: {}", std::strerror(errno)));
    return poll();
}

Result<void> Completions::destroy() {
    for (CqPtr* cq : {&send_cq_, &receive_cq_})
        if (int err = check::destroy(*cq))
            return wrong(fmt::format("ibv_destroy_cq: {}", std::strerror(err)));
    if (int err = check::destroy(channel_))
        return wrong(fmt::format("ibv_destroy_comp_channel: {}", std::strerror(err)));
    return {};
}

Result<std::vector<ibv_wc>> Completions::wait_for_event(uint32_t timeout_seconds) {
    for (;;) {
        auto found = poll();
        if (!found || !found->empty()) return found;
        // Arm, then look again: what came in between raises no event (ibv_req_notify_cq(3)).
        for (ibv_cq* cq : {send_cq(), receive_cq()})
            if (int err = ibv_req_notify_cq(cq, 0))
                return verbs_error(fmt::format("ibv_req_notify_cq: {}", std::strerror(err)));
        found = poll();
        if (!found || !found->empty()) return found;

        pollfd waiting{channel_->fd, POLLIN, 0};
        const int ready = ::poll(&waiting, 1, static_cast<int>(timeout_seconds * 1000));
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            found = poll();
            if (found && !found->empty())
                return wrong(fmt::format("a completion came, but no event for it within {} s",
                                         timeout_seconds));
            return verbs_error(
                fmt::format("no completion and no event within {} s", timeout_seconds));
        }
        ibv_cq* cq = nullptr;
        void* unused = nullptr;
        if (ibv_get_cq_event(channel_.get(), &cq, &unused))
            return verbs_error(fmt::format("ibv_get_cq_event: {}", std::strerror(errno)));
        ibv_ack_cq_events(cq, 1);
    }
}

}  // namespace vrnic::check
