// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/paged_memory.h"

#include <numeric>

#include "unit/catch.h"
#include "unit/fake_host.h"

using namespace vrnic;
using vrnic::test::FakeHost;

namespace {

constexpr std::uint32_t kField = 40;  // where the list is said to lie in its command
constexpr std::uint32_t kMaxPages = 2000;

vrnic_page_list list(unsigned levels, BusAddress address, std::uint32_t pages,
                     std::uint32_t offset = 0, unsigned shift = 12) {
    vrnic_page_list out{};
    out.addr = address;
    out.num_pages = pages;
    out.offset = offset;
    out.page_shift = static_cast<std::uint8_t>(shift);
    out.levels = static_cast<std::uint8_t>(levels);
    return out;
}

// Stores a table of addresses; returns where.
BusAddress table(FakeHost& host, const std::vector<BusAddress>& entries) {
    const BusAddress at = host.allocate(entries.size() * 8);
    for (std::size_t i = 0; i < entries.size(); ++i) host.store(at + i * 8, entries[i]);
    return at;
}

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> out(size);
    for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 + i / 251);
    return out;
}

}  // namespace

TEST_CASE("PagedMemory over scattered pages reads back what it wrote, page by page") {
    FakeHost host;
    const BusAddress a = host.allocate(0x1000), b = host.allocate(0x1000),
                     c = host.allocate(0x1000);
    const auto tables = GENERATE(1u, 2u, 3u);
    BusAddress top = table(host, {c, a, b});
    for (unsigned level = 1; level < tables; ++level) top = table(host, {top});

    auto memory = PagedMemory::create(host, list(tables, top, 3, 0x800), 0x2800, kMaxPages, kField);
    REQUIRE(memory);
    CHECK(memory->pages() == 3);
    CHECK(memory->length() == 0x2800);

    const auto data = pattern(0x2800);
    REQUIRE(memory->write(host, 0, data));
    CHECK(std::ranges::equal(host.bytes(c + 0x800, 0x800), std::span(data).first(0x800)));
    CHECK(std::ranges::equal(host.bytes(a, 0x1000), std::span(data).subspan(0x800, 0x1000)));
    CHECK(std::ranges::equal(host.bytes(b, 0x1000), std::span(data).subspan(0x1800, 0x1000)));

    std::vector<std::byte> back(0x1003);
    REQUIRE(memory->read(host, 0x7ff, back));
    CHECK(std::ranges::equal(back, std::span(data).subspan(0x7ff, 0x1003)));
    REQUIRE(memory->store64(host, 0x808, 0x1122334455667788));
    CHECK(host.load<std::uint64_t>(a + 8) == 0x1122334455667788);
}

TEST_CASE("PagedMemory reads the tables once") {
    FakeHost host;
    const BusAddress page = host.allocate(0x1000), other = host.allocate(0x1000);
    const BusAddress top = table(host, {page});
    auto memory = PagedMemory::create(host, list(1, top, 1), 0x1000, kMaxPages, kField);
    REQUIRE(memory);
    host.store(top, other);
    REQUIRE(memory->store64(host, 0, 1));
    CHECK(host.load<std::uint64_t>(page) == 1);
    CHECK(host.load<std::uint64_t>(other) == 0);
}

TEST_CASE("PagedMemory with more pages than one table holds") {
    FakeHost host;
    constexpr std::uint32_t kPages = 1100;  // three tables
    const BusAddress first = host.allocate(0x1000), last = host.allocate(0x1000);
    const BusAddress tables[3] = {host.allocate(4096), host.allocate(4096), host.allocate(4096)};
    for (std::uint32_t i = 0; i < kPages; ++i)
        host.store(tables[i / 512] + i % 512 * 8, i == kPages - 1 ? last : first);
    const BusAddress top = table(host, {tables[0], tables[1], tables[2]});
    auto memory = PagedMemory::create(host, list(2, top, kPages), std::uint64_t{kPages} << 12,
                                      kMaxPages, kField);
    REQUIRE(memory);
    CHECK(memory->pages() == kPages);
    REQUIRE(memory->store64(host, std::uint64_t{kPages - 1} << 12, 5));
    CHECK(host.load<std::uint64_t>(last) == 5);
}

TEST_CASE("PagedMemory joins neighbouring pages into one access, scattered ones not") {
    FakeHost host;
    const BusAddress three = host.allocate(0x3000), alone = host.allocate(0x1000);
    const BusAddress top = table(host, {three, three + 0x1000, three + 0x2000, alone, three});
    auto memory = PagedMemory::create(host, list(1, top, 5), 0x5000, kMaxPages, kField);
    REQUIRE(memory);
    std::vector<std::size_t> sizes;
    host.on_dma = [&](BusAddress, std::size_t size) { sizes.push_back(size); };
    std::vector<std::byte> all(0x5000);
    REQUIRE(memory->read(host, 0, all));
    CHECK(sizes == std::vector<std::size_t>{0x4000, 0x1000});  // alone happens to follow three
}

TEST_CASE("PagedMemory of pages in a row is one piece, and keeps no list") {
    FakeHost host;
    const BusAddress three = host.allocate(0x3000);
    const BusAddress top = table(host, {three, three + 0x1000, three + 0x2000});
    auto memory = PagedMemory::create(host, list(1, top, 3, 0x10), 0x2000, kMaxPages, kField);
    REQUIRE(memory);
    CHECK(memory->pages() == 0);
    CHECK(memory->length() == 0x2000);
    std::vector<std::size_t> sizes;
    host.on_dma = [&](BusAddress, std::size_t size) { sizes.push_back(size); };
    const auto data = pattern(0x2000);
    REQUIRE(memory->write(host, 0, data));
    CHECK(sizes == std::vector<std::size_t>{0x2000});
    CHECK(std::ranges::equal(host.bytes(three + 0x10, 0x2000), data));

    // Not around the end of the address space.
    const BusAddress around = table(host, {0xfffffffffffff000, 0});
    memory = PagedMemory::create(host, list(1, around, 2), 0x2000, kMaxPages, kField);
    REQUIRE(memory);
    CHECK(memory->pages() == 2);

    auto fast = PagedMemory::unfilled(4);
    REQUIRE(fast.refill(host, top, 3, 12, 0x10, 0x2000) == PagedMemory::Refill::done);
    CHECK(fast.pages() == 4);  // those of later
    sizes.clear();
    std::vector<std::byte> back(0x2000);
    REQUIRE(fast.read(host, 0, back));
    CHECK(sizes == std::vector<std::size_t>{0x2000});
    CHECK(back == data);
    // And apart again.
    const BusAddress apart = table(host, {three, three + 0x2000});
    REQUIRE(fast.refill(host, apart, 2, 12, 0, 0x2000) == PagedMemory::Refill::done);
    sizes.clear();
    REQUIRE(fast.read(host, 0, back));
    CHECK(sizes == std::vector<std::size_t>{0x1000, 0x1000});
}

TEST_CASE("PagedMemory tells when the bus refuses") {
    FakeHost host;
    const BusAddress a = host.allocate(0x1000), b = host.allocate(0x1000);
    const BusAddress top = table(host, {b, a});
    auto memory = PagedMemory::create(host, list(1, top, 2), 0x2000, kMaxPages, kField);
    REQUIRE(memory);
    host.hole = a;
    std::vector<std::byte> data(0x1001);
    CHECK_FALSE(memory->read(host, 0, data));
    CHECK_FALSE(memory->write(host, 0, data));
    CHECK_FALSE(memory->store64(host, 0x1000, 0));
    CHECK(memory->write(host, 0, std::span(data).first(0x1000)));
}

TEST_CASE("PagedMemory refuses bad page lists") {
    FakeHost host;
    const BusAddress page = host.allocate(0x1000);
    const BusAddress good = table(host, {page, page});
    const BusAddress odd_page = table(host, {page, page + 8});
    const BusAddress odd_table = table(host, {good + 8});
    const BusAddress lost_table = table(host, {0x7000});
    constexpr std::uint32_t kAddr = kField + offsetof(vrnic_page_list, addr);
    constexpr std::uint32_t kNumPages = kField + offsetof(vrnic_page_list, num_pages);
    constexpr std::uint32_t kOffset = kField + offsetof(vrnic_page_list, offset);
    constexpr std::uint32_t kShift = kField + offsetof(vrnic_page_list, page_shift);
    constexpr std::uint32_t kLevels = kField + offsetof(vrnic_page_list, levels);

    struct Case {
        const char* what;
        vrnic_page_list list;
        std::uint64_t length;
        std::uint16_t status;
        std::uint32_t detail;
    };
    const std::vector<Case> cases = {
        {"page shift too small", list(0, page, 1, 0, 11), 8, VRNIC_STATUS_INVALID, kShift},
        {"page shift too large", list(0, page, 1, 0, 31), 8, VRNIC_STATUS_INVALID, kShift},
        {"page shift huge", list(0, page, 1, 0, 255), 8, VRNIC_STATUS_INVALID, kShift},
        {"levels", list(4, good, 1), 8, VRNIC_STATUS_INVALID, kLevels},
        {"no pages", list(1, good, 0), 8, VRNIC_STATUS_INVALID, kNumPages},
        {"too many pages", list(1, good, kMaxPages + 1), 8, VRNIC_STATUS_LIMIT, kNumPages},
        {"as many pages as fit a number", list(3, good, ~0u), 8, VRNIC_STATUS_LIMIT, kNumPages},
        {"as many contiguous pages as fit a number", list(0, page, ~0u, 0, 30), 8,
         VRNIC_STATUS_LIMIT, kNumPages},
        {"offset of a page", list(1, good, 2, 0x1000), 8, VRNIC_STATUS_INVALID, kOffset},
        {"no bytes", list(1, good, 1), 0, VRNIC_STATUS_INVALID, kNumPages},
        {"longer than its pages", list(1, good, 2), 0x2001, VRNIC_STATUS_INVALID, kNumPages},
        {"longer than its pages after the offset", list(1, good, 2, 8), 0x1ff9,
         VRNIC_STATUS_INVALID, kNumPages},
        {"longest length", list(1, good, 2, 8), ~0ull, VRNIC_STATUS_INVALID, kNumPages},
        {"misaligned range", list(0, page + 8, 1), 8, VRNIC_STATUS_INVALID, kAddr},
        {"range that wraps", list(0, ~0ull << 12, 2), 8, VRNIC_STATUS_INVALID, kAddr},
        {"misaligned top", list(1, good + 4, 1), 8, VRNIC_STATUS_INVALID, kAddr},
        {"misaligned page", list(1, odd_page, 2), 8, VRNIC_STATUS_INVALID, kAddr},
        {"misaligned large page", list(1, good, 1, 0, 30), 8, VRNIC_STATUS_INVALID, kAddr},
        {"misaligned lower table", list(2, odd_table, 1), 8, VRNIC_STATUS_INVALID, kAddr},
        {"top outside memory", list(1, 0x1000, 1), 8, VRNIC_STATUS_DMA, kAddr},
        {"top at the end of everything", list(1, ~0ull - 7, 2), 8, VRNIC_STATUS_DMA, kAddr},
        {"lower table outside memory", list(2, lost_table, 1), 8, VRNIC_STATUS_DMA, kAddr},
    };
    for (const Case& c : cases) {
        CAPTURE(c.what);
        const auto result = PagedMemory::create(host, c.list, c.length, kMaxPages, kField);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == c.status);
        CHECK(result.error().detail == c.detail);
    }

    for (unsigned i = 0; i < sizeof(vrnic_page_list::reserved); ++i) {
        vrnic_page_list bad = list(0, page, 1);
        bad.reserved[i] = 1;
        const auto result = PagedMemory::create(host, bad, 8, kMaxPages, kField);
        REQUIRE_FALSE(result);
        CHECK(result.error().status == VRNIC_STATUS_RESERVED);
    }
}

TEST_CASE("PagedMemory takes pages at the end of the address space, and does not go around it") {
    FakeHost host;
    const BusAddress top = table(host, {~0ull << 12, 0});
    auto memory = PagedMemory::create(host, list(1, top, 2), 0x2000, kMaxPages, kField);
    REQUIRE(memory);
    std::vector<std::size_t> sizes;
    host.on_dma = [&](BusAddress, std::size_t size) { sizes.push_back(size); };
    std::vector<std::byte> data(0x2000);
    CHECK_FALSE(memory->read(host, 0, data));
    CHECK(sizes == std::vector<std::size_t>{0x1000});
}
