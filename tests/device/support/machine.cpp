// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/machine.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace vrnic::device_test {
namespace {

// 64 KiB below 4 GiB; the processor starts 16 bytes from the end.
std::filesystem::path write_firmware(const std::filesystem::path& path) {
    std::string image(65536, '\xf4');
    image.replace(65536 - 16, 4, "\xfa\xf4\xeb\xfd");  // cli; 1: hlt; jmp 1b
    std::ofstream(path, std::ios::binary) << image;
    return path;
}

std::vector<std::string> arguments(const MachineOptions& options,
                                   const std::filesystem::path& folder, int wire) {
    std::vector<std::string> words = {"-machine",    "q35",
                                      "-accel",      "tcg",
                                      "-m",          "64M",
                                      "-display",    "none",
                                      "-nodefaults", "-no-user-config",
                                      "-bios",       write_firmware(folder / "firmware").string(),
                                      "-qtest",      "unix:" + (folder / "qtest").string(),
                                      "-qtest-log",  "/dev/null",
                                      "-qmp",        "unix:" + (folder / "qmp").string()};
    if (options.plugin) words.insert(words.end(), {"-plugin", "file=" + plugin_path().string()});
    if (wire >= 0)
        words.insert(words.end(),
                     {"-netdev", fmt::format("dgram,id=n0,local.type=fd,local.str={}", wire)});
    words.insert(words.end(), options.more.begin(), options.more.end());
    if (!options.device.empty()) words.insert(words.end(), {"-device", "vrnic," + options.device});
    return words;
}

}  // namespace

void Wire::send(std::span<const std::byte> frame) {
    if (::send(fd_.get(), frame.data(), frame.size(), 0) != static_cast<ssize_t>(frame.size()))
        throw std::runtime_error("the wire takes no frame");
}

std::vector<std::byte> Wire::receive(std::chrono::milliseconds patience) {
    pollfd entry{.fd = fd_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(patience.count())) != 1) return {};
    std::vector<std::byte> frame(65536);
    const ssize_t size = ::recv(fd_.get(), frame.data(), frame.size(), 0);
    frame.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return frame;
}

Machine::Machine(const MachineOptions& options)
    : qtest_socket_(folder_.path() / "qtest"),
      qmp_socket_(folder_.path() / "qmp"),
      qtest_(qtest_socket_),
      qmp_(qmp_socket_) {
    Fd theirs;
    if (options.netdev) {
        std::array<int, 2> pair{};
        if (::socketpair(AF_UNIX, SOCK_DGRAM, 0, pair.data()) < 0)
            throw std::runtime_error("socketpair failed");
        wire_.emplace(Fd(pair[0]));
        theirs = Fd(pair[1]);
    }
    process_ = std::make_unique<QemuProcess>(arguments(options, folder_.path(), theirs.get()),
                                             folder_.path() / "log", options.environment);
    try {
        qtest_socket_.accept();
        qmp_socket_.accept();
        qmp_.greet();
    } catch (const std::exception& error) {
        throw std::runtime_error(fmt::format("{}; QEMU said: {}", error.what(), log()));
    }
}

std::uint64_t Machine::allocate(std::size_t size) {
    const std::uint64_t address = free_;
    free_ += (size + 4095) & ~std::size_t{4095};
    if (free_ > kRam) throw std::runtime_error("the machine's memory is used up");
    qtest_.fill(address, size, 0);
    return address;
}

std::uint64_t Machine::counter(const std::string& name, const std::string& id) {
    const Json text =
        qmp_.command("qom-get", {{"path", "/machine/peripheral/" + id}, {"property", "stats"}});
    return Json::parse(text.get<std::string>()).at(name).get<std::uint64_t>();
}

std::string Machine::human(const std::string& command) {
    return qmp_.command("human-monitor-command", {{"command-line", command}}).get<std::string>();
}

bool Machine::eventually(const std::function<bool()>& holds) {
    using namespace std::chrono_literals;
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > limit) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

bool Machine::ends_well() {
    qmp_.command("quit");
    return process_->wait() == 0 && log().find("ssertion") == std::string::npos;
}

}  // namespace vrnic::device_test
