// SPDX-License-Identifier: GPL-2.0-or-later
// What the kernel has and processes do not: keys of all memory, regions that requests register
// (IBTA 10.6.5.4), the GSI queue pair.
#include <functional>
#include <vector>

#include "base/result.h"
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

constexpr std::uint32_t kPage = 4096;
constexpr std::uint64_t kFastIova = 0x5'0000'0000;
constexpr std::uint32_t kFastAccess = kAccess | VRNIC_ACCESS_REMOTE_ATOMIC;

// A privileged queue pair, and a region that it may register: pages in reverse order.
struct FastConnection : Connection {
    static constexpr std::uint32_t kPages = 4;

    explicit FastConnection(bool privileged = true)
        : Connection({.access = kFastAccess, .privileged = privileged}) {
        pages = guest.host.allocate(kPages * kPage);
        list = guest.host.allocate(kPages * sizeof(vrnic_le64));
        for (std::uint32_t i = 0; i < kPages; ++i) {
            vrnic_le64 address;
            address = pages + (kPages - 1 - i) * kPage;
            guest.host.store(list + i * sizeof(address), address);
        }
        vrnic_cmd_alloc_fast_mr fields{};
        fields.pdn = pdn;
        fields.max_pages = kPages;
        fast = Guest::handle(guest.submit(VRNIC_ADMIN_ALLOC_FAST_MR, fields));
    }
    vrnic_sqe_reg registration() const {
        vrnic_sqe_reg how{};
        how.pages = list;
        how.length = kPages * kPage - 100;
        how.num_pages = kPages;
        how.offset = 100;
        how.access = kFastAccess;
        how.page_shift = 12;
        return how;
    }
    vrnic_sqe request(const vrnic_sqe_reg& how, std::uint32_t new_key) const {
        vrnic_sqe entry{};
        entry.opcode = VRNIC_OP_REG_MR;
        entry.flags = VRNIC_SQE_SIGNALED;
        entry.rkey = new_key;
        entry.remote_addr = kFastIova;
        std::memcpy(&entry.sge[0], &how, sizeof(how));
        return entry;
    }
    std::uint8_t posted(const vrnic_sqe& entry) {
        post_send(entry);
        const auto cqe = poll();
        REQUIRE(cqe.has_value());
        return cqe->status;
    }
    std::uint8_t invalidate(std::uint32_t key) {
        vrnic_sqe entry{};
        entry.opcode = VRNIC_OP_LOCAL_INV;
        entry.flags = VRNIC_SQE_SIGNALED;
        entry.imm = key;
        return posted(entry);
    }
    // A WRITE of the peer; its syndrome.
    std::uint8_t written(std::uint32_t key, std::uint64_t address, std::uint32_t length) {
        PacketFields fields = next(kWriteOnly);
        fields.address = address;
        fields.rkey = key;
        fields.length = length;
        deliver(fields, pattern(length));
        return only().packet.syndrome;
    }
    std::uint32_t with_byte(std::uint8_t octet) const { return (fast & ~0xffu) | octet; }

    BusAddress pages = 0, list = 0;
    std::uint32_t fast = 0;
};

}  // namespace

TEST_CASE("a region is registered by a request, under the key that it names") {
    FastConnection c;
    const std::uint32_t key = c.with_byte(0x42);
    REQUIRE(unsigned(c.posted(c.request(c.registration(), key))) == VRNIC_WC_SUCCESS);
    // Across the border of the first two pages, which lie the other way round.
    CHECK(unsigned(c.written(key, kFastIova + kPage - 200, 200)) == kAckUnlimited);
    const auto data = Connection::pattern(200);
    const auto bytes = [&](BusAddress at, std::uint32_t size) {
        return c.guest.host.bytes(at, size);
    };
    const auto first = bytes(c.pages + 3 * kPage + kPage - 100, 100);
    const auto second = bytes(c.pages + 2 * kPage, 100);
    CHECK(std::equal(first.begin(), first.end(), data.begin()));
    CHECK(std::equal(second.begin(), second.end(), data.begin() + 100));
}

TEST_CASE("a fast region grants nothing before it is registered, nor after it was invalidated") {
    FastConnection c;
    CHECK(unsigned(c.written(c.fast, kFastIova, 8)) == kNakRemoteAccess);
    FastConnection d;
    const std::uint32_t key = d.with_byte(0x42);
    REQUIRE(unsigned(d.posted(d.request(d.registration(), key))) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(d.written(key, kFastIova, 8)) == kAckUnlimited);
    CHECK(unsigned(d.invalidate(key)) == VRNIC_WC_SUCCESS);
    // Again, under another key: the one before it is stale.
    const std::uint32_t next_key = d.with_byte(0x43);
    REQUIRE(unsigned(d.posted(d.request(d.registration(), next_key))) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(d.written(next_key, kFastIova, 8)) == kAckUnlimited);
    CHECK(unsigned(d.written(key, kFastIova, 8)) == kNakRemoteAccess);
}

TEST_CASE("the peer's SEND with invalidate ends a fast region") {
    FastConnection c;
    const std::uint32_t key = c.with_byte(0x42);
    REQUIRE(unsigned(c.posted(c.request(c.registration(), key))) == VRNIC_WC_SUCCESS);
    c.post_recv(0, 64);
    PacketFields fields = c.next(kSendOnlyInvalidate);
    fields.invalidate_key = key;
    c.deliver(fields);
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->opcode) == VRNIC_OP_RECV_INV);
    CHECK(cqe->imm == key);
    CHECK(unsigned(c.written(key, kFastIova, 8)) == kNakRemoteAccess);
}

TEST_CASE("registrations that are refused") {
    struct Case {
        const char* what;
        std::function<void(FastConnection&, vrnic_sqe_reg&)> change;
        std::uint32_t syndrome;
    };
    const std::vector<Case> cases = {
        {"no pages", [](auto&, auto& how) { how.num_pages = 0; }, VRNIC_SYND_OUT_OF_BOUNDS},
        {"more pages than it has", [](auto&, auto& how) { how.num_pages = 5; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"longer than its pages", [](auto&, auto& how) { how.length = 4 * kPage; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"no bytes", [](auto&, auto& how) { how.length = 0; }, VRNIC_SYND_OUT_OF_BOUNDS},
        {"an offset behind the first page", [](auto&, auto& how) { how.offset = kPage; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"pages of 2 KiB", [](auto&, auto& how) { how.page_shift = 11; }, VRNIC_SYND_OUT_OF_BOUNDS},
        {"a list that is not aligned", [](auto&, auto& how) { how.pages = how.pages + 4; },
         VRNIC_SYND_OUT_OF_BOUNDS},
        {"a list that is not there", [](auto&, auto& how) { how.pages = 0xffff'ffff'ffff'f000; },
         VRNIC_SYND_DMA_FAILED},
        {"a page that is not aligned",
         [](auto& c, auto&) { c.guest.host.store(c.list, c.pages + 8); }, VRNIC_SYND_OUT_OF_BOUNDS},
        {"access that there is not", [](auto&, auto& how) { how.access = 1u << 9; },
         VRNIC_SYND_NO_PERMISSION},
        {"zero-based", [](auto&, auto& how) { how.access = kAccess | VRNIC_ACCESS_ZERO_BASED; },
         VRNIC_SYND_NO_PERMISSION},
        {"reserved octets", [](auto&, auto& how) { how.reserved[1] = 1; }, VRNIC_SYND_BAD_WQE},
    };
    for (const Case& bad : cases) {
        CAPTURE(bad.what);
        FastConnection c;
        auto how = c.registration();
        bad.change(c, how);
        c.post_send(c.request(how, c.with_byte(0x42)));
        const auto cqe = c.poll();
        REQUIRE(cqe.has_value());
        CHECK(unsigned(cqe->status) != VRNIC_WC_SUCCESS);
        CHECK(cqe->syndrome == bad.syndrome);
        CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
    }
}

TEST_CASE("a region that is registered already is not registered again") {
    FastConnection c;
    const std::uint32_t key = c.with_byte(0x42);
    REQUIRE(unsigned(c.posted(c.request(c.registration(), key))) == VRNIC_WC_SUCCESS);
    CHECK(unsigned(c.posted(c.request(c.registration(), c.with_byte(0x43)))) ==
          VRNIC_WC_MW_BIND_ERR);
}

TEST_CASE("registering is for privileged queue pairs only") {
    FastConnection c(false);
    c.post_send(c.request(c.registration(), c.with_byte(0x42)));
    const auto cqe = c.poll();
    REQUIRE(cqe.has_value());
    CHECK(unsigned(cqe->status) == VRNIC_WC_LOC_QP_OP_ERR);
    CHECK(cqe->syndrome == VRNIC_SYND_NOT_PRIVILEGED);
}

TEST_CASE("fast regions come and go") {
    FastConnection c;
    const std::uint32_t key = c.with_byte(0x42);
    REQUIRE(unsigned(c.posted(c.request(c.registration(), key))) == VRNIC_WC_SUCCESS);
    // By any key of the region: the request's came last.
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, c.fast).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, key).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(unsigned(c.written(key, kFastIova, 8)) == kNakRemoteAccess);

    vrnic_cmd_alloc_fast_mr fields{};
    fields.pdn = c.pdn;
    CHECK(c.guest.submit(VRNIC_ADMIN_ALLOC_FAST_MR, fields).status == VRNIC_STATUS_INVALID);
    fields.max_pages = 1025;
    CHECK(c.guest.submit(VRNIC_ADMIN_ALLOC_FAST_MR, fields).status == VRNIC_STATUS_LIMIT);
    fields.max_pages = 1024;
    CHECK(c.guest.submit(VRNIC_ADMIN_ALLOC_FAST_MR, fields).status == VRNIC_STATUS_OK);
    fields.pdn = 77;
    CHECK(c.guest.submit(VRNIC_ADMIN_ALLOC_FAST_MR, fields).status == VRNIC_STATUS_NO_OBJECT);
}

TEST_CASE("a key of all memory has the bus's addresses") {
    Connection c;
    vrnic_cmd_alloc_dma_mr fields{};
    fields.pdn = c.pdn;
    fields.access = kAccess;
    const std::uint32_t key = Guest::handle(c.guest.submit(VRNIC_ADMIN_ALLOC_DMA_MR, fields));
    PacketFields write = c.next(kWriteOnly);
    write.address = c.region + 40;
    write.rkey = key;
    write.length = 100;
    c.deliver(write, Connection::pattern(100));
    CHECK(unsigned(c.only().packet.syndrome) == kAckUnlimited);
    CHECK(c.holds(40, Connection::pattern(100)));
    // Where there is no memory the bus refuses.
    write = c.next(kWriteOnly);
    write.address = 0xffff'ffff'ffff'ff00;
    write.rkey = key;
    write.length = 100;
    c.deliver(write, Connection::pattern(100));
    CHECK(unsigned(c.only().packet.syndrome) == kNakOperational);

    fields.access = kAccess | VRNIC_ACCESS_MW_BIND;
    CHECK(c.guest.submit(VRNIC_ADMIN_ALLOC_DMA_MR, fields).detail ==
          VRNIC_FIELD(vrnic_cmd_alloc_dma_mr, access));
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DEREG_MR, key).status == VRNIC_STATUS_OK);
}

TEST_CASE("there is one GSI queue pair, with number 1") {
    Connection c({.type = VRNIC_QPT_UD});
    auto fields = c.qp_fields();
    fields.type = VRNIC_QPT_GSI;
    CHECK(Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields)) == 1);
    CHECK(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields).status == VRNIC_STATUS_BUSY);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_DESTROY_QP, 1).status == VRNIC_STATUS_OK);
    CHECK(c.guest.submit_handle(VRNIC_ADMIN_QUERY_QP, 1).status == VRNIC_STATUS_NO_OBJECT);
    CHECK(Guest::handle(c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields)) == 1);
}
