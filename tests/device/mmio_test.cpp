// SPDX-License-Identifier: GPL-2.0-or-later
// Any access of any size at any offset of any BAR: an answer, a count, never an abort.
#include "base/random.h"
#include "support/bench.h"

using namespace vrnic::device_test;

TEST_CASE("reads of every size and alignment", "[mmio]") {
    Bench bench;
    Qtest& qtest = bench.machine.qtest();
    const std::uint64_t regs = bench.pci.places().registers;
    CHECK(qtest.read(regs + VRNIC_REG_ID, 4) == VRNIC_ID);
    qtest.write(regs + VRNIC_REG_ADMIN_SQ_LO, 0x123456789a80, 8);  // a pair of registers, whole
    CHECK(qtest.read(regs + VRNIC_REG_ADMIN_SQ_LO, 8) == 0x123456789a80);
    CHECK(qtest.read(regs + VRNIC_REG_ADMIN_SQ_HI, 4) == 0x1234);

    struct Row {
        std::uint64_t offset;
        unsigned size;
    };
    // Wrong size, wrong alignment, across the end of a register, not a register, the last bytes.
    const Row rows[] = {{0, 1},     {0, 8},      {0, 2},      {1, 4},     {2, 2},
                        {3, 4},     {4, 8},      {0x2, 8},    {0x14, 4},  {0x800, 4},
                        {0x800, 8}, {0xfffc, 4}, {0xfff8, 8}, {0xffff, 1}};
    for (const Row& row : rows) {
        CAPTURE(row.offset, row.size);
        CHECK(qtest.read(regs + row.offset, row.size) == 0);
    }
    CHECK(bench.machine.counter("mmio_errors") > 0);
    for (unsigned size : {1u, 2u, 4u, 8u})
        for (std::uint64_t offset : {0x0ull, 0x1ull, 0x1000ull, 0xffff8ull})
            CHECK(qtest.read(bench.pci.places().doorbells + offset, size) == 0);
    CHECK(bench.machine.ends_well());
}

TEST_CASE("writes of any value, size and offset do no harm", "[mmio]") {
    Bench bench;
    bench.bring_up();
    vrnic::Random random(20260101);
    const unsigned sizes[] = {1, 2, 4, 8};
    Qtest& qtest = bench.machine.qtest();
    for (int i = 0; i < 3000; ++i) {
        const unsigned size = sizes[random.next() % 4];
        const std::uint64_t places[] = {
            bench.pci.places().registers + random.next() % 0x200,
            bench.pci.places().registers + VRNIC_REG_EQ_DB + random.next() % 0x280,
            bench.pci.places().registers + random.next() % (VRNIC_BAR_REGS_SIZE - 8),
            bench.pci.places().doorbells + random.next() % ((1 << 20) - 8),
            bench.pci.places().doorbells + (random.next() % 256 << 12),
            bench.pci.places().msix + random.next() % 4088,
        };
        const std::uint64_t at = places[random.next() % std::size(places)];
        if (random.next() % 4)
            qtest.write(at, random.next() >> (random.next() % 64) & (~0ull >> (64 - 8 * size)),
                        size);
        else
            (void)qtest.read(at, size);
    }
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("doorbells of every type and number", "[mmio]") {
    Bench bench;
    bench.bring_up();
    Qtest& qtest = bench.machine.qtest();
    const std::uint64_t before = bench.machine.counter("doorbell_errors");
    std::uint64_t wrong = 0;
    for (std::uint64_t type = 0; type < 16; ++type)
        for (std::uint64_t number : {0x0ull, 0x1ull, 0x2ull, 0xffffull, 0xffffffull}) {
            qtest.write(bench.pci.places().doorbells, type << VRNIC_DB_TYPE_SHIFT | number, 8);
            ++wrong;  // there is no queue yet
        }
    for (std::uint64_t value : {0x10000000ull, 0x100000000ull, ~0ull}) {  // reserved bits
        qtest.write(bench.pci.places().doorbells, value, 8);
        ++wrong;
    }
    for (unsigned size : {1u, 2u, 4u}) {
        qtest.write(bench.pci.places().doorbells, 0, size);
        ++wrong;
    }
    qtest.write(bench.pci.places().doorbells + 8, 0, 8);  // not the slot's register
    ++wrong;
    CHECK(bench.machine.eventually(
        [&] { return bench.machine.counter("doorbell_errors") == before + wrong; }));
    CHECK(bench.machine.counter("doorbell_errors") == before + wrong);
    bench.require_works_after_reset();
    CHECK(bench.machine.ends_well());
}

TEST_CASE("diagnostics name the mistake, at a bounded rate", "[mmio]") {
    Bench bench;
    for (int i = 0; i < 1000; ++i) bench.driver.set_reg(VRNIC_REG_ID, 1);
    const std::string log = bench.machine.log();
    CHECK(log.find("vrnic v0: ") != std::string::npos);
    CHECK(std::count(log.begin(), log.end(), '\n') < 100);
    CHECK(bench.machine.ends_well());
}
