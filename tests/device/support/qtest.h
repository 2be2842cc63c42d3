// SPDX-License-Identifier: GPL-2.0-or-later
// QEMU's qtest protocol: memory and ports as the processor would see them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "support/line_socket.h"

namespace vrnic::device_test {

class Qtest {
  public:
    explicit Qtest(LineSocket& socket) : socket_(socket) {}

    // size: 1, 2, 4 or 8 bytes; any alignment.
    std::uint64_t read(std::uint64_t address, unsigned size);
    void write(std::uint64_t address, std::uint64_t value, unsigned size);
    std::uint32_t in(std::uint16_t port, unsigned size);
    void out(std::uint16_t port, std::uint32_t value, unsigned size);

    std::vector<std::byte> read_bytes(std::uint64_t address, std::size_t size);
    void write_bytes(std::uint64_t address, std::span<const std::byte> bytes);
    void fill(std::uint64_t address, std::size_t size, std::uint8_t value);

    template <typename T>
    T read_object(std::uint64_t address) {
        static_assert(std::is_trivially_copyable_v<T>);
        T object;
        const auto bytes = read_bytes(address, sizeof(T));
        std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(&object));
        return object;
    }
    template <typename T>
    void write_object(std::uint64_t address, const T& object) {
        static_assert(std::is_trivially_copyable_v<T>);
        write_bytes(address, std::as_bytes(std::span(&object, 1)));
    }

  private:
    std::string command(const std::string& text);

    LineSocket& socket_;
};

}  // namespace vrnic::device_test
