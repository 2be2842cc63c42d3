// SPDX-License-Identifier: GPL-2.0-or-later
// The border between C and C++: no exception crosses it, and a device may go away in the middle of
// a call.
#include "bridge.h"

#include <functional>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "unit/catch.h"
#include "vrnic_admin.h"
#include "vrnic_regs.h"

namespace {

// QEMU's part, with memory of one megabyte from address 0.
struct FakeQemu {
    FakeQemu() {
        bridge = vrnic_bridge_new(&operations(), this, &config);
        REQUIRE(bridge);
    }
    ~FakeQemu() { vrnic_bridge_free(bridge); }

    static const vrnic_host& operations() {
        static const vrnic_host table = {
            .dma_read =
                [](void* device, uint64_t address, void* out, size_t size) {
                    FakeQemu& self = *static_cast<FakeQemu*>(device);
                    if (self.on_dma) self.on_dma();
                    if (address > self.memory.size() || size > self.memory.size() - address)
                        return false;
                    std::copy_n(self.memory.begin() + address, size, static_cast<char*>(out));
                    return true;
                },
            .dma_write =
                [](void* device, uint64_t address, const void* data, size_t size) {
                    FakeQemu& self = *static_cast<FakeQemu*>(device);
                    ++self.writes;
                    if (address > self.memory.size() || size > self.memory.size() - address)
                        return false;
                    std::copy_n(static_cast<const char*>(data), size,
                                self.memory.begin() + address);
                    return true;
                },
            .dma_store64 =
                [](void* device, uint64_t, uint64_t) {
                    ++static_cast<FakeQemu*>(device)->writes;
                    return true;
                },
            .raise_interrupt = [](void* device,
                                  uint32_t) { ++static_cast<FakeQemu*>(device)->interrupts; },
            .send_frame = [](void*, const void*, size_t) { return VRNIC_SEND_TAKEN; },
            .receive_ready = [](void*) {},
            .now = [](void*) -> uint64_t { return 0; },
            .wall_time = [](void*) -> uint64_t { return 0; },
            .set_timer = [](void*, uint64_t) {},
            .schedule_run = [](void*) {},
            .log =
                [](void* device, vrnic_log, const char* line, size_t length) {
                    static_cast<FakeQemu*>(device)->log.append(line, length) += '\n';
                },
        };
        return table;
    }

    uint64_t read(uint64_t offset) { return vrnic_bridge_read_register(bridge, offset, 4); }
    void write(uint64_t offset, uint64_t value) {
        vrnic_bridge_write_register(bridge, offset, value, 4);
    }
    // One admin command, all zeroes: the engine reads it, refuses it and completes it with vector
    // 0.
    void run_command() {
        write(VRNIC_REG_ADMIN_SQ_LO, 0x1000);
        write(VRNIC_REG_ADMIN_CQ_LO, 0x2000);
        write(VRNIC_REG_ADMIN_SIZE, 1);
        write(VRNIC_REG_ADMIN_VECTOR, 0);
        write(VRNIC_REG_ADMIN_ENABLE, 1);
        write(VRNIC_REG_ADMIN_DB, 1);
    }

    vrnic_config config{.mac = {0x52, 0x54, 0, 0, 0, 1},
                        .vectors = 4,
                        .doorbell_slots = 16,
                        .doorbell_stride_log = 12,
                        .seed = 0,
                        .link_up = true};
    std::vector<char> memory = std::vector<char>(1 << 20);
    std::function<void()> on_dma;
    unsigned writes = 0, interrupts = 0;
    std::string log;
    vrnic_bridge* bridge = nullptr;
};

}  // namespace

TEST_CASE("the bridge hands the engine what it is asked") {
    FakeQemu qemu;
    CHECK(qemu.read(VRNIC_REG_ID) == VRNIC_ID);
    CHECK(qemu.read(VRNIC_REG_VECTORS) == 4);
    CHECK(qemu.read(VRNIC_REG_DB_COUNT) == 16);
    CHECK(qemu.read(VRNIC_REG_MAC_LO) == 0x00005452);
    qemu.run_command();
    CHECK(qemu.writes == 2);
    CHECK(qemu.interrupts == 1);
    vrnic_bridge_set_link(qemu.bridge, false);
    CHECK((qemu.read(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
}

TEST_CASE("an exception stops the device until it is reset") {
    FakeQemu qemu;
    vrnic_bridge_set_link(qemu.bridge, false);
    qemu.on_dma = [] { throw std::bad_alloc(); };
    qemu.run_command();
    CHECK(qemu.read(VRNIC_REG_ID) == VRNIC_ID);
    CHECK(qemu.read(VRNIC_REG_STATUS) == VRNIC_STATUS_FATAL);
    CHECK(qemu.read(VRNIC_REG_FATAL) == VRNIC_FATAL_INTERNAL);
    CHECK(qemu.log.find("internal error") != std::string::npos);

    // Nothing reaches the engine any more, and nothing is held up.
    qemu.write(VRNIC_REG_ADMIN_DB, 2);
    vrnic_bridge_run(qemu.bridge);
    vrnic_bridge_on_timer(qemu.bridge);
    CHECK(vrnic_bridge_can_receive(qemu.bridge));
    vrnic_bridge_receive(qemu.bridge, qemu.memory.data(), 100);
    CHECK(qemu.writes == 0);

    qemu.on_dma = nullptr;
    SECTION("by the guest") {
        qemu.write(VRNIC_REG_CONTROL, VRNIC_CONTROL_RESET);
    }
    SECTION("by PCI") {
        vrnic_bridge_reset(qemu.bridge);
    }
    CHECK(qemu.read(VRNIC_REG_STATUS) == VRNIC_STATUS_READY);  // and the link is still down
    qemu.run_command();
    CHECK(qemu.interrupts == 1);
}

TEST_CASE("the device may be removed from within a call") {
    FakeQemu qemu;
    vrnic_bridge* const bridge = qemu.bridge;
    qemu.on_dma = [&] {
        vrnic_bridge_free(bridge);
        qemu.bridge = nullptr;
        qemu.on_dma = nullptr;
    };
    qemu.run_command();
    CHECK(qemu.bridge == nullptr);
    CHECK(qemu.writes == 0);  // after the removal nothing was touched
    CHECK(qemu.interrupts == 0);
}

TEST_CASE("calls from within a call are taken, not lost") {
    FakeQemu qemu;
    qemu.on_dma = [&] {
        qemu.on_dma = nullptr;
        vrnic_bridge_set_link(qemu.bridge, false);
        vrnic_bridge_write_doorbell(qemu.bridge, 0, 0, 8);
    };
    qemu.run_command();
    vrnic_bridge_run(qemu.bridge);
    CHECK((qemu.read(VRNIC_REG_STATUS) & VRNIC_STATUS_LINK_UP) == 0);
}

TEST_CASE("the counters are one JSON object") {
    FakeQemu qemu;
    qemu.run_command();
    char text[16384];
    vrnic_bridge_stats(qemu.bridge, text, sizeof(text));
    const auto stats = nlohmann::json::parse(text);
    CHECK(stats.at("admin_commands") == 1);
#define COUNT(name) +1
    CHECK(stats.size() == 0 VRNIC_COUNTERS(COUNT));
#undef COUNT
    char cut[10];
    vrnic_bridge_stats(qemu.bridge, cut, sizeof(cut));
    CHECK(std::string(cut).size() == 9);
}
