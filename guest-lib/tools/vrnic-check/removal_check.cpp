// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "removal_check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <future>
#include <thread>
#include <unordered_map>
#include <vector>

#include "buffer.h"
#include "completions.h"
#include "queue_pair.h"

namespace vrnic::check {

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint64_t kBusy = 1000;  // completions of each queue pair, before the device may go
constexpr uint32_t kSize = 1024;  // of a write
constexpr uint64_t kReceive = 1;  // wr_id; a completion in error has no opcode
constexpr auto kPatience = std::chrono::seconds(20);  // for the last completion

// The asynchronous events of a device, of which IBV_EVENT_DEVICE_FATAL is the last. A thread waits
// in the call, which waits for ever after that.
class EventStream {
  public:
    explicit EventStream(ibv_context* context) : ended_(follow(context)) {}

    Result<void> ended() {
        if (ended_.wait_for(kPatience) == std::future_status::timeout)
            return wrong("no IBV_EVENT_DEVICE_FATAL came");
        return ended_.get();
    }

  private:
    // Not std::async, whose destructor waits for the thread.
    static std::future<Result<void>> follow(ibv_context* context) {
        std::packaged_task<Result<void>()> task([context]() -> Result<void> {
            ibv_async_event event{};
            do {
                if (ibv_get_async_event(context, &event))
                    return wrong(fmt::format("ibv_get_async_event: {}", std::strerror(errno)));
                ibv_ack_async_event(&event);
            } while (event.event_type != IBV_EVENT_DEVICE_FATAL);
            return {};
        });
        auto future = task.get_future();
        std::thread(std::move(task)).detach();
        return future;
    }

    std::future<Result<void>> ended_;
};

// One queue pair, and what is posted to it and not completed.
struct User {
    QueuePair pair;
    uint32_t sends = 0;
    uint32_t receives = 0;
    uint64_t done = 0;
};

class RemovalCheck {
  public:
    RemovalCheck(const Plan& plan, Device device)
        : plan_(plan), device_(std::move(device)), events_(device_.context.get()) {}

    Result<void> run(const std::function<void(const std::string&)>& say) {
        if (auto made = set_up(); !made) return made;
        if (auto done = work(say); !done) return done;
        if (auto done = use_what_is_gone(); !done) return done;
        if (auto ended = events_.ended(); !ended) return ended;
        say(fmt::format("gone: {} requests flushed", flushed_));
        for (char unused; ::read(STDIN_FILENO, &unused, 1) > 0;) {
        }
        return destroy();
    }

  private:
    Result<void> set_up() {
        const uint32_t qps = std::max(2u, plan_.qps + plan_.qps % 2);
        auto completions =
            Completions::create(device_.context.get(), qps * plan_.depth, plan_.events);
        if (!completions) return std::unexpected(completions.error());
        completions_ = std::move(*completions);
        auto memory = Buffer::create(device_.pd.get(), kSize,
                                     IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
        if (!memory) return std::unexpected(memory.error());
        memory_ = std::move(*memory);
        QpOptions options;
        options.depth = plan_.depth;
        options.mtu = std::min(device_.port.active_mtu, IBV_MTU_1024);
        for (uint32_t i = 0; i < qps; ++i) {
            auto pair = QueuePair::create(device_, completions_, options);
            if (!pair) return std::unexpected(pair.error());
            users_.push_back({std::move(*pair)});
        }
        for (uint32_t i = 0; i < qps; ++i) {
            auto connected = users_[i].pair.connect(users_[i ^ 1].pair.describe());
            if (!connected) return connected;
            by_qpn_[users_[i].pair.get()->qp_num] = &users_[i];
        }
        // Nobody sends: these wait until the device goes.
        for (User& user : users_)
            while (user.receives < plan_.depth)
                if (auto posted = post_receive(user); !posted) return posted;
        return {};
    }

    Result<void> post_receive(User& user) {
        ibv_sge sge{reinterpret_cast<uint64_t>(memory_.bytes().data()), kSize, memory_.mr()->lkey};
        ibv_recv_wr wr{}, *refused = nullptr;
        wr.wr_id = kReceive;
        wr.sg_list = &sge;
        wr.num_sge = 1;
        if (int err = ibv_post_recv(user.pair.get(), &wr, &refused))
            return wrong(fmt::format("ibv_post_recv: {}", std::strerror(err)));
        ++user.receives;
        return {};
    }
    Result<void> post_write(User& user) {
        if (auto posted = user.pair.post_write(memory_, kSize); !posted) return posted;
        ++user.sends;
        return {};
    }

    Result<void> take(const ibv_wc& wc) {
        const auto known = by_qpn_.find(wc.qp_num);
        if (known == by_qpn_.end()) return wrong("a completion of no queue pair of ours");
        User& user = *known->second;
        const bool is_flushed = wc.status == IBV_WC_WR_FLUSH_ERR;
        if (!is_flushed && wc.status != IBV_WC_SUCCESS && wc.status != IBV_WC_FATAL_ERR)
            return wrong(fmt::format("a completion says: {}", ibv_wc_status_str(wc.status)));
        uint32_t& outstanding = wc.wr_id == kReceive ? user.receives : user.sends;
        if (outstanding-- == 0) return wrong("more completions than requests");
        if (wc.status == IBV_WC_SUCCESS)
            ++user.done;
        else
            ++flushed_;
        return {};
    }

    bool outstanding() const {
        return std::ranges::any_of(users_,
                                   [](const User& u) { return u.sends != 0 || u.receives != 0; });
    }
    bool all_busy() const {
        return std::ranges::all_of(users_, [](const User& u) { return u.done >= kBusy; });
    }

    // Until the first request is flushed, and then all.
    Result<void> work(const std::function<void(const std::string&)>& say) {
        bool said = false;
        Clock::time_point deadline = Clock::time_point::max();
        while (outstanding() || flushed_ == 0) {
            for (User& user : users_)
                while (flushed_ == 0 && user.sends < plan_.depth)
                    if (auto posted = post_write(user); !posted) return posted;
            auto found = flushed_ == 0 && plan_.events ? completions_.sleep() : completions_.poll();
            if (!found) return std::unexpected(found.error());
            for (const ibv_wc& wc : *found)
                if (auto taken = take(wc); !taken) return taken;
            if (!said && all_busy()) {
                said = true;
                say(fmt::format("busy: {} queue pairs, {}", users_.size(),
                                plan_.events ? "sleeping" : "polling"));
            }
            if (flushed_ && deadline == Clock::time_point::max())
                deadline = Clock::now() + kPatience;
            if (Clock::now() > deadline)
                return wrong("requests are left that were never completed");
        }
        return {};
    }

    // What a program that knows nothing yet would do.
    Result<void> use_what_is_gone() {
        ibv_values_ex values{};
        values.comp_mask = IBV_VALUES_MASK_RAW_CLOCK;
        (void)ibv_query_rt_values_ex(device_.context.get(), &values);  // may fail, must return
        for (User& user : users_) {
            if (auto posted = post_write(user); !posted) return posted;
            if (auto posted = post_receive(user); !posted) return posted;
        }
        if (int err = ibv_req_notify_cq(completions_.send_cq(), 0))
            return wrong(fmt::format("ibv_req_notify_cq: {}", std::strerror(err)));
        const auto deadline = Clock::now() + kPatience;
        while (outstanding()) {
            auto found = completions_.poll();
            if (!found) return std::unexpected(found.error());
            for (const ibv_wc& wc : *found)
                if (auto taken = take(wc); !taken) return taken;
            if (Clock::now() > deadline) return wrong("a request after the end was not flushed");
        }
        for (User& user : users_)
            if (auto moved = user.pair.move_to(IBV_QPS_ERR); !moved) return moved;
        return {};
    }

    Result<void> destroy() {
        for (User& user : users_)
            if (auto destroyed = user.pair.destroy(); !destroyed) return destroyed;
        if (auto destroyed = completions_.destroy(); !destroyed) return destroyed;
        if (int err = memory_.deregister())
            return wrong(fmt::format("ibv_dereg_mr: {}", std::strerror(err)));
        if (int err = vrnic::check::destroy(device_.pd))
            return wrong(fmt::format("ibv_dealloc_pd: {}", std::strerror(err)));
        if (int err = vrnic::check::destroy(device_.context))
            return wrong(fmt::format("ibv_close_device: {}", std::strerror(err)));
        return {};
    }

    const Plan& plan_;
    Device device_;
    EventStream events_;
    Completions completions_;
    Buffer memory_;
    std::vector<User> users_;
    std::unordered_map<uint32_t, User*> by_qpn_;
    uint64_t flushed_ = 0;
};

}  // namespace

Result<void> check_removal(const Plan& plan, Device device,
                           const std::function<void(const std::string&)>& say) {
    return RemovalCheck(plan, std::move(device)).run(say);
}

}  // namespace vrnic::check
