// SPDX-License-Identifier: GPL-2.0-or-later
// Creation of queues and regions: sizes of zero and huge, page lists with holes, handles of
// nothing.
#include <functional>

#include "support/bench.h"

using namespace vrnic::device_test;

namespace {

constexpr std::uint64_t kNowhere = 0x800000000000;  // no memory there

// A good page list, made wrong in one way.
struct BadList {
    const char* what;
    std::function<void(Machine&, vrnic_page_list&)> spoil;
    std::uint16_t status;
};

std::uint64_t table_of(Machine& machine, std::initializer_list<std::uint64_t> entries) {
    const std::uint64_t table = machine.allocate(4096);
    std::uint64_t at = table;
    for (const std::uint64_t entry : entries) {
        machine.qtest().write(at, entry, 8);
        at += 8;
    }
    return table;
}

const std::vector<BadList>& bad_lists() {
    static const std::vector<BadList> lists = {
        {"no pages", [](Machine&, vrnic_page_list& l) { l.num_pages = 0; }, VRNIC_STATUS_INVALID},
        {"more pages than any table holds", [](Machine&, vrnic_page_list& l) { l.num_pages = ~0u; },
         VRNIC_STATUS_LIMIT},
        {"pages too small", [](Machine&, vrnic_page_list& l) { l.page_shift = 11; },
         VRNIC_STATUS_INVALID},
        {"pages too large", [](Machine&, vrnic_page_list& l) { l.page_shift = 31; },
         VRNIC_STATUS_INVALID},
        {"page size beyond 64 bits", [](Machine&, vrnic_page_list& l) { l.page_shift = 200; },
         VRNIC_STATUS_INVALID},
        {"too many levels", [](Machine&, vrnic_page_list& l) { l.levels = 4; },
         VRNIC_STATUS_INVALID},
        {"offset past the page", [](Machine&, vrnic_page_list& l) { l.offset = 4096; },
         VRNIC_STATUS_INVALID},
        {"address not aligned", [](Machine&, vrnic_page_list& l) { l.addr = l.addr + 8; },
         VRNIC_STATUS_INVALID},
        {"range wraps around",
         [](Machine&, vrnic_page_list& l) { l.addr = 0ull - 4096, l.num_pages = 2; },
         VRNIC_STATUS_INVALID},
        {"reserved octets", [](Machine&, vrnic_page_list& l) { l.reserved[5] = 1; },
         VRNIC_STATUS_RESERVED},
        {"table outside memory",
         [](Machine&, vrnic_page_list& l) { l.levels = 1, l.addr = kNowhere; }, VRNIC_STATUS_DMA},
        {"table in the device's own BAR",
         [](Machine&, vrnic_page_list& l) { l.levels = 1, l.addr = BarPlaces{}.registers; },
         VRNIC_STATUS_DMA},
        {"table not aligned",
         [](Machine& m, vrnic_page_list& l) { l.levels = 1, l.addr = table_of(m, {0}) + 4; },
         VRNIC_STATUS_INVALID},
        {"page not aligned",
         [](Machine& m, vrnic_page_list& l) {
             l.levels = 1, l.addr = table_of(m, {0x100001, 0x101000});
         },
         VRNIC_STATUS_INVALID},
        {"lower table outside memory",
         [](Machine& m, vrnic_page_list& l) { l.levels = 2, l.addr = table_of(m, {kNowhere}); },
         VRNIC_STATUS_DMA},
        {"lower table not aligned",
         [](Machine& m, vrnic_page_list& l) { l.levels = 2, l.addr = table_of(m, {0x100008}); },
         VRNIC_STATUS_INVALID},
        {"lowest of three tables outside memory",
         [](Machine& m, vrnic_page_list& l) {
             l.levels = 3, l.addr = table_of(m, {table_of(m, {kNowhere})});
         },
         VRNIC_STATUS_DMA},
    };
    return lists;
}

// Every bad list as the memory of one kind of object.
template <typename Command>
void try_bad_lists(Bench& bench, std::uint16_t opcode, const Command& good,
                   vrnic_page_list Command::*list) {
    for (const BadList& bad : bad_lists()) {
        CAPTURE(bad.what);
        Command command = good;
        bad.spoil(bench.machine, command.*list);
        CHECK(bench.driver.command(opcode, command).status == bad.status);
    }
}

vrnic_cmd_create_cq good_cq(Machine& machine) {
    vrnic_cmd_create_cq create{};
    create.eqn = 1;
    create.log_size = 6;
    create.memory = contiguous(machine.allocate(8192), 8192);
    create.dbrec_offset = 4096;
    return create;
}

vrnic_cmd_create_qp good_qp(Bench& bench) {
    const Cq cq = bench.driver.create_cq();
    vrnic_cmd_create_qp create{};
    create.pdn = bench.driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
    create.send_cqn = create.recv_cqn = cq.cqn;
    create.type = VRNIC_QPT_RC;
    create.sq_log_size = create.rq_log_size = 3;
    create.sq_log_stride = 7;
    create.rq_log_stride = 6;
    create.rq_offset = 1024;
    create.dbrec_offset = 2048;
    create.memory = contiguous(bench.machine.allocate(8192), 8192);
    return create;
}

template <typename Command>
struct Variation {
    const char* what;
    std::function<void(Command&)> change;
    std::uint16_t status;
};

template <typename Command>
void try_variations(Bench& bench, std::uint16_t opcode, const Command& good,
                    const std::vector<Variation<Command>>& variations) {
    for (const auto& variation : variations) {
        CAPTURE(variation.what);
        Command command = good;
        variation.change(command);
        CHECK(bench.driver.command(opcode, command).status == variation.status);
    }
    CHECK(bench.driver.command(opcode, good).status ==
          VRNIC_STATUS_OK);  // and as it was, it is right
}

}  // namespace

TEST_CASE("page lists with holes are refused for every object", "[objects]") {
    Bench bench;
    bench.bring_up();
    SECTION("completion queue") {
        try_bad_lists(bench, VRNIC_ADMIN_CREATE_CQ, good_cq(bench.machine),
                      &vrnic_cmd_create_cq::memory);
    }
    SECTION("queue pair") {
        try_bad_lists(bench, VRNIC_ADMIN_CREATE_QP, good_qp(bench), &vrnic_cmd_create_qp::memory);
    }
    SECTION("event queue") {
        vrnic_cmd_create_eq create{};
        create.eqn = 2;
        create.vector = VRNIC_NO_VECTOR;
        create.log_size = 8;
        create.ring = contiguous(bench.machine.allocate(8192), 8192);
        try_bad_lists(bench, VRNIC_ADMIN_CREATE_EQ, create, &vrnic_cmd_create_eq::ring);
    }
    SECTION("Ethernet queue") {
        vrnic_cmd_create_eth_queue create{};
        create.direction = VRNIC_ETH_RX;
        create.log_size = 8;
        create.cqn = bench.driver.create_cq().cqn;
        create.ring = contiguous(bench.machine.allocate(8192), 8192);
        create.dbrec = bench.machine.allocate(64);
        try_bad_lists(bench, VRNIC_ADMIN_CREATE_ETH_QUEUE, create,
                      &vrnic_cmd_create_eth_queue::ring);
    }
    SECTION("memory region") {
        vrnic_cmd_reg_mr create{};
        create.pdn = bench.driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
        create.length = 8192;
        create.pages = contiguous(bench.machine.allocate(8192), 8192);
        try_bad_lists(bench, VRNIC_ADMIN_REG_MR, create, &vrnic_cmd_reg_mr::pages);
    }
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("completion queues of impossible sizes", "[objects]") {
    using Create = vrnic_cmd_create_cq;
    Bench bench;
    bench.bring_up();
    try_variations<Create>(
        bench, VRNIC_ADMIN_CREATE_CQ, good_cq(bench.machine),
        {
            {"too large", [](Create& c) { c.log_size = 17; }, VRNIC_STATUS_INVALID},
            {"huge", [](Create& c) { c.log_size = 255; }, VRNIC_STATUS_INVALID},
            {"larger than its memory", [](Create& c) { c.log_size = 8; }, VRNIC_STATUS_INVALID},
            {"ring past its memory", [](Create& c) { c.ring_offset = 1 << 20; },
             VRNIC_STATUS_INVALID},
            {"ring at the end of 32 bits", [](Create& c) { c.ring_offset = ~63u; },
             VRNIC_STATUS_INVALID},
            {"ring misaligned", [](Create& c) { c.ring_offset = 8; }, VRNIC_STATUS_INVALID},
            {"record past its memory", [](Create& c) { c.dbrec_offset = 8192; },
             VRNIC_STATUS_INVALID},
            {"record misaligned", [](Create& c) { c.dbrec_offset = 4100; }, VRNIC_STATUS_INVALID},
            {"no such event queue", [](Create& c) { c.eqn = 9; }, VRNIC_STATUS_NO_OBJECT},
            {"event queue beyond all", [](Create& c) { c.eqn = ~0u; }, VRNIC_STATUS_NO_OBJECT},
            {"no such slot", [](Create& c) { c.uar = 255; }, VRNIC_STATUS_NO_OBJECT},
            {"slot beyond all", [](Create& c) { c.uar = ~0u; }, VRNIC_STATUS_NO_OBJECT},
            {"reserved field", [](Create& c) { c.reserved0[1] = 1; }, VRNIC_STATUS_RESERVED},
        });
    CHECK(bench.machine.ends_well());
}

TEST_CASE("queue pairs of impossible sizes", "[objects]") {
    using Create = vrnic_cmd_create_qp;
    Bench bench;
    bench.bring_up();
    try_variations<Create>(
        bench, VRNIC_ADMIN_CREATE_QP, good_qp(bench),
        {
            {"send queue huge", [](Create& c) { c.sq_log_size = 254; }, VRNIC_STATUS_INVALID},
            {"receive queue huge", [](Create& c) { c.rq_log_size = 31; }, VRNIC_STATUS_INVALID},
            {"send stride of 32", [](Create& c) { c.sq_log_stride = 5; }, VRNIC_STATUS_INVALID},
            {"send stride huge", [](Create& c) { c.sq_log_stride = 64; }, VRNIC_STATUS_INVALID},
            {"receive stride of 16", [](Create& c) { c.rq_log_stride = 4; }, VRNIC_STATUS_INVALID},
            {"receive stride huge", [](Create& c) { c.rq_log_stride = 255; }, VRNIC_STATUS_INVALID},
            {"send ring past its memory", [](Create& c) { c.sq_offset = 8192; },
             VRNIC_STATUS_INVALID},
            {"receive ring past its memory", [](Create& c) { c.rq_offset = ~63u; },
             VRNIC_STATUS_INVALID},
            {"rings misaligned", [](Create& c) { c.rq_offset = 1032; }, VRNIC_STATUS_INVALID},
            {"record past its memory", [](Create& c) { c.dbrec_offset = 8128; },
             VRNIC_STATUS_INVALID},
            {"no such PD", [](Create& c) { c.pdn = 4095; }, VRNIC_STATUS_NO_OBJECT},
            {"no such send CQ", [](Create& c) { c.send_cqn = 8000; }, VRNIC_STATUS_NO_OBJECT},
            {"no such receive CQ", [](Create& c) { c.recv_cqn = ~0u; }, VRNIC_STATUS_NO_OBJECT},
            {"no such slot", [](Create& c) { c.uar = 200; }, VRNIC_STATUS_NO_OBJECT},
            {"unknown flags", [](Create& c) { c.flags = 1u << 31; }, VRNIC_STATUS_INVALID},
        });
    CHECK(bench.machine.ends_well());
}

TEST_CASE("memory regions of impossible ranges", "[objects]") {
    using Create = vrnic_cmd_reg_mr;
    Bench bench;
    bench.bring_up();
    Create good{};
    good.pdn = bench.driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
    good.access = VRNIC_ACCESS_LOCAL_WRITE;
    good.iova = 0x10000;
    good.length = 8192;
    good.pages = contiguous(bench.machine.allocate(8192), 8192);
    try_variations<Create>(
        bench, VRNIC_ADMIN_REG_MR, good,
        {
            {"length of zero", [](Create& c) { c.length = 0; }, VRNIC_STATUS_INVALID},
            {"length beyond its pages", [](Create& c) { c.length = 8193; }, VRNIC_STATUS_INVALID},
            {"length of all", [](Create& c) { c.length = ~0ull; }, VRNIC_STATUS_INVALID},
            {"range wraps around", [](Create& c) { c.iova = ~0ull; }, VRNIC_STATUS_INVALID},
            {"unknown permission", [](Create& c) { c.access = 1u << 30; }, VRNIC_STATUS_INVALID},
            {"flush to persistence", [](Create& c) { c.access = c.access | 1u << 9; },
             VRNIC_STATUS_INVALID},
            {"zero-based elsewhere",
             [](Create& c) { c.access = c.access | VRNIC_ACCESS_ZERO_BASED; },
             VRNIC_STATUS_INVALID},
            {"no such PD", [](Create& c) { c.pdn = ~0u; }, VRNIC_STATUS_NO_OBJECT},
        });
    const std::uint32_t key = bench.driver.must(VRNIC_ADMIN_REG_MR, good).handle();
    using Again = vrnic_cmd_rereg_mr;
    Again again{};
    again.key = key;
    again.mask = VRNIC_REREG_TRANSLATION | VRNIC_REREG_PD | VRNIC_REREG_ACCESS;
    again.pdn = good.pdn;
    again.access = good.access;
    again.iova = good.iova;
    again.length = good.length;
    again.pages = good.pages;
    try_variations<Again>(
        bench, VRNIC_ADMIN_REREG_MR, again,
        {
            {"no such region", [](Again& c) { c.key = ~0u; }, VRNIC_STATUS_NO_OBJECT},
            {"stale key", [](Again& c) { c.key = c.key - 1; }, VRNIC_STATUS_NO_OBJECT},
            {"nothing to change", [](Again& c) { c.mask = 0; }, VRNIC_STATUS_INVALID},
            {"unknown change", [](Again& c) { c.mask = 1u << 31; }, VRNIC_STATUS_INVALID},
            {"length beyond its pages", [](Again& c) { c.length = 8193; }, VRNIC_STATUS_INVALID},
            {"no such PD", [](Again& c) { c.pdn = ~0u; }, VRNIC_STATUS_NO_OBJECT},
            {"unknown permission", [](Again& c) { c.access = 1u << 30; }, VRNIC_STATUS_INVALID},
        });
    CHECK(bench.machine.ends_well());
}

TEST_CASE("memory windows that cannot be", "[objects]") {
    using Create = vrnic_cmd_alloc_mw;
    Bench bench;
    bench.bring_up();
    Create good{};
    good.pdn = bench.driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
    good.type = VRNIC_MW_TYPE_2;
    try_variations<Create>(
        bench, VRNIC_ADMIN_ALLOC_MW, good,
        {
            {"no type", [](Create& c) { c.type = 0; }, VRNIC_STATUS_INVALID},
            {"unknown type", [](Create& c) { c.type = 3; }, VRNIC_STATUS_INVALID},
            {"no such PD", [](Create& c) { c.pdn = ~0u; }, VRNIC_STATUS_NO_OBJECT},
            {"reserved field", [](Create& c) { c.reserved[2] = 1; }, VRNIC_STATUS_RESERVED},
        });
    CHECK(bench.machine.ends_well());
}

TEST_CASE("event queues of impossible sizes", "[objects]") {
    using Create = vrnic_cmd_create_eq;
    Bench bench;
    bench.bring_up();
    Create good{};
    good.eqn = 2;
    good.vector = 3;
    good.log_size = 4;
    good.ring = contiguous(bench.machine.allocate(4096), 4096);
    try_variations<Create>(
        bench, VRNIC_ADMIN_CREATE_EQ, good,
        {
            {"one entry", [](Create& c) { c.log_size = 0; }, VRNIC_STATUS_INVALID},
            {"huge", [](Create& c) { c.log_size = 64; }, VRNIC_STATUS_INVALID},
            {"larger than its memory", [](Create& c) { c.log_size = 9; }, VRNIC_STATUS_INVALID},
            {"no such vector", [](Create& c) { c.vector = 16; }, VRNIC_STATUS_INVALID},
            {"number beyond all", [](Create& c) { c.eqn = VRNIC_MAX_EQS; }, VRNIC_STATUS_INVALID},
            {"number huge", [](Create& c) { c.eqn = ~0u; }, VRNIC_STATUS_INVALID},
        });
    CHECK(bench.driver.command(VRNIC_ADMIN_CREATE_EQ, good).status != VRNIC_STATUS_OK);  // in use
    CHECK(bench.machine.ends_well());
}

TEST_CASE("handles of nothing, and objects in use", "[objects]") {
    Bench bench;
    bench.bring_up();
    for (const std::uint16_t opcode :
         {VRNIC_ADMIN_DESTROY_EQ, VRNIC_ADMIN_FREE_UAR, VRNIC_ADMIN_DESTROY_ETH_QUEUE,
          VRNIC_ADMIN_DEALLOC_PD, VRNIC_ADMIN_DEREG_MR, VRNIC_ADMIN_DEALLOC_MW,
          VRNIC_ADMIN_DESTROY_CQ, VRNIC_ADMIN_QUERY_QP, VRNIC_ADMIN_DESTROY_QP})
        for (const std::uint32_t handle : {7u, 0xffffffu, ~0u}) {
            CAPTURE(opcode, handle);
            vrnic_cmd_handle nothing{};
            nothing.handle = handle;
            CHECK(bench.driver.command(opcode, nothing).status == VRNIC_STATUS_NO_OBJECT);
        }

    const vrnic_cmd_create_qp create = good_qp(bench);
    const std::uint32_t qpn = bench.driver.must(VRNIC_ADMIN_CREATE_QP, create).handle();
    const auto status = [&](std::uint16_t opcode, std::uint32_t handle) {
        vrnic_cmd_handle command{};
        command.handle = handle;
        return bench.driver.command(opcode, command).status;
    };
    CHECK(status(VRNIC_ADMIN_DEALLOC_PD, create.pdn) == VRNIC_STATUS_BUSY);
    CHECK(status(VRNIC_ADMIN_DESTROY_CQ, create.send_cqn) == VRNIC_STATUS_BUSY);
    CHECK(status(VRNIC_ADMIN_DESTROY_EQ, 1) == VRNIC_STATUS_BUSY);
    CHECK(status(VRNIC_ADMIN_DESTROY_QP, qpn) == VRNIC_STATUS_OK);
    CHECK(status(VRNIC_ADMIN_DESTROY_QP, qpn) == VRNIC_STATUS_NO_OBJECT);
    CHECK(status(VRNIC_ADMIN_DESTROY_CQ, create.send_cqn) == VRNIC_STATUS_OK);
    CHECK(status(VRNIC_ADMIN_DEALLOC_PD, create.pdn) == VRNIC_STATUS_OK);
    CHECK(status(VRNIC_ADMIN_DESTROY_EQ, 1) == VRNIC_STATUS_OK);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("objects until there are no more, and all back again", "[objects]") {
    Bench bench;
    bench.bring_up();
    std::vector<std::uint32_t> slots;
    for (;;) {
        const AdminReply reply = bench.driver.command(VRNIC_ADMIN_ALLOC_UAR);
        if (reply.status == VRNIC_STATUS_LIMIT) break;
        REQUIRE(reply.status == VRNIC_STATUS_OK);
        slots.push_back(reply.handle());
    }
    CHECK(slots.size() == 255);
    for (const std::uint32_t slot : slots) {
        vrnic_cmd_handle free{};
        free.handle = slot;
        bench.driver.must(VRNIC_ADMIN_FREE_UAR, free);
    }
    CHECK(bench.driver.command(VRNIC_ADMIN_ALLOC_UAR).status == VRNIC_STATUS_OK);
    CHECK(bench.machine.ends_well());
}
