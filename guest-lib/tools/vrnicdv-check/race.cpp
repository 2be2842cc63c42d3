// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "race.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "methods.h"

namespace vrnic::dvcheck {

namespace {

constexpr unsigned kCallers = 3, kMakers = 2;
constexpr uint32_t kHandles = 48;  // those that are tried: the process has about so many
constexpr std::size_t kRoom = 1024;

// Everything that a call with nonsense may answer.
constexpr std::array kAllowed = {0,          EINVAL,          ENOENT, EBADF,  EBUSY,
                                 EPERM,      ENOMEM,          EEXIST, ENODEV, EFAULT,
                                 EOPNOTSUPP, EPROTONOSUPPORT, EIO,    EAGAIN};

struct Race {
    ibv_context* context;
    std::vector<Method> methods;
    std::atomic<bool> over = false;
    std::atomic<bool> gone = false;  // the device
    std::atomic<uint64_t> calls = 0, done = 0;
    std::mutex lock;
    std::string wrong;

    void complain(std::string what) {
        const std::lock_guard held(lock);
        if (wrong.empty()) wrong = std::move(what);
        over = true;
    }
};

class Caller {
  public:
    Caller(Race& race, unsigned seed) : race_(race), random_(seed) {}

    void run() {
        while (!race_.over && !race_.gone) {
            const Method& method = race_.methods[below(race_.methods.size())];
            const int err = call(race_.context, method, attrs_of(method));
            ++race_.calls;
            if (err == 0) ++race_.done;
            if (err == EIO) race_.gone = true;
            if (std::ranges::find(kAllowed, err) == kAllowed.end())
                race_.complain(fmt::format("{}: {}", method.name, std::strerror(err)));
        }
    }

  private:
    std::size_t below(std::size_t limit) { return random_() % limit; }

    std::vector<ib_uverbs_attr> attrs_of(const Method& method) {
        std::vector<ib_uverbs_attr> attrs;
        for (const vrnic_ib_type& type : method.attrs) {
            const bool mandatory = (type.flags & VRNIC_TYPE_MANDATORY) != 0;
            if (below(100) >= (mandatory ? 97u : 30u)) continue;
            ib_uverbs_attr attr{};
            attr.attr_id = type.attr;
            attr.flags = UVERBS_ATTR_F_MANDATORY;
            if (has_memory(type))
                fill(attr, type, buffers_[attrs.size() % buffers_.size()]);
            else if (is_object(type))
                attr.data = below(kHandles);
            attrs.push_back(attr);
        }
        return attrs;
    }

    void fill(ib_uverbs_attr& attr, const vrnic_ib_type& type, std::array<uint8_t, kRoom>& room) {
        attr.len = type.size;
        attr.data = reinterpret_cast<uintptr_t>(room.data());
        if (type.kind != VRNIC_TYPE_IN) return;
        if (type.size <= sizeof(attr.data)) {
            attr.data = below(5);
            return;
        }
        room.fill(0);
        room[0] = static_cast<uint8_t>(below(12));  // a kind of fault, or kinds of records
        if (type.size == sizeof(vrnic_ib_interface)) {
            constexpr const char* kNames[] = {"capture.vrnic", "events.vrnic", "faults.vrnic"};
            const vrnic_ib_interface wanted = [&] {
                vrnic_ib_interface out{};
                std::strcpy(out.name, kNames[below(3)]);
                out.version = 1;
                return out;
            }();
            std::memcpy(room.data(), &wanted, sizeof(wanted));
        }
    }

    Race& race_;
    std::minstd_rand random_;
    std::array<std::array<uint8_t, kRoom>, 8> buffers_{};
};

using PdPtr = std::unique_ptr<ibv_pd, check::Destroy<ibv_dealloc_pd>>;
using CqPtr = std::unique_ptr<ibv_cq, check::Destroy<ibv_destroy_cq>>;
using QpPtr = std::unique_ptr<ibv_qp, check::Destroy<ibv_destroy_qp>>;
using SrqPtr = std::unique_ptr<ibv_srq, check::Destroy<ibv_destroy_srq>>;
using MrPtr = std::unique_ptr<ibv_mr, check::Destroy<ibv_dereg_mr>>;

// Objects that come and go, with handles that the callers try.
void make_and_destroy(Race& race) {
    const PdPtr pd(ibv_alloc_pd(race.context));
    std::vector<uint8_t> memory(8192);
    while (pd && !race.over && !race.gone) {
        const CqPtr cq(ibv_create_cq(race.context, 16, nullptr, nullptr, 0));
        ibv_srq_init_attr shared{};
        shared.attr.max_wr = shared.attr.max_sge = 1;
        const SrqPtr srq(ibv_create_srq(pd.get(), &shared));
        ibv_qp_init_attr init{};
        init.send_cq = init.recv_cq = cq.get();
        init.cap = {1, 1, 1, 1, 0};
        init.qp_type = IBV_QPT_RC;
        const QpPtr qp(cq ? ibv_create_qp(pd.get(), &init) : nullptr);
        const MrPtr mr(ibv_reg_mr(pd.get(), memory.data(), memory.size(), IBV_ACCESS_LOCAL_WRITE));
        if (!qp || !srq || !mr) {
            if (errno == EIO) race.gone = true;
            return;
        }
        std::this_thread::yield();
    }
}

}  // namespace

int run_race(const std::string& device, unsigned seconds) {
    auto bench = Bench::set_up(device);
    if (!bench) {
        fmt::print("{}\n", bench.error().message);
        return 1;
    }
    auto methods = all_methods(bench->context());
    if (!methods) {
        fmt::print("{}\n", methods.error().message);
        return 1;
    }
    Race race{.context = bench->context(), .methods = std::move(*methods)};
    if (seteuid(65534) != 0) return 1;
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < kCallers; ++i)
            threads.emplace_back([&race, i] { Caller(race, i + 1).run(); });
        for (unsigned i = 0; i < kMakers; ++i)
            threads.emplace_back([&race] { make_and_destroy(race); });
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
        while (!race.over && !race.gone && std::chrono::steady_clock::now() < end)
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        race.over = true;
    }
    if (seteuid(0) != 0) return 1;
    fmt::print("{} calls, {} of them done{}\n", race.calls.load(), race.done.load(),
               race.gone ? ", the device is gone" : "");
    if (!race.wrong.empty()) {
        fmt::print("{}\n", race.wrong);
        return 1;
    }
    if (race.gone) return 0;
    const auto after = Bench::set_up(device);
    if (!after) fmt::print("afterwards: {}\n", after.error().message);
    return after ? 0 : 1;
}

}  // namespace vrnic::dvcheck
