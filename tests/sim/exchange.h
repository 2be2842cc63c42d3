// SPDX-License-Identifier: GPL-2.0-or-later
// Every operation there is, small and in several packets: a row each. A new operation needs a row
// here, and those that look at "every operation" have it.
#pragma once

#include <cstdint>
#include <vector>

#include "transfer.h"

namespace vrnic::sim {

struct Exchange {
    const char* name;
    std::uint8_t opcode;
    std::uint32_t bytes;
};

inline constexpr std::uint8_t kExchangeMtu = 1;  // path MTU of 256 bytes

inline constexpr Exchange kExchanges[] = {
    {"SEND", VRNIC_OP_SEND, 100},
    {"SEND of 3 packets", VRNIC_OP_SEND, 700},
    {"SEND_IMM", VRNIC_OP_SEND_IMM, 100},
    {"SEND_IMM of 3 packets", VRNIC_OP_SEND_IMM, 700},
    {"SEND_INV", VRNIC_OP_SEND_INV, 100},
    {"SEND_INV of 3 packets", VRNIC_OP_SEND_INV, 700},
    {"WRITE", VRNIC_OP_WRITE, 100},
    {"WRITE of 3 packets", VRNIC_OP_WRITE, 700},
    {"WRITE_IMM", VRNIC_OP_WRITE_IMM, 100},
    {"WRITE_IMM of 3 packets", VRNIC_OP_WRITE_IMM, 700},
    {"READ", VRNIC_OP_READ, 100},
    {"READ of 3 packets", VRNIC_OP_READ, 700},
    {"COMPARE_SWAP", VRNIC_OP_COMPARE_SWAP, 8},
    {"FETCH_ADD", VRNIC_OP_FETCH_ADD, 8},
    {"ATOMIC_WRITE", VRNIC_OP_ATOMIC_WRITE, 8},
    {"FLUSH", VRNIC_OP_FLUSH, 8},
};

// One exchange, from A to B, on QPs that are connected with kExchangeMtu.
class ExchangeRun {
  public:
    ExchangeRun(Pair& pair, GuestQp& qa, GuestQp& qb, const Exchange& kind, std::uint64_t seed = 1)
        : pair_(pair),
          qa_(qa),
          qb_(qb),
          kind_(kind),
          near_region_(pair.a.driver.reg_mr(4096, kAllAccess)),
          far_region_(pair.b.driver.reg_mr(4096, kAllAccess | VRNIC_ACCESS_FLUSH_GLOBAL)),
          near_(near_region_, 0, kind.bytes),
          far_(far_region_, 0, kind.bytes),
          near_bytes_(pattern(seed, kind.bytes)),
          far_bytes_(pattern(seed + 1000, kind.bytes)) {
        near_.write(near_bytes_);
        far_.write(far_bytes_);
        if (kind.opcode == VRNIC_OP_SEND_INV) bind_window();
    }

    void post() {
        if (receives()) pair_.b.driver.post_recv(qb_, into_list() ? far_list() : empty_list());
        pair_.a.driver.post_send(qa_, request());
    }
    // Waits until it is over on both sides; everything has to be right.
    void finish() {
        const auto sent = pair_.wait_a(1, 5 * kSecond);
        REQUIRE(sent.size() == 1);
        CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
        CHECK(int(sent[0].opcode) == kind_.opcode);
        if (receives()) {
            const auto received = pair_.wait_b(1, 5 * kSecond);
            REQUIRE(received.size() == 1);
            CHECK(int(received[0].status) == VRNIC_WC_SUCCESS);
            CHECK(received[0].byte_len == kind_.bytes);
        }
        check_memory();
    }
    void check_memory() {
        const auto [near, far] = result();
        CHECK(near_.holds(near));
        CHECK(far_.holds(far));
        CHECK(near_.guards_intact());
        CHECK(far_.guards_intact());
    }

  private:
    bool into_list() const {
        return kind_.opcode == VRNIC_OP_SEND || kind_.opcode == VRNIC_OP_SEND_IMM ||
               kind_.opcode == VRNIC_OP_SEND_INV;
    }
    bool receives() const { return into_list() || kind_.opcode == VRNIC_OP_WRITE_IMM; }
    std::vector<vrnic_sge> far_list() { return {far_.sge()}; }
    static std::vector<vrnic_sge> empty_list() { return {}; }

    SendRequest request() {
        SendRequest out{.opcode = kind_.opcode, .sges = {near_.sge()}};
        if (has_imm(kind_.opcode)) out.imm = kImm;
        if (kind_.opcode == VRNIC_OP_SEND_INV) out.imm = window_;
        if (!into_list()) {
            out.remote_addr = far_.address();
            out.rkey = far_.key();
        }
        out.swap_or_add = kOperand;
        if (kind_.opcode == VRNIC_OP_COMPARE_SWAP) out.compare = word(far_bytes_);
        if (kind_.opcode == VRNIC_OP_FLUSH) {
            out.sges.clear();
            out.flush.length = kind_.bytes;
            out.flush.placement = VRNIC_FLUSH_GLOBAL;
            out.flush.level = VRNIC_FLUSH_RANGE;
        }
        return out;
    }

    // What near and far hold afterwards.
    std::pair<std::vector<std::byte>, std::vector<std::byte>> result() const {
        switch (kind_.opcode) {
            case VRNIC_OP_READ:
                return {far_bytes_, far_bytes_};
            case VRNIC_OP_COMPARE_SWAP:
                return {far_bytes_, bytes_of(kOperand)};
            case VRNIC_OP_FETCH_ADD:
                return {far_bytes_, bytes_of(word(far_bytes_) + kOperand)};
            case VRNIC_OP_FLUSH:
                return {near_bytes_, far_bytes_};
            default:
                return {near_bytes_, near_bytes_};
        }
    }
    static std::uint64_t word(const std::vector<std::byte>& bytes) {
        std::uint64_t value;
        std::memcpy(&value, bytes.data(), sizeof(value));
        return value;
    }
    static std::vector<std::byte> bytes_of(std::uint64_t value) {
        std::vector<std::byte> bytes(sizeof(value));
        std::memcpy(bytes.data(), &value, sizeof(value));
        return bytes;
    }

    // What a SEND_INV may take away.
    void bind_window() {
        window_ = pair_.b.driver.alloc_mw(VRNIC_MW_TYPE_2);
        Region region =
            pair_.b.driver.reg_mr(4096, VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_MW_BIND);
        SendRequest bind{
            .opcode = VRNIC_OP_BIND_MW, .remote_addr = region.iova, .rkey = window_ + 1};
        bind.bind.length = 4096;
        bind.bind.mr_key = region.key;
        bind.bind.access = VRNIC_ACCESS_REMOTE_WRITE;
        window_ = bind.rkey;
        pair_.b.driver.post_send(qb_, bind);
        const auto done = pair_.wait_b(1);
        REQUIRE(done.size() == 1);
        REQUIRE(int(done[0].status) == VRNIC_WC_SUCCESS);
    }

    static constexpr std::uint64_t kOperand = 0x0102030405060708;

    Pair& pair_;
    GuestQp& qa_;
    GuestQp& qb_;
    const Exchange kind_;
    Region near_region_, far_region_;
    GuardedSlot near_, far_;
    std::vector<std::byte> near_bytes_, far_bytes_;
    std::uint32_t window_ = 0;  // key
};

}  // namespace vrnic::sim
