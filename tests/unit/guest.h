// SPDX-License-Identifier: GPL-2.0-or-later
// A driver for unit tests: an engine with its admin queue set up, and short ways to make objects.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>

#include "engine.h"
#include "unit/catch.h"
#include "unit/fake_host.h"
#include "vrnic_regs.h"
#include "vrnic_ring.h"

namespace vrnic::test {

inline constexpr std::array<std::uint8_t, 6> kMac = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

class Guest {
  public:
    static constexpr std::uint32_t kAdminLogSize = 2;
    static constexpr std::uint32_t kAdminVector = 1;
    static constexpr std::uint32_t kCompletionVector = 2;

    FakeHost host;
    Engine engine;

    explicit Guest(const EngineConfig& config = default_config()) : engine(host, config) {
        submissions_ = host.allocate(VRNIC_ADMIN_ENTRY_SIZE << kAdminLogSize);
        completions_ = host.allocate(VRNIC_ADMIN_ENTRY_SIZE << kAdminLogSize);
        set_up_admin();
    }

    static EngineConfig default_config() {
        EngineConfig config;
        config.mac = kMac;
        return config;
    }

    BusAddress admin_submissions() const { return submissions_; }
    BusAddress admin_completions() const { return completions_; }

    // ---- registers ----

    std::uint32_t read(std::uint64_t offset) {
        return static_cast<std::uint32_t>(engine.read_register(offset, 4));
    }
    void write(std::uint64_t offset, std::uint32_t value) { engine.write_register(offset, value, 4); }
    void ring(std::uint32_t slot, std::uint32_t type, std::uint32_t number) {
        engine.write_doorbell(std::uint64_t{slot} << 12, type << VRNIC_DB_TYPE_SHIFT | number, 8);
    }

    // ---- admin queue ----

    void set_up_admin() {
        engine.write_register(VRNIC_REG_ADMIN_SQ_LO, submissions_, 8);
        engine.write_register(VRNIC_REG_ADMIN_CQ_LO, completions_, 8);
        write(VRNIC_REG_ADMIN_SIZE, kAdminLogSize);
        write(VRNIC_REG_ADMIN_VECTOR, kAdminVector);
        write(VRNIC_REG_ADMIN_ENABLE, 1);
        producer_ = 0;
        clear_completions();
    }

    // Carries out one command as it stands.
    vrnic_admin_cpl submit(const vrnic_admin_cmd& command) {
        const std::uint32_t mask = (1u << kAdminLogSize) - 1;
        const std::uint64_t at = std::uint64_t{producer_ & mask} * VRNIC_ADMIN_ENTRY_SIZE;
        host.store(submissions_ + at, command);
        const std::uint32_t phase = (producer_ >> kAdminLogSize) + 1;
        write(VRNIC_REG_ADMIN_DB, ++producer_);
        const auto completion = host.load<vrnic_admin_cpl>(completions_ + at);
        CHECK(completion.phase == phase);
        CHECK(completion.tag == command.tag);
        return completion;
    }

    template <typename Fields>
    static vrnic_admin_cmd command(std::uint16_t opcode, const Fields& fields) {
        static_assert(sizeof(fields) <= sizeof(vrnic_admin_cmd::payload));
        vrnic_admin_cmd out{};
        out.opcode = opcode;
        out.tag = 0x1234;
        std::memcpy(out.payload, &fields, sizeof(fields));
        return out;
    }

    template <typename Fields>
    vrnic_admin_cpl submit(std::uint16_t opcode, const Fields& fields) {
        return submit(command(opcode, fields));
    }
    vrnic_admin_cpl submit_handle(std::uint16_t opcode, std::uint32_t handle) {
        vrnic_cmd_handle fields{};
        fields.handle = handle;
        return submit(opcode, fields);
    }
    vrnic_admin_cpl submit_empty(std::uint16_t opcode) {
        vrnic_admin_cmd out{};
        out.opcode = opcode;
        return submit(out);
    }
    static std::uint32_t handle(const vrnic_admin_cpl& completion) {
        CHECK(completion.status == VRNIC_STATUS_OK);
        vrnic_resp_handle response;
        std::memcpy(&response, completion.payload, sizeof(response));
        return response.handle;
    }

    // ---- objects ----

    struct Eq {
        std::uint32_t eqn;
        std::uint32_t log_size;
        BusAddress ring;
        std::uint64_t consumed = 0;
    };
    Eq create_eq(std::uint32_t eqn, std::uint32_t vector, std::uint8_t log_size = 4) {
        const std::uint64_t size = sizeof(vrnic_eqe) << log_size;
        Eq eq{eqn, log_size, host.allocate(size)};
        vrnic_cmd_create_eq fields{};
        fields.eqn = eqn;
        fields.vector = vector;
        fields.log_size = log_size;
        fields.ring = contiguous(eq.ring, size);
        CHECK(handle(submit(VRNIC_ADMIN_CREATE_EQ, fields)) == eqn);
        return eq;
    }
    void arm(const Eq& eq) {
        write(VRNIC_REG_EQ_DB + eq.eqn * VRNIC_REG_EQ_DB_STRIDE,
              static_cast<std::uint32_t>(eq.consumed) | VRNIC_EQ_DB_ARM);
    }
    std::optional<vrnic_eqe> next_event(Eq& eq) {
        const auto event = host.load<vrnic_eqe>(
            eq.ring + (eq.consumed & ((1u << eq.log_size) - 1)) * sizeof(vrnic_eqe));
        if (event.seq != eq.consumed + 1) return std::nullopt;
        ++eq.consumed;
        return event;
    }

    struct Cq {
        std::uint32_t cqn;
        std::uint32_t log_size;
        BusAddress ring;
        BusAddress record;
        std::uint64_t consumed = 0;
    };
    static constexpr std::uint32_t kCqRecordOffset = 64;
    static constexpr std::uint32_t kCqRingOffset = 128;
    vrnic_cmd_create_cq cq_fields(std::uint32_t uar, std::uint32_t eqn, std::uint8_t log_size) {
        const std::uint64_t size = kCqRingOffset + (sizeof(vrnic_cqe) << log_size);
        vrnic_cmd_create_cq fields{};
        fields.uar = uar;
        fields.eqn = eqn;
        fields.log_size = log_size;
        fields.ring_offset = kCqRingOffset;
        fields.dbrec_offset = kCqRecordOffset;
        fields.memory = contiguous(host.allocate(size), size);
        return fields;
    }
    Cq create_cq(std::uint32_t uar, std::uint32_t eqn, std::uint8_t log_size = 4) {
        const auto fields = cq_fields(uar, eqn, log_size);
        const std::uint32_t cqn = handle(submit(VRNIC_ADMIN_CREATE_CQ, fields));
        return {cqn, log_size, fields.memory.addr + kCqRingOffset,
                fields.memory.addr + kCqRecordOffset};
    }
    std::optional<vrnic_cqe> poll(Cq& cq) {
        const auto cqe = host.load<vrnic_cqe>(
            cq.ring + (cq.consumed & ((1u << cq.log_size) - 1)) * sizeof(vrnic_cqe));
        if (cqe.seq != cq.consumed + 1) return std::nullopt;
        ++cq.consumed;
        vrnic_le32 consumed;
        consumed = static_cast<std::uint32_t>(cq.consumed);
        host.store(cq.record + offsetof(vrnic_cq_dbrec, ci), consumed);
        return cqe;
    }

    void set_port(std::uint32_t flags, std::uint32_t mtu = 1500, std::uint64_t hash = 0) {
        vrnic_cmd_set_port fields{};
        fields.flags = flags;
        fields.mtu = mtu;
        std::memcpy(fields.mac, kMac.data(), kMac.size());
        fields.multicast_hash = hash;
        CHECK(submit(VRNIC_ADMIN_SET_PORT, fields).status == VRNIC_STATUS_OK);
    }

  private:
    void clear_completions() {
        auto ring = host.bytes(completions_, VRNIC_ADMIN_ENTRY_SIZE << kAdminLogSize);
        std::memset(ring.data(), 0, ring.size());
    }

    BusAddress submissions_ = 0;
    BusAddress completions_ = 0;
    std::uint32_t producer_ = 0;
};

}  // namespace vrnic::test
