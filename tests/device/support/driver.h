// SPDX-License-Identifier: GPL-2.0-or-later
// As much of a vrnic driver as the tests need, over qtest. It trusts the device less than a real
// one.
#pragma once

#include <array>
#include <cstring>
#include <optional>

#include "support/pci_device.h"
#include "vrnic_admin.h"
#include "vrnic_regs.h"
#include "vrnic_ring.h"

namespace vrnic::device_test {

struct AdminReply {
    std::uint16_t status;
    std::uint32_t detail;
    std::array<std::byte, 112> payload;

    template <typename T>
    T as() const {
        T value;
        std::memcpy(&value, payload.data(), sizeof(value));
        return value;
    }
    std::uint32_t handle() const { return as<vrnic_resp_handle>().handle; }
};

struct Cq {
    std::uint32_t cqn = 0;
    std::uint32_t log_size = 0;
    std::uint64_t ring = 0;
    std::uint64_t dbrec = 0;
    std::uint64_t consumed = 0;
};

struct Qp {
    std::uint32_t qpn = 0;
    std::uint64_t sq = 0, rq = 0, dbrec = 0;
    std::uint32_t log_size = 0;
    std::uint32_t sq_pi = 0, rq_pi = 0;
};

class Driver {
  public:
    explicit Driver(PciDevice& pci) : pci_(pci) {}

    std::uint32_t reg(std::uint64_t offset);
    void set_reg(std::uint64_t offset, std::uint32_t value);
    void set_reg64(std::uint64_t offset, std::uint64_t value);
    void ring(std::uint32_t type, std::uint32_t number, std::uint32_t slot = 0);

    void set_up_admin(std::uint32_t log_size = 4, std::uint32_t vector = VRNIC_NO_VECTOR);
    std::uint64_t admin_submissions() const { return sq_; }  // guest address of the ring
    // The bytes of a whole command but its tag. Throws when no completion comes.
    AdminReply command(vrnic_admin_cmd command);
    AdminReply command(std::uint16_t opcode);
    template <typename Payload>
    AdminReply command(std::uint16_t opcode, const Payload& payload) {
        vrnic_admin_cmd whole{};
        whole.opcode = opcode;
        std::memcpy(whole.payload, &payload, sizeof(payload));
        return command(whole);
    }
    // As command(), and throws unless the status is OK.
    template <typename... Payload>
    AdminReply must(std::uint16_t opcode, const Payload&... payload) {
        return expect_ok(opcode, command(opcode, payload...));
    }

    vrnic_device_caps capabilities();
    std::uint64_t create_eq(std::uint32_t eqn, std::uint32_t vector, std::uint32_t log_size = 4);
    Cq create_cq(std::uint32_t eqn = 1, std::uint32_t log_size = 6);
    Qp create_qp(std::uint32_t pdn, const Cq& send, const Cq& receive, std::uint32_t log_size = 4);
    // All of [address, address + length) with every permission; iova is the address. Returns the
    // key.
    std::uint32_t register_memory(std::uint32_t pdn, std::uint64_t address, std::uint64_t length);
    void set_port(std::uint32_t flags = VRNIC_PORT_UP, std::uint32_t mtu = 1500);
    void set_gid(std::uint32_t index, std::uint32_t ipv4);

    // RESET to RTS, connected to destination at MAC and GID index 0's address.
    void connect(const Qp& qp, std::uint32_t destination, const std::array<std::uint8_t, 6>& mac,
                 std::uint32_t ipv4);
    AdminReply modify(const Qp& qp, std::uint32_t mask, const vrnic_qp_attr& attributes);
    std::uint8_t state(const Qp& qp);

    void post_send(Qp& qp, vrnic_sqe entry);
    void post_receive(Qp& qp, std::uint64_t address, std::uint32_t length, std::uint32_t key);
    // New queue pairs, each with so many WRITEs to a peer that never answers: packets leave, timers
    // run. Needs the event queues, the port and GID 0.
    void start_traffic(std::uint32_t queue_pairs, std::uint32_t writes);
    // The next completion; nothing when none comes.
    std::optional<vrnic_cqe> wait_completion(Cq& cq);
    std::optional<vrnic_cqe> poll(Cq& cq);

    PciDevice& pci() { return pci_; }
    Machine& machine() { return pci_.machine(); }

  private:
    static AdminReply expect_ok(std::uint16_t opcode, AdminReply reply);

    PciDevice& pci_;
    std::uint64_t sq_ = 0, cq_ = 0;
    std::uint32_t log_size_ = 0;
    std::uint32_t next_ = 0;
};

// Contiguous memory as a page list.
vrnic_page_list contiguous(std::uint64_t address, std::uint64_t size);

}  // namespace vrnic::device_test
