// SPDX-License-Identifier: GPL-2.0-or-later
// Data moved by queue pairs of real devices: of one, and of two in one machine.
#include <vector>

#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

constexpr std::uint32_t kLength = 10000;  // several packets, the last one short

std::vector<std::byte> pattern(std::uint8_t seed) {
    std::vector<std::byte> bytes(kLength);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(seed + i * 7 + (i >> 8));
    return bytes;
}

// One side of a connection.
struct Side {
    explicit Side(Driver& with) : driver(with) {
        pdn = driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
        cq = driver.create_cq();
        qp = driver.create_qp(pdn, cq, cq);
        buffer = driver.machine().allocate(16384);
        key = driver.register_memory(pdn, buffer, 16384);
    }

    std::vector<std::byte> data() { return driver.machine().qtest().read_bytes(buffer, kLength); }
    void fill(const std::vector<std::byte>& bytes) {
        driver.machine().qtest().write_bytes(buffer, bytes);
    }
    // The octets past the data, which nobody may touch.
    bool guard_intact() {
        for (const std::byte b : driver.machine().qtest().read_bytes(buffer + kLength, 64))
            if (b != std::byte{0}) return false;
        return true;
    }
    vrnic_sqe request(std::uint8_t opcode) const {
        vrnic_sqe entry{};
        entry.opcode = opcode;
        entry.flags = VRNIC_SQE_SIGNALED;
        entry.num_sge = 1;
        entry.sge[0].addr = buffer;
        entry.sge[0].length = kLength;
        entry.sge[0].lkey = key;
        return entry;
    }

    Driver& driver;
    std::uint32_t pdn = 0, key = 0;
    Cq cq;
    Qp qp;
    std::uint64_t buffer = 0;
};

void require_success(const std::optional<vrnic_cqe>& completion, std::uint8_t opcode) {
    REQUIRE(completion);
    CHECK(completion->status == VRNIC_WC_SUCCESS);
    CHECK(completion->opcode == opcode);
}

void move_data(Side& a, Side& b) {
    a.fill(pattern(1));
    vrnic_sqe write = a.request(VRNIC_OP_WRITE);
    write.remote_addr = b.buffer;
    write.rkey = b.key;
    a.driver.post_send(a.qp, write);
    require_success(a.driver.wait_completion(a.cq), VRNIC_OP_WRITE);
    CHECK(b.data() == pattern(1));

    b.fill(pattern(2));
    vrnic_sqe read = a.request(VRNIC_OP_READ);
    read.remote_addr = b.buffer;
    read.rkey = b.key;
    a.driver.post_send(a.qp, read);
    require_success(a.driver.wait_completion(a.cq), VRNIC_OP_READ);
    CHECK(a.data() == pattern(2));

    a.fill(pattern(3));
    b.driver.post_receive(b.qp, b.buffer, kLength, b.key);
    vrnic_sqe send = a.request(VRNIC_OP_SEND_IMM);
    send.imm = 0x01020304;
    a.driver.post_send(a.qp, send);
    const auto received = b.driver.wait_completion(b.cq);
    require_success(received, VRNIC_OP_RECV_IMM);
    CHECK(received->byte_len == kLength);
    CHECK(received->imm == 0x01020304);
    require_success(a.driver.wait_completion(a.cq), VRNIC_OP_SEND_IMM);
    CHECK(b.data() == pattern(3));
    CHECK(a.guard_intact());
    CHECK(b.guard_intact());
}

}  // namespace

TEST_CASE("two queue pairs of one device", "[rdma]") {
    Bench bench;
    bench.bring_up();
    Side a(bench.driver), b(bench.driver);
    bench.driver.connect(a.qp, b.qp.qpn, kMac, kAddress);
    bench.driver.connect(b.qp, a.qp.qpn, kMac, kAddress);
    move_data(a, b);
    move_data(b, a);
    CHECK(bench.machine.wire().receive(std::chrono::milliseconds(20)).empty());
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a queue pair connected to itself", "[rdma]") {
    Bench bench;
    bench.bring_up();
    Side a(bench.driver);
    bench.driver.connect(a.qp, a.qp.qpn, kMac, kAddress);
    a.fill(pattern(9));
    vrnic_sqe write = a.request(VRNIC_OP_WRITE);
    write.sge[0].length = 4096;
    write.remote_addr = a.buffer + 8192;
    write.rkey = a.key;
    bench.driver.post_send(a.qp, write);
    require_success(bench.driver.wait_completion(a.cq), VRNIC_OP_WRITE);
    CHECK(bench.machine.qtest().read_bytes(a.buffer, 4096) ==
          bench.machine.qtest().read_bytes(a.buffer + 8192, 4096));
    CHECK(bench.machine.ends_well());
}

TEST_CASE("two devices in one machine", "[rdma]") {
    Machine machine(
        {.device = "id=v0,netdev=h0,mac=52:54:00:00:00:01,bus=pcie.0,addr=4",
         .more = {"-netdev", "hubport,id=h0,hubid=0", "-netdev", "hubport,id=h1,hubid=0", "-device",
                  "vrnic,id=v1,netdev=h1,mac=52:54:00:00:00:02,bus=pcie.0,addr=5"},
         .netdev = false});
    PciDevice pci_a(machine, {.slot = 4}), pci_b(machine, {.slot = 5});
    pci_a.enable();
    pci_b.enable({.registers = 0xfe100000, .msix = 0xfe110000, .doorbells = 0xe1000000});
    Driver a(pci_a), b(pci_b);
    std::uint32_t address = 0x0a000001;
    for (Driver* driver : {&a, &b}) {
        driver->set_up_admin();
        driver->create_eq(0, VRNIC_NO_VECTOR);
        driver->create_eq(1, VRNIC_NO_VECTOR);
        driver->set_port();
        driver->set_gid(0, address++);
    }
    Side left(a), right(b);
    a.connect(left.qp, right.qp.qpn, {0x52, 0x54, 0, 0, 0, 2}, 0x0a000002);
    b.connect(right.qp, left.qp.qpn, {0x52, 0x54, 0, 0, 0, 1}, 0x0a000001);
    move_data(left, right);
    move_data(right, left);
    CHECK(machine.counter("roce_rx_bad_icrc", "v0") == 0);
    CHECK(machine.counter("roce_rx_packets", "v1") > 10);
    CHECK(machine.ends_well());
}

TEST_CASE("memory regions over holes fail the operation, and name it", "[rdma]") {
    constexpr std::uint64_t kHole = 0x800000000000;
    Bench bench;
    bench.bring_up();
    Side a(bench.driver), b(bench.driver);
    bench.driver.connect(a.qp, b.qp.qpn, kMac, kAddress);
    bench.driver.connect(b.qp, a.qp.qpn, kMac, kAddress);
    // Pages: memory, nothing, memory; or the device's own registers.
    for (const std::uint64_t bad : {kHole, std::uint64_t{BarPlaces{}.registers}}) {
        CAPTURE(bad);
        Side c(bench.driver), d(bench.driver);
        bench.driver.connect(c.qp, d.qp.qpn, kMac, kAddress);
        bench.driver.connect(d.qp, c.qp.qpn, kMac, kAddress);
        const std::uint64_t table = bench.machine.allocate(4096);
        bench.machine.qtest().write(table, c.buffer, 8);
        bench.machine.qtest().write(table + 8, bad, 8);
        bench.machine.qtest().write(table + 16, c.buffer + 4096, 8);
        vrnic_cmd_reg_mr create{};
        create.pdn = c.pdn;
        create.iova = 0x10000;
        create.length = 3 * 4096;
        create.pages.addr = table;
        create.pages.num_pages = 3;
        create.pages.page_shift = 12;
        create.pages.levels = 1;
        const std::uint32_t key = bench.driver.must(VRNIC_ADMIN_REG_MR, create).handle();
        vrnic_sqe write = c.request(VRNIC_OP_WRITE);
        write.sge[0].addr = 0x10000;
        write.sge[0].lkey = key;
        write.remote_addr = d.buffer;
        write.rkey = d.key;
        bench.driver.post_send(c.qp, write);
        const auto completion = bench.driver.wait_completion(c.cq);
        REQUIRE(completion);
        CHECK(completion->status == VRNIC_WC_LOC_PROT_ERR);
        CHECK(completion->syndrome == VRNIC_SYND_DMA_FAILED);
        CHECK(bench.driver.state(c.qp) == VRNIC_QPS_ERR);
    }
    move_data(a, b);  // others are not harmed
    CHECK(bench.machine.ends_well());
}

TEST_CASE("a completion queue in a hole is an error of the queue and its queue pairs", "[rdma]") {
    Bench bench;
    bench.bring_up();
    Side good(bench.driver);
    vrnic_cmd_create_cq create{};
    create.eqn = 1;
    create.log_size = 6;
    create.memory = contiguous(0x800000000000, 8192);
    create.dbrec_offset = 4096;
    const AdminReply reply = bench.driver.command(VRNIC_ADMIN_CREATE_CQ, create);
    if (reply.status == VRNIC_STATUS_OK) {
        Cq bad;
        bad.cqn = reply.handle();
        Qp qp = bench.driver.create_qp(good.pdn, bad, bad);
        bench.driver.connect(qp, qp.qpn, kMac, kAddress);
        vrnic_sqe write = good.request(VRNIC_OP_WRITE);
        write.remote_addr = good.buffer;
        write.rkey = good.key;
        bench.driver.post_send(qp, write);
        CHECK(bench.machine.eventually([&] { return bench.driver.state(qp) == VRNIC_QPS_ERR; }));
        const auto event = bench.machine.qtest().read_object<vrnic_eqe>(bench.async_events);
        CHECK(event.seq == 1);
    } else {
        CHECK(reply.status == VRNIC_STATUS_DMA);
    }
    CHECK(bench.machine.counter("dma_errors") > 0);
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}
