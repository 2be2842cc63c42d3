// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/qtest.h"

#include <fmt/format.h>

#include <stdexcept>

namespace vrnic::device_test {
namespace {

char size_letter(unsigned size) {
    switch (size) {
        case 1:
            return 'b';
        case 2:
            return 'w';
        case 4:
            return 'l';
        case 8:
            return 'q';
        default:
            throw std::invalid_argument("access size");
    }
}

std::uint64_t number(const std::string& text) {
    return std::stoull(text, nullptr, 0);
}

}  // namespace

std::string Qtest::command(const std::string& text) {
    socket_.send(text + "\n");
    for (;;) {
        std::string answer = socket_.line();
        if (answer.starts_with("IRQ ")) continue;
        if (!answer.starts_with("OK")) throw std::runtime_error(text + ": " + answer);
        return answer.size() > 3 ? answer.substr(3) : std::string{};
    }
}

std::uint64_t Qtest::read(std::uint64_t address, unsigned size) {
    return number(command(fmt::format("read{} {:#x}", size_letter(size), address)));
}

void Qtest::write(std::uint64_t address, std::uint64_t value, unsigned size) {
    command(fmt::format("write{} {:#x} {:#x}", size_letter(size), address, value));
}

std::uint32_t Qtest::in(std::uint16_t port, unsigned size) {
    return static_cast<std::uint32_t>(
        number(command(fmt::format("in{} {:#x}", size_letter(size), port))));
}

void Qtest::out(std::uint16_t port, std::uint32_t value, unsigned size) {
    command(fmt::format("out{} {:#x} {:#x}", size_letter(size), port, value));
}

std::vector<std::byte> Qtest::read_bytes(std::uint64_t address, std::size_t size) {
    if (size == 0) return {};
    const std::string hex = command(fmt::format("read {:#x} {:#x}", address, size));
    if (hex.size() != 2 + 2 * size) throw std::runtime_error("qtest read: wrong length");
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::byte>(std::stoul(hex.substr(2 + 2 * i, 2), nullptr, 16));
    return bytes;
}

void Qtest::write_bytes(std::uint64_t address, std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    std::string text = fmt::format("write {:#x} {:#x} 0x", address, bytes.size());
    for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
    command(text);
}

void Qtest::fill(std::uint64_t address, std::size_t size, std::uint8_t value) {
    command(fmt::format("memset {:#x} {:#x} {:#x}", address, size, value));
}

}  // namespace vrnic::device_test
