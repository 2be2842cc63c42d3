// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "content_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "random.h"

namespace vrnic::check {

namespace {

constexpr uint32_t kMostPieces = 4;
constexpr size_t kBufferBudget = 2 << 20;  // bytes of messages under way; one may be larger
constexpr uint32_t kInlineWanted[] = {236, 64, 0};
constexpr uint64_t kReceive = 1ull << 32;  // in a wr_id, beside the message number

// What the keys of one message are for.
enum KeyUse : uint64_t {
    kContent,
    kLocalLayout,
    kLocalBackground,
    kTargetLayout,
    kTargetBackground,
    kScribble
};

uint32_t immediate_of(uint64_t key) {
    return static_cast<uint32_t>(mix(key) >> 32);
}

ibv_wr_opcode wr_opcode(Operation operation) {
    switch (operation) {
        case Operation::kSend:
            return IBV_WR_SEND;
        case Operation::kSendImm:
            return IBV_WR_SEND_WITH_IMM;
        case Operation::kWrite:
            return IBV_WR_RDMA_WRITE;
        case Operation::kWriteImm:
            return IBV_WR_RDMA_WRITE_WITH_IMM;
        case Operation::kRead:
            return IBV_WR_RDMA_READ;
    }
    __builtin_unreachable();
}

ibv_wc_opcode send_completion(Operation operation) {
    switch (operation) {
        case Operation::kSend:
        case Operation::kSendImm:
            return IBV_WC_SEND;
        case Operation::kWrite:
        case Operation::kWriteImm:
            return IBV_WC_RDMA_WRITE;
        case Operation::kRead:
            return IBV_WC_RDMA_READ;
    }
    __builtin_unreachable();
}

bool is_send(Operation operation) {
    return operation == Operation::kSend || operation == Operation::kSendImm;
}

// The scatter/gather list of a slot; `slack` more bytes at its end.
std::vector<ibv_sge> sges_of(const Slot& slot, uint32_t lkey, uint32_t slack) {
    std::vector<ibv_sge> list;
    for (const auto& piece : slot.layout().pieces)
        list.push_back({reinterpret_cast<uint64_t>(slot.at(piece)), piece.length, lkey});
    if (!list.empty()) list.back().length += slack;
    return list;
}

}  // namespace

// ---- set-up ----

Result<void> ContentCheck::set_up() {
    initiates_ = plan_.directions == Directions::kBoth ||
                 (plan_.directions == Directions::kClient) == is_client_;
    is_target_ = plan_.directions == Directions::kBoth || !initiates_;

    auto completions =
        Completions::create(device_.context.get(), plan_.qps * plan_.depth, plan_.events);
    if (!completions) return std::unexpected(completions.error());
    completions_ = std::move(*completions);

    const uint32_t largest = plan_.sizes.empty() ? 0 : std::ranges::max(plan_.sizes);
    const size_t buffer_size = std::max(kBufferBudget, SlotLayout::largest(largest, kMostPieces));
    const int access = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE;
    for (Buffer* buffer : {&local_, &target_}) {
        auto created = plan_.dmabuf ? Buffer::create_dmabuf(device_.pd.get(), buffer_size, access)
                                    : Buffer::create(device_.pd.get(), buffer_size, access);
        if (!created) return std::unexpected(created.error());
        *buffer = std::move(*created);
    }

    // What must be known before the QPs: the path MTU.
    auto theirs =
        peer_.exchange({{"mtu", bytes_of(device_.port.active_mtu)}, {"name", device_.name}});
    if (!theirs) return std::unexpected(theirs.error());
    peer_name_ = theirs->value("name", "?");
    const uint32_t mtu =
        plan_.mtu ? plan_.mtu
                  : std::min(bytes_of(device_.port.active_mtu), theirs->value("mtu", 256u));
    if (!mtu_of(mtu)) return verbs_error(fmt::format("{} is no path MTU", mtu));
    mtu_ = *mtu_of(mtu);

    QpOptions options;
    options.depth = plan_.depth;
    options.mtu = mtu_;
    options.sges = std::min(kMostPieces, static_cast<uint32_t>(device_.attributes.max_sge));
    nlohmann::json qps = nlohmann::json::array();
    for (uint32_t i = 0; i < plan_.qps; ++i) {
        Result<QueuePair> pair = verbs_error("no QP");
        for (uint32_t wanted : kInlineWanted) {  // no device attribute tells the limit
            options.max_inline = wanted;
            pair = QueuePair::create(device_, completions_, options);
            if (pair) break;
        }
        if (!pair) return std::unexpected(pair.error());
        qps.push_back(pair->describe());
        work_of_qpn_[pair->get()->qp_num] = work_.size();
        max_inline_ = pair->capabilities().max_inline_data;
        sges_ = std::min(pair->capabilities().max_send_sge, pair->capabilities().max_recv_sge);
        work_.push_back({std::move(*pair), {}, {}});
    }

    theirs = peer_.exchange({{"qps", qps},
                             {"address", reinterpret_cast<uint64_t>(target_.bytes().data())},
                             {"rkey", target_.mr()->rkey},
                             {"sges", sges_},
                             {"inline", max_inline_}});
    if (!theirs) return std::unexpected(theirs.error());
    if (!theirs->contains("qps") || (*theirs)["qps"].size() != work_.size())
        return verbs_error(theirs->value("failed", "the peer has not as many QPs as we"));
    sges_ = std::min({sges_, theirs->value("sges", 1u), kMostPieces});
    max_inline_ = std::min(max_inline_, theirs->value("inline", 0u));
    peer_address_ = theirs->value("address", uint64_t{0});
    peer_rkey_ = theirs->value("rkey", 0u);
    for (size_t i = 0; i < work_.size(); ++i)
        if (auto connected = work_[i].pair.connect((*theirs)["qps"][i]); !connected)
            return connected;
    return peer_.barrier("connected");
}

std::string ContentCheck::describe() const {
    return fmt::format(
        "{} (GID {}: {}) with {}, MTU {}, {} QP(s), {} SGEs, {} B inline, {}, seed {}",
        device_.name, device_.gid_index, to_string(device_.gid), peer_name_, bytes_of(mtu_),
        work_.size(), sges_, max_inline_, plan_.events ? "events" : "polling", plan_.seed);
}

// ---- what a case is ----

const char* ContentCheck::name_of(Variant variant) {
    switch (variant) {
        case Variant::kPlain:
            return "plain";
        case Variant::kInline:
            return "inline";
        case Variant::kPieces:
            return "scatter/gather";
    }
    __builtin_unreachable();
}

std::string ContentCheck::name_of(const Case& c) const {
    return fmt::format("{}, {}, {} bytes, round {}", info(c.operation).name, name_of(c.variant),
                       c.size, c.round);
}

bool ContentCheck::runs(const Case& c) const {
    switch (c.variant) {
        case Variant::kPlain:
            return true;
        case Variant::kInline:
            return info(c.operation).can_inline && c.size <= max_inline_;
        case Variant::kPieces:
            return sges_ > 1 && c.size > 1;
    }
    __builtin_unreachable();
}

uint32_t ContentCheck::messages_of(const Case& c) const {
    const size_t fit = kBufferBudget / SlotLayout::largest(c.size, kMostPieces);
    return static_cast<uint32_t>(std::clamp<size_t>(fit, 1, size_t{plan_.qps} * plan_.depth));
}

uint32_t ContentCheck::qp_of(const Case& c, uint32_t message) const {
    return static_cast<uint32_t>((c.number + message) % work_.size());
}

uint64_t ContentCheck::key_of_message(const Case& c, bool client_starts, uint32_t message) const {
    return key_of(plan_.seed, c.number, c.round, client_starts, message);
}

// In our buffer, of a message that we start.
Slot ContentCheck::local_slot(const Case& c, uint32_t message) const {
    const uint64_t key = key_of_message(c, is_client_, message);
    const uint32_t pieces = c.variant == Variant::kPlain    ? 1
                            : c.variant == Variant::kInline ? std::min(sges_, 2u)
                                                            : sges_;
    const size_t stride = SlotLayout::largest(c.size, kMostPieces);
    return Slot(local_.bytes().subspan(message * stride, stride),
                SlotLayout::plan(c.size, pieces, key_of(key, kLocalLayout)),
                key_of(key, kLocalBackground));
}

// In our buffer, of a message that the peer starts.
Slot ContentCheck::target_slot(const Case& c, uint32_t message) const {
    const uint64_t key = key_of_message(c, !is_client_, message);
    const uint32_t pieces = c.variant == Variant::kPieces && is_send(c.operation) ? sges_ : 1;
    const size_t stride = SlotLayout::largest(c.size, kMostPieces);
    return Slot(target_.bytes().subspan(message * stride, stride),
                SlotLayout::plan(c.size, pieces, key_of(key, kTargetLayout)),
                key_of(key, kTargetBackground));
}

// Of a WRITE or READ that we start: where the peer's target_slot() has it, always in one piece.
uint64_t ContentCheck::remote_address(const Case& c, uint32_t message) const {
    const uint64_t key = key_of_message(c, is_client_, message);
    const auto layout = SlotLayout::plan(c.size, 1, key_of(key, kTargetLayout));
    const uint64_t slot = peer_address_ + message * SlotLayout::largest(c.size, kMostPieces);
    return layout.pieces.empty() ? slot : slot + layout.pieces[0].offset;
}

// ---- one case ----

Result<void> ContentCheck::run(
    const std::function<void(const OperationInfo&, const Totals&)>& done) {
    uint64_t number = 0;
    for (Operation operation : plan_.operations) {
        for (Variant variant : {Variant::kPlain, Variant::kInline, Variant::kPieces})
            for (uint32_t size : plan_.sizes) {
                ++number;
                for (uint32_t round = 0; round < plan_.rounds; ++round) {
                    const Case c{operation, variant, size, round, number};
                    if (!runs(c)) continue;
                    auto right = run_case(c);
                    if (right) continue;
                    // Tell the peer, who waits at its next barrier.
                    (void)peer_.send({{"failed", right.error().message},
                                      {"status", static_cast<int>(right.error().status)}});
                    return right;
                }
            }
        done(info(operation), totals_[static_cast<size_t>(operation)]);
    }
    return {};
}

Result<void> ContentCheck::run_case(const Case& c) {
    const std::string place = name_of(c);
    fill(c);
    if (is_target_ && info(c.operation).consumes_receive)
        if (auto posted = post_receives(c); !posted) return posted;
    if (auto met = peer_.barrier(place + ": ready"); !met) return met;
    if (initiates_)
        if (auto posted = post_sends(c); !posted) return posted;
    if (auto completed = complete(c); !completed) return completed;
    // Only now has the target of a WRITE or READ been used to the end.
    if (auto met = peer_.barrier(place + ": completed"); !met) return met;
    if (auto verified = verify(c); !verified) return verified;

    Totals& totals = totals_[static_cast<size_t>(c.operation)];
    const uint64_t messages = uint64_t{messages_of(c)} * (initiates_ && is_target_ ? 2 : 1);
    totals.messages += messages;
    totals.bytes += messages * c.size;
    return {};
}

void ContentCheck::fill(const Case& c) {
    const bool initiator_is_source = c.operation != Operation::kRead;
    for (uint32_t m = 0; m < messages_of(c); ++m) {
        if (initiates_) {
            Slot slot = local_slot(c, m);
            slot.fill_background();
            if (initiator_is_source)
                slot.fill_message(Pattern(key_of(key_of_message(c, is_client_, m), kContent)));
        }
        if (is_target_) {
            Slot slot = target_slot(c, m);
            slot.fill_background();
            if (!initiator_is_source)
                slot.fill_message(Pattern(key_of(key_of_message(c, !is_client_, m), kContent)));
        }
    }
}

Result<void> ContentCheck::post_receives(const Case& c) {
    const OperationInfo& operation = info(c.operation);
    for (uint32_t m = 0; m < messages_of(c); ++m) {
        std::vector<ibv_sge> list;
        if (is_send(c.operation))
            list = sges_of(target_slot(c, m), target_.mr()->lkey,
                           c.variant == Variant::kPlain ? SlotLayout::kSlack : 0);
        Work& work = work_[qp_of(c, m)];
        ibv_recv_wr wr{};
        wr.wr_id = kReceive | m;
        wr.sg_list = list.data();
        wr.num_sge = static_cast<int>(list.size());
        ibv_recv_wr* bad = nullptr;
        if (int err = ibv_post_recv(work.pair.get(), &wr, &bad))
            return verbs_error(
                fmt::format("{}: ibv_post_recv: {}", name_of(c), std::strerror(err)));
        work.receives.push_back(
            {.wr_id = wr.wr_id,
             .opcode = is_send(c.operation) ? IBV_WC_RECV : IBV_WC_RECV_RDMA_WITH_IMM,
             .length = c.size,
             .immediate = operation.immediate,
             .immediate_data = immediate_of(key_of_message(c, !is_client_, m))});
        ++pending_;
    }
    return {};
}

// All messages of a QP in one list.
Result<void> ContentCheck::post_sends(const Case& c) {
    const uint32_t messages = messages_of(c);
    for (uint32_t q = 0; q < work_.size(); ++q) {
        Work& work = work_[q];
        std::vector<uint32_t> mine;
        for (uint32_t m = 0; m < messages; ++m)
            if (qp_of(c, m) == q) mine.push_back(m);
        if (mine.empty()) continue;

        std::vector<std::vector<ibv_sge>> lists;
        std::vector<ibv_send_wr> requests(mine.size());
        for (size_t i = 0; i < mine.size(); ++i) {
            const uint32_t m = mine[i];
            ibv_send_wr& wr = requests[i];
            auto& list = lists.emplace_back(sges_of(local_slot(c, m), local_.mr()->lkey, 0));
            wr.wr_id = m;
            wr.next = i + 1 < mine.size() ? &requests[i + 1] : nullptr;
            wr.sg_list = list.data();
            wr.num_sge = static_cast<int>(list.size());
            wr.opcode = wr_opcode(c.operation);
            // In odd rounds only the last asks for a completion.
            const bool signaled = c.round % 2 == 0 || i + 1 == mine.size();
            wr.send_flags = (signaled ? +IBV_SEND_SIGNALED : 0u) |
                            (c.variant == Variant::kInline ? +IBV_SEND_INLINE : 0u) |
                            (info(c.operation).consumes_receive ? +IBV_SEND_SOLICITED : 0u);
            wr.imm_data = immediate_of(key_of_message(c, is_client_, m));
            wr.wr.rdma.remote_addr = remote_address(c, m);
            wr.wr.rdma.rkey = peer_rkey_;
            if (!signaled) continue;
            work.sends.push_back({.wr_id = m,
                                  .opcode = send_completion(c.operation),
                                  .length = c.size,
                                  .immediate = false,
                                  .immediate_data = 0});
            ++pending_;
        }
        ibv_send_wr* bad = nullptr;
        if (int err = ibv_post_send(work.pair.get(), requests.data(), &bad))
            return verbs_error(
                fmt::format("{}: ibv_post_send: {}", name_of(c), std::strerror(err)));
        if (c.variant == Variant::kInline)  // the memory is ours again at once
            for (uint32_t m : mine)
                local_slot(c, m).fill_message(
                    Pattern(key_of(key_of_message(c, is_client_, m), kScribble)));
    }
    return {};
}

Result<void> ContentCheck::complete(const Case& c) {
    while (pending_ > 0) {
        auto completions = completions_.wait(plan_.timeout_seconds);
        if (!completions)
            return std::unexpected(Failure{completions.error().status,
                                           fmt::format("{}: {} ({} still to come)", name_of(c),
                                                       completions.error().message, pending_)});
        for (const ibv_wc& wc : *completions)
            if (auto right = check_completion(c, wc); !right) return right;
    }
    return {};
}

Result<void> ContentCheck::check_completion(const Case& c, const ibv_wc& wc) {
    auto complain = [&](std::string text) {
        return wrong(fmt::format("{}: completion of wr_id 0x{:x} on QP {}: {}", name_of(c),
                                 wc.wr_id, wc.qp_num, text));
    };
    if (wc.status != IBV_WC_SUCCESS)
        return verbs_error(fmt::format("{}: {} (vendor syndrome {}) on QP {}, wr_id 0x{:x}",
                                       name_of(c), ibv_wc_status_str(wc.status), wc.vendor_err,
                                       wc.qp_num, wc.wr_id));
    const auto found = work_of_qpn_.find(wc.qp_num);
    if (found == work_of_qpn_.end()) return complain("not one of our QPs");
    const bool receive = wc.wr_id & kReceive;
    auto& queue = receive ? work_[found->second].receives : work_[found->second].sends;
    if (queue.empty()) return complain("nothing is under way there");
    const Expected expected = queue.front();
    queue.pop_front();
    --pending_;
    if (wc.wr_id != expected.wr_id)
        return complain(fmt::format("expected wr_id 0x{:x}", expected.wr_id));
    if (wc.opcode != expected.opcode)
        return complain(fmt::format("opcode {}, expected {}", static_cast<int>(wc.opcode),
                                    static_cast<int>(expected.opcode)));
    if (!receive) return {};
    if (wc.byte_len != expected.length)
        return complain(fmt::format("{} bytes, expected {}", wc.byte_len, expected.length));
    if (static_cast<bool>(wc.wc_flags & IBV_WC_WITH_IMM) != expected.immediate)
        return complain("the immediate flag is wrong");
    if (expected.immediate && wc.imm_data != expected.immediate_data)
        return complain(fmt::format("immediate 0x{:08x}, expected 0x{:08x}", wc.imm_data,
                                    expected.immediate_data));
    return {};
}

Result<void> ContentCheck::verify(const Case& c) const {
    for (uint32_t m = 0; m < messages_of(c); ++m) {
        if (initiates_ && c.variant != Variant::kInline)
            if (auto text = local_slot(c, m).verify(
                    Pattern(key_of(key_of_message(c, is_client_, m), kContent))))
                return wrong(
                    fmt::format("{}, message {}, in {} of the initiator {}: {}", name_of(c), m,
                                c.operation == Operation::kRead ? "the destination" : "the source",
                                device_.name, *text));
        if (is_target_)
            if (auto text = target_slot(c, m).verify(
                    Pattern(key_of(key_of_message(c, !is_client_, m), kContent))))
                return wrong(fmt::format("{}, message {}, in the target {}: {}", name_of(c), m,
                                         device_.name, *text));
    }
    return {};
}

}  // namespace vrnic::check
