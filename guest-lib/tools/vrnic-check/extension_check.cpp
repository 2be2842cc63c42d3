// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "extension_check.h"

#include <fmt/format.h>
#include <rdma/ib_user_verbs.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include "pattern.h"
#include "verbs_objects.h"

namespace vrnic::check {

namespace {

// What a device may offer, by the names that the two sides use.
constexpr std::string_view kWindows1 = "type 1 window";
constexpr std::string_view kWindows2 = "type 2 window";
constexpr std::string_view kAtomicWrite = "ATOMIC WRITE";
constexpr std::string_view kFlush = "FLUSH";

// What the initiator does, after the target did its part.
enum class Act {
    kWriteAndRead,
    kWrite,
    kWriteBeyond,         // one byte past the window's end
    kInvalidateAndWrite,  // SEND with invalidate, a WRITE right behind it
    kAtomicWrite,
    kWriteAndFlush,
};

// What the target does with the window after it was bound.
enum class Then { kNothing, kBindAgain, kInvalidate, kReceive };

struct ExtensionCase {
    std::string_view name;
    std::string_view offer;  // what both devices must have
    Act act;
    ibv_wc_status status = IBV_WC_SUCCESS;  // of the initiator's last request
    Then then = Then::kNothing;
    bool may_write = true;  // the window permits it
};

constexpr ExtensionCase kCases[] = {
    {"type 1 window: WRITE and READ", kWindows1, Act::kWriteAndRead},
    {"type 1 window: past its end", kWindows1, Act::kWriteBeyond, IBV_WC_REM_ACCESS_ERR},
    {"type 1 window: not permitted", kWindows1, Act::kWrite, IBV_WC_REM_ACCESS_ERR, Then::kNothing,
     false},
    {"type 1 window: bound anew, the key before", kWindows1, Act::kWrite, IBV_WC_REM_ACCESS_ERR,
     Then::kBindAgain},
    {"type 2 window: WRITE and READ", kWindows2, Act::kWriteAndRead},
    {"type 2 window: past its end", kWindows2, Act::kWriteBeyond, IBV_WC_REM_ACCESS_ERR},
    {"type 2 window: not permitted", kWindows2, Act::kWrite, IBV_WC_REM_ACCESS_ERR, Then::kNothing,
     false},
    {"type 2 window: after LOCAL_INV", kWindows2, Act::kWrite, IBV_WC_REM_ACCESS_ERR,
     Then::kInvalidate},
    {"type 2 window: SEND with invalidate, then WRITE", kWindows2, Act::kInvalidateAndWrite,
     IBV_WC_REM_ACCESS_ERR, Then::kReceive},
    {"ATOMIC WRITE", kAtomicWrite, Act::kAtomicWrite},
    {"FLUSH behind a WRITE", kFlush, Act::kWriteAndFlush},
};

// In the target's memory. The buffer begins at an odd address; ATOMIC WRITE goes to the first
// multiple of 8 in the window.
constexpr uint32_t kWindowStart = 512;
constexpr uint32_t kWindowSize = 1024;
constexpr uint32_t kLength = 300;     // of a message: more than one packet
constexpr uint32_t kReadInto = 2048;  // in the initiator's memory
constexpr uint64_t kLast = 7;         // wr_id of the request whose status is looked at
constexpr uint64_t kBefore = 6;       // of the one before it
constexpr uint64_t kReceiveId = 1000;

using MwPtr = std::unique_ptr<ibv_mw, Destroy<ibv_dealloc_mw>>;

constexpr uint64_t kExtendedOperations = IBV_QP_EX_WITH_RDMA_WRITE;

// What rdma_rxe of Linux 6.12 was seen to do, and is accepted with --lenient: as a target it lets a
// WRITE go past a window's end, and sets the kernel's flag of an invalidated key, which is another
// one for programs. FLUSH is left out: its ICRC there covers the headers twice.
constexpr unsigned kKernelWithInvalidate = 1u << 2;

bool is_left_out(const ExtensionCase& c, bool lenient) {
    return lenient && c.offer == kFlush;
}

Statuses accepted(const ExtensionCase& c, bool lenient) {
    if (lenient && c.act == Act::kWriteBeyond) return {c.status, IBV_WC_SUCCESS};
    return {c.status};
}

uint64_t extended_of(std::string_view offer) {
    if (offer == kAtomicWrite) return kExtendedOperations | IBV_QP_EX_WITH_ATOMIC_WRITE;
    if (offer == kFlush) return kExtendedOperations | IBV_QP_EX_WITH_FLUSH;
    return 0;
}

// What this device, its driver and its library offer together.
std::set<std::string> offers(const Device& device) {
    std::set<std::string> found;
    ibv_device_attr_ex attr{};
    if (ibv_query_device_ex(device.context.get(), nullptr, &attr)) return found;
    if (attr.orig_attr.device_cap_flags & IBV_DEVICE_MEM_WINDOW) found.emplace(kWindows1);
    if (attr.orig_attr.device_cap_flags & IBV_DEVICE_MEM_WINDOW_TYPE_2B) found.emplace(kWindows2);
    const auto library_has = [&](std::string_view offer) {
        auto completions = Completions::create(device.context.get(), 1, false);
        return completions &&
               QueuePair::create(device, *completions, {.extended = extended_of(offer)});
    };
    if ((attr.device_cap_flags_ex & IB_UVERBS_DEVICE_ATOMIC_WRITE) && library_has(kAtomicWrite))
        found.emplace(kAtomicWrite);
    if ((attr.device_cap_flags_ex & IB_UVERBS_DEVICE_FLUSH_GLOBAL) && library_has(kFlush))
        found.emplace(kFlush);
    return found;
}

Scene::Options scene_of(const ExtensionCase& c) {
    Scene::Options options{.access = IBV_ACCESS_LOCAL_WRITE, .qp = {}};
    options.qp.extended = extended_of(c.offer);
    if (c.offer == kWindows1 || c.offer == kWindows2)
        options.access |= IBV_ACCESS_MW_BIND;  // reached through windows only
    else
        options.access |= IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE;
    if (c.offer == kFlush) {
        options.access |= IBV_ACCESS_FLUSH_GLOBAL;
        options.qp.more_access = IBV_ACCESS_FLUSH_GLOBAL;
    }
    return options;
}

// What the initiator may reach: the window, or the middle of the memory.
struct Reach {
    uint64_t address = 0;
    uint32_t rkey = 0;
    MwPtr window = nullptr;  // the target's
};

void complain_errno(Scene& scene, std::string_view what, int error) {
    scene.complain(fmt::format("{}: {}", what, std::strerror(error)));
}

// A completion that is a success, of this kind.
void expect_done(Scene& scene, uint64_t wr_id, ibv_wc_opcode opcode) {
    const auto wc = scene.expect(wr_id, {IBV_WC_SUCCESS});
    if (wc && wc->status == IBV_WC_SUCCESS && wc->opcode != opcode)
        scene.complain(fmt::format("request {} completed as opcode {}, not {}", wr_id,
                                   static_cast<int>(wc->opcode), static_cast<int>(opcode)));
}

ibv_mw_bind_info binding(const Scene& scene, bool may_write) {
    return {.mr = scene.memory.mr(),
            .addr = scene.address(kWindowStart),
            .length = kWindowSize,
            .mw_access_flags = static_cast<unsigned>(IBV_ACCESS_REMOTE_READ |
                                                     (may_write ? IBV_ACCESS_REMOTE_WRITE : 0))};
}

// Binds and waits for it; what was bound before holds no longer.
void bind(const ExtensionCase& c, Scene& scene, Reach& reach) {
    constexpr uint64_t kBind = 1;
    const ibv_mw_bind_info info = binding(scene, c.may_write);
    if (c.offer == kWindows1) {
        ibv_mw_bind request{.wr_id = kBind, .send_flags = IBV_SEND_SIGNALED, .bind_info = info};
        if (int err = ibv_bind_mw(scene.pair.get(), reach.window.get(), &request))
            return complain_errno(scene, "ibv_bind_mw", err);
        reach.rkey = reach.window->rkey;
    } else {
        reach.rkey = ibv_inc_rkey(reach.window->rkey);
        ibv_send_wr wr{};
        wr.wr_id = kBind;
        wr.opcode = IBV_WR_BIND_MW;
        wr.send_flags = IBV_SEND_SIGNALED;
        wr.bind_mw = {.mw = reach.window.get(), .rkey = reach.rkey, .bind_info = info};
        ibv_send_wr* refused = nullptr;
        if (int err = ibv_post_send(scene.pair.get(), &wr, &refused))
            return complain_errno(scene, "posting BIND_MW", err);
    }
    expect_done(scene, kBind, IBV_WC_BIND_MW);
}

void invalidate(Scene& scene, uint32_t rkey) {
    constexpr uint64_t kInvalidate = 2;
    ibv_send_wr wr{};
    wr.wr_id = kInvalidate;
    wr.opcode = IBV_WR_LOCAL_INV;
    wr.send_flags = IBV_SEND_SIGNALED;
    wr.invalidate_rkey = rkey;
    ibv_send_wr* refused = nullptr;
    if (int err = ibv_post_send(scene.pair.get(), &wr, &refused))
        return complain_errno(scene, "posting LOCAL_INV", err);
    expect_done(scene, kInvalidate, IBV_WC_LOCAL_INV);
}

void receive(Scene& scene) {
    ibv_recv_wr wr{};  // of an empty message
    wr.wr_id = kReceiveId;
    ibv_recv_wr* refused = nullptr;
    if (int err = ibv_post_recv(scene.pair.get(), &wr, &refused))
        complain_errno(scene, "ibv_post_recv", err);
}

// The target, before the initiator begins.
Result<Reach> prepare_target(const ExtensionCase& c, const Device& device, Scene& scene) {
    Reach reach{.address = scene.address(kWindowStart), .rkey = scene.memory.mr()->rkey};
    if (c.offer != kWindows1 && c.offer != kWindows2) return reach;
    reach.window.reset(
        ibv_alloc_mw(device.pd.get(), c.offer == kWindows1 ? IBV_MW_TYPE_1 : IBV_MW_TYPE_2));
    if (!reach.window) return verbs_error(fmt::format("ibv_alloc_mw: {}", std::strerror(errno)));
    bind(c, scene, reach);
    const uint32_t first = reach.rkey;
    switch (c.then) {
        case Then::kNothing:
            break;
        case Then::kBindAgain:
            bind(c, scene, reach);
            if (reach.rkey == first) scene.complain("bound anew the window has the same key");
            reach.rkey = first;
            break;
        case Then::kInvalidate:
            invalidate(scene, first);
            break;
        case Then::kReceive:
            receive(scene);
            break;
    }
    return reach;
}

// Posts one request of ibv_post_send; false: refused, and complained of.
bool post(Scene& scene, uint64_t wr_id, ibv_wr_opcode opcode, ibv_sge sge, const Reach& reach,
          uint64_t past = 0) {
    ibv_send_wr wr{};
    wr.wr_id = wr_id;
    wr.opcode = opcode;
    wr.send_flags = IBV_SEND_SIGNALED;
    if (opcode == IBV_WR_SEND_WITH_INV) {
        wr.invalidate_rkey = reach.rkey;
    } else {
        wr.sg_list = &sge;
        wr.num_sge = 1;
        wr.wr.rdma.remote_addr = reach.address + past;
        wr.wr.rdma.rkey = reach.rkey;
    }
    ibv_send_wr* refused = nullptr;
    const int err = ibv_post_send(scene.pair.get(), &wr, &refused);
    if (err) complain_errno(scene, "ibv_post_send", err);
    return err == 0;
}

uint64_t aligned(uint64_t address) {
    return (address + 7) & ~uint64_t{7};
}

// ATOMIC WRITE, or WRITE and FLUSH behind it, by ibv_wr_*.
void post_extended(const ExtensionCase& c, Scene& scene, const Reach& reach) {
    ibv_qp_ex* qp = ibv_qp_to_qp_ex(scene.pair.get());
    if (qp == nullptr) return scene.complain("the QP has no ibv_wr_*");
    ibv_wr_start(qp);
    qp->wr_flags = IBV_SEND_SIGNALED;
    if (c.act == Act::kAtomicWrite) {
        qp->wr_id = kLast;
        ibv_wr_atomic_write(qp, reach.rkey, aligned(reach.address), scene.memory.bytes().data());
    } else {
        const ibv_sge source = scene.piece(0, kLength);
        qp->wr_id = kBefore;
        ibv_wr_rdma_write(qp, reach.rkey, reach.address);
        ibv_wr_set_sge(qp, source.lkey, source.addr, source.length);
        qp->wr_id = kLast;
        ibv_wr_flush(qp, reach.rkey, reach.address, kLength, IBV_FLUSH_GLOBAL, IBV_FLUSH_RANGE);
    }
    if (int err = ibv_wr_complete(qp)) return complain_errno(scene, "ibv_wr_complete", err);
    if (c.act == Act::kWriteAndFlush) expect_done(scene, kBefore, IBV_WC_RDMA_WRITE);
    expect_done(scene, kLast, c.act == Act::kAtomicWrite ? IBV_WC_ATOMIC_WRITE : IBV_WC_FLUSH);
}

void initiate(const ExtensionCase& c, bool lenient, Scene& scene, const Reach& reach) {
    const ibv_sge source = scene.piece(0, kLength);
    switch (c.act) {
        case Act::kWriteAndRead:
            if (!post(scene, kBefore, IBV_WR_RDMA_WRITE, source, reach)) return;
            if (!post(scene, kLast, IBV_WR_RDMA_READ, scene.piece(kReadInto, kLength), reach))
                return;
            expect_done(scene, kBefore, IBV_WC_RDMA_WRITE);
            break;
        case Act::kWrite:
            if (!post(scene, kLast, IBV_WR_RDMA_WRITE, source, reach)) return;
            break;
        case Act::kWriteBeyond:
            if (!post(scene, kLast, IBV_WR_RDMA_WRITE, source, reach, kWindowSize - kLength + 1))
                return;
            break;
        case Act::kInvalidateAndWrite:
            if (!post(scene, kBefore, IBV_WR_SEND_WITH_INV, {}, reach)) return;
            if (!post(scene, kLast, IBV_WR_RDMA_WRITE, source, reach)) return;
            expect_done(scene, kBefore, IBV_WC_SEND);
            break;
        case Act::kAtomicWrite:
        case Act::kWriteAndFlush:
            return post_extended(c, scene, reach);
    }
    const auto last = scene.expect(kLast, accepted(c, lenient));
    if (c.status != IBV_WC_SUCCESS) {
        if (last && last->status != IBV_WC_SUCCESS) scene.expect_error_state();
        return;
    }
    if (c.act != Act::kWriteAndRead) return;
    // What was read back is what was written.
    if (auto mismatch =
            Pattern(scene.background).compare(scene.memory.bytes().subspan(kReadInto, kLength), 0))
        scene.complain(fmt::format("{} byte(s) were read wrong, the first at {}", mismatch->count,
                                   mismatch->position));
}

// What of the target's memory the initiator has written: nothing when it was refused.
struct Written {
    size_t from;
    size_t length;
};

Written written(const ExtensionCase& c, const Scene& scene) {
    if (c.status != IBV_WC_SUCCESS) return {0, 0};
    if (c.act != Act::kAtomicWrite) return {kWindowStart, kLength};
    return {aligned(scene.address(kWindowStart)) - scene.address(), sizeof(uint64_t)};
}

void check_target(const ExtensionCase& c, bool lenient, Scene& scene, const Reach& reach) {
    if (c.then == Then::kReceive) {
        const auto wc = scene.expect(kReceiveId, {IBV_WC_SUCCESS});
        const unsigned flag = IBV_WC_WITH_INV | (lenient ? kKernelWithInvalidate : 0u);
        if (wc && wc->status == IBV_WC_SUCCESS &&
            (!(wc->wc_flags & flag) || wc->invalidated_rkey != reach.rkey))
            scene.complain(fmt::format(
                "the receive completion tells flags 0x{:x}, key 0x{:x}, not that 0x{:x} is invalid",
                wc->wc_flags, wc->invalidated_rkey, reach.rkey));
    }
    const auto bytes = std::span<const std::byte>(scene.memory.bytes());
    const Written w = written(c, scene);
    const auto look = [&](std::string_view what, uint64_t key, size_t from, size_t length,
                          uint64_t offset) {
        if (auto mismatch = Pattern(key).compare(bytes.subspan(from, length), offset))
            scene.complain(fmt::format("{}: {} byte(s) are wrong, the first at {}", what,
                                       mismatch->count, from + mismatch->position));
    };
    look("what was written", scene.peer_background, w.from, w.length, 0);
    look("before it", scene.background, 0, w.from, 0);
    const size_t end = w.from + w.length;
    if (lenient && c.act == Act::kWriteBeyond) return;
    look("behind it", scene.background, end, bytes.size() - end, end);
}

Result<void> run_case(const ExtensionCase& c, const Plan& plan, const Device& device, Channel& peer,
                      bool initiator, const Found& found) {
    auto scene = Scene::set(plan, device, peer, initiator, scene_of(c));
    if (!scene) return std::unexpected(scene.error());
    Reach reach;
    if (!initiator) {
        auto prepared = prepare_target(c, device, *scene);
        if (!prepared) return std::unexpected(prepared.error());
        reach = std::move(*prepared);
    }
    auto there = peer.exchange({{"address", reach.address}, {"rkey", reach.rkey}});
    if (!there) return std::unexpected(there.error());
    if (initiator) {
        reach.address = there->value("address", uint64_t{0});
        reach.rkey = there->value("rkey", 0u);
        initiate(c, plan.lenient, *scene, reach);
    }
    if (auto met = peer.barrier(fmt::format("{}: done", c.name)); !met) return met;
    if (!initiator) check_target(c, plan.lenient, *scene, reach);
    found(scene->finding(fmt::format("{} ({})", c.name, initiator ? "initiator" : "target")));
    return {};
}

}  // namespace

Result<void> check_extensions(const Plan& plan, const Device& device, Channel& peer, bool is_client,
                              const Found& found) {
    const auto ours = offers(device);
    auto told = peer.exchange({{"offers", ours}});
    if (!told) return std::unexpected(told.error());
    const auto theirs = told->value("offers", std::set<std::string>{});
    const auto why_not = [&](const ExtensionCase& c) -> std::string {
        const std::string offer(c.offer);
        if (!ours.contains(offer) || !theirs.contains(offer)) return "not offered";
        return is_left_out(c, plan.lenient) ? "left out" : "";
    };
    return for_each_direction(plan, is_client, [&](bool initiator) -> Result<void> {
        for (const ExtensionCase& c : kCases) {
            if (auto why = why_not(c); !why.empty())
                found({std::string(c.name), std::move(why), ""});
            else if (auto done = run_case(c, plan, device, peer, initiator, found); !done)
                return done;
        }
        return {};
    });
}

}  // namespace vrnic::check
