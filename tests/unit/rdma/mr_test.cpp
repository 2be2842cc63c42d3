// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/mr.h"

#include <functional>

#include "unit/catch.h"
#include "unit/fake_host.h"
#include "vrnic_ring.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr std::uint32_t kPd = 3;
constexpr std::uint64_t kIova = 0x7f00'0000'0100;
constexpr std::uint32_t kWrite = VRNIC_ACCESS_LOCAL_WRITE;

vrnic_cmd_reg_mr region(BusAddress page, std::uint64_t length, std::uint32_t access = kWrite) {
    vrnic_cmd_reg_mr cmd{};
    cmd.pdn = kPd;
    cmd.access = access;
    cmd.iova = kIova;
    cmd.length = length;
    cmd.pages = contiguous(page, 0x1000);
    return cmd;
}

}  // namespace

TEST_CASE("a memory region's key changes with each registration") {
    FakeHost host;
    MrTable table(host, {1, 16, 16});
    const auto cmd = region(host.allocate(0x1000), 0x1000);
    const auto first = table.register_region(cmd);
    REQUIRE(first);
    REQUIRE(table.check(*first, kPd, kIova, 1, 0));
    REQUIRE(table.deregister(*first));
    CHECK(table.check(*first, kPd, kIova, 1, 0).error() == VRNIC_SYND_BAD_KEY);

    std::uint32_t last = *first;
    for (int i = 0; i < 600; ++i) {
        const auto key = table.register_region(cmd);
        REQUIRE(key);
        CHECK(*key != last);
        CHECK(*key >> 8 == *first >> 8);
        CHECK(*key != 0);
        CHECK(table.check(last, kPd, kIova, 1, 0).error() == VRNIC_SYND_BAD_KEY);
        last = *key;
        REQUIRE(table.deregister(*key));
        CHECK(table.deregister(*key).error().status == VRNIC_STATUS_NO_OBJECT);
    }
}

TEST_CASE("an access of a memory region is checked in every way") {
    FakeHost host;
    MrTable table(host, {4, 16, 16});
    const std::uint32_t key = table
                                  .register_region(region(host.allocate(0x1000), 0x800,
                                                          kWrite | VRNIC_ACCESS_REMOTE_READ))
                                  .value();
    struct Case {
        const char* what;
        std::uint32_t key, pdn;
        std::uint64_t address, length;
        std::uint32_t access;
        Syndrome expected;  // VRNIC_SYND_NONE: granted
    };
    const std::vector<Case> cases = {
        {"all of it", key, kPd, kIova, 0x800, kWrite, VRNIC_SYND_NONE},
        {"its last byte", key, kPd, kIova + 0x7ff, 1, VRNIC_ACCESS_REMOTE_READ, VRNIC_SYND_NONE},
        {"local read", key, kPd, kIova, 1, 0, VRNIC_SYND_NONE},
        {"nothing, whatever the rest", 0xdeadbeef, 99, 5, 0, VRNIC_ACCESS_ALL, VRNIC_SYND_NONE},
        {"key byte", key ^ 1, kPd, kIova, 1, 0, VRNIC_SYND_BAD_KEY},
        {"free index", key + 0x100, kPd, kIova, 1, 0, VRNIC_SYND_BAD_KEY},
        {"index past the table", 0xffffff00, kPd, kIova, 1, 0, VRNIC_SYND_BAD_KEY},
        {"key 0", 0, 0, 0, 1, 0, VRNIC_SYND_BAD_KEY},
        {"other domain", key, kPd + 1, kIova, 1, 0, VRNIC_SYND_WRONG_PD},
        {"before", key, kPd, kIova - 1, 2, 0, VRNIC_SYND_OUT_OF_BOUNDS},
        {"one byte past", key, kPd, kIova, 0x801, 0, VRNIC_SYND_OUT_OF_BOUNDS},
        {"behind", key, kPd, kIova + 0x800, 1, 0, VRNIC_SYND_OUT_OF_BOUNDS},
        {"length that wraps", key, kPd, kIova + 1, ~0ull, 0, VRNIC_SYND_OUT_OF_BOUNDS},
        {"end that wraps", key, kPd, ~0ull, 2, 0, VRNIC_SYND_OUT_OF_BOUNDS},
        {"remote write", key, kPd, kIova, 1, VRNIC_ACCESS_REMOTE_WRITE, VRNIC_SYND_NO_PERMISSION},
        {"one right of two", key, kPd, kIova, 1, kWrite | VRNIC_ACCESS_REMOTE_WRITE,
         VRNIC_SYND_NO_PERMISSION},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const auto result = table.check(c.key, c.pdn, c.address, c.length, c.access);
        CHECK((result ? VRNIC_SYND_NONE : result.error()) == c.expected);
        if (result) CHECK(result->memory != nullptr);
    }
}

TEST_CASE("a bad registration is refused with its field") {
    FakeHost host;
    MrTable table(host, {4, 16, 16});
    const BusAddress page = host.allocate(0x1000);
    struct Case {
        const char* what;
        std::uint32_t access;
        std::uint64_t iova, length;
        std::uint32_t detail;
    };
    constexpr std::uint32_t kAccess = VRNIC_FIELD(vrnic_cmd_reg_mr, access);
    constexpr std::uint32_t kLength = VRNIC_FIELD(vrnic_cmd_reg_mr, length);
    const std::vector<Case> cases = {
        {"unknown right", 1u << 19, kIova, 8, kAccess},
        {"persistent flush", 1u << 9, kIova, 8, kAccess},
        {"zero-based, but not at 0", VRNIC_ACCESS_ZERO_BASED, kIova, 8,
         VRNIC_FIELD(vrnic_cmd_reg_mr, iova)},
        {"remote write without local", VRNIC_ACCESS_REMOTE_WRITE, kIova, 8, kAccess},
        {"remote atomic without local", VRNIC_ACCESS_REMOTE_ATOMIC, kIova, 8, kAccess},
        {"no bytes", kWrite, kIova, 0, kLength},
        {"too many bytes", kWrite, 0, MrTable::kMaxRegionBytes + 1, kLength},
        {"all bytes", kWrite, 0, ~0ull, kLength},
        {"wraps", kWrite, ~0ull - 6, 8, VRNIC_FIELD(vrnic_cmd_reg_mr, iova)},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        vrnic_cmd_reg_mr cmd = region(page, 8);
        cmd.access = c.access;
        cmd.iova = c.iova;
        cmd.length = c.length;
        const auto result = table.register_region(cmd);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == VRNIC_STATUS_INVALID);
        CHECK(result.error().detail == c.detail);
    }
    vrnic_cmd_reg_mr top = region(page, 8);
    top.iova = ~0ull - 7;  // ends with the address space
    const auto key = table.register_region(top);
    REQUIRE(key);
    CHECK(table.check(*key, kPd, ~0ull, 1, kWrite));
    CHECK(table.check(*key, kPd, ~0ull, 2, kWrite).error() == VRNIC_SYND_OUT_OF_BOUNDS);
}

TEST_CASE("regions and their pages are limited, and come back when they go") {
    FakeHost host;
    MrTable table(host, {3, 4, 5});
    const BusAddress page = host.allocate(0x1000);
    const BusAddress entries = host.allocate(0x1000);
    for (int i = 0; i < 8; ++i) host.store(entries + i * 8, page);
    vrnic_cmd_reg_mr paged = region(page, 0x1000);
    paged.pages.addr = entries;
    paged.pages.levels = 1;

    paged.pages.num_pages = 5;  // more than one region may have
    CHECK(table.register_region(paged).error().status == VRNIC_STATUS_LIMIT);
    paged.pages.num_pages = 4;
    const auto key = table.register_region(paged);
    REQUIRE(key);
    paged.pages.num_pages = 2;  // more than all together may have
    CHECK(table.register_region(paged).error().status == VRNIC_STATUS_LIMIT);
    CHECK(table.users_of(kPd) == 1);
    REQUIRE(table.deregister(*key));
    REQUIRE(table.register_region(paged));
    REQUIRE(table.register_region(region(page, 8)));
    REQUIRE(table.register_region(region(page, 8)));
    CHECK(table.users_of(kPd) == 3);
    CHECK(table.users_of(kPd + 1) == 0);
    CHECK(table.register_region(region(page, 8)).error().status == VRNIC_STATUS_LIMIT);

    table.reset();
    CHECK(table.users_of(kPd) == 0);
    paged.pages.num_pages = 4;
    CHECK(table.register_region(paged));
}

TEST_CASE("a reset does not make old keys good again") {
    FakeHost host;
    MrTable table(host, {1, 4, 4});
    const auto cmd = region(host.allocate(0x1000), 8);
    const std::uint32_t old = table.register_region(cmd).value();
    table.reset();
    CHECK_FALSE(table.check(old, kPd, kIova, 1, 0));
    CHECK(table.register_region(cmd).value() != old);
    CHECK_FALSE(table.check(old, kPd, kIova, 1, 0));
}

TEST_CASE("a zero-based region begins at address 0") {
    FakeHost host;
    MrTable table(host, {4, 16, 16});
    vrnic_cmd_reg_mr cmd = region(host.allocate(0x1000), 100, kWrite | VRNIC_ACCESS_ZERO_BASED);
    cmd.iova = 0;
    cmd.pages.offset = 0x123;
    const std::uint32_t key = table.register_region(cmd).value();
    const auto last = table.check(key, kPd, 99, 1, kWrite);
    REQUIRE(last);
    CHECK(last->offset == 99);
    CHECK(table.check(key, kPd, 99, 2, kWrite).error() == VRNIC_SYND_OUT_OF_BOUNDS);
}

TEST_CASE("a region is registered anew: place, domain, rights, each alone and all together") {
    FakeHost host;
    MrTable table(host, {4, 16, 16});
    const BusAddress page = host.allocate(0x1000), other = host.allocate(0x1000);
    const std::uint32_t key = table.register_region(region(page, 0x100)).value();
    vrnic_cmd_rereg_mr cmd{};
    cmd.key = key;
    cmd.pdn = kPd + 1;
    cmd.access = kWrite | VRNIC_ACCESS_REMOTE_READ;
    cmd.iova = 0x5000;
    cmd.length = 0x200;
    cmd.pages = contiguous(other, 0x1000);
    const auto bytes_at = [&](std::uint32_t pdn, std::uint64_t address, std::uint32_t access) {
        const auto view = table.check(key, pdn, address, 1, access);
        std::byte byte{};
        if (view && view->memory->read(host, view->offset, {&byte, 1}))
            return static_cast<int>(byte);
        return -1;
    };
    host.bytes(page, 1)[0] = std::byte{1};
    host.bytes(other, 1)[0] = std::byte{2};

    const std::uint32_t mask = GENERATE(range(1u, 8u));
    CAPTURE(mask);
    cmd.mask = mask;
    REQUIRE(table.reregister(cmd));
    const bool moved = mask & VRNIC_REREG_TRANSLATION;
    const std::uint32_t pdn = mask & VRNIC_REREG_PD ? kPd + 1 : kPd;
    CHECK(bytes_at(pdn, moved ? 0x5000 : kIova, kWrite) == (moved ? 2 : 1));
    CHECK(bytes_at(pdn, moved ? kIova : 0x5000, kWrite) == -1);
    CHECK(bytes_at(pdn == kPd ? kPd + 1 : kPd, moved ? 0x5000 : kIova, kWrite) == -1);
    CHECK((bytes_at(pdn, moved ? 0x5000 : kIova, VRNIC_ACCESS_REMOTE_READ) > 0) ==
          bool(mask & VRNIC_REREG_ACCESS));
    CHECK(table.users_of(pdn) == 1);
    CHECK(table.users_of(pdn == kPd ? kPd + 1 : kPd) == 0);
    CHECK(table.deregister(key));
    CHECK(table.users_of(pdn) == 0);
}

TEST_CASE("a bad new registration leaves the region as it was") {
    FakeHost host;
    MrTable table(host, {4, 2, 3});
    const std::uint32_t key = table.register_region(region(host.allocate(0x1000), 0x100)).value();
    const BusAddress entries = host.allocate(0x1000);
    struct Case {
        const char* what;
        std::function<void(vrnic_cmd_rereg_mr&)> change;
        std::uint16_t status;
        std::uint32_t detail;
    };
    const std::vector<Case> cases = {
        {"no such region", [](auto& c) { c.key = c.key ^ 1; }, VRNIC_STATUS_NO_OBJECT,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, key)},
        {"nothing to change", [](auto& c) { c.mask = 0; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, mask)},
        {"unknown change", [](auto& c) { c.mask = 8; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, mask)},
        {"rights that do not fit", [](auto& c) { c.access = VRNIC_ACCESS_REMOTE_WRITE; },
         VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_rereg_mr, access)},
        {"no bytes", [](auto& c) { c.length = 0; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, length)},
        {"wraps", [](auto& c) { c.iova = ~0ull; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, iova)},
        {"too many pages",
         [&](auto& c) {
             c.pages.addr = entries;
             c.pages.levels = 1;
             c.pages.num_pages = 3;
         },
         VRNIC_STATUS_LIMIT,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, pages) + offsetof(vrnic_page_list, num_pages)},
        {"pages that are not there", [](auto& c) { c.pages.addr = 5; }, VRNIC_STATUS_INVALID,
         VRNIC_FIELD(vrnic_cmd_rereg_mr, pages) + offsetof(vrnic_page_list, addr)},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        vrnic_cmd_rereg_mr cmd{};
        cmd.key = key;
        cmd.mask = VRNIC_REREG_TRANSLATION | VRNIC_REREG_ACCESS | VRNIC_REREG_PD;
        cmd.pdn = kPd + 1;
        cmd.access = kWrite;
        cmd.iova = 0x5000;
        cmd.length = 0x100;
        cmd.pages = contiguous(host.allocate(0x1000), 0x1000);
        c.change(cmd);
        const auto result = table.reregister(cmd);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == c.status);
        CHECK(result.error().detail == c.detail);
        CHECK(table.check(key, kPd, kIova, 0x100, kWrite));
        CHECK(table.users_of(kPd) == 1);
    }
}
