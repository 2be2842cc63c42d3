// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/text.h"

#include <string>

#include "control/commands.h"
#include "faults/kinds.h"
#include "roce/opcode.h"
#include "unit/catch.h"
#include "vrnic_ring.h"

using namespace vrnic;

namespace {

std::vector<FaultRule> parse(const std::string& text) {
    const auto rules = parse_faults(text, command_names());
    INFO(text << ": " << (rules ? "" : rules.error()));
    REQUIRE(rules.has_value());
    return *rules;
}

FaultRule one(const std::string& text) {
    const auto rules = parse(text);
    REQUIRE(rules.size() == 1);
    return rules[0];
}

std::string error_of(const std::string& text) {
    const auto rules = parse_faults(text, command_names());
    return rules ? "" : rules.error();
}

OpcodeSet set_of(std::initializer_list<unsigned> opcodes) {
    OpcodeSet set;
    for (const unsigned opcode : opcodes) set.set(opcode);
    return set;
}

// A packet's name stands for those of all transports that have it: IBTA table 38.
enum : unsigned { kRc = 1, kUc = 2, kUd = 4, kXrc = 8 };
OpcodeSet packets_of(std::initializer_list<unsigned> opcodes, unsigned services = kRc | kXrc) {
    OpcodeSet set;
    for (const unsigned opcode : opcodes) {
        if (services & kRc) set.set(opcode);
        if (services & kUc) set.set(1u << 5 | opcode);
        if (services & kUd) set.set(3u << 5 | opcode);
        if (services & kXrc) set.set(5u << 5 | opcode);
    }
    return set;
}

constexpr Nanoseconds kMillisecond = 1'000'000;

}  // namespace

TEST_CASE("a rule says what, which and when") {
    const FaultRule rule =
        one(" drop , dir=in, qpn=0x11, opcode=READ_RESPONSE_LAST, nth=3, seed=7 ");
    CHECK(rule.kind == FaultKind::drop);
    CHECK(rule.direction == Direction::in);
    CHECK(rule.qpn == 0x11u);
    CHECK(rule.opcodes == packets_of({roce::kReadResponseLast}));
    CHECK(rule.nth == 3);
    CHECK(rule.every == 0);
    CHECK(rule.ppm == FaultRule::kAlways);
    CHECK(rule.seed == 7u);
}

TEST_CASE("what is not said has its usual value") {
    CHECK(one("drop") == FaultRule{});
    CHECK(one("drop").direction == Direction::out);
    CHECK(one("reorder").packets == 1);
    CHECK(one("reorder").time == 10 * kMillisecond);
    CHECK(one("link-down").time == 0);
    CHECK(parse("").empty());
    CHECK(parse(" ; ;").empty());
}

TEST_CASE("every word of a rule is read, and written again") {
    const char* const kRules[] = {
        "drop",
        "drop,dir=in,qpn=17,opcode=SEND_ONLY,nth=3",
        "drop,every=10,first=100,probability=0.25,seed=9",
        "drop,probability=0.000001",
        "drop,probability=0",
        "duplicate,opcode=ack,for=5ms",
        "delay,opcode=request,for=1500us",
        "reorder,packets=4",
        "reorder,packets=4,for=1s",
        "corrupt,bytes=4",
        "corrupt,icrc=right",
        "fail-command,opcode=CREATE_QP,nth=1,status=LIMIT",
        "lose-command,opcode=REG_MR+DEREG_MR",
        "lose-interrupt,vector=0,first=1",
        "delay-interrupt,for=20ns",
        "fail-completion,qpn=17,opcode=SEND+WRITE,nth=2,status=RETRY_EXC_ERR",
        "fail-completion,queue=receive,status=LOC_PROT_ERR",
        "link-down,after=2s,for=500ms",
        "link-down",
        "drop,nth=1; corrupt,nth=2; link-down",
    };
    for (const char* text : kRules) {
        CAPTURE(text);
        const auto rules = parse(text);
        CHECK(format_faults(rules, command_names()) == text);
    }
}

TEST_CASE("opcodes have names, numbers and classes") {
    CHECK(one("drop,opcode=0x0a").opcodes == set_of({roce::kWriteOnly}));
    CHECK(one("drop,opcode=10").opcodes == set_of({roce::kWriteOnly}));
    CHECK(one("drop,opcode=write_only+SEND_ONLY").opcodes ==
          (packets_of({roce::kWriteOnly}, kRc | kUc | kXrc) |
           packets_of({roce::kSendOnly}, kRc | kUc | kUd | kXrc)));
    CHECK(one("drop,opcode=ack+0xff").opcodes ==
          (packets_of({roce::kAcknowledge}) | set_of({0xff})));
    CHECK(one("drop,opcode=atomic").opcodes == packets_of({roce::kCompareSwap, roce::kFetchAdd}));
    CHECK(one("lose-command,opcode=QUERY_QP").opcodes == set_of({VRNIC_ADMIN_QUERY_QP}));
    CHECK(one("fail-completion,status=9,opcode=FLUSH").opcodes == set_of({VRNIC_OP_FLUSH}));
    CHECK(one("fail-completion,status=9").status == VRNIC_WC_REM_INV_REQ_ERR);

    // Requests and responses are all that there is, and nothing is both.
    const OpcodeSet requests = one("drop,opcode=request").opcodes;
    const OpcodeSet responses = one("drop,opcode=response").opcodes;
    CHECK((requests & responses).none());
    for (unsigned opcode = 0; opcode < requests.size(); ++opcode) {
        const auto& info = roce::opcode_info(static_cast<std::uint8_t>(opcode));
        CHECK((requests | responses)[opcode] == (info.operation != roce::Operation::none));
        if (info.operation == roce::Operation::none) continue;
        // Each one can be named.
        CHECK(one(std::string("drop,opcode=") + info.name).opcodes[opcode]);
    }
    for (const Name& command : command_names())
        CHECK(one(std::string("lose-command,opcode=") + command.text).opcodes ==
              set_of({command.value}));
}

TEST_CASE("a mistake is told in one line that names it") {
    const std::pair<const char*, const char*> kMistakes[] = {
        {"lose", "fault 1: there is no fault \"lose\""},
        {"drop; drip", "fault 2: there is no fault \"drip\""},
        {"drop,nht=3",
         "fault 1: \"nht=3\": drop takes dir, qpn, opcode, nth, every, first, probability, seed"},
        {"drop,status=LIMIT", "fault 1: \"status=LIMIT\": drop takes dir, qpn"},
        {"drop,nth=0", "fault 1: \"nth=0\": nth is a number from 1 on"},
        {"drop,nth=", "fault 1: \"nth=\": nth is a number from 1 on"},
        {"drop,nth", "fault 1: \"nth\": nth is a number from 1 on"},
        {"drop,nth=-1", "fault 1: \"nth=-1\": nth is a number from 1 on"},
        {"drop,nth=3x", "fault 1: \"nth=3x\": nth is a number from 1 on"},
        {"drop,nth=99999999999999999999", "nth is a number from 1 on"},
        {"drop,dir=up", "fault 1: \"dir=up\": dir is in or out"},
        {"drop,qpn=0x1000000", "qpn is the number of a QP"},
        {"drop,probability=1.1", "probability is a share between 0 and 1, as 0.01"},
        {"drop,probability=nan", "probability is a share"},
        {"drop,probability=0.5x", "probability is a share"},
        {"drop,opcode=SEND_SOMETIMES", "opcode is known names or numbers with + between"},
        {"drop,opcode=256", "opcode is known names"},
        {"drop,opcode=SEND_ONLY+", "opcode is known names"},
        {"drop,opcode=CREATE_QP", "opcode is known names"},
        {"delay", "fault 1: delay needs for"},
        {"delay,for=5", "for is a time of at most an hour with its unit, as 500ms"},
        {"delay,for=ms", "for is a time"},
        {"delay,for=3601s", "for is a time"},
        {"delay,for=0s", "fault 1: delay: its time is 0"},
        {"reorder,packets=0", "packets is a number from 1 to 1000"},
        {"corrupt,bytes=5", "bytes is a number from 1 to 4"},
        {"corrupt,icrc=maybe", "icrc is wrong or right"},
        {"fail-command,opcode=CREATE_QP", "fault 1: fail-command needs status"},
        {"fail-command,status=OK", "its status is none of a failed command"},
        {"fail-command,status=11", "its status is none of a failed command"},
        {"fail-command,status=RETRY_EXC_ERR", "status is the name or number of an error"},
        {"fail-completion,status=0", "its status is none of a failed completion"},
        {"fail-completion,status=LIMIT", "status is the name or number of an error"},
        {"fail-completion,queue=receive,opcode=SEND,status=4", "entries of a receive queue"},
        {"link-down,nth=3", "fault 1: \"nth=3\": link-down takes after, for"},
    };
    for (const auto& [text, message] : kMistakes) {
        const std::string error = error_of(text);
        INFO(text << ": " << error);
        CHECK(error.find(message) != std::string::npos);
        CHECK(error.find('\n') == std::string::npos);
    }
    std::string many;
    for (std::uint32_t i = 0; i < kMaxFaultRules; ++i) many += "drop;";
    CHECK(parse(many).size() == kMaxFaultRules);
    CHECK(error_of(many + "drop") == "more than 32 rules");
    CHECK(error_of(std::string(5000, ';')) == "the rules are longer than 4096 bytes");
}

TEST_CASE("any text gives rules or an error") {
    // Pieces of rules in any order, and cut anywhere.
    const char* const kPieces[] = {"drop",  "delay", "link-down", ",",   ";",    "=",    "nth",
                                   "for",   "3",     "5ms",       "+",   "ack",  "0x",   "opcode",
                                   "after", "\n",    "\x80",      "0.5", "seed", "qpn=", "-"};
    Random random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (std::uint64_t pieces = random.next() % 12; pieces > 0; --pieces)
            text += kPieces[random.next() % std::size(kPieces)];
        const auto rules = parse_faults(text, command_names());
        if (!rules) {
            CHECK_FALSE(rules.error().empty());
            continue;
        }
        const auto again = parse_faults(format_faults(*rules, command_names()), command_names());
        REQUIRE(again.has_value());
        CHECK(*again == *rules);
    }
}

TEST_CASE("each kind of fault has a name and counts for itself") {
    std::vector<std::uint64_t Counters::*> seen;
    for (int kind = 0; kind <= static_cast<int>(FaultKind::link_down); ++kind) {
        const FaultKindInfo& info = fault_kind(static_cast<FaultKind>(kind));
        CHECK(find_fault_kind(info.name) == &info);
        for (const auto other : seen) CHECK(other != info.counter);
        seen.push_back(info.counter);
    }
    CHECK(find_fault_kind("") == nullptr);
}

TEST_CASE("rules that come as data are checked, too") {
    CHECK(check_fault(FaultRule{}).has_value());
    CHECK_FALSE(check_fault({.kind = static_cast<FaultKind>(99)}).has_value());
    CHECK_FALSE(check_fault({.ppm = 1'000'001}).has_value());
    CHECK_FALSE(check_fault({.opcodes = {}}).has_value());
    CHECK_FALSE(check_fault({.kind = FaultKind::delay}).has_value());
    CHECK_FALSE(check_fault({.kind = FaultKind::delay, .time = kMaxFaultTime + 1}).has_value());
    CHECK_FALSE(check_fault({.kind = FaultKind::reorder, .packets = 0}).has_value());
    CHECK_FALSE(check_fault({.kind = FaultKind::corrupt, .octets = 5}).has_value());
    CHECK_FALSE(check_fault({.kind = FaultKind::fail_command}).has_value());
}
