// SPDX-License-Identifier: GPL-2.0-or-later
#include "workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "transfer.h"

namespace vrnic::sim {

// One operation owns a slot of the near and of the far region for its life.
struct Workload::Operation {
    bool busy = false;
    std::uint8_t opcode = 0;
    bool is_signaled = true;
    bool sent_done = false;     // the requester's side is over
    bool received_done = true;  // the responder's completion came, or there is none
    std::uint32_t entry = 0;    // index in the send queue
    std::uint32_t imm = 0;
    std::vector<std::byte> bytes;  // of an atomic: nothing until its answer is there
    std::uint64_t add = 0;         // of an atomic
    std::optional<GuardedSlot> near, far;
};

// One direction of a pair of QPs: `from` asks, `to` is asked.
struct Workload::Flow {
    Node& from;
    GuestCq& from_cq;
    GuestQp& from_qp;
    Node& to;
    GuestCq& to_cq;
    GuestQp& to_qp;
    Region near, far;
    std::vector<Operation> slots;
    std::vector<Region> receive_regions{};  // one for each entry that may be posted
    std::deque<std::size_t> in_flight{};    // slots, in the order they were posted
    std::deque<std::size_t> awaited{};      // slots whose receive completion is to come, in order
    struct Receive {
        std::uint32_t entry;
        std::size_t slot;  // of receive buffers
    };
    std::deque<Receive> receives{};
    std::vector<std::optional<GuardedSlot>> receive_slots{};
    std::vector<std::size_t> free_receives{};
    std::uint32_t posted = 0;
    std::uint32_t completed = 0;
    std::uint64_t least_original = 0;  // what the next atomic finds at least
};

// A word on each node to which all flows add.
struct Workload::Counter {
    Region region;
    std::uint64_t sum = 0;                // of what was posted
    std::set<std::uint64_t> originals{};  // what was found there
};

namespace {
constexpr std::size_t kReceives = 8;
}

Workload::Workload(Pair& pair, const WorkloadOptions& options)
    : pair_(pair), options_(options), random_(options.seed ^ 0x5eed) {
    for (Node* node : {&pair.a, &pair.b})
        counters_.push_back(std::make_unique<Counter>(
            Counter{.region = node->driver.reg_mr(sizeof(std::uint64_t), kAllAccess)}));
    for (std::uint32_t i = 0; i < options.qps; ++i) {
        Connection how;
        how.path_mtu =
            options.path_mtu ? options.path_mtu : static_cast<std::uint8_t>(1 + random_.next() % 5);
        how.gid_index = options.gid_index;
        how.rd_atomic = static_cast<std::uint8_t>(1 + random_.next() % 8);
        how.psn_a = random_.next() & 0xffffff;
        how.psn_b = random_.next() % 2 ? 0xfffff0 : random_.next() & 0xffffff;
        QpOptions qp;
        qp.sq_log_stride = 8;
        qp.rq_log_stride = 7;
        qp.flags = random_.next() % 4 == 0 ? VRNIC_QP_SQ_SIG_ALL : 0;
        auto [qa, qb] = pair.connect(how, qp);
        make_flow(pair.a, *pair.cq_a, qa, pair.b, *pair.cq_b, qb);
        make_flow(pair.b, *pair.cq_b, qb, pair.a, *pair.cq_a, qa);
    }
}

Workload::~Workload() = default;

void Workload::make_flow(Node& from, GuestCq& from_cq, GuestQp& from_qp, Node& to, GuestCq& to_cq,
                         GuestQp& to_qp) {
    const std::uint64_t room = GuardedSlot::room(options_.max_bytes);
    const auto offset = static_cast<std::uint32_t>(random_.next() % 4096);
    auto flow = std::make_unique<Flow>(
        Flow{from, from_cq, from_qp, to, to_cq, to_qp,
             from.driver.reg_mr(room * options_.depth, kAllAccess, {.offset = offset}),
             to.driver.reg_mr(room * options_.depth, kAllAccess, {.offset = 4095 - offset}),
             std::vector<Operation>(options_.depth)});
    for (std::size_t i = 0; i < kReceives; ++i) {
        flow->receive_regions.push_back(to.driver.reg_mr(room, kAllAccess));
        flow->free_receives.push_back(i);
    }
    flow->receive_slots.resize(kReceives);
    flows_.push_back(std::move(flow));
}

Workload::Counter& Workload::counter_at(const Node& node) {
    return *counters_[&node == &pair_.a ? 0 : 1];
}

void Workload::fail(const std::string& what) {
    if (wrong_.empty())
        wrong_ = fmt::format("seed {}, at {} ns: {}", options_.seed, pair_.world.now(), what);
}

void Workload::post_receives(Flow& flow) {
    while (!flow.free_receives.empty()) {
        if (options_.receives_late && random_.next() % 3 == 0) return;
        const std::size_t at = flow.free_receives.back();
        flow.free_receives.pop_back();
        if (flow.receive_slots[at] && !flow.receive_slots[at]->is_empty())
            fail(fmt::format("QP {:#x}: a receive buffer was written after its completion",
                             flow.to_qp.qpn));
        flow.receive_slots[at].emplace(flow.receive_regions[at], 0, options_.max_bytes);
        GuardedSlot& slot = *flow.receive_slots[at];
        // In one or several pieces, some of them empty.
        std::vector<vrnic_sge> list;
        std::uint64_t done = 0;
        for (int pieces = static_cast<int>(random_.next() % 4); pieces > 0; --pieces) {
            const std::uint64_t part = random_.next() % (options_.max_bytes - done + 1) / 2;
            list.push_back(slot.sge(done, part));
            done += part;
        }
        list.push_back(slot.sge(done, options_.max_bytes - done));
        flow.receives.push_back({flow.to.driver.post_recv(flow.to_qp, list), at});
    }
}

void Workload::post(Flow& flow) {
    const auto free = std::ranges::find(flow.slots, false, &Operation::busy);
    if (free == flow.slots.end() || flow.from_qp.sq_free() == 0) return;
    const auto at = static_cast<std::size_t>(free - flow.slots.begin());
    Operation& op = *free;

    if (op.near && !(op.near->is_empty() && op.far->is_empty()))
        fail(fmt::format("QP {:#x}: a buffer was written after its operation was over",
                         flow.from_qp.qpn));
    op = {};
    op.busy = true;
    op.opcode = random_.next() % 6 == 0
                    ? std::uint8_t{VRNIC_OP_FETCH_ADD}
                    : kAllOperations[random_.next() % std::size(kAllOperations)];
    static constexpr std::uint32_t kScales[] = {1, 64, 300, 4097};
    const std::uint32_t scale =
        random_.next() % 3 == 0 ? options_.max_bytes : kScales[random_.next() % 4];
    const std::uint64_t size = is_atomic(op.opcode)
                                   ? sizeof(std::uint64_t)
                                   : random_.next() % (std::min(scale, options_.max_bytes) + 1);
    if (!is_atomic(op.opcode)) op.bytes = pattern(random_.next(), size);
    op.imm = static_cast<std::uint32_t>(random_.next());
    const std::uint64_t start = at * GuardedSlot::room(options_.max_bytes);
    op.near.emplace(flow.near, start, size);
    op.far.emplace(flow.far, start, size);
    (op.opcode == VRNIC_OP_READ ? *op.far : *op.near).write(op.bytes);

    SendRequest request{.opcode = op.opcode, .flags = 0, .imm = has_imm(op.opcode) ? op.imm : 0};
    // The last one is signaled, so that all before it are known to be over.
    op.is_signaled = random_.next() % 4 != 0 || flow.posted + 1 == options_.operations ||
                     flow.in_flight.size() + 2 >= options_.depth;
    if (op.is_signaled) request.flags |= VRNIC_SQE_SIGNALED;
    if (random_.next() % 8 == 0) request.flags |= VRNIC_SQE_FENCE;
    if (random_.next() % 4 == 0) request.flags |= VRNIC_SQE_SOLICITED;
    if (size <= 128 && op.opcode != VRNIC_OP_READ && !is_atomic(op.opcode) && random_.next() % 2) {
        request.flags |= VRNIC_SQE_INLINE;
        request.inline_data = op.bytes;
    } else {
        std::uint64_t done = 0;
        for (int pieces = static_cast<int>(random_.next() % 4); pieces > 0; --pieces) {
            const std::uint64_t part = random_.next() % (size - done + 1);
            request.sges.push_back(op.near->sge(done, part));
            done += part;
        }
        request.sges.push_back(op.near->sge(done, size - done));
    }
    if (!is_send(op.opcode)) {
        request.remote_addr = op.far->address();
        request.rkey = op.far->key();
    }
    if (is_atomic(op.opcode)) {
        Counter& counter = counter_at(flow.to);
        op.add = 1 + random_.next() % 1000;
        counter.sum += op.add;
        request.swap_or_add = op.add;
        request.remote_addr = counter.region.iova;
        request.rkey = counter.region.key;
    }
    if (takes_receive(op.opcode)) {
        op.received_done = false;
        flow.awaited.push_back(at);
    }
    flow.in_flight.push_back(at);
    ++flow.posted;
    op.entry =
        flow.from.driver.post_send(flow.from_qp, request,
                                   random_.next() % 4 != 0 || flow.posted == options_.operations ||
                                       flow.in_flight.size() >= options_.depth);
}

// Both sides are over: the bytes were right, nobody touches the buffers any more.
void Workload::release(Flow& flow, Operation& op) {
    if (!op.sent_done || !op.received_done) return;
    if (!op.near->holds(op.bytes) || !op.near->guards_intact())
        fail(fmt::format("QP {:#x}: the requester's buffer of opcode {} ({} bytes) is wrong",
                         flow.from_qp.qpn, op.opcode, op.bytes.size()));
    const bool far_is_used = !is_send(op.opcode) && !is_atomic(op.opcode);
    if (!op.far->holds(far_is_used ? op.bytes : std::vector<std::byte>{}) ||
        !op.far->guards_intact())
        fail(fmt::format("QP {:#x}: the responder's buffer of opcode {} ({} bytes) is wrong",
                         flow.from_qp.qpn, op.opcode, op.bytes.size()));
    op.near->clear();
    op.far->clear();
    op.busy = false;
    ++flow.completed;
}

// Each addition is seen once: no two find the same, those of one QP find more and more.
void Workload::note_original(Flow& flow, Operation& op) {
    op.bytes = op.near->content();
    std::uint64_t original = 0;
    std::memcpy(&original, op.bytes.data(), sizeof(original));
    if (original < flow.least_original || !counter_at(flow.to).originals.insert(original).second)
        fail(fmt::format("QP {:#x}: an atomic found {}, at least {} or never twice was expected",
                         flow.from_qp.qpn, original, flow.least_original));
    flow.least_original = original + op.add;
}

void Workload::send_done(const vrnic_cqe& cqe, Flow& flow) {
    // Silent ones before it are over, too.
    while (!flow.in_flight.empty()) {
        Operation& op = flow.slots[flow.in_flight.front()];
        flow.in_flight.pop_front();
        op.sent_done = true;
        if (is_atomic(op.opcode)) note_original(flow, op);
        const bool this_one = op.entry == cqe.wqe_index;
        if (this_one && (cqe.opcode != op.opcode ||
                         (op.opcode == VRNIC_OP_READ && cqe.byte_len != op.bytes.size())))
            fail(fmt::format("QP {:#x}: completion of opcode {}, {} bytes; it was {}, {}",
                             flow.from_qp.qpn, cqe.opcode, std::uint32_t(cqe.byte_len), op.opcode,
                             op.bytes.size()));
        if (!this_one && (op.is_signaled || flow.from_qp.options.flags != 0))
            fail(fmt::format("QP {:#x}: entry {} has no completion", flow.from_qp.qpn, op.entry));
        release(flow, op);
        if (this_one) return;
    }
    fail(fmt::format("QP {:#x}: a completion of nothing in flight", flow.from_qp.qpn));
}

void Workload::receive_done(const vrnic_cqe& cqe, Flow& flow) {
    if (flow.awaited.empty() || flow.receives.empty())
        return fail(fmt::format("QP {:#x}: a receive completion of nothing sent", flow.to_qp.qpn));
    Operation& op = flow.slots[flow.awaited.front()];
    flow.awaited.pop_front();
    const Flow::Receive receive = flow.receives.front();
    flow.receives.pop_front();
    if (cqe.wqe_index != receive.entry || cqe.opcode != receive_opcode(op.opcode) ||
        cqe.byte_len != op.bytes.size() || bool(cqe.flags & VRNIC_CQE_IMM) != has_imm(op.opcode) ||
        (has_imm(op.opcode) && cqe.imm != op.imm))
        fail(
            fmt::format("QP {:#x}: receive completion: entry {} opcode {:#x} {} bytes imm {:#x}, "
                        "expected {} {:#x} {} {:#x}",
                        flow.to_qp.qpn, std::uint32_t(cqe.wqe_index), cqe.opcode,
                        std::uint32_t(cqe.byte_len), std::uint32_t(cqe.imm), receive.entry,
                        receive_opcode(op.opcode), op.bytes.size(), op.imm));
    GuardedSlot& slot = *flow.receive_slots[receive.slot];
    if (!slot.holds(is_send(op.opcode) ? op.bytes : std::vector<std::byte>{}) ||
        !slot.guards_intact())
        fail(fmt::format("QP {:#x}: the receive buffer ({} bytes) is wrong", flow.to_qp.qpn,
                         op.bytes.size()));
    // IBTA 10.7.3.2: the WRITE is visible when the completion is.
    if (op.opcode == VRNIC_OP_WRITE_IMM && !op.far->holds(op.bytes))
        fail(fmt::format("QP {:#x}: written data is missing at its completion", flow.to_qp.qpn));
    slot.clear();
    flow.free_receives.insert(flow.free_receives.begin(), receive.slot);
    op.received_done = true;
    release(flow, op);
}

void Workload::poll(Node& node, GuestCq& cq) {
    while (const auto cqe = node.driver.poll(cq)) {
        const bool send = cqe->flags & VRNIC_CQE_SEND_QUEUE;
        const auto flow = std::ranges::find_if(flows_, [&](const auto& f) {
            return send ? &f->from == &node && f->from_qp.qpn == cqe->qpn
                        : &f->to == &node && f->to_qp.qpn == cqe->qpn;
        });
        if (flow == flows_.end()) return fail("a completion of an unknown QP");
        if (cqe->status != VRNIC_WC_SUCCESS)
            return fail(fmt::format("QP {:#x}: status {}, syndrome {}", std::uint32_t(cqe->qpn),
                                    cqe->status, std::uint32_t(cqe->syndrome)));
        send ? send_done(*cqe, **flow) : receive_done(*cqe, **flow);
    }
}

bool Workload::done() const {
    return std::ranges::all_of(
        flows_, [&](const auto& flow) { return flow->completed == options_.operations; });
}

// All is over: late packets may still arrive, but nothing may change.
void Workload::check_quiet() {
    pair_.world.run_for(5 * kMillisecond);
    poll(pair_.a, *pair_.cq_a);
    poll(pair_.b, *pair_.cq_b);
    for (const auto& counter : counters_)
        if (counter->region.buffer.load<std::uint64_t>(0) != counter->sum)
            fail(fmt::format("the sum of all additions is {}, not {}",
                             counter->region.buffer.load<std::uint64_t>(0), counter->sum));
    for (const auto& flow : flows_) {
        for (const Operation& op : flow->slots)
            if (op.near && !(op.near->is_empty() && op.far->is_empty() &&
                             op.near->guards_intact() && op.far->guards_intact()))
                fail(fmt::format("QP {:#x}: a buffer was written after its operation was over",
                                 flow->from_qp.qpn));
        for (const auto& slot : flow->receive_slots)
            if (slot && !(slot->is_empty() && slot->guards_intact()))
                fail(fmt::format("QP {:#x}: a receive buffer was written without a completion",
                                 flow->to_qp.qpn));
    }
}

std::string Workload::run(Nanoseconds time_limit) {
    const Nanoseconds end = pair_.world.now() + time_limit;
    while (wrong_.empty() && !done()) {
        if (pair_.world.now() > end) {
            for (const auto& flow : flows_)
                if (flow->completed != options_.operations)
                    fail(fmt::format("QP {:#x} is stuck after {} of {} operations",
                                     flow->from_qp.qpn, flow->completed, options_.operations));
            break;
        }
        for (const auto& flow : flows_) {
            post_receives(*flow);
            while (flow->posted < options_.operations && random_.next() % 4 != 0) {
                const std::uint32_t before = flow->posted;
                post(*flow);
                if (flow->posted == before) break;
            }
        }
        pair_.world.run_for(1 + random_.next() % (20 * kMicrosecond));
        poll(pair_.a, *pair_.cq_a);
        poll(pair_.b, *pair_.cq_b);
    }
    if (wrong_.empty()) check_quiet();
    return wrong_;
}

}  // namespace vrnic::sim
