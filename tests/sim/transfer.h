// SPDX-License-Identifier: GPL-2.0-or-later
// One operation from A to B with guarded buffers, and what must be true when it is over.
#pragma once

#include <optional>

#include "nodes.h"
#include "pattern.h"
#include "unit/catch.h"

namespace vrnic::sim {

inline constexpr std::uint32_t kAllAccess = VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_REMOTE_WRITE |
                                            VRNIC_ACCESS_REMOTE_READ | VRNIC_ACCESS_REMOTE_ATOMIC;
inline constexpr std::uint32_t kImm = 0x04030201;

inline constexpr std::uint8_t kAllOperations[] = {VRNIC_OP_SEND, VRNIC_OP_SEND_IMM, VRNIC_OP_WRITE,
                                                  VRNIC_OP_WRITE_IMM, VRNIC_OP_READ};

inline bool has_imm(std::uint8_t op) {
    return op == VRNIC_OP_SEND_IMM || op == VRNIC_OP_WRITE_IMM;
}
inline bool is_send(std::uint8_t op) {
    return op == VRNIC_OP_SEND || op == VRNIC_OP_SEND_IMM;
}
inline bool takes_receive(std::uint8_t op) {
    return is_send(op) || op == VRNIC_OP_WRITE_IMM;
}
inline std::uint8_t receive_opcode(std::uint8_t op) {
    return op == VRNIC_OP_SEND       ? VRNIC_OP_RECV
           : op == VRNIC_OP_SEND_IMM ? VRNIC_OP_RECV_IMM
                                     : VRNIC_OP_RECV_WRITE_IMM;
}

// Regions of `bytes` on both sides.
struct Regions {
    Regions(Pair& pair, std::uint64_t bytes, BufferLayout layout = {})
        : a(pair.a.driver.reg_mr(bytes, kAllAccess, layout)),
          b(pair.b.driver.reg_mr(bytes, kAllAccess, layout)) {}
    Region a, b;
};

// Operation op of `size` bytes, posted by A. Call post(), then finish().
class Transfer {
  public:
    Transfer(Pair& pair, GuestQp& qa, GuestQp& qb, Regions& regions, std::uint8_t op,
             std::uint64_t size, std::uint64_t seed = 1, std::uint64_t start = 0,
             std::uint64_t receive_room = 0)
        : pair_(pair),
          qa_(qa),
          qb_(qb),
          op_(op),
          data_(pattern(seed, size)),
          local_(regions.a, start, size),
          remote_(regions.b, start, std::max(size, receive_room)) {
        (op == VRNIC_OP_READ ? remote_ : local_).write(data_);
    }

    SendRequest request() const {
        SendRequest request{.opcode = op_, .sges = {local_.sge()}};
        if (has_imm(op_)) request.imm = kImm;
        if (!is_send(op_)) {
            request.remote_addr = remote_.address();
            request.rkey = remote_.key();
        }
        return request;
    }
    void post_receive() {
        if (is_send(op_)) pair_.b.driver.post_recv(qb_, {remote_.sge()});
        if (op_ == VRNIC_OP_WRITE_IMM) pair_.b.driver.post_recv(qb_, {});
    }
    void post() {
        post_receive();
        pair_.a.driver.post_send(qa_, request());
    }
    GuardedSlot& local() { return local_; }
    GuardedSlot& remote() { return remote_; }
    const std::vector<std::byte>& data() const { return data_; }

    // Waits for both ends' completions and checks everything. The last and only one in flight.
    void finish(Nanoseconds limit = 5 * kSecond) {
        if (takes_receive(op_)) check_receive(limit);
        const auto sent = pair_.wait_a(1, limit);
        REQUIRE(sent.size() == 1);
        CHECK(int(sent[0].status) == VRNIC_WC_SUCCESS);
        CHECK(int(sent[0].opcode) == op_);
        CHECK(sent[0].qpn == qa_.qpn);
        CHECK((sent[0].flags & VRNIC_CQE_SEND_QUEUE) != 0);
        if (op_ == VRNIC_OP_READ) CHECK(sent[0].byte_len == data_.size());
        check_memory();
    }
    void check_receive(Nanoseconds limit) {
        const auto received = pair_.wait_b(1, limit);
        REQUIRE(received.size() == 1);
        CHECK(int(received[0].status) == VRNIC_WC_SUCCESS);
        CHECK(int(received[0].opcode) == receive_opcode(op_));
        CHECK(received[0].qpn == qb_.qpn);
        CHECK((received[0].flags & VRNIC_CQE_SEND_QUEUE) == 0);
        CHECK(received[0].byte_len == data_.size());
        CHECK(bool(received[0].flags & VRNIC_CQE_IMM) == has_imm(op_));
        if (has_imm(op_)) CHECK(received[0].imm == kImm);
    }
    void check_memory() {
        CHECK(local_.holds(data_));
        CHECK(remote_.holds(data_));
        CHECK(local_.guards_intact());
        CHECK(remote_.guards_intact());
    }

  private:
    Pair& pair_;
    GuestQp& qa_;
    GuestQp& qb_;
    std::uint8_t op_;
    std::vector<std::byte> data_;
    GuardedSlot local_, remote_;
};

}  // namespace vrnic::sim
