// SPDX-License-Identifier: GPL-2.0-or-later
// Each kind of fault on each packet of each operation, made by the device itself: it must be seen
// neither in memory nor in completions.
#include <fmt/format.h>

#include <map>
#include <set>

#include "exchange.h"
#include "roce/opcode.h"
#include "wire.h"
#include "workload.h"

using namespace vrnic;
using namespace vrnic::sim;

namespace {

constexpr Connection kHow{.path_mtu = kExchangeMtu};

constexpr std::initializer_list<Pair::Transport> kTransports = {
    Pair::Transport::rc, Pair::Transport::rc_shared, Pair::Transport::xrc};

// SEND_INV takes a window that its target has bound: an XRC target sends nothing.
bool carries(Pair::Transport transport, const Exchange& kind) {
    return transport != Pair::Transport::xrc || kind.opcode != VRNIC_OP_SEND_INV;
}

// Opcodes that a side sends during one exchange, and how often.
using Census = std::map<std::uint8_t, unsigned>;
struct Censuses {
    Census of_a, of_b;
};

Censuses census(const Exchange& kind, Pair::Transport transport) {
    Pair pair;
    auto [qa, qb] = pair.connect_by(transport, kHow);
    ExchangeRun run(pair, qa, qb, kind);
    Censuses found;
    pair.link.filter = [&](std::uint32_t port, std::uint64_t, std::span<const std::byte> frame) {
        ++(port == pair.a.host.port() ? found.of_a : found.of_b)[parse_roce(frame)->whole_opcode()];
        return Fate::pass;
    };
    run.post();
    run.finish();
    return found;
}

struct PacketFault {
    const char* rule;
    std::uint64_t Counters::*counter;
};

const PacketFault kFaults[] = {
    {"drop", &Counters::faults_dropped_packets},
    {"duplicate", &Counters::faults_duplicated_packets},
    {"duplicate,for=30us", &Counters::faults_duplicated_packets},
    {"delay,for=40us", &Counters::faults_delayed_packets},
    {"reorder,for=60us", &Counters::faults_reordered_packets},
    {"corrupt,bytes=2", &Counters::faults_corrupted_packets},
};

// The sender or the receiver of the nth packet of this opcode does it.
void try_fault(const Exchange& kind, Pair::Transport transport, const PacketFault& fault, bool by_a,
               bool on_its_way_in, std::uint8_t opcode, unsigned nth) {
    const std::string rule = fmt::format("{},dir={},opcode={},nth={}", fault.rule,
                                         on_its_way_in ? "in" : "out", opcode, nth);
    INFO(kind.name << ", " << (by_a ? "A" : "B") << ": " << rule);
    Pair pair;
    auto [qa, qb] = pair.connect_by(transport, kHow);
    Node& node = by_a ? pair.a : pair.b;
    ExchangeRun run(pair, qa, qb, kind);
    node.set_faults(rule);
    run.post();
    run.finish();
    CHECK(node.counters().*fault.counter == 1);
    // The next one goes through as if nothing had been; what was late changes nothing.
    ExchangeRun next(pair, qa, qb, kind, 2);
    next.post();
    next.finish();
    CHECK(pair.wait_a(1, 10 * kMillisecond).empty());
    CHECK(pair.wait_b(1, 10 * kMillisecond).empty());
    run.check_memory();
    next.check_memory();
}

}  // namespace

TEST_CASE("each fault on each packet of each operation is made good", "[faults][loss]") {
    const auto& kind = GENERATE(from_range(std::begin(kExchanges), std::end(kExchanges)));
    const auto transport = GENERATE(values(kTransports));
    const bool on_its_way_in = GENERATE(false, true);
    if (!carries(transport, kind)) return;
    const Censuses found = census(kind, transport);
    for (const PacketFault& fault : kFaults) {
        for (const bool from_a : {true, false})
            for (const auto& [opcode, count] : from_a ? found.of_a : found.of_b)
                for (unsigned nth = 1; nth <= count; ++nth)
                    try_fault(kind, transport, fault, from_a != on_its_way_in, on_its_way_in,
                              opcode, nth);
    }
}

TEST_CASE("the operations of the table have every opcode of their transports", "[faults]") {
    std::set<unsigned> seen, transports;
    for (const auto transport : kTransports)
        for (const Exchange& kind : kExchanges) {
            if (!carries(transport, kind)) continue;
            const Censuses found = census(kind, transport);
            for (const Census* one : {&found.of_a, &found.of_b})
                for (const auto& [opcode, count] : *one) {
                    seen.insert(opcode);
                    transports.insert(opcode >> 5);
                }
        }
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        const auto& info = roce::opcode_info(static_cast<std::uint8_t>(opcode));
        if (info.operation == roce::Operation::none || !transports.contains(opcode >> 5)) continue;
        // An XRC target cannot bind the windows that it could invalidate.
        if (info.service() == roce::Service::xrc && info.has(roce::kIeth)) continue;
        INFO(info.name << ": no row of kExchanges sends it");
        CHECK(seen.contains(opcode));
    }
}

TEST_CASE("a packet whose content changed behind a right ICRC arrives changed", "[faults]") {
    Pair pair;
    auto [qa, qb] = pair.connect(kHow);
    Regions regions(pair, 16 << 10);
    pair.a.set_faults("corrupt,icrc=right,opcode=WRITE_MIDDLE,nth=1");
    Transfer transfer(pair, qa, qb, regions, VRNIC_OP_WRITE, 1000);
    transfer.post();
    const auto sent = pair.wait_a(1);
    REQUIRE(sent.size() == 1);
    CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
    const auto content = transfer.remote().content();
    std::vector<std::size_t> different;
    for (std::size_t at = 0; at < content.size(); ++at)
        if (content[at] != transfer.data()[at]) different.push_back(at);
    REQUIRE(different.size() == 1);
    CHECK(different[0] / 256 == 1);
    CHECK(transfer.remote().guards_intact());
    CHECK(pair.b.counters().roce_rx_bad_icrc == 0);
}

TEST_CASE("one seed gives the same faults, another gives others", "[faults][replay]") {
    const std::string rules =
        "drop,probability=0.02; duplicate,probability=0.02,for=20us; "
        "delay,probability=0.02,for=30us;"
        "reorder,probability=0.02,packets=3; corrupt,probability=0.02,bytes=3; "
        "drop,dir=in,probability=0.02; reorder,dir=in,probability=0.02";
    const auto play = [&](std::uint64_t seed, Trace& trace) {
        Pair pair(seed, {.faults = rules});
        Workload work(pair, {.seed = 5, .qps = 2, .operations = 30});
        CHECK(work.run(30 * kSecond) == "");
        trace = pair.trace;
        return std::pair(pair.a.counters(), pair.b.counters());
    };
    Trace first, second, other;
    const auto [a, b] = play(1, first);
    play(1, second);
    play(2, other);
    CHECK(first == second);
    CHECK_FALSE(first == other);
    CHECK(first.entries().size() > 100);
    CHECK(a.faults_dropped_packets + b.faults_dropped_packets > 5);
    CHECK(a.faults_reordered_packets + b.faults_reordered_packets > 5);
    CHECK(a.faults_duplicated_packets + b.faults_duplicated_packets > 2);
    CHECK(a.faults_corrupted_packets + b.faults_corrupted_packets > 2);
}
