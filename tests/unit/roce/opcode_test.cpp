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

}  // namespace

TEST_CASE("every RC opcode has the headers and payload of the specification") {
    for (const Expected& row : kRc) {
        const OpcodeInfo& info = opcode_info(static_cast<std::uint8_t>(row.opcode));
        CAPTURE(row.opcode, info.name);
        CHECK(info.opcode == row.opcode);
        CHECK(info.operation != Operation::none);
        CHECK(info.header_bytes() == row.header_bytes);
        CHECK(info.is_request() == row.request);
        CHECK(info.allows(row.least, 1024));
        CHECK(info.allows(row.most, 1024));
        CHECK_FALSE(info.allows(row.most + 1, 1024));
        if (row.least > 0) CHECK_FALSE(info.allows(row.least - 1, 1024));
    }
}

TEST_CASE("opcodes outside of the table are none") {
    std::set<unsigned> known;
    for (const Expected& row : kRc) known.insert(row.opcode);
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
