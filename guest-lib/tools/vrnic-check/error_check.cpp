// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "error_check.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>

#include "pattern.h"

namespace vrnic::check {

namespace {

// What is made wrong.
enum class Trouble {
    kBadRkey,
    kStaleRkey,     // of a memory region that was deregistered
    kOutOfBounds,   // one byte past the end of the region
    kNoPermission,  // the region does not allow it
    kBadLkey,
    kNoReceive,  // and no patience (rnr_retry 0)
    kShortReceive,
    kBadReceiveLkey,
    kPeerGone,  // its QP was reset
    kMoved,     // dma-buf: the target's memory was moved by its owner
    kOwnMoved,  // the initiator's
};

// The statuses are the specification's (IBTA 10.10, 11.6.2). The lenient ones are what rdma_rxe of
// Linux 6.1 and 6.12 was seen to report instead; they pass only when asked for.
struct ErrorCase {
    std::string_view name;
    Operation operation;
    Trouble trouble;
    ibv_wc_status initiator;
    std::optional<ibv_wc_status> receive = {};  // of the target's receive; nothing: none completes
    Statuses lenient_initiator = {};
    Statuses lenient_receive = {};
};

const std::vector<ErrorCase>& cases() {
    using enum Operation;
    using enum Trouble;
    static const std::vector<ErrorCase> list = {
        {"write, rkey that never was", kWrite, kBadRkey, IBV_WC_REM_ACCESS_ERR},
        {"read, rkey that never was", kRead, kBadRkey, IBV_WC_REM_ACCESS_ERR},
        {"write, rkey after deregistration", kWrite, kStaleRkey, IBV_WC_REM_ACCESS_ERR},
        {"write, past the end", kWrite, kOutOfBounds, IBV_WC_REM_ACCESS_ERR},
        {"read, past the end", kRead, kOutOfBounds, IBV_WC_REM_ACCESS_ERR},
        {"write, not permitted", kWrite, kNoPermission, IBV_WC_REM_ACCESS_ERR},
        {"read, not permitted", kRead, kNoPermission, IBV_WC_REM_ACCESS_ERR},
        {"send, bad lkey",
         kSend,
         kBadLkey,
         IBV_WC_LOC_PROT_ERR,
         {},
         {IBV_WC_LOC_QP_OP_ERR, IBV_WC_WR_FLUSH_ERR}},
        {"send, no receive, no retry", kSend, kNoReceive, IBV_WC_RNR_RETRY_EXC_ERR},
        {"send, longer than the receive",
         kSend,
         kShortReceive,
         IBV_WC_REM_INV_REQ_ERR,
         IBV_WC_LOC_LEN_ERR,
         {IBV_WC_REM_OP_ERR},
         {IBV_WC_REM_INV_REQ_ERR, IBV_WC_LOC_QP_OP_ERR}},
        {"send, receive with a bad lkey",
         kSend,
         kBadReceiveLkey,
         IBV_WC_REM_OP_ERR,
         IBV_WC_LOC_PROT_ERR,
         {},
         {IBV_WC_LOC_QP_OP_ERR}},
        {"write, the peer's QP is gone", kWrite, kPeerGone, IBV_WC_RETRY_EXC_ERR},
        {"write, to a dma-buf that moved", kWrite, kMoved, IBV_WC_REM_ACCESS_ERR},
        {"read, from a dma-buf that moved", kRead, kMoved, IBV_WC_REM_ACCESS_ERR},
        {"send, from a dma-buf that moved", kSend, kOwnMoved, IBV_WC_LOC_PROT_ERR},
    };
    return list;
}

bool needs_dmabuf(const ErrorCase& c) {
    return c.trouble == Trouble::kMoved || c.trouble == Trouble::kOwnMoved;
}

Statuses accepted(const Plan& plan, ibv_wc_status right, const Statuses& lenient) {
    Statuses list{right};
    if (plan.lenient) list.insert(list.end(), lenient.begin(), lenient.end());
    return list;
}

constexpr uint32_t kLength = 1000;     // of a message
constexpr uint32_t kFollowers = 2;     // good requests behind the bad one: they must be flushed
constexpr uint64_t kReceiveId = 1000;  // above the numbers of send requests

Scene::Options scene_of(const ErrorCase& c) {
    Scene::Options options{
        .access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE,
        .qp = {}};
    if (c.trouble == Trouble::kNoPermission)
        options.access &=
            ~(c.operation == Operation::kRead ? IBV_ACCESS_REMOTE_READ : IBV_ACCESS_REMOTE_WRITE);
    if (c.trouble == Trouble::kNoReceive) options.qp.rnr_retry = 0;
    if (c.trouble == Trouble::kPeerGone) options.qp.retry_count = 1;
    return options;
}

void initiate(const ErrorCase& c, const Plan& plan, Scene& scene) {
    ibv_sge good_sge = scene.piece(0, kLength);
    ibv_sge bad_sge = good_sge;
    std::vector<ibv_send_wr> requests(1 + kFollowers);
    for (size_t i = 0; i < requests.size(); ++i) {
        ibv_send_wr& wr = requests[i];
        wr.wr_id = i;
        wr.next = i + 1 < requests.size() ? &requests[i + 1] : nullptr;
        wr.sg_list = &good_sge;
        wr.num_sge = 1;
        wr.opcode = IBV_WR_RDMA_WRITE;
        wr.send_flags = IBV_SEND_SIGNALED;
        wr.wr.rdma.remote_addr = scene.peer_address;
        wr.wr.rdma.rkey = scene.peer_rkey;
    }
    ibv_send_wr& bad = requests[0];
    bad.sg_list = &bad_sge;
    bad.opcode = c.operation == Operation::kSend   ? IBV_WR_SEND
                 : c.operation == Operation::kRead ? IBV_WR_RDMA_READ
                                                   : IBV_WR_RDMA_WRITE;
    switch (c.trouble) {
        case Trouble::kBadRkey:
            bad.wr.rdma.rkey ^= 0x00f0f000;
            break;
        case Trouble::kOutOfBounds:
            bad.wr.rdma.remote_addr += Scene::kSize - kLength + 1;
            break;
        case Trouble::kBadLkey:
            bad_sge.lkey ^= 0x00f0f000;
            break;
        case Trouble::kStaleRkey:
        case Trouble::kNoPermission:
        case Trouble::kNoReceive:
        case Trouble::kShortReceive:
        case Trouble::kBadReceiveLkey:
        case Trouble::kPeerGone:
        case Trouble::kMoved:
            break;  // the target's doing
        case Trouble::kOwnMoved:
            if (auto moved = scene.memory.move_away(); !moved)
                scene.complain(moved.error().message);
            break;
    }
    ibv_send_wr* refused = nullptr;
    if (int err = ibv_post_send(scene.pair.get(), requests.data(), &refused)) {
        scene.complain(fmt::format("ibv_post_send: {}", std::strerror(err)));
        return;
    }
    scene.expect(0, accepted(plan, c.initiator, c.lenient_initiator));
    for (uint64_t i = 1; i <= kFollowers; ++i) scene.expect(i, {IBV_WC_WR_FLUSH_ERR});
    scene.expect_error_state();

    // What is posted to a QP in error is flushed, too.
    ibv_send_wr late = requests[kFollowers];
    late.wr_id = kFollowers + 1;
    if (int err = ibv_post_send(scene.pair.get(), &late, &refused))
        scene.complain(fmt::format("ibv_post_send in the error state: {}", std::strerror(err)));
    else
        scene.expect(kFollowers + 1, {IBV_WC_WR_FLUSH_ERR});
}

// What the target does before the initiator begins.
Result<void> prepare_target(const ErrorCase& c, Scene& scene) {
    if (c.trouble == Trouble::kStaleRkey)
        if (int err = scene.memory.deregister())
            return verbs_error(fmt::format("ibv_dereg_mr: {}", std::strerror(err)));
    if (c.trouble == Trouble::kPeerGone) return scene.pair.move_to(IBV_QPS_RESET);
    if (c.trouble == Trouble::kMoved) return scene.memory.move_away();
    if (!c.receive) return {};

    ibv_sge sge = scene.piece(0, Scene::kSize);
    if (c.trouble == Trouble::kShortReceive) sge.length = kLength - 1;
    if (c.trouble == Trouble::kBadReceiveLkey) sge.lkey ^= 0x00f0f000;
    ibv_recv_wr wr{};
    wr.wr_id = kReceiveId;
    wr.sg_list = &sge;
    wr.num_sge = 1;
    ibv_recv_wr* refused = nullptr;
    if (int err = ibv_post_recv(scene.pair.get(), &wr, &refused))
        return verbs_error(fmt::format("ibv_post_recv: {}", std::strerror(err)));
    return {};
}

void check_target(const ErrorCase& c, const Plan& plan, Scene& scene) {
    if (c.receive) scene.expect(kReceiveId, accepted(plan, *c.receive, c.lenient_receive));
    // A short receive may have been filled before the rest came; all else must be untouched.
    const size_t from = c.trouble == Trouble::kShortReceive ? kLength - 1 : 0;
    if (auto mismatch = Pattern(scene.background).compare(scene.memory.bytes().subspan(from), from))
        scene.complain(fmt::format("{} byte(s) of the target were written, the first at {}",
                                   mismatch->count, from + mismatch->position));
}

// Receives are flushed when the QP goes to the error state, and when they are posted there.
Result<void> flush_receives(const Plan& plan, Scene& scene) {
    ibv_sge sge = scene.piece(0, kLength);
    ibv_recv_wr* refused = nullptr;
    auto post = [&](uint64_t id) -> Result<void> {
        ibv_recv_wr wr{};
        wr.wr_id = id;
        wr.sg_list = &sge;
        wr.num_sge = 1;
        if (int err = ibv_post_recv(scene.pair.get(), &wr, &refused))
            return verbs_error(fmt::format("ibv_post_recv: {}", std::strerror(err)));
        return {};
    };
    for (uint64_t id : {0, 1})
        if (auto posted = post(id); !posted) return posted;
    if (auto moved = scene.pair.move_to(IBV_QPS_ERR); !moved) return moved;
    for (uint64_t id : {0, 1}) scene.expect(id, {IBV_WC_WR_FLUSH_ERR});
    if (plan.lenient) return {};  // rdma_rxe leaves a late receive where it is
    if (auto posted = post(2); !posted) return posted;
    scene.expect(2, {IBV_WC_WR_FLUSH_ERR});
    return {};
}

Result<void> run_case(const ErrorCase& c, const Plan& plan, const Device& device, Channel& peer,
                      bool initiator, const Found& found) {
    auto scene = Scene::set(plan, device, peer, initiator, scene_of(c));
    if (!scene) return std::unexpected(scene.error());
    if (!initiator)
        if (auto prepared = prepare_target(c, *scene); !prepared) return prepared;
    if (auto met = peer.barrier(fmt::format("{}: ready", c.name)); !met) return met;
    if (initiator) initiate(c, plan, *scene);
    if (auto met = peer.barrier(fmt::format("{}: done", c.name)); !met) return met;
    if (!initiator) check_target(c, plan, *scene);
    found(scene->finding(fmt::format("{} ({})", c.name, initiator ? "initiator" : "target")));
    return {};
}

// Each side for itself; the peer is only who it is connected to.
Result<void> run_flush(const Plan& plan, const Device& device, Channel& peer, bool initiator,
                       const Found& found) {
    const ErrorCase flush{"receives of a QP in error", Operation::kSend, Trouble::kNoReceive,
                          IBV_WC_WR_FLUSH_ERR};
    auto scene = Scene::set(plan, device, peer, initiator, scene_of(flush));
    if (!scene) return std::unexpected(scene.error());
    if (!initiator) {
        if (auto flushed = flush_receives(plan, *scene); !flushed) return flushed;
        found(scene->finding(std::string(flush.name)));
    }
    return peer.barrier("all done");
}

}  // namespace

Result<void> check_errors(const Plan& plan, const Device& device, Channel& peer, bool is_client,
                          const Found& found) {
    return for_each_direction(plan, is_client, [&](bool initiator) -> Result<void> {
        for (const ErrorCase& c : cases()) {
            if (needs_dmabuf(c) && !plan.dmabuf) continue;
            if (auto done = run_case(c, plan, device, peer, initiator, found); !done) return done;
        }
        return run_flush(plan, device, peer, initiator, found);
    });
}

}  // namespace vrnic::check
