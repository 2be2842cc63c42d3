// SPDX-License-Identifier: GPL-2.0-or-later
// Memory windows: who may bind what, and what they grant then (IBTA 10.6.7.2).
#include <functional>

#include "rdma/mr.h"
#include "unit/catch.h"
#include "unit/fake_host.h"
#include "vrnic_ring.h"

using namespace vrnic;
using namespace vrnic::test;

namespace {

constexpr KeyUser kUser{.pdn = 3, .qpn = 0x20};
constexpr std::uint64_t kIova = 0x7f00'0000'0100;
constexpr std::uint32_t kRead = VRNIC_ACCESS_REMOTE_READ;
constexpr std::uint32_t kWrite = VRNIC_ACCESS_REMOTE_WRITE;

// A region that allows binding, and a window of each type.
struct Windows {
    Windows() : table(host, {16, 16, 16}) {
        mr = register_region(VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_MW_BIND);
        type_1 = alloc(VRNIC_MW_TYPE_1);
        type_2 = alloc(VRNIC_MW_TYPE_2);
    }
    std::uint32_t register_region(std::uint32_t access, std::uint32_t pdn = kUser.pdn) {
        vrnic_cmd_reg_mr cmd{};
        cmd.pdn = pdn;
        cmd.access = access;
        cmd.iova = access & VRNIC_ACCESS_ZERO_BASED ? 0 : kIova;
        cmd.length = 0x800;
        cmd.pages = contiguous(host.allocate(0x1000), 0x1000);
        return table.register_region(cmd).value();
    }
    std::uint32_t alloc(std::uint8_t type, std::uint32_t pdn = kUser.pdn) {
        vrnic_cmd_alloc_mw cmd{};
        cmd.pdn = pdn;
        cmd.type = type;
        return table.alloc_window(cmd).value();
    }
    WindowBind how(std::uint32_t window, std::uint32_t access = kRead | kWrite) const {
        return {.key = next(window),
                .mr_key = mr,
                .address = kIova + 0x100,
                .length = 0x10,
                .access = access};
    }
    static std::uint32_t next(std::uint32_t key) { return (key & ~0xffu) | ((key + 1) & 0xff); }
    Syndrome remote(std::uint32_t key, std::uint64_t address, std::uint64_t length,
                    std::uint32_t access = kRead, KeyUser user = kUser) const {
        const auto view = table.check_remote(key, user, address, length, access);
        return view ? VRNIC_SYND_NONE : view.error();
    }

    FakeHost host;
    MrTable table;
    std::uint32_t mr, type_1, type_2;
};

}  // namespace

TEST_CASE("a window grants what it was bound to, and nothing else") {
    Windows w;
    const std::uint32_t window = GENERATE(1, 2) == 1 ? w.type_1 : w.type_2;
    CHECK(w.remote(window, kIova + 0x100, 1) == VRNIC_SYND_BAD_KEY);
    const WindowBind how = w.how(window, kRead);
    REQUIRE(w.table.bind(kUser, how));
    CHECK(w.remote(how.key, kIova + 0x100, 0x10) == VRNIC_SYND_NONE);
    CHECK(w.table.check_remote(how.key, kUser, kIova + 0x104, 1, kRead)->offset == 0x104);
    CHECK(w.remote(how.key, kIova + 0xff, 1) == VRNIC_SYND_OUT_OF_BOUNDS);
    CHECK(w.remote(how.key, kIova + 0x10f, 2) == VRNIC_SYND_OUT_OF_BOUNDS);
    CHECK(w.remote(how.key, kIova + 0x100, 1, kWrite) == VRNIC_SYND_NO_PERMISSION);
    CHECK(w.remote(window, kIova + 0x100, 1) == VRNIC_SYND_BAD_KEY);  // the key before
    CHECK(w.remote(how.key, kIova + 0x100, 1, kRead, {.pdn = 4, .qpn = kUser.qpn}) ==
          VRNIC_SYND_WRONG_PD);
    // No key for local use.
    CHECK(w.table.check(how.key, kUser.pdn, kIova + 0x100, 1, 0).error() == VRNIC_SYND_BAD_KEY);
    // The region itself grants its peers nothing.
    CHECK(w.remote(w.mr, kIova + 0x100, 1) == VRNIC_SYND_NO_PERMISSION);
}

TEST_CASE("a type 2 window is its queue pair's, a type 1 window its domain's") {
    Windows w;
    const KeyUser other{.pdn = kUser.pdn, .qpn = 0x21};
    const WindowBind one = w.how(w.type_1), two = w.how(w.type_2);
    REQUIRE(w.table.bind(kUser, one));
    REQUIRE(w.table.bind(kUser, two));
    CHECK(w.remote(one.key, kIova + 0x100, 1, kRead, other) == VRNIC_SYND_NONE);
    CHECK(w.remote(two.key, kIova + 0x100, 1, kRead, other) == VRNIC_SYND_WRONG_QP);
    CHECK(w.table.invalidate(other, two.key).error() == VRNIC_SYND_WRONG_QP);
    w.table.forget_qp(other.qpn);
    CHECK(w.remote(two.key, kIova + 0x100, 1) == VRNIC_SYND_NONE);
    w.table.forget_qp(kUser.qpn);
    CHECK(w.remote(two.key, kIova + 0x100, 1) == VRNIC_SYND_BAD_KEY);
    CHECK(w.remote(one.key, kIova + 0x100, 1) == VRNIC_SYND_NONE);
}

TEST_CASE("a zero-based window of type 2") {
    Windows w;
    const WindowBind how = w.how(w.type_2, kRead | VRNIC_ACCESS_ZERO_BASED);
    REQUIRE(w.table.bind(kUser, how));
    CHECK(w.table.check_remote(how.key, kUser, 4, 1, kRead)->offset == 0x104);
    CHECK(w.remote(how.key, 0x10, 1) == VRNIC_SYND_OUT_OF_BOUNDS);
}

TEST_CASE("type 1: each bind replaces the one before; no bytes unbind") {
    Windows w;
    WindowBind how = w.how(w.type_1);
    REQUIRE(w.table.bind(kUser, how));
    const std::uint32_t first = how.key;
    how.key = Windows::next(first);
    how.address = kIova + 0x200;
    REQUIRE(w.table.bind(kUser, how));
    CHECK(w.remote(first, kIova + 0x100, 1) == VRNIC_SYND_BAD_KEY);
    CHECK(w.remote(how.key, kIova + 0x200, 1) == VRNIC_SYND_NONE);
    CHECK(w.table.deregister(w.mr).error().status == VRNIC_STATUS_BUSY);
    REQUIRE(w.table.bind(
        kUser,
        {.key = Windows::next(how.key), .mr_key = 0, .address = 0, .length = 0, .access = 0}));
    CHECK(w.remote(how.key, kIova + 0x200, 1) == VRNIC_SYND_BAD_KEY);
    CHECK(w.remote(Windows::next(how.key), kIova + 0x200, 1) == VRNIC_SYND_BAD_KEY);
    CHECK(w.table.deregister(w.mr));
}

TEST_CASE("type 2: bound once, until it is invalidated") {
    Windows w;
    WindowBind how = w.how(w.type_2);
    REQUIRE(w.table.bind(kUser, how));
    how.key = Windows::next(how.key);
    CHECK(w.table.bind(kUser, how).error() == VRNIC_SYND_WINDOW_STATE);
    how.key -= 1;
    REQUIRE(w.table.invalidate(kUser, how.key));
    CHECK(w.remote(how.key, kIova + 0x100, 1) == VRNIC_SYND_BAD_KEY);
    CHECK(w.table.invalidate(kUser, how.key));  // grants nothing: so be it
    REQUIRE(w.table.bind(kUser, how));
    CHECK(w.remote(how.key, kIova + 0x100, 1) == VRNIC_SYND_NONE);
}

TEST_CASE("binds that are refused leave everything as it was") {
    Windows w;
    const std::uint32_t plain = w.register_region(VRNIC_ACCESS_LOCAL_WRITE);
    const std::uint32_t read_only = w.register_region(VRNIC_ACCESS_MW_BIND);
    const std::uint32_t foreign = w.register_region(VRNIC_ACCESS_MW_BIND, 4);
    const std::uint32_t zero = w.register_region(VRNIC_ACCESS_LOCAL_WRITE | VRNIC_ACCESS_MW_BIND |
                                                 VRNIC_ACCESS_ZERO_BASED);
    const std::uint32_t foreign_window = w.alloc(VRNIC_MW_TYPE_2, 4);
    struct Case {
        const char* what;
        bool type_1, type_2;  // of which windows it is true
        std::function<void(WindowBind&)> change;
        Syndrome reason;
    };
    const std::vector<Case> cases = {
        {"no such window", true, true, [](auto& h) { h.key += 0x5000; }, VRNIC_SYND_BAD_KEY},
        {"a region's key as window", true, true, [&](auto& h) { h.key = w.mr; },
         VRNIC_SYND_BAD_KEY},
        {"another's window", true, true, [&](auto& h) { h.key = foreign_window; },
         VRNIC_SYND_WRONG_PD},
        {"no such region", true, true, [](auto& h) { h.mr_key ^= 1; }, VRNIC_SYND_BAD_KEY},
        {"a window as region", true, true, [&](auto& h) { h.mr_key = w.type_1; },
         VRNIC_SYND_BAD_KEY},
        {"another's region", true, true, [&](auto& h) { h.mr_key = foreign; }, VRNIC_SYND_WRONG_PD},
        {"region without binding", true, true, [&](auto& h) { h.mr_key = plain; },
         VRNIC_SYND_NO_PERMISSION},
        {"writable window on a region that is not", true, true,
         [&](auto& h) { h.mr_key = read_only; }, VRNIC_SYND_NO_PERMISSION},
        {"zero-based region", true, true,
         [&](auto& h) {
             h.mr_key = zero;
             h.address = 0;
         },
         VRNIC_SYND_NO_PERMISSION},
        {"before the region", true, true, [](auto& h) { h.address = kIova - 1; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"past the region", true, true, [](auto& h) { h.length = 0x701; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"length that wraps", true, true, [](auto& h) { h.length = ~0ull; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"local write", true, true, [](auto& h) { h.access |= VRNIC_ACCESS_LOCAL_WRITE; },
         VRNIC_SYND_NO_PERMISSION},
        {"the same key again", true, false, [](auto& h) { h.key -= 1; }, VRNIC_SYND_BAD_KEY},
        {"zero-based", true, false, [](auto& h) { h.access |= VRNIC_ACCESS_ZERO_BASED; },
         VRNIC_SYND_WINDOW_STATE},
        {"no bytes", false, true, [](auto& h) { h.length = 0; }, VRNIC_SYND_WINDOW_STATE},
    };
    for (const Case& c : cases) {
        for (const bool two : {false, true}) {
            if (!(two ? c.type_2 : c.type_1)) continue;
            CAPTURE(c.what, two);
            WindowBind how = w.how(two ? w.type_2 : w.type_1);
            c.change(how);
            const auto result = w.table.bind(kUser, how);
            REQUIRE_FALSE(result);
            CHECK(result.error() == c.reason);
            CHECK(w.remote(how.key, kIova + 0x100, 1) != VRNIC_SYND_NONE);
        }
    }
    CHECK(w.table.deregister(w.mr));  // nothing is bound
}

TEST_CASE("what cannot be invalidated") {
    Windows w;
    const WindowBind one = w.how(w.type_1), two = w.how(w.type_2);
    REQUIRE(w.table.bind(kUser, one));
    REQUIRE(w.table.bind(kUser, two));
    const KeyUser foreign{.pdn = 4, .qpn = kUser.qpn};
    CHECK(w.table.invalidate(kUser, one.key).error() == VRNIC_SYND_NO_PERMISSION);
    CHECK(w.table.invalidate(kUser, w.mr).error() == VRNIC_SYND_NO_PERMISSION);
    CHECK(w.table.invalidate(kUser, two.key ^ 1).error() == VRNIC_SYND_BAD_KEY);
    CHECK(w.table.invalidate(kUser, 0).error() == VRNIC_SYND_BAD_KEY);
    CHECK(w.table.invalidate(foreign, two.key).error() == VRNIC_SYND_WRONG_PD);
    CHECK(w.remote(one.key, kIova + 0x100, 1) == VRNIC_SYND_NONE);
    CHECK(w.remote(two.key, kIova + 0x100, 1) == VRNIC_SYND_NONE);
}

TEST_CASE("a region with windows stays, until they are gone") {
    Windows w;
    REQUIRE(w.table.bind(kUser, w.how(w.type_1)));
    REQUIRE(w.table.bind(kUser, w.how(w.type_2)));
    vrnic_cmd_rereg_mr rereg{};
    rereg.key = w.mr;
    rereg.mask = VRNIC_REREG_ACCESS;
    CHECK(w.table.reregister(rereg).error().status == VRNIC_STATUS_BUSY);
    CHECK(w.table.deregister(w.mr).error().status == VRNIC_STATUS_BUSY);
    CHECK(w.table.users_of(kUser.pdn) == 3);
    REQUIRE(w.table.dealloc_window(w.type_1));  // the key it had first
    CHECK(w.table.deregister(w.mr).error().status == VRNIC_STATUS_BUSY);
    REQUIRE(w.table.dealloc_window(w.type_2));
    CHECK(w.table.dealloc_window(w.type_2).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(w.table.dealloc_window(w.mr).error().status == VRNIC_STATUS_NO_OBJECT);
    REQUIRE(w.table.deregister(w.mr));
    CHECK(w.table.users_of(kUser.pdn) == 0);
    CHECK(w.table.deregister(w.type_1).error().status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE("a window's last key does not come back with the next object") {
    FakeHost host;
    MrTable table(host, {1, 16, 16});
    vrnic_cmd_alloc_mw cmd{};
    cmd.pdn = kUser.pdn;
    cmd.type = VRNIC_MW_TYPE_1;
    const std::uint32_t first = table.alloc_window(cmd).value();
    REQUIRE(
        table.bind(kUser, {.key = first + 1, .mr_key = 0, .address = 0, .length = 0, .access = 0}));
    REQUIRE(table.dealloc_window(first));
    CHECK(table.alloc_window(cmd).value() == first + 2);
    cmd.type = 3;
    CHECK(table.alloc_window(cmd).error().detail == VRNIC_FIELD(vrnic_cmd_alloc_mw, type));
}

TEST_CASE(
    "a region that is revoked grants nothing, and its windows do not, until it is registered "
    "anew") {
    Windows w;
    const WindowBind how = w.how(w.type_2, kRead);
    REQUIRE(w.table.bind(kUser, how));
    REQUIRE(w.table.check(w.mr, kUser.pdn, kIova, 1, 0));
    REQUIRE(w.table.revoke(w.mr));
    CHECK(w.table.check(w.mr, kUser.pdn, kIova, 1, 0).error() == VRNIC_SYND_BAD_KEY);
    CHECK(w.remote(how.key, kIova + 0x100, 1) == VRNIC_SYND_BAD_KEY);
    CHECK(w.table.bind(kUser, w.how(w.type_1, kRead)).error() == VRNIC_SYND_BAD_KEY);
    CHECK(w.table.deregister(w.mr).error().status == VRNIC_STATUS_BUSY);
    CHECK(w.table.revoke(w.mr + 1).error().status == VRNIC_STATUS_NO_OBJECT);
    CHECK(w.table.revoke(w.type_1).error().status == VRNIC_STATUS_NO_OBJECT);

    REQUIRE(w.table.invalidate(kUser, how.key));
    vrnic_cmd_rereg_mr again{};
    again.key = w.mr;
    again.mask = VRNIC_REREG_TRANSLATION;
    again.iova = kIova;
    again.length = 0x800u;
    again.pages = contiguous(w.host.allocate(0x1000), 0x1000);
    REQUIRE(w.table.reregister(again));
    CHECK(w.table.check(w.mr, kUser.pdn, kIova, 1, 0));
    REQUIRE(w.table.deregister(w.mr));
}
