// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/commands.h"

#include "base/random.h"
#include "unit/catch.h"
#include "unit/guest.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr std::uint32_t kPayload = offsetof(vrnic_admin_cmd, payload);

// Every opcode, with the size of its fields and where the reserved ones are.
struct Opcode {
    std::uint16_t opcode;
    std::size_t size;
    std::vector<std::pair<std::size_t, std::size_t>> reserved;  // offset, size
};
#define GAP(type, field) \
    { offsetof(type, field), sizeof(type::field) }
const std::vector<Opcode> kOpcodes = {
    {VRNIC_ADMIN_QUERY_DEVICE, sizeof(vrnic_cmd_query), {GAP(vrnic_cmd_query, reserved)}},
    {VRNIC_ADMIN_QUERY_COUNTERS,
     sizeof(vrnic_cmd_query_counters),
     {GAP(vrnic_cmd_query_counters, answer.reserved), GAP(vrnic_cmd_query_counters, reserved)}},
    {VRNIC_ADMIN_CREATE_EQ, sizeof(vrnic_cmd_create_eq), {GAP(vrnic_cmd_create_eq, reserved)}},
    {VRNIC_ADMIN_DESTROY_EQ, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_ALLOC_UAR, 0, {}},
    {VRNIC_ADMIN_FREE_UAR, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_CREATE_ETH_QUEUE,
     sizeof(vrnic_cmd_create_eth_queue),
     {GAP(vrnic_cmd_create_eth_queue, reserved)}},
    {VRNIC_ADMIN_DESTROY_ETH_QUEUE, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_SET_PORT, sizeof(vrnic_cmd_set_port), {GAP(vrnic_cmd_set_port, reserved)}},
    {VRNIC_ADMIN_ALLOC_PD, 0, {}},
    {VRNIC_ADMIN_DEALLOC_PD, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_SET_GID,
     sizeof(vrnic_cmd_set_gid),
     {GAP(vrnic_cmd_set_gid, reserved0), GAP(vrnic_cmd_set_gid, reserved1)}},
    {VRNIC_ADMIN_REG_MR, sizeof(vrnic_cmd_reg_mr), {}},
    {VRNIC_ADMIN_DEREG_MR, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_REVOKE_MR, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_ALLOC_DMA_MR, sizeof(vrnic_cmd_alloc_dma_mr), {}},
    {VRNIC_ADMIN_ALLOC_FAST_MR, sizeof(vrnic_cmd_alloc_fast_mr), {}},
    {VRNIC_ADMIN_REREG_MR, sizeof(vrnic_cmd_rereg_mr), {}},
    {VRNIC_ADMIN_ALLOC_MW, sizeof(vrnic_cmd_alloc_mw), {GAP(vrnic_cmd_alloc_mw, reserved)}},
    {VRNIC_ADMIN_DEALLOC_MW, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_CREATE_CQ,
     sizeof(vrnic_cmd_create_cq),
     {GAP(vrnic_cmd_create_cq, reserved0), GAP(vrnic_cmd_create_cq, reserved1)}},
    {VRNIC_ADMIN_DESTROY_CQ, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_RESIZE_CQ, sizeof(vrnic_cmd_resize_cq), {GAP(vrnic_cmd_resize_cq, reserved)}},
    {VRNIC_ADMIN_MODERATE_CQ,
     sizeof(vrnic_cmd_moderate_cq),
     {GAP(vrnic_cmd_moderate_cq, reserved)}},
    {VRNIC_ADMIN_CREATE_QP, sizeof(vrnic_cmd_create_qp), {GAP(vrnic_cmd_create_qp, reserved0)}},
    {VRNIC_ADMIN_MODIFY_QP,
     sizeof(vrnic_cmd_modify_qp),
     {GAP(vrnic_cmd_modify_qp, attr.reserved), GAP(vrnic_cmd_modify_qp, reserved)}},
    {VRNIC_ADMIN_QUERY_QP, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_DESTROY_QP, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_ATTACH_MCAST, sizeof(vrnic_cmd_mcast), {GAP(vrnic_cmd_mcast, reserved)}},
    {VRNIC_ADMIN_DETACH_MCAST, sizeof(vrnic_cmd_mcast), {GAP(vrnic_cmd_mcast, reserved)}},
    {VRNIC_ADMIN_ALLOC_XRCD, 0, {}},
    {VRNIC_ADMIN_DEALLOC_XRCD, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_CREATE_SRQ, sizeof(vrnic_cmd_create_srq), {GAP(vrnic_cmd_create_srq, reserved0)}},
    {VRNIC_ADMIN_MODIFY_SRQ, sizeof(vrnic_cmd_modify_srq), {}},
    {VRNIC_ADMIN_QUERY_SRQ, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_DESTROY_SRQ, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_RESIZE_SRQ, sizeof(vrnic_cmd_resize_srq), {GAP(vrnic_cmd_resize_srq, reserved)}},
    {VRNIC_ADMIN_CREATE_COUNTERS, 0, {}},
    {VRNIC_ADMIN_DESTROY_COUNTERS, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_BIND_COUNTERS, sizeof(vrnic_cmd_bind_counters), {}},
    {VRNIC_ADMIN_QUERY_OBJECT,
     sizeof(vrnic_cmd_query_object),
     {GAP(vrnic_cmd_query_object, answer.reserved)}},
    {VRNIC_ADMIN_CREATE_FAULT,
     sizeof(vrnic_cmd_create_fault),
     {GAP(vrnic_cmd_create_fault, rule.reserved)}},
    {VRNIC_ADMIN_MODIFY_FAULT,
     sizeof(vrnic_cmd_modify_fault),
     {GAP(vrnic_cmd_modify_fault, reserved), GAP(vrnic_cmd_modify_fault, rule.reserved)}},
    {VRNIC_ADMIN_DESTROY_FAULT, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_CREATE_STREAM,
     sizeof(vrnic_cmd_create_stream),
     {GAP(vrnic_cmd_create_stream, reserved0)}},
    {VRNIC_ADMIN_DESTROY_STREAM, sizeof(vrnic_cmd_handle), {GAP(vrnic_cmd_handle, reserved)}},
    {VRNIC_ADMIN_WATCH, sizeof(vrnic_cmd_watch), {GAP(vrnic_cmd_watch, reserved)}},
    {VRNIC_ADMIN_MODIFY_STREAM, sizeof(vrnic_cmd_modify_stream), {}},
    {VRNIC_ADMIN_CALL_OBJECT,
     sizeof(vrnic_cmd_call_object),
     {GAP(vrnic_cmd_call_object, reserved)}},
};
#undef GAP

}  // namespace

TEST_CASE("opcodes that do not exist are refused") {
    Guest guest;
    for (std::uint32_t opcode = 0; opcode < 0x400; ++opcode) {
        if (std::ranges::find(kOpcodes, opcode, &Opcode::opcode) != kOpcodes.end()) continue;
        CHECK(guest.submit_empty(static_cast<std::uint16_t>(opcode)).status ==
              VRNIC_STATUS_BAD_OPCODE);
    }
    CHECK(guest.submit_empty(0xffff).status == VRNIC_STATUS_BAD_OPCODE);
    CHECK(guest.engine.counters().admin_errors == guest.engine.counters().admin_commands);
}

TEST_CASE("every reserved octet of every command must be zero") {
    Guest guest;
    for (const Opcode& row : kOpcodes) {
        CAPTURE(row.opcode);
        std::vector<std::size_t> octets;
        for (const auto& [offset, size] : row.reserved)
            for (std::size_t i = 0; i < size; ++i) octets.push_back(offset + i);
        for (std::size_t at = row.size; at < sizeof(vrnic_admin_cmd::payload); ++at)
            octets.push_back(at);
        for (const std::size_t at : octets) {
            vrnic_admin_cmd command{};
            command.opcode = row.opcode;
            command.payload[at] = 0x80;
            const auto completion = guest.submit(command);
            CHECK(completion.status == VRNIC_STATUS_RESERVED);
            CHECK(completion.detail == kPayload + at);
        }
        vrnic_admin_cmd command{};
        command.opcode = row.opcode;
        command.reserved = 1;
        CHECK(guest.submit(command).status == VRNIC_STATUS_RESERVED);
    }
}

TEST_CASE("commands on handles that name nothing") {
    Guest guest;
    for (const std::uint16_t opcode :
         {VRNIC_ADMIN_DESTROY_EQ, VRNIC_ADMIN_FREE_UAR, VRNIC_ADMIN_DESTROY_ETH_QUEUE,
          VRNIC_ADMIN_DEALLOC_PD, VRNIC_ADMIN_DEREG_MR, VRNIC_ADMIN_DESTROY_CQ,
          VRNIC_ADMIN_QUERY_QP, VRNIC_ADMIN_DESTROY_QP, VRNIC_ADMIN_DESTROY_COUNTERS}) {
        for (const std::uint32_t handle : {0u, 1u, 2u, 255u, 4096u, 0x1000000u, ~0u}) {
            CAPTURE(opcode, handle);
            const auto completion = guest.submit_handle(opcode, handle);
            CHECK(completion.status == VRNIC_STATUS_NO_OBJECT);
            CHECK(completion.detail == kPayload);
        }
    }
}

TEST_CASE("QUERY_DEVICE tells the capabilities, cut to the room there is") {
    Guest guest;
    vrnic_cmd_query fields{};
    fields.addr = guest.host.allocate(0x1000);
    fields.length = 0x1000;
    CHECK(guest.submit(VRNIC_ADMIN_QUERY_DEVICE, fields).status == VRNIC_STATUS_OK);
    const auto caps = guest.host.load<vrnic_device_caps>(fields.addr);
    constexpr std::uint64_t kFeatures =
        VRNIC_CAP_RDMA | VRNIC_CAP_RC | VRNIC_CAP_UC | VRNIC_CAP_UD | VRNIC_CAP_XRC |
        VRNIC_CAP_ATOMIC | VRNIC_CAP_WINDOWS | VRNIC_CAP_ATOMIC_WRITE | VRNIC_CAP_FLUSH_GLOBAL |
        VRNIC_CAP_SRQ | VRNIC_CAP_MCAST | VRNIC_CAP_CQ_RESIZE | VRNIC_CAP_CQ_MODERATION |
        VRNIC_CAP_SRQ_RESIZE | VRNIC_CAP_FAST_REG | VRNIC_CAP_KERNEL;
    CHECK(caps.features == kFeatures);
    CHECK(caps.max_cq_count == 65535);
    CHECK(caps.max_cq_period == 65535);
    CHECK(caps.max_qps == 65536);
    CHECK(caps.max_cqs >= 65536);
    CHECK(caps.max_mrs >= 1u << 20);
    CHECK(caps.max_uars == 256);
    CHECK(caps.max_mtu == 9000);
    CHECK(caps.page_size_mask == 0x7ffff000);

    fields.addr = guest.host.allocate(0x1000);
    fields.length = 12;
    CHECK(guest.submit(VRNIC_ADMIN_QUERY_DEVICE, fields).status == VRNIC_STATUS_OK);
    CHECK(guest.host.load<std::uint32_t>(fields.addr) == kFeatures);
    CHECK(guest.host.load<std::uint32_t>(fields.addr + 12) == 0);
}

TEST_CASE("QUERY_COUNTERS tells what was counted") {
    Guest guest;
    guest.submit_empty(0xffff);
    vrnic_cmd_query fields{};
    fields.addr = guest.host.allocate(0x1000);
    fields.length = sizeof(vrnic_counters);
    CHECK(guest.submit(VRNIC_ADMIN_QUERY_COUNTERS, fields).status == VRNIC_STATUS_OK);
    const auto counters = guest.host.load<vrnic_counters>(fields.addr);
    CHECK(counters.admin_commands == 2);
    CHECK(counters.admin_errors == 1);
}

TEST_CASE("queries with bad buffers are refused") {
    struct Case {
        const char* what;
        std::uint64_t addr;
        std::uint32_t length;
        std::uint16_t status;
        std::uint32_t detail;
    };
    const std::vector<Case> cases = {
        {"misaligned", FakeHost::kBase + 4, 64, VRNIC_STATUS_INVALID, kPayload},
        {"no room", FakeHost::kBase, 0, VRNIC_STATUS_INVALID, kPayload + 8},
        {"too little room", FakeHost::kBase, 7, VRNIC_STATUS_INVALID, kPayload + 8},
        {"outside memory", 0x1000, 64, VRNIC_STATUS_DMA, kPayload},
        {"at the end of everything", ~0ull - 7, ~0u, VRNIC_STATUS_DMA, kPayload},
    };
    Guest guest;
    for (const Case& c : cases) {
        CAPTURE(c.what);
        vrnic_cmd_query fields{};
        fields.addr = c.addr;
        fields.length = c.length;
        const auto completion = guest.submit(VRNIC_ADMIN_QUERY_DEVICE, fields);
        CHECK(completion.status == c.status);
        CHECK(completion.detail == c.detail);
    }
}

TEST_CASE("an object stays while others use it") {
    Guest guest;
    guest.create_eq(0, 0);
    guest.create_eq(1, 2);
    const auto uar = Guest::handle(guest.submit_empty(VRNIC_ADMIN_ALLOC_UAR));
    const auto pd = Guest::handle(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD));
    const auto cq = guest.create_cq(uar, 1);
    vrnic_cmd_reg_mr fields{};
    fields.pdn = pd;
    fields.length = 0x1000;
    fields.pages = contiguous(guest.host.allocate(0x1000), 0x1000);
    const auto key = Guest::handle(guest.submit(VRNIC_ADMIN_REG_MR, fields));

    CHECK(guest.submit_handle(VRNIC_ADMIN_DESTROY_EQ, 1).status == VRNIC_STATUS_BUSY);
    CHECK(guest.submit_handle(VRNIC_ADMIN_FREE_UAR, uar).status == VRNIC_STATUS_BUSY);
    CHECK(guest.submit_handle(VRNIC_ADMIN_DEALLOC_PD, pd).status == VRNIC_STATUS_BUSY);
    CHECK(guest.submit_handle(VRNIC_ADMIN_DEREG_MR, key).status == VRNIC_STATUS_OK);
    CHECK(guest.submit_handle(VRNIC_ADMIN_DEALLOC_PD, pd).status == VRNIC_STATUS_OK);
    CHECK(guest.submit_handle(VRNIC_ADMIN_DESTROY_CQ, cq.cqn).status == VRNIC_STATUS_OK);
    CHECK(guest.submit_handle(VRNIC_ADMIN_FREE_UAR, uar).status == VRNIC_STATUS_OK);
    CHECK(guest.submit_handle(VRNIC_ADMIN_DESTROY_EQ, 1).status == VRNIC_STATUS_OK);
}

TEST_CASE("objects need a domain and a slot that exist") {
    Guest guest;
    guest.create_eq(1, 2);
    const auto status_detail = [](const vrnic_admin_cpl& c) {
        return std::pair<std::uint32_t, std::uint32_t>{c.status, c.detail};
    };
    using Pair = std::pair<std::uint32_t, std::uint32_t>;
    vrnic_cmd_reg_mr mr{};
    mr.pdn = 9;
    CHECK(status_detail(guest.submit(VRNIC_ADMIN_REG_MR, mr)) ==
          Pair{VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_reg_mr, pdn)});
    CHECK(status_detail(guest.submit(VRNIC_ADMIN_CREATE_CQ, guest.cq_fields(9, 1, 2))) ==
          Pair{VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_cq, uar)});
    vrnic_cmd_create_qp qp{};
    qp.pdn = 9;
    CHECK(status_detail(guest.submit(VRNIC_ADMIN_CREATE_QP, qp)) ==
          Pair{VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_qp, pdn)});
    qp.pdn = Guest::handle(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD));
    qp.uar = 9;
    CHECK(status_detail(guest.submit(VRNIC_ADMIN_CREATE_QP, qp)) ==
          Pair{VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_qp, uar)});
}

TEST_CASE("objects of every kind come back when they go") {
    Guest guest;
    guest.create_eq(1, 2);
    const auto fields = guest.cq_fields(0, 1, 2);
    for (int round = 0; round < 3; ++round) {
        std::vector<std::uint32_t> uars;
        for (;;) {
            const auto completion = guest.submit_empty(VRNIC_ADMIN_ALLOC_UAR);
            if (completion.status != VRNIC_STATUS_OK) {
                CHECK(completion.status == VRNIC_STATUS_LIMIT);
                break;
            }
            uars.push_back(Guest::handle(completion));
        }
        CHECK(uars.size() == 255);
        for (const std::uint32_t uar : uars)
            CHECK(guest.submit_handle(VRNIC_ADMIN_FREE_UAR, uar).status == VRNIC_STATUS_OK);
        for (int i = 0; i < 100; ++i) {
            const auto cqn = Guest::handle(guest.submit(VRNIC_ADMIN_CREATE_CQ, fields));
            CHECK(guest.submit_handle(VRNIC_ADMIN_DESTROY_CQ, cqn).status == VRNIC_STATUS_OK);
        }
    }
}

TEST_CASE("whatever a command says, it is answered, and a reset brings the device back") {
    Guest guest;
    guest.create_eq(0, 0);
    Random random(7);
    for (int i = 0; i < 10'000; ++i) {
        vrnic_admin_cmd command{};
        const Opcode& row = kOpcodes[random.next() % kOpcodes.size()];
        command.opcode = row.opcode;
        for (std::size_t at = 0; at < row.size; ++at) {
            // Mostly small values, so that many commands go far.
            const bool zero = random.chance_ppm(700'000);
            const std::uint64_t value = random.next();
            command.payload[at] = static_cast<std::uint8_t>(zero ? 0 : value >> value % 57);
        }
        for (const auto& [offset, size] : row.reserved)
            std::memset(command.payload + offset, 0, size);
        guest.submit(command);
        if (guest.read(VRNIC_REG_FATAL) != 0) break;
    }
    guest.engine.reset();
    guest.set_up_admin();
    CHECK(guest.submit_empty(VRNIC_ADMIN_ALLOC_PD).status == VRNIC_STATUS_OK);
}

TEST_CASE("CQs are moderated within the limits, and resized") {
    Guest guest;
    guest.create_eq(1, Guest::kCompletionVector);
    auto cq = guest.create_cq(0, 1, 2);
    vrnic_cmd_moderate_cq moderate{};
    moderate.cqn = cq.cqn;
    moderate.count = moderate.period = 65535;
    CHECK(guest.submit(VRNIC_ADMIN_MODERATE_CQ, moderate).status == VRNIC_STATUS_OK);
    moderate.count = 65536;
    CHECK(guest.submit(VRNIC_ADMIN_MODERATE_CQ, moderate).detail ==
          VRNIC_FIELD(vrnic_cmd_moderate_cq, count));
    moderate.count = 1;
    moderate.period = ~0u;
    CHECK(guest.submit(VRNIC_ADMIN_MODERATE_CQ, moderate).detail ==
          VRNIC_FIELD(vrnic_cmd_moderate_cq, period));
    moderate.period = 1;
    moderate.cqn = 1000;
    CHECK(guest.submit(VRNIC_ADMIN_MODERATE_CQ, moderate).status == VRNIC_STATUS_NO_OBJECT);

    const auto fields = guest.cq_fields(0, 1, 4);
    vrnic_cmd_resize_cq resize{};
    resize.cqn = cq.cqn;
    resize.log_size = fields.log_size;
    resize.ring_offset = fields.ring_offset;
    resize.dbrec_offset = fields.dbrec_offset;
    resize.memory = fields.memory;
    CHECK(guest.submit(VRNIC_ADMIN_RESIZE_CQ, resize).status == VRNIC_STATUS_OK);
    CHECK(guest.submit_handle(VRNIC_ADMIN_DESTROY_CQ, cq.cqn).status == VRNIC_STATUS_OK);
}
