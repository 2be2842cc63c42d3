// SPDX-License-Identifier: GPL-2.0-or-later
#include "roce/opcode.h"

#include <set>

#include "roce/headers.h"
#include "unit/catch.h"

using namespace vrnic::roce;

namespace {

// IBTA table 38, RC: bytes of all headers, smallest and largest payload at a path MTU of 1024.
struct Expected {
    unsigned opcode;
    unsigned header_bytes;
    unsigned least, most;
    bool request;
};
constexpr Expected kRc[] = {
    {0x00, 12, 1024, 1024, true},   // SEND first
    {0x01, 12, 1024, 1024, true},   // middle
    {0x02, 12, 1, 1024, true},      // last
    {0x03, 16, 1, 1024, true},      // last, immediate
    {0x04, 12, 0, 1024, true},      // only
    {0x05, 16, 0, 1024, true},      // only, immediate
    {0x06, 28, 1024, 1024, true},   // WRITE first
    {0x07, 12, 1024, 1024, true},   // middle
    {0x08, 12, 1, 1024, true},      // last
    {0x09, 16, 1, 1024, true},      // last, immediate
    {0x0a, 28, 0, 1024, true},      // only
    {0x0b, 32, 0, 1024, true},      // only, immediate
    {0x0c, 28, 0, 0, true},         // READ request
    {0x0d, 16, 1024, 1024, false},  // READ response first
    {0x0e, 12, 1024, 1024, false},  // middle
    {0x0f, 16, 1, 1024, false},     // last
    {0x10, 16, 0, 1024, false},     // only
    {0x11, 16, 0, 0, false},        // acknowledge
    {0x12, 24, 0, 0, false},        // atomic acknowledge
    {0x13, 40, 0, 0, true},         // compare and swap
    {0x14, 40, 0, 0, true},         // fetch and add
    {0x16, 16, 1, 1024, true},      // SEND last with invalidate
    {0x17, 16, 0, 1024, true},      // SEND only with invalidate
    {0x1c, 32, 0, 0, true},         // FLUSH
    {0x1d, 28, 8, 8, true},         // ATOMIC WRITE
};

// UC has opcodes 0x00 to 0x0b of these, UD two, with a DETH of 8 bytes, XRC all, requests with an
// XRCETH of 4.
bool uc_has(const Expected& row) {
    return row.opcode <= 0x0b;
}
bool ud_has(const Expected& row) {
    return row.opcode == 0x04 || row.opcode == 0x05;
}

}  // namespace

TEST_CASE("every RC opcode has the headers and payload of the specification") {
    for (const Expected& row : kRc) {
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(row.opcode));
        CAPTURE(row.opcode, info.name);
        CHECK(info.opcode == row.opcode);
        CHECK(info.operation != Operation::none);
        CHECK(info.header_bytes == row.header_bytes);
        CHECK(info.is_request() == row.request);
        CHECK(info.allows(row.least, 1024));
        CHECK(info.allows(row.most, 1024));
        CHECK_FALSE(info.allows(row.most + 1, 1024));
        if (row.least > 0) CHECK_FALSE(info.allows(row.least - 1, 1024));
    }
}

TEST_CASE("UC, UD and XRC have the opcodes of RC that they can carry out, with their headers") {
    const auto check = [](const Expected& row, unsigned service, unsigned headers) {
        const OpcodeInfo& rc = opcode_info(static_cast<std::uint8_t>(row.opcode));
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(service << 5 | row.opcode));
        CAPTURE(info.opcode, info.name);
        CHECK(static_cast<unsigned>(info.service()) == service);
        CHECK(info.operation == rc.operation);
        CHECK(info.position == rc.position);
        CHECK(info.payload == rc.payload);
        CHECK(info.header_bytes == row.header_bytes + headers);
    };
    for (const Expected& row : kRc) {
        if (uc_has(row)) check(row, 1, 0);
        if (ud_has(row)) check(row, 3, 8);
        check(row, 5, row.request ? 4 : 0);
    }
}

TEST_CASE("a congestion notification is 16 bytes of nothing") {
    const OpcodeInfo& info = opcode_info(0x81);
    CHECK(info.operation == Operation::congestion);
    CHECK(info.header_bytes == 12 + 16);
    CHECK_FALSE(info.is_request());
}

TEST_CASE("opcodes outside of the table are none") {
    std::set<unsigned> known = {0x81};
    for (const Expected& row : kRc) {
        known.insert({row.opcode, 5u << 5 | row.opcode});
        if (uc_has(row)) known.insert(1u << 5 | row.opcode);
        if (ud_has(row)) known.insert(3u << 5 | row.opcode);
    }
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(opcode));
        CAPTURE(opcode);
        CHECK(info.opcode == opcode);
        CHECK((info.operation == Operation::none) == !known.contains(opcode));
    }
}

TEST_CASE("first and only start a message, last and only end it") {
    for (const Expected& row : kRc) {
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(row.opcode));
        CAPTURE(info.name);
        CHECK(info.starts() ==
              (info.position == Position::first || info.position == Position::only));
        CHECK(info.ends() == (info.position == Position::last || info.position == Position::only));
    }
}
