// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "atomic_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <unordered_map>
#include <vector>

#include "buffer.h"
#include "completions.h"
#include "queue_pair.h"

namespace vrnic::check {

namespace {

constexpr uint32_t kEach = 250;  // changes by each queue pair, times the plan's rounds
constexpr size_t kWords = 2;     // one that is added to, one that is swapped
enum Word : size_t { kAdded, kSwapped };

// 64-bit words in registered memory, aligned as atomics need it.
struct Words {
    static Result<Words> create(const Device& device, size_t count) {
        auto buffer = Buffer::create(
            device.pd.get(), (count + 1) * sizeof(uint64_t),
            IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC);
        if (!buffer) return std::unexpected(buffer.error());
        return Words{std::move(*buffer)};
    }
    uint64_t address(size_t index) const {
        const auto begin = reinterpret_cast<uint64_t>(buffer.bytes().data());
        return (begin + 7) / 8 * 8 + index * sizeof(uint64_t);
    }
    uint64_t value(size_t index) const {
        return __atomic_load_n(reinterpret_cast<uint64_t*>(address(index)), __ATOMIC_ACQUIRE);
    }
    Buffer buffer;
};

// One queue pair that changes words, and what is under way on it.
struct Requester {
    QueuePair pair;
    size_t first_answer;             // its words for answers, one for each place of its queue
    uint64_t posted = 0;             // requests
    std::deque<uint64_t> amounts{};  // of those under way: added, or expected by the swap
    uint64_t least_original = 0;     // what the next addition finds at least
    uint64_t swaps = 0;              // that succeeded
    uint64_t seen = 0;               // what the swapped word was last
};

// All of one side.
struct Side {
    Completions completions;
    Words words;    // the counters, on the server
    Words answers;  // what requests found
    std::vector<QueuePair> targets;
    std::vector<Requester> requesters;
    uint64_t remote_address = 0;
    uint32_t rkey = 0;
};

Result<Side> set_up(const Plan& plan, const Device& device, Channel& peer, bool is_client) {
    if (device.attributes.atomic_cap == IBV_ATOMIC_NONE)
        return verbs_error("the device has no atomics");
    const uint32_t half = std::max(1u, plan.qps / 2);
    auto completions =
        Completions::create(device.context.get(), plan.qps * 2 * plan.depth, plan.events);
    if (!completions) return std::unexpected(completions.error());
    auto words = Words::create(device, kWords);
    if (!words) return std::unexpected(words.error());
    auto answers = Words::create(device, size_t{half} * plan.depth);
    if (!answers) return std::unexpected(answers.error());
    Side side{std::move(*completions), std::move(*words), std::move(*answers), {}, {}, 0, 0};

    QpOptions options;
    options.depth = plan.depth;
    options.mtu = std::min(device.port.active_mtu, IBV_MTU_1024);
    // The client's requesters with the server's targets; on the server others with themselves.
    nlohmann::json described = nlohmann::json::array();
    for (uint32_t i = 0; i < half; ++i) {
        auto pair = QueuePair::create(device, side.completions, options);
        if (!pair) return std::unexpected(pair.error());
        described.push_back(pair->describe());
        if (is_client)
            side.requesters.push_back({std::move(*pair), size_t{i} * plan.depth});
        else
            side.targets.push_back(std::move(*pair));
    }
    auto theirs = peer.exchange({{"qps", described},
                                 {"address", side.words.address(0)},
                                 {"rkey", side.words.buffer.mr()->rkey}});
    if (!theirs) return std::unexpected(theirs.error());
    for (uint32_t i = 0; i < half; ++i) {
        QueuePair& pair = is_client ? side.requesters[i].pair : side.targets[i];
        if (auto done = pair.connect(theirs->at("qps").at(i)); !done)
            return std::unexpected(done.error());
    }
    side.remote_address = is_client ? theirs->value("address", uint64_t{0}) : side.words.address(0);
    side.rkey = is_client ? theirs->value("rkey", 0u) : side.words.buffer.mr()->rkey;
    for (uint32_t i = 0; !is_client && i < half; ++i) {
        auto one = QueuePair::create(device, side.completions, options);
        auto two = QueuePair::create(device, side.completions, options);
        if (!one) return std::unexpected(one.error());
        if (!two) return std::unexpected(two.error());
        if (auto done = one->connect(two->describe()); !done) return std::unexpected(done.error());
        if (auto done = two->connect(one->describe()); !done) return std::unexpected(done.error());
        side.requesters.push_back({std::move(*one), size_t{i} * plan.depth});
        side.targets.push_back(std::move(*two));
    }
    return side;
}

Result<void> post(Side& side, Requester& requester, uint32_t depth, ibv_wr_opcode opcode, Word word,
                  uint64_t compare_add, uint64_t swap) {
    ibv_sge sge{side.answers.address(requester.first_answer + requester.posted % depth),
                sizeof(uint64_t), side.answers.buffer.mr()->lkey};
    ibv_send_wr wr{};
    wr.wr_id = requester.posted;
    wr.sg_list = &sge;
    wr.num_sge = 1;
    wr.opcode = opcode;
    wr.send_flags = IBV_SEND_SIGNALED;
    wr.wr.atomic.remote_addr = side.remote_address + word * sizeof(uint64_t);
    wr.wr.atomic.rkey = side.rkey;
    wr.wr.atomic.compare_add = compare_add;
    wr.wr.atomic.swap = swap;
    ibv_send_wr* refused = nullptr;
    if (int err = ibv_post_send(requester.pair.get(), &wr, &refused))
        return verbs_error(fmt::format("ibv_post_send: {}", std::strerror(err)));
    ++requester.posted;
    requester.amounts.push_back(compare_add);
    return {};
}

// Posts by `next(requester)` until it says there is no more, and hands each answer to
// `take(requester, what the request asked, what it found)`.
template <typename Next, typename Take>
Result<void> work(Side& side, const Plan& plan, ibv_wc_opcode opcode, Next next, Take take) {
    std::unordered_map<uint32_t, Requester*> by_qpn;
    for (Requester& requester : side.requesters) by_qpn[requester.pair.get()->qp_num] = &requester;
    for (;;) {
        size_t under_way = 0;
        for (Requester& requester : side.requesters) {
            while (requester.amounts.size() < plan.depth) {
                Result<bool> posted = next(requester);
                if (!posted) return std::unexpected(posted.error());
                if (!*posted) break;
            }
            under_way += requester.amounts.size();
        }
        if (under_way == 0) return {};
        auto found = side.completions.wait(plan.timeout_seconds);
        if (!found) return std::unexpected(found.error());
        for (const ibv_wc& wc : *found) {
            const auto known = by_qpn.find(wc.qp_num);
            if (known == by_qpn.end())
                return wrong("a completion of a queue pair that asked nothing");
            Requester& requester = *known->second;
            if (wc.status != IBV_WC_SUCCESS)
                return wrong(fmt::format("an atomic failed: {}", ibv_wc_status_str(wc.status)));
            if (wc.opcode != opcode || wc.wr_id != requester.posted - requester.amounts.size())
                return wrong(fmt::format("completion of opcode {}, wr_id {}; expected {}, {}",
                                         static_cast<int>(wc.opcode), wc.wr_id,
                                         static_cast<int>(opcode),
                                         requester.posted - requester.amounts.size()));
            const uint64_t asked = requester.amounts.front();
            requester.amounts.pop_front();
            const uint64_t original =
                side.answers.value(requester.first_answer + wc.wr_id % plan.depth);
            if (auto right = take(requester, asked, original); !right) return right;
        }
    }
}

// Each adds different amounts; what it finds only grows, by as much as it added at least.
Result<void> add(Side& side, const Plan& plan, std::vector<uint64_t>& originals) {
    const uint64_t each = uint64_t{kEach} * plan.rounds;
    return work(
        side, plan, IBV_WC_FETCH_ADD,
        [&](Requester& requester) -> Result<bool> {
            if (requester.posted == each) return false;
            auto posted = post(side, requester, plan.depth, IBV_WR_ATOMIC_FETCH_AND_ADD, kAdded,
                               requester.posted + 1, 0);
            if (!posted) return std::unexpected(posted.error());
            return true;
        },
        [&](Requester& requester, uint64_t amount, uint64_t original) -> Result<void> {
            if (original < requester.least_original)
                return wrong(fmt::format("an addition found {}, though {} was there before it",
                                         original, requester.least_original));
            requester.least_original = original + amount;
            originals.push_back(original);
            return {};
        });
}

// Each makes the word one more by swapping, until it has succeeded so often.
Result<void> swap(Side& side, const Plan& plan) {
    const uint64_t each = uint64_t{kEach} * plan.rounds / 5;
    return work(
        side, plan, IBV_WC_COMP_SWAP,
        [&](Requester& requester) -> Result<bool> {
            if (requester.swaps == each || !requester.amounts.empty()) return false;
            auto posted = post(side, requester, plan.depth, IBV_WR_ATOMIC_CMP_AND_SWP, kSwapped,
                               requester.seen, requester.seen + 1);
            if (!posted) return std::unexpected(posted.error());
            return true;
        },
        [&](Requester& requester, uint64_t compare, uint64_t original) -> Result<void> {
            if (original < requester.seen)
                return wrong(fmt::format("a swap found {}, though {} was there before it", original,
                                         requester.seen));
            if (original == compare) ++requester.swaps;
            requester.seen = original == compare ? compare + 1 : original;
            return {};
        });
}

}  // namespace

Result<void> AtomicCheck::run(const std::function<void(const std::string&)>& found) {
    auto side = set_up(plan_, device_, peer_, is_client_);
    if (!side) {
        (void)peer_.send({{"failed", side.error().message}, {"status", 2}});
        return std::unexpected(side.error());
    }
    if (auto met = peer_.barrier("connected"); !met) return met;
    std::vector<uint64_t> originals;
    if (auto done = add(*side, plan_, originals); !done) return done;
    auto theirs = peer_.exchange({{"originals", originals}});
    if (!theirs) return std::unexpected(theirs.error());
    for (uint64_t original : theirs->at("originals").get<std::vector<uint64_t>>())
        originals.push_back(original);
    if (auto done = swap(*side, plan_); !done) return done;
    if (auto met = peer_.barrier("swapped"); !met) return met;
    if (is_client_) return {};  // the words are the server's

    const uint64_t requesters = 2 * side->requesters.size();
    const uint64_t each = uint64_t{kEach} * plan_.rounds;
    std::ranges::sort(originals);
    if (std::ranges::adjacent_find(originals) != originals.end())
        return wrong("two additions found the same");
    const uint64_t sum = requesters * (each * (each + 1) / 2);
    if (side->words.value(kAdded) != sum)
        return wrong(fmt::format("the sum is {}, not {}", side->words.value(kAdded), sum));
    const uint64_t swaps = requesters * (each / 5);
    if (side->words.value(kSwapped) != swaps)
        return wrong(fmt::format("swapped to {}, not {}", side->words.value(kSwapped), swaps));
    found(fmt::format("{} additions by {} queue pairs: the sum {} is exact", requesters * each,
                      requesters, sum));
    found(fmt::format("{} swaps by {} queue pairs: none lost, none done twice", swaps, requesters));
    return {};
}

}  // namespace vrnic::check
