// SPDX-License-Identifier: GPL-2.0-or-later
// What the options of `./vrnic run` do.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/socket_pair.h"
#include "base/unique_fd.h"
#include "unit/catch.h"
#include "vrnic_run.h"

namespace vrnic::runner_test {
namespace {

using runner::testing::ScratchFolder;

std::string read_all(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The number behind a text.
int number_behind(const std::string& text, std::string_view sign) {
    const auto at = text.find(sign);
    return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + sign.size());
}

// A debugger's packet, as the remote protocol frames it; the answer's frame.
std::string ask_stub(int fd, const std::string& command) {
    unsigned sum = 0;
    for (unsigned char c : command) sum += c;
    const std::string packet = fmt::format("+${}#{:02x}", command, sum & 0xff);
    if (::write(fd, packet.data(), packet.size()) < 0) return {};
    std::string answer;
    char byte;
    while (answer.find('#') == std::string::npos && ::read(fd, &byte, 1) == 1) answer += byte;
    return answer;
}

}  // namespace

TEST_CASE("options: --share gives every guest a folder of this machine, to read and write") {
    EventLoop loop;
    ScratchFolder folder;
    const auto shared = folder.file("a, b");
    std::filesystem::create_directory(shared);
    folder.write("a, b/question", "six times seven");
    VrnicRun run(loop, {"run", "--share", shared.string(), "cp /share/question /share/from-vm1",
                        "cat /share/from-vm1 >/share/from-vm2"});
    CHECK(run.wait() == 0);
    CHECK(read_all(shared / "from-vm2") == "six times seven");
}

TEST_CASE("options: several NICs, several VMs, a switch between them") {
    EventLoop loop;
    VrnicRun run(loop, {"run", "--nics", "2", "test -n \"$DEV2\" && test \"$DEV\" != \"$DEV2\"",
                        "ping -c 1 vm1 && ping -c 1 vm1-2",
                        "ibv_rc_pingpong -d $DEV2 -g $GID2 -n 10 & "
                        "while ! grep -q :4853 /proc/net/tcp; do sleep 0.1; done; "
                        "ibv_rc_pingpong -d $DEV2 -g $GID2 -n 10 127.0.0.1 && ping -c 1 vm2-2"});
    const int status = run.wait();
    INFO(run.output());
    CHECK(status == 0);
}

TEST_CASE("options: --json and --junit tell of commands and KTAP results") {
    EventLoop loop;
    ScratchFolder folder;
    const auto json = folder.file("run.json");
    const auto junit = folder.file("run.xml");
    VrnicRun run(loop, {"run", "--json", json.string(), "--junit", junit.string(),
                        "printf 'KTAP version 1\\n1..2\\nok 1 fine\\nnot ok 2 broken\\n'; exit 1"});
    CHECK(run.wait() == 1);
    const auto told = nlohmann::json::parse(read_all(json), nullptr, false);
    REQUIRE(told.is_object());
    CHECK(told["passed"] == 1);
    CHECK(told["failed"] == 2);
    REQUIRE(told["cases"].size() == 3);
    CHECK(told["cases"][0]["message"] == "status 1");
    CHECK(told["cases"][1]["name"] == "vm1: fine");
    CHECK(told["cases"][2]["outcome"] == "FAIL");
    CHECK(read_all(junit).find("<testsuite name=\"run\" tests=\"3\" failures=\"2\"") !=
          std::string::npos);
    std::filesystem::remove_all(run.evidence());
}

TEST_CASE("options: --fault breaks what it says, of all VMs or of one") {
    EventLoop loop;
    const std::string one_qp =
        "ibv_rc_pingpong -d $DEV -g $GID -n 1 vm1 2>&1; ethtool -S $NETDEV | grep faults_failed_c";
    VrnicRun run(loop,
                 {"run", "--fault", "vm2:fail-command,opcode=CREATE_QP,status=LIMIT", "--fault",
                  "lose-interrupt,vector=9", "--fault", "drop,nth=77", "true", one_qp});
    const int status = run.wait();
    INFO(run.output());
    CHECK(status == 0);
    CHECK(run.output().find("Couldn't create QP") != std::string::npos);
    // The GSI queue pair that the kernel makes for itself, and the program's.
    CHECK(run.output().find("faults_failed_commands: 2") != std::string::npos);
}

TEST_CASE("options: --capture writes what each NIC of each VM sends and gets") {
    EventLoop loop;
    ScratchFolder folder;
    VrnicRun run(loop, {"run", "--capture", folder.file("c.pcap").string(), "--nics", "2", "true",
                        "true", "ping -c 1 vm2 && ping -c 1 vm2-2"});
    CHECK(run.wait() == 0);
    // Of an ICMP echo, behind Ethernet and IPv4 headers.
    const std::string payload = "\x10\x11\x12\x13\x14\x15\x16\x17";
    for (const auto& [name, sees] : {std::pair{"c.pcap", false},
                                     {"c-vm2.pcap", true},
                                     {"c-vm3.pcap", true},
                                     {"c-vm1-2.pcap", false},
                                     {"c-vm2-2.pcap", true},
                                     {"c-vm3-2.pcap", true}}) {
        INFO(name);
        const auto captured = read_all(folder.file(name));
        CHECK(captured.size() >= 24);  // the file's header
        // The switch has learned who is where.
        CHECK((captured.find(payload) != std::string::npos) == sees);
    }
}

TEST_CASE("qemu-args: a QEMU that is started with them has the device") {
    EventLoop loop;
    ScratchFolder folder;
    const auto output = folder.file("output");
    runner::ChildCommand command;
    command.argv = {
        "/bin/bash", "-c",
        "args=$(\"$0\" qemu-args | tee \"$1\" | grep -v '^#') || exit; "
        "qemu=$(sed -n '2s/^# //p' \"$1\"); "
        "printf 'info network\\nquit\\n' | "
        "$qemu -machine q35 -accel tcg -S -display none -nodefaults -monitor stdio $args",
        VRNIC_SOURCE_ROOT "/vrnic", folder.file("arguments").string()};
    command.output_file = output;
    REQUIRE(run_to_end(loop, std::move(command), runner::Clock::now() + patience));
    const auto printed = read_all(output);
    INFO(read_all(folder.file("arguments")) << printed);
    CHECK(printed.find("model=vrnic,macaddr=52:54:00:77:00:01") != std::string::npos);
}

TEST_CASE("shell: what is typed reaches a guest, and leaving it ends the VMs") {
    EventLoop loop;
    ScratchFolder folder;
    const auto output = folder.file("output");
    auto keyboard = runner::make_socket_pair();
    REQUIRE(keyboard);
    runner::ChildCommand command;
    // script(1) gives it a terminal.
    command.argv = {"/bin/bash", "-c",
                    "exec script -qec \"$0 shell 2; echo ended-\\$?\" /dev/null <&20",
                    VRNIC_SOURCE_ROOT "/vrnic"};
    command.output_file = output;
    command.fds.push_back({std::move(keyboard->second), 20});
    auto process = runner::ChildProcess::start(std::move(command));
    REQUIRE(process);
    const std::string keys = "echo is-$VM-$((40 + 2)) $DEV\nexit\n";
    REQUIRE(::write(keyboard->first.get(), keys.data(), keys.size()) > 0);
    const auto prints = [&](const char* text) {
        return wait_until(loop, [&] { return read_all(output).find(text) != std::string::npos; });
    };
    CHECK(prints("is-vm1-42 vrnic"));
    CHECK(prints("ended-0"));
    INFO(read_all(output));
    keyboard->first.reset();  // script waits for the end of its input, too
    CHECK(wait_until(loop, [&] { return (*process)->end().has_value(); }));
}

TEST_CASE("options: --gdb waits for a debugger and names the kernel's symbols") {
    EventLoop loop;
    VrnicRun run(loop, {"run", "--gdb", "echo up"});
    REQUIRE(run.prints("target remote localhost:"));
    REQUIRE(run.prints("kernel.elf"));
    const std::string output = run.output();
    CHECK(output.find("vm1 | up") == std::string::npos);

    const auto symbols_begin = output.find("-ex continue ") + 13;
    const std::string symbols =
        output.substr(symbols_begin, output.find('\n', symbols_begin) - symbols_begin);
    const std::string elf = read_all(symbols);
    CHECK(
        elf.starts_with("\x7f"
                        "ELF"));
    CHECK(elf.find("start_kernel") != std::string::npos);

    runner::UniqueFd stub(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(number_behind(output, "localhost:")));
    REQUIRE(::connect(stub.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    // Why it stands still: by a signal, so it had not begun to run.
    CHECK(ask_stub(stub.get(), "?").find("$T0") != std::string::npos);
    const std::string go_on = "+$c#63";
    REQUIRE(::write(stub.get(), go_on.data(), go_on.size()) > 0);
    CHECK(run.wait() == 0);
    CHECK(run.output().find("vm1 | up") != std::string::npos);
}

}  // namespace vrnic::runner_test
