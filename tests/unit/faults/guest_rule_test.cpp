// SPDX-License-Identifier: GPL-2.0-or-later
// Rules of the guest: what is taken, and that they do what those of the owner do.
#include "faults/guest_rule.h"

#include "control/commands.h"
#include "faults/faults.h"
#include "faults/text.h"
#include "unit/catch.h"
#include "unit/rdma/connection.h"
#include "vrnic_contexts.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

vrnic_fault_rule rule_of(std::uint8_t kind) {
    vrnic_fault_rule rule{};
    rule.kind = kind;
    rule.ppm = VRNIC_FAULT_ALWAYS;
    rule.packets = rule.octets = 1;
    return rule;
}

std::uint32_t refused_at(const vrnic_fault_rule& rule) {
    const auto result = from_guest(rule, 0);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().status == VRNIC_STATUS_INVALID);
    return result.error().detail;
}

struct FaultyConnection : Connection {
    vrnic_admin_cpl try_create(const vrnic_fault_rule& rule) {
        return guest.submit(VRNIC_ADMIN_CREATE_FAULT, vrnic_cmd_create_fault{rule});
    }
    std::uint32_t create(const vrnic_fault_rule& rule) { return Guest::handle(try_create(rule)); }
    vrnic_admin_cpl destroy(std::uint32_t handle) {
        vrnic_cmd_handle fields{};
        fields.handle = handle;
        return guest.submit(VRNIC_ADMIN_DESTROY_FAULT, fields);
    }
    vrnic_fault_context seen(std::uint32_t handle) {
        vrnic_cmd_query_object fields{};
        fields.answer.addr = guest.host.allocate(sizeof(vrnic_fault_context));
        fields.answer.length = sizeof(vrnic_fault_context);
        fields.type = VRNIC_CONTEXT_FAULT;
        fields.number = handle;
        CHECK(guest.submit(VRNIC_ADMIN_QUERY_OBJECT, fields).status == VRNIC_STATUS_OK);
        return guest.host.load<vrnic_fault_context>(fields.answer.addr);
    }
    std::size_t packets_of_a_write() {
        post_send(send_entry(VRNIC_OP_WRITE, 0, 3 * kMtu));
        return sent().size();
    }
};

}  // namespace

TEST_CASE("every rule of the owner can be one of the guest") {
    const auto rules = parse_faults(
        "drop,opcode=READ_RESPONSE_LAST,nth=3; duplicate,qpn=17,dir=in,every=2;"
        "delay,for=5ms,seed=9; reorder,packets=4; corrupt,bytes=3,icrc=right,probability=0.25;"
        "fail-command,status=LIMIT,first=2; lose-command; lose-interrupt,vector=2;"
        "delay-interrupt,for=1ms; fail-completion,queue=receive,status=REM_ACCESS_ERR;"
        "link-down,after=2s,for=500ms",
        command_names());
    INFO((rules ? std::string() : rules.error()));
    REQUIRE(rules.has_value());
    CHECK(rules->size() == VRNIC_FAULT_LINK_DOWN + 1);
    for (const FaultRule& rule : *rules) {
        INFO("kind " << static_cast<int>(rule.kind));
        const auto back = from_guest(to_guest(rule), 0);
        REQUIRE(back.has_value());
        CHECK(*back == rule);
    }
}

TEST_CASE("a rule with a field that its kind has no use for, or without one it needs, is refused") {
    vrnic_fault_rule rule = rule_of(VRNIC_FAULT_LINK_DOWN + 1);
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, kind));
    rule = rule_of(VRNIC_FAULT_DROP);
    rule.octets = 2;
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, octets));
    rule = rule_of(VRNIC_FAULT_DROP);
    rule.flags = 1u << 31;
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, flags));
    rule = rule_of(VRNIC_FAULT_DROP);
    rule.ppm = 0;
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, ppm));
    rule = rule_of(VRNIC_FAULT_DROP);
    rule.way = 2;
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, way));
    rule = rule_of(VRNIC_FAULT_LOSE_INTERRUPT);
    rule.flags = VRNIC_FAULT_HAS_QPN;
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, qpn));
    CHECK(refused_at(rule_of(VRNIC_FAULT_DELAY)) == offsetof(vrnic_fault_rule, time));
    CHECK(refused_at(rule_of(VRNIC_FAULT_FAIL_COMMAND)) == offsetof(vrnic_fault_rule, status));
    rule = rule_of(VRNIC_FAULT_DROP);
    rule.flags = VRNIC_FAULT_HAS_OPCODES;  // and none is given
    CHECK(refused_at(rule) == offsetof(vrnic_fault_rule, kind));
}

TEST_CASE("a rule of the guest is counted, changed and ended") {
    FaultyConnection c;
    vrnic_fault_rule rule = rule_of(VRNIC_FAULT_DROP);
    rule.flags = VRNIC_FAULT_HAS_QPN;
    rule.qpn = c.qpn;
    rule.nth = 2;
    const std::uint32_t handle = c.create(rule);
    CHECK(handle != 0);
    CHECK(c.packets_of_a_write() == 2);
    CHECK(c.seen(handle).seen == 3);
    CHECK(c.seen(handle).injected == 1);

    vrnic_cmd_modify_fault other{};
    other.handle = handle;
    other.rule = rule;
    other.rule.nth = 0;
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_FAULT, other).status == VRNIC_STATUS_OK);
    CHECK(c.seen(handle).seen == 0);
    CHECK(c.packets_of_a_write() == 0);

    CHECK(c.destroy(handle).status == VRNIC_STATUS_OK);
    CHECK(c.packets_of_a_write() == 3);
    CHECK(c.destroy(handle).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(c.guest.submit(VRNIC_ADMIN_MODIFY_FAULT, other).status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE("rules of the guest are bounded, and leave the owner's alone") {
    FaultyConnection c;
    REQUIRE(c.guest.engine.set_faults("lose-interrupt,vector=9").has_value());
    std::vector<std::uint32_t> handles;
    for (std::uint32_t i = 0; i < kMaxFaultRules; ++i)
        handles.push_back(c.create(rule_of(VRNIC_FAULT_DROP)));
    CHECK(c.try_create(rule_of(VRNIC_FAULT_DROP)).status == VRNIC_STATUS_LIMIT);
    CHECK(c.guest.engine.faults() == "lose-interrupt,vector=9");
    CHECK(c.packets_of_a_write() == 0);

    REQUIRE(c.guest.engine.set_faults("").has_value());
    CHECK(c.packets_of_a_write() == 0);
    for (const std::uint32_t handle : handles) CHECK(c.destroy(handle).status == VRNIC_STATUS_OK);
    CHECK(c.packets_of_a_write() == 3);
}

TEST_CASE("a reset ends the rules of the guest, the link included") {
    FaultyConnection c;
    c.create(rule_of(VRNIC_FAULT_LINK_DOWN));
    CHECK((c.guest.engine.read_register(VRNIC_REG_STATUS, 4) & VRNIC_STATUS_LINK_UP) == 0);
    c.guest.engine.reset();
    CHECK((c.guest.engine.read_register(VRNIC_REG_STATUS, 4) & VRNIC_STATUS_LINK_UP) != 0);
}
