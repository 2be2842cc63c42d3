// SPDX-License-Identifier: GPL-2.0-or-later
// The property "faults": what goes wrong on purpose, from the start and at run time.
#include "support/connected.h"

using namespace vrnic::device_test;

namespace {

const Json kPath = "/machine/peripheral/v0";
constexpr std::uint8_t kSendOnly = 0x04;
constexpr auto kShortly = std::chrono::milliseconds(100);

// Commas in a value of -device are written twice.
std::string device_with(const std::string& properties) {
    return "id=v0,netdev=n0,mac=52:54:00:00:00:01,bus=pcie.0,addr=4," + properties;
}

std::string set(Machine& machine, const std::string& rules) {
    return machine.qmp().error_of("qom-set",
                                  {{"path", kPath}, {"property", "faults"}, {"value", rules}});
}

Json get(Machine& machine) {
    return machine.qmp().command("qom-get", {{"path", kPath}, {"property", "faults"}});
}

// The device has an answer to this, an RNR NAK: nothing was posted.
Frame question(const Connected& bench) {
    return build(bench.from_peer(kSendOnly, {1, 2, 3, 4}));
}

}  // namespace

TEST_CASE("rules that are given at the start hold from then on, and are told", "[faults]") {
    Connected bench({.device = device_with("faults=drop,,opcode=ack,,nth=1;;corrupt,,nth=2")});
    CHECK(get(bench.machine) == "drop,opcode=ack,nth=1; corrupt,nth=2");
    bench.machine.wire().send(question(bench));
    CHECK(bench.machine.wire().receive(kShortly).empty());
    bench.machine.wire().send(question(bench));
    const Frame bad = bench.machine.wire().receive();
    REQUIRE_FALSE(bad.empty());
    CHECK(right_icrc(bad) != carried_icrc(bad));
    bench.machine.wire().send(question(bench));
    const Frame good = bench.machine.wire().receive();
    REQUIRE_FALSE(good.empty());
    CHECK(right_icrc(good) == carried_icrc(good));
    CHECK(bench.machine.counter("faults_dropped_packets") == 1);
    CHECK(bench.machine.counter("faults_corrupted_packets") == 1);
    CHECK(bench.machine.log().find("fault 1 (drop): ACKNOWLEDGE PSN 0x123 of QP ") !=
          std::string::npos);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("rules change at run time, with errors that change nothing", "[faults]") {
    Connected bench;
    Machine& machine = bench.machine;
    CHECK(get(machine) == "");
    CHECK(set(machine, "drop") == "");
    machine.wire().send(question(bench));
    CHECK(machine.wire().receive(kShortly).empty());
    CHECK(set(machine, "drop,nht=3") ==
          "fault 1: \"nht=3\": drop takes dir, qpn, opcode, nth, every, first, probability, seed");
    CHECK(set(machine, "explode") == "fault 1: there is no fault \"explode\"");
    CHECK(set(machine, std::string(5000, 'x')) == "the rules are longer than 4096 bytes");
    CHECK(get(machine) == "drop");
    CHECK(set(machine, "") == "");
    machine.wire().send(question(bench));
    CHECK_FALSE(machine.wire().receive().empty());
    CHECK(machine.ends_well());
}

TEST_CASE("loss is a rule like the others", "[faults]") {
    Connected bench({.device = device_with("loss=0.25,seed=3,faults=duplicate")});
    CHECK(get(bench.machine) == "drop,probability=0.25; duplicate");
    CHECK(set(bench.machine, "") == "");
    CHECK(get(bench.machine) == "");
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a bad rule is an error of the device", "[faults]") {
    Machine machine(
        {.device = "", .more = {"-device", "pcie-root-port,id=rport,bus=pcie.0,addr=9"}});
    const std::string said =
        machine.human("device_add vrnic,id=v0,netdev=n0,bus=rport,faults=drop,,nth=never");
    CHECK(said.find("fault 1: \"nth=never\": nth is a number from 1 on") != std::string::npos);
    CHECK(machine.ends_well());
}

TEST_CASE("commands fail, and are never answered until a reset", "[faults]") {
    Bench bench;
    bench.bring_up();
    REQUIRE(set(bench.machine,
                "fail-command,opcode=ALLOC_PD,nth=1,status=LIMIT; "
                "lose-command,opcode=ALLOC_PD,nth=2") == "");
    CHECK(bench.driver.command(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_LIMIT);
    CHECK_THROWS(bench.driver.command(VRNIC_ADMIN_ALLOC_PD));
    CHECK(bench.machine.counter("faults_failed_commands") == 1);
    CHECK(bench.machine.counter("faults_lost_commands") == 1);
    bench.require_works_after_reset();
    CHECK(bench.driver.command(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a link that is down for a time", "[faults]") {
    Bench bench;
    bench.bring_up();
    const auto is_up = [&] {
        return (bench.driver.reg(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) != 0;
    };
    REQUIRE(set(bench.machine, "link-down,for=300ms") == "");
    CHECK_FALSE(is_up());
    CHECK(bench.machine.eventually(is_up));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("packets that are held back do not outlive the device", "[faults]") {
    Connected bench({.device = device_with("faults=delay,,for=1s")});
    bench.machine.wire().send(question(bench));
    REQUIRE(bench.machine.eventually(
        [&] { return bench.machine.counter("faults_delayed_packets") == 1; }));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("many faults do not fill the log", "[faults]") {
    Connected bench({.device = device_with("faults=duplicate")});
    for (int i = 0; i < 60; ++i) {
        bench.machine.wire().send(question(bench));
        for (int copy = 0; copy < 2; ++copy)
            REQUIRE_FALSE(bench.machine.wire().receive().empty());
    }
    CHECK(bench.machine.counter("faults_duplicated_packets") == 60);
    std::size_t lines = 0;
    const std::string log = bench.machine.log();
    for (std::size_t at = 0; (at = log.find("fault 1", at)) != std::string::npos; ++at) ++lines;
    CHECK(lines >= 20);
    CHECK(lines < 40);
    CHECK(bench.machine.ends_well());
}
