// SPDX-License-Identifier: GPL-2.0-or-later
// The fault points, without an engine around them.
#include "faults/faults.h"

#include <deque>

#include "faults/text.h"
#include "roce/build.h"
#include "unit/catch.h"
#include "unit/fake_host.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr Nanoseconds kMillisecond = 1'000'000;
constexpr std::uint32_t kQpn = 17;

Frame packet(std::uint32_t psn, roce::Opcode opcode = roce::kSendOnly, std::size_t bytes = 20,
             bool ipv4 = true) {
    roce::Path path;
    path.ipv4 = ipv4;
    path.destination_qp = kQpn;
    roce::PacketFields fields;
    fields.opcode = opcode;
    fields.psn = Psn(psn);
    std::vector<std::byte> buffer(roce::kMaxFrame);
    roce::FrameBuilder builder{std::span<std::byte, roce::kMaxFrame>(buffer)};
    const auto payload =
        builder.begin(roce::PathHeaders::make(path), fields, static_cast<std::uint32_t>(bytes));
    std::ranges::fill(payload, std::byte(psn));
    const auto frame = builder.finish();
    return {frame.begin(), frame.end()};
}

struct Fixture : PacketSink {
    void set(const std::string& rules) {
        const auto parsed = parse_faults(rules, {});
        REQUIRE(parsed.has_value());
        faults.set(*parsed);
    }
    bool take(std::span<const std::byte> frame, bool loopback) override {
        if (full) return false;
        frames.emplace_back(frame.begin(), frame.end());
        looped += loopback;
        return true;
    }
    void send(std::uint32_t psn, std::uint32_t qpn = kQpn, roce::Opcode opcode = roce::kSendOnly) {
        faults.pass({Direction::out, qpn}, packet(psn, opcode), *this);
    }
    void pass_time(Nanoseconds time) {
        host.time += time;
        faults.on_deadline(host.time);
        faults.release(Direction::out, *this);
        faults.release(Direction::in, *this);
    }
    // PSNs of what went on; -1: the ICRC is wrong.
    std::vector<int> went_on() {
        std::vector<int> psns;
        for (const Frame& frame : frames) {
            const auto parsed = roce::parse(frame);
            psns.push_back(parsed ? static_cast<int>(parsed->psn.value()) : -1);
        }
        frames.clear();
        return psns;
    }
    using Psns = std::vector<int>;

    FakeHost host;
    Counters counters;
    Faults faults{host, counters, 5};
    bool full = false;
    unsigned looped = 0;
    std::vector<Frame> frames;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "without rules no point is armed, with rules theirs") {
    for (int point = 0; point <= static_cast<int>(FaultPoint::link); ++point)
        CHECK_FALSE(faults.armed(static_cast<FaultPoint>(point)));
    CHECK(faults.next_deadline() == kNever);
    set("drop,dir=in; lose-interrupt");
    CHECK(faults.armed(FaultPoint::packet_in));
    CHECK_FALSE(faults.armed(FaultPoint::packet_out));
    CHECK(faults.armed(FaultPoint::interrupt));
    CHECK_FALSE(faults.armed(FaultPoint::command));
    set("");
    CHECK_FALSE(faults.armed(FaultPoint::packet_in));
}

TEST_CASE_METHOD(Fixture, "which packet a rule takes") {
    struct Row {
        const char* when;
        Psns left;  // of 1..6
    };
    const Row row =
        GENERATE(Row{"nth=3", {1, 2, 4, 5, 6}}, Row{"every=2", {1, 3, 5}}, Row{"first=4", {5, 6}},
                 Row{"every=2,first=4", {1, 3, 5, 6}}, Row{"probability=0", {1, 2, 3, 4, 5, 6}},
                 Row{"qpn=17", {}}, Row{"qpn=18", {1, 2, 3, 4, 5, 6}},
                 Row{"dir=in", {1, 2, 3, 4, 5, 6}}, Row{"opcode=SEND_ONLY", {}},
                 Row{"opcode=send", {}}, Row{"opcode=WRITE_ONLY", {1, 2, 3, 4, 5, 6}});
    CAPTURE(row.when);
    set(std::string("drop,") + row.when);
    for (std::uint32_t psn = 1; psn <= 6; ++psn) send(psn);
    CHECK(went_on() == row.left);
    CHECK(counters.faults_dropped_packets == 6 - row.left.size());
}

TEST_CASE_METHOD(Fixture, "rules count for themselves; the first that fires has the packet") {
    set("drop,nth=2; duplicate,nth=2; duplicate,nth=3");
    for (std::uint32_t psn = 1; psn <= 4; ++psn) send(psn);
    CHECK(went_on() == Psns{1, 3, 3, 4});
    CHECK(counters.faults_dropped_packets == 1);
    CHECK(counters.faults_duplicated_packets == 1);
    CHECK(host.logged("fault 1 (drop): SEND_ONLY PSN 0x2 of QP 17, out"));
    CHECK(host.logged("fault 3 (duplicate): SEND_ONLY PSN 0x3"));
}

TEST_CASE_METHOD(Fixture, "chance is the same for the same seed, and for each rule another") {
    const auto pattern = [this](const std::string& rules) {
        set(rules);
        for (std::uint32_t psn = 1; psn <= 200; ++psn) send(psn);
        return went_on();
    };
    const auto seven = pattern("drop,probability=0.5,seed=7");
    CHECK(seven == pattern("drop,probability=0.5,seed=7"));
    CHECK(seven != pattern("drop,probability=0.5,seed=8"));
    CHECK(seven.size() > 70);
    CHECK(seven.size() < 130);
    // Two rules without a seed are not the same rule twice.
    const auto both = pattern("drop,probability=0.5; drop,probability=0.5");
    CHECK(both.size() < 75);
    // Other conditions do not move chance.
    const auto some = pattern("drop,probability=0.5,seed=7,first=100");
    CHECK(std::equal(some.begin(), some.begin() + 30, seven.begin()));
}

TEST_CASE_METHOD(Fixture, "a delayed packet comes when its time is over, others pass it") {
    set("delay,nth=1,for=5ms; delay,nth=2,for=3ms");
    for (std::uint32_t psn = 1; psn <= 3; ++psn) send(psn);
    CHECK(went_on() == Psns{3});
    CHECK(faults.next_deadline() == host.time + 3 * kMillisecond);
    SECTION("one after the other") {
        pass_time(3 * kMillisecond - 1);
        CHECK(went_on().empty());
        pass_time(1);
        CHECK(went_on() == Psns{2});
        pass_time(2 * kMillisecond);
        CHECK(went_on() == Psns{1});
    }
    SECTION("both at once, in the order of their deadlines") {
        pass_time(60 * kMillisecond);
        CHECK(went_on() == Psns{2, 1});
    }
    CHECK_FALSE(faults.holds_packets());
    CHECK(faults.next_deadline() == kNever);
    CHECK(counters.faults_delayed_packets == 2);
}

TEST_CASE_METHOD(Fixture, "a packet stands back behind others of its QP, or for a time") {
    set("reorder,nth=1,packets=2");
    send(1);
    send(2);
    send(100, kQpn + 1);  // another QP's does not count
    CHECK(went_on() == Psns{2, 100});
    SECTION("the others come") {
        send(3);
        CHECK(went_on() == Psns{3, 1});
    }
    SECTION("nothing comes any more") {
        pass_time(10 * kMillisecond);
        CHECK(went_on() == Psns{1});
    }
    CHECK(counters.faults_reordered_packets == 1);
    CHECK_FALSE(faults.holds_packets());
}

TEST_CASE_METHOD(Fixture, "a copy may come later") {
    set("duplicate,nth=1,for=1ms");
    send(1);
    send(2);
    CHECK(went_on() == Psns{1, 2});
    pass_time(kMillisecond);
    CHECK(went_on() == Psns{1});
}

TEST_CASE_METHOD(Fixture, "corruption is always found by the ICRC, unless it is made right again") {
    const bool ipv4 = GENERATE(true, false);
    const std::size_t bytes = GENERATE(0, 1, 20, 1021);
    const auto damaged = [&](const std::string& rule) {
        set(rule);
        faults.pass({Direction::out, kQpn}, packet(1, roce::kSendOnly, bytes, ipv4), *this);
        REQUIRE(frames.size() == 1);
        const Frame frame = frames[0];
        frames.clear();
        return frame;
    };
    const Frame good = packet(1, roce::kSendOnly, bytes, ipv4);
    for (int seed = 0; seed < 300; ++seed) {
        CAPTURE(ipv4, bytes, seed);
        const Frame bad = damaged("corrupt,bytes=" + std::to_string(1 + seed % 4) +
                                  ",seed=" + std::to_string(seed));
        CHECK(roce::parse(bad).error() == roce::ParseError::bad_icrc);
    }
    const Frame sealed = damaged("corrupt,icrc=right");
    const auto parsed = roce::parse(sealed);
    REQUIRE(parsed.has_value());
    CHECK(parsed->psn.value() == 1);
    CHECK(parsed->payload.size() == bytes);
    CHECK((sealed != good) == (bytes != 0));
    CHECK(counters.faults_corrupted_packets == 300 + (bytes != 0));
}

TEST_CASE_METHOD(Fixture, "what a full wire does not take goes first when it is free again") {
    set("duplicate,nth=1; reorder,nth=2");
    full = true;
    send(1);
    CHECK(went_on().empty());
    faults.release(Direction::out, *this);
    CHECK(went_on().empty());
    CHECK(faults.next_deadline() == kNever);  // no timer helps
    full = false;
    faults.release(Direction::out, *this);
    CHECK(went_on() == Psns{1, 1});
    send(2);
    full = true;
    send(3);  // 2 is to follow it
    full = false;
    faults.release(Direction::out, *this);
    CHECK(went_on() == Psns{3, 2});
}

TEST_CASE_METHOD(Fixture, "no more is held than there is room for") {
    set("delay,for=1ms");
    for (std::uint32_t psn = 1; psn <= HeldPackets::kSlots + 3; ++psn) send(psn);
    CHECK(went_on() == Psns{129, 130, 131});
    CHECK(counters.faults_delayed_packets == HeldPackets::kSlots);
    pass_time(kMillisecond);
    CHECK(went_on().size() == HeldPackets::kSlots);
    // A frame that is longer than any packet goes on as it is.
    faults.pass({Direction::out, kQpn}, Frame(9000), *this);
    CHECK(frames.size() == 1);
}

TEST_CASE_METHOD(Fixture, "new rules let go of what was held back, a reset forgets it") {
    set("delay,for=1s,first=1; delay-interrupt,for=1s");
    send(1);
    CHECK(faults.interrupt(3));
    SECTION("rules") {
        set("");
        faults.release(Direction::out, *this);
        CHECK(went_on() == Psns{1});
        CHECK(host.interrupts[3] == 1);
    }
    SECTION("reset") {
        faults.reset();
        CHECK(faults.next_deadline() == kNever);
        pass_time(2'000 * kMillisecond);
        CHECK(went_on().empty());
        CHECK(host.interrupts[3] == 0);
        send(2);  // the rule has had its first one
        CHECK(went_on() == Psns{2});
    }
}

TEST_CASE_METHOD(Fixture, "packets that come say themselves which QP they are for") {
    set("drop,dir=in,qpn=17; drop,dir=out");
    faults.pass({Direction::in}, packet(1), *this);
    CHECK(went_on().empty());
    set("drop,dir=in,qpn=18");
    faults.pass({Direction::in}, packet(1), *this);
    CHECK(went_on() == Psns{1});
    // What is no packet is nobody's.
    set("drop,dir=in");
    Frame broken = packet(2);
    broken.back() ^= std::byte{1};
    faults.pass({Direction::in}, broken, *this);
    CHECK(went_on() == Psns{-1});
}

TEST_CASE_METHOD(Fixture, "commands fail or are lost") {
    set("fail-command,opcode=0x50,nth=2,status=LIMIT; lose-command,opcode=0x51");
    CHECK_FALSE(faults.command(0x50));
    const auto failed = faults.command(0x50);
    REQUIRE(failed);
    CHECK_FALSE(failed->lost);
    CHECK(failed->status == VRNIC_STATUS_LIMIT);
    REQUIRE(faults.command(0x51));
    CHECK(faults.command(0x51)->lost);
    CHECK_FALSE(faults.command(0x52));
    CHECK_FALSE(faults.command(0x151));
    set("lose-command");
    CHECK(faults.command(0xffff));
    CHECK(counters.faults_failed_commands == 1);
    CHECK(counters.faults_lost_commands == 3);
}

TEST_CASE_METHOD(Fixture, "interrupts are lost or come later, once") {
    set("lose-interrupt,vector=1,first=1; delay-interrupt,vector=2,for=1ms");
    CHECK(faults.interrupt(1));
    CHECK_FALSE(faults.interrupt(1));
    CHECK_FALSE(faults.interrupt(0));
    CHECK(faults.interrupt(2));
    host.time += kMillisecond / 2;
    CHECK(faults.interrupt(2));  // while the first one waits: they come as one
    pass_time(kMillisecond / 2);
    CHECK(host.interrupts[2] == 1);
    pass_time(10 * kMillisecond);
    CHECK(host.interrupts[2] == 1);
    CHECK(counters.interrupts == 1);
    CHECK(counters.faults_lost_interrupts == 1);
    CHECK(counters.faults_delayed_interrupts == 2);
}

TEST_CASE_METHOD(Fixture, "entries of work queues fail") {
    set("fail-completion,qpn=17,opcode=SEND,status=REM_OP_ERR; "
        "fail-completion,queue=receive,status=LOC_PROT_ERR");
    CHECK(faults.completion(WorkQueue::send, 17, VRNIC_OP_SEND) == VRNIC_WC_REM_OP_ERR);
    CHECK_FALSE(faults.completion(WorkQueue::send, 17, VRNIC_OP_WRITE));
    CHECK_FALSE(faults.completion(WorkQueue::send, 18, VRNIC_OP_SEND));
    CHECK(faults.completion(WorkQueue::receive, 18) == VRNIC_WC_LOC_PROT_ERR);
    CHECK(counters.faults_failed_completions == 2);
}

TEST_CASE_METHOD(Fixture, "the link goes down for a time") {
    set("link-down,after=2ms,for=3ms; link-down,after=4ms,for=3ms");
    CHECK_FALSE(faults.link_down());
    CHECK(faults.next_deadline() == host.time + 2 * kMillisecond);
    pass_time(2 * kMillisecond);
    CHECK(faults.link_down());
    CHECK(counters.faults_link_downs == 1);
    pass_time(3 * kMillisecond);  // the second one has begun
    CHECK(faults.link_down());
    CHECK(counters.faults_link_downs == 2);
    pass_time(2 * kMillisecond);
    CHECK_FALSE(faults.link_down());
    CHECK(faults.next_deadline() == kNever);
    set("link-down");
    CHECK(faults.link_down());
    faults.reset();
    CHECK(faults.link_down());
    set("");
    CHECK_FALSE(faults.link_down());
}
