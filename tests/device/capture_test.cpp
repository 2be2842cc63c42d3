// SPDX-License-Identifier: GPL-2.0-or-later
// The property "capture": what passes the device is in a file, whatever becomes of the file.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/connected.h"

using namespace vrnic::device_test;

namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kSendOnly = 0x04;
const Json kPath = "/machine/peripheral/v0";

// Goes with its file.
struct CaptureName {
    CaptureName() { fs::remove(path); }
    ~CaptureName() { fs::remove(path); }
    std::string content() const {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string path = fs::temp_directory_path() / fmt::format("vrnic-capture-{}", getpid());
};

std::uint32_t word(const std::string& content, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, content.data() + at, sizeof(value));
    return value;
}

// Of the first packet block with this frame: its flags, 1 came in, 2 went out; 0: there is none.
std::uint32_t direction_of(const std::string& content, const Frame& frame) {
    const std::string bytes(reinterpret_cast<const char*>(frame.data()), frame.size());
    const std::size_t at = content.find(bytes);
    if (at == std::string::npos) return 0;
    const std::size_t flags = at + (frame.size() + 3) / 4 * 4 + 4;
    if (at < 28 || word(content, at - 28) != 6 || word(content, at - 8) != frame.size()) return 0;
    return word(content, flags);
}

std::string device_with(const std::string& property) {
    return "id=v0,netdev=n0,mac=52:54:00:00:00:01,bus=pcie.0,addr=4," + property;
}

}  // namespace

TEST_CASE("a capture has what came and what went, RoCE or not, whole at QEMU's end", "[capture]") {
    const CaptureName name;
    Frame answer, stranger(60, std::byte{0x5a});
    Frame packet;
    {
        Connected bench({.device = device_with("capture=" + name.path)});
        CHECK(bench.machine.qmp().command("qom-get", {{"path", kPath}, {"property", "capture"}}) ==
              name.path);
        packet = build(bench.from_peer(kSendOnly, {1, 2, 3, 4}));
        bench.machine.wire().send(stranger);
        bench.machine.wire().send(packet);
        answer = bench.machine.wire().receive();  // RNR NAK: nothing was posted
        REQUIRE_FALSE(answer.empty());
        CHECK(bench.machine.ends_well());
    }
    const std::string content = name.content();
    REQUIRE(content.size() > 64);
    CHECK(word(content, 0) == 0x0a0d0d0a);
    CHECK(direction_of(content, stranger) == 1);
    CHECK(direction_of(content, packet) == 1);
    CHECK(direction_of(content, answer) == 2);
    CHECK(content.find("v0") != std::string::npos);  // the interface's name
}

TEST_CASE("a capture begins and ends at run time, and is written while nothing happens",
          "[capture]") {
    const CaptureName name;
    Connected bench;
    auto& qmp = bench.machine.qmp();
    const auto set = [&](const std::string& file) {
        return qmp.error_of("qom-set", {{"path", kPath}, {"property", "capture"}, {"value", file}});
    };
    const Frame before(60, std::byte{1}), during(60, std::byte{2}), after(60, std::byte{3});
    const auto pass = [&](const Frame& frame) {
        const std::uint64_t seen = bench.machine.counter("eth_rx_filtered");
        bench.machine.wire().send(frame);
        REQUIRE(bench.machine.eventually(
            [&] { return bench.machine.counter("eth_rx_filtered") > seen; }));
    };
    pass(before);
    REQUIRE(set(name.path) == "");
    pass(during);
    CHECK(bench.machine.eventually([&] { return direction_of(name.content(), during) == 1; }));
    REQUIRE(set("") == "");
    CHECK(qmp.command("qom-get", {{"path", kPath}, {"property", "capture"}}) == "");
    pass(after);
    CHECK(set("/no/such/folder/file").find("capture=/no/such/folder/file: No such file") == 0);
    CHECK(bench.machine.ends_well());
    CHECK(direction_of(name.content(), before) == 0);
    CHECK(direction_of(name.content(), after) == 0);
}

TEST_CASE("a full disk ends the capture and nothing else", "[capture]") {
    Connected bench({.device = device_with("capture=/dev/full")});
    bench.machine.wire().send(build(bench.from_peer(kSendOnly, {1, 2, 3, 4})));
    CHECK_FALSE(bench.machine.wire().receive().empty());
    CHECK(bench.machine.eventually([&] {
        return bench.machine.log().find("capture: /dev/full cannot be written (No space left") !=
               std::string::npos;
    }));
    CHECK(bench.machine.qmp().command("qom-get", {{"path", kPath}, {"property", "capture"}}) == "");
    bench.machine.wire().send(build(bench.from_peer(kSendOnly, {1, 2, 3, 4})));
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a capture that cannot be made is an error of the device", "[capture]") {
    Machine machine(
        {.device = "", .more = {"-device", "pcie-root-port,id=rport,bus=pcie.0,addr=9"}});
    const std::string said =
        machine.human("device_add vrnic,id=v0,netdev=n0,bus=rport,capture=/no/such/folder/file");
    CHECK(said.find("capture=/no/such/folder/file: No such file") != std::string::npos);
    CHECK(machine.ends_well());
}
