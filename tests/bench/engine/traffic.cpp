// SPDX-License-Identifier: GPL-2.0-or-later
#include "traffic.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>

#include "sim/nodes.h"

namespace vrnic::bench {
namespace {

constexpr std::uint32_t kMostAtOnce = 64;  // as perftest posts
constexpr std::uint32_t kCqLogSize = 16;
constexpr std::uint64_t kBytesAtOnce = 4 << 20;

std::uint32_t batch_of(const Load& load) {
    if (load.batch != 0) return load.batch;
    const std::uint64_t by_queue = (1u << kCqLogSize) / load.qps / 2;
    const std::uint64_t by_size = kBytesAtOnce / std::max(load.size, 1u);
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(std::min(by_queue, by_size), 1, kMostAtOnce));
}

std::size_t memory_for(const Load& load) {
    return (std::size_t{64} << 20) + std::size_t{load.qps} * (48 << 10) +
           std::size_t{load.idle_qps} * (24 << 10) + 4 * std::size_t{load.size};
}

// Its ring is cleared, as drivers do: no page of it is touched for the first time while time is
// measured.
sim::GuestCq& create_cq(Machine& machine) {
    sim::GuestCq& cq = machine.driver.create_cq({.log_size = kCqLogSize});
    for (std::uint64_t i = 0; i < cq.size; ++i)
        cq.memory.store(64 + i * sizeof(vrnic_cqe), vrnic_cqe{});
    return cq;
}

std::byte* in_record(Machine& machine, const sim::GuestQp& qp, std::size_t field) {
    return machine.host.memory(qp.memory.bus(qp.dbrec + field), sizeof(vrnic_le32)).data();
}

}  // namespace

Machine::Machine(sim::World& world, sim::Link& link, std::uint8_t number, std::size_t memory_bytes)
    : host(world, link, memory_bytes),
      engine(host, sim::engine_config(number, number)),
      driver(world, host, engine, number, number) {
    host.use_huge_pages();
    host.connect(engine);
    driver.start();
}

Traffic::Traffic(const Load& load)
    : load_(load),
      batch_(batch_of(load)),
      link_(world_, trace_, 1),
      a_(world_, link_, 1, memory_for(load)),
      b_(world_, link_, 2, memory_for(load)) {
    trace_.keep_frames(false);
    constexpr std::uint32_t access =
        VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE | VRNIC_ACCESS_REMOTE_READ;
    for (Machine* machine : {&a_, &b_})
        regions_.push_back(machine->driver.reg_mr(std::max(load.size, 1u), access));
    cq_a_ = &create_cq(a_);
    cq_b_ = &create_cq(b_);
    add_idle();
    sim::QpOptions options;
    options.sq_log_size = options.rq_log_size =
        static_cast<std::uint8_t>(std::bit_width(batch_ - 1));
    for (std::uint32_t i = 0; i < load.qps; ++i) {
        sim::GuestQp& asks = a_.driver.create_qp(*cq_a_, *cq_a_, options);
        sim::GuestQp& answers = b_.driver.create_qp(*cq_b_, *cq_b_, options);
        sim::connect_qps(a_.driver, asks, b_.driver, answers,
                         {.path_mtu = load.path_mtu, .timeout = 14});
        fill_entries(asks, answers);
        flows_.push_back({.sq_pi = in_record(a_, asks, offsetof(vrnic_qp_dbrec, sq_pi)),
                          .rq_pi = in_record(b_, answers, offsetof(vrnic_qp_dbrec, rq_pi)),
                          .qpn = asks.qpn});
    }
    a_.host.begin(to_b_);
    b_.host.begin(to_a_);
}

void Traffic::add_idle() {
    constexpr sim::QpOptions kSmall{
        .sq_log_size = 1, .sq_log_stride = 6, .rq_log_size = 1, .rq_log_stride = 5};
    for (std::uint32_t i = 0; i < load_.idle_qps; ++i)
        sim::connect_qps(a_.driver, a_.driver.create_qp(*cq_a_, *cq_a_, kSmall), b_.driver,
                         b_.driver.create_qp(*cq_b_, *cq_b_, kSmall), {.timeout = 14});
    for (Machine* machine : {&a_, &b_}) {
        vrnic_cmd_reg_mr cmd{};
        cmd.pdn = machine->driver.pdn();
        cmd.iova = 0x1000;
        cmd.length = 4096;
        cmd.pages = sim::GuestBuffer(machine->driver.memory(), 4096).page_list();
        for (std::uint32_t i = 0; i < load_.idle_regions; ++i)
            machine->driver.admin(VRNIC_ADMIN_REG_MR, cmd);
    }
}

// Every place of both rings is posted once, without a doorbell and without moving the index.
void Traffic::fill_entries(sim::GuestQp& asks, sim::GuestQp& answers) {
    sim::SendRequest request{.opcode = load_.operation, .sges = {regions_[0].sge(0, load_.size)}};
    if (load_.operation != VRNIC_OP_SEND) {
        request.remote_addr = regions_[1].iova;
        request.rkey = regions_[1].key;
    }
    const auto unpost = [](sim::GuestQp& qp) {
        qp.sq_pi = qp.rq_pi = 0;
        qp.memory.store(qp.dbrec, vrnic_qp_dbrec{});
    };
    while (asks.sq_free() != 0) a_.driver.post_send(asks, request, false);
    while (answers.rq_free() != 0) b_.driver.post_recv(answers, {regions_[1].sge(0, load_.size)});
    unpost(asks);
    unpost(answers);
}

void Traffic::post(Flow& flow) {
    vrnic_le32 index;
    index = flow.posted += batch_;
    if (load_.operation == VRNIC_OP_SEND) std::memcpy(flow.rq_pi, &index, sizeof(index));
    std::memcpy(flow.sq_pi, &index, sizeof(index));
    a_.driver.doorbell(VRNIC_DB_TYPE_SQ, flow.qpn);
}

// Lets both machines work until A has so many completions in all.
void Traffic::carry(std::uint64_t completions) {
    while (a_.engine.counters().completions < completions) {
        const bool any_a = a_.host.turn(a_.engine, to_a_);
        const bool any_b = b_.host.turn(b_.engine, to_b_);
        if (!any_a && !any_b) wait_for_timer();
    }
}

// Time passes only when there is nothing to do: no answer is ever late.
void Traffic::wait_for_timer() {
    const Nanoseconds next = std::min(a_.host.deadline(), b_.host.deadline());
    if (next == kNever) throw std::runtime_error("the traffic has stopped");
    world_.run_for(next - world_.now());
}

void Traffic::consume(Machine& machine, sim::GuestCq& cq, std::uint64_t completions) {
    if (completions == 0) return;
    cq.consumed += completions;
    const auto last =
        cq.memory.load<vrnic_cqe>(64 + sizeof(vrnic_cqe) * ((cq.consumed - 1) % cq.size));
    if (last.seq != cq.consumed || machine.engine.counters().completion_errors != 0)
        throw std::runtime_error("a message has failed");
    vrnic_le32 index;
    index = static_cast<std::uint32_t>(cq.consumed);
    cq.memory.store(cq.dbrec + offsetof(vrnic_cq_dbrec, ci), index);
}

std::uint64_t Traffic::run(std::uint64_t messages) {
    const std::uint64_t round = std::uint64_t{batch_} * flows_.size();
    std::uint64_t done = 0;
    for (; done < messages; done += round) {
        const std::uint64_t goal = a_.engine.counters().completions + round;
        for (Flow& flow : flows_) post(flow);
        carry(goal);
        consume(a_, *cq_a_, round);
        consume(b_, *cq_b_, load_.operation == VRNIC_OP_SEND ? round : 0);
    }
    return done;
}

}  // namespace vrnic::bench
