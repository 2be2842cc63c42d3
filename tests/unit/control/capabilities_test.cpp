// SPDX-License-Identifier: GPL-2.0-or-later
// A device without something: its capabilities say so, and who asks for it all the same is refused.
#include "control/capabilities.h"

#include <vector>

#include "base/result.h"
#include "unit/catch.h"
#include "unit/rdma/connection.h"

using namespace vrnic;
using namespace vrnic::test;
using namespace vrnic::roce;

namespace {

std::uint64_t features_without(std::uint64_t without) {
    EngineConfig config;
    config.without = without;
    return capabilities(config).features;
}

}  // namespace

TEST_CASE("what a device is not to have is not among its capabilities, nor what needs it") {
    const std::uint64_t all = features_without(0);
    CHECK(features_without(VRNIC_CAP_UC) == (all & ~VRNIC_CAP_UC));
    CHECK(features_without(VRNIC_CAP_UD) == (all & ~(VRNIC_CAP_UD | VRNIC_CAP_MCAST)));
    CHECK(features_without(VRNIC_CAP_SRQ) ==
          (all & ~(VRNIC_CAP_SRQ | VRNIC_CAP_SRQ_RESIZE | VRNIC_CAP_XRC)));
    CHECK(features_without(VRNIC_CAP_ATOMIC) == (all & ~VRNIC_CAP_ATOMIC));
    CHECK(features_without(VRNIC_CAP_WINDOWS) == (all & ~VRNIC_CAP_WINDOWS));
}

TEST_CASE("queue pairs of a type that the device does not have are refused") {
    struct Type {
        std::uint8_t type;
        std::uint64_t feature;
    };
    // (An XRC target needs a domain, which cannot be had without XRC.)
    const auto [type, feature] =
        GENERATE(Type{VRNIC_QPT_RC, VRNIC_CAP_RC}, Type{VRNIC_QPT_UC, VRNIC_CAP_UC},
                 Type{VRNIC_QPT_UD, VRNIC_CAP_UD}, Type{VRNIC_QPT_XRC_INI, VRNIC_CAP_XRC},
                 Type{VRNIC_QPT_GSI, VRNIC_CAP_KERNEL});
    CAPTURE(unsigned{type});
    // One of another type is there.
    Connection c(
        {.type = type == VRNIC_QPT_RC ? std::uint8_t{VRNIC_QPT_UC} : std::uint8_t{VRNIC_QPT_RC},
         .without = feature});
    auto fields = c.qp_fields();
    fields.type = type;
    const auto answer = c.guest.submit(VRNIC_ADMIN_CREATE_QP, fields);
    CHECK(answer.status == VRNIC_STATUS_UNSUPPORTED);
    CHECK(answer.detail == VRNIC_FIELD(vrnic_cmd_create_qp, type));
}

TEST_CASE("commands for what the device does not have are refused") {
    struct Command {
        std::uint16_t opcode;
        std::uint64_t feature;
    };
    const auto [opcode, feature] = GENERATE(Command{VRNIC_ADMIN_ALLOC_MW, VRNIC_CAP_WINDOWS},
                                            Command{VRNIC_ADMIN_ALLOC_XRCD, VRNIC_CAP_XRC},
                                            Command{VRNIC_ADMIN_ALLOC_XRCD, VRNIC_CAP_SRQ},
                                            Command{VRNIC_ADMIN_ATTACH_MCAST, VRNIC_CAP_UD},
                                            Command{VRNIC_ADMIN_CREATE_SRQ, VRNIC_CAP_SRQ});
    CAPTURE(opcode);
    EngineConfig config = Guest::default_config();
    config.without = feature;
    Guest without(config);
    CHECK(without.submit_empty(opcode).status == VRNIC_STATUS_UNSUPPORTED);
    Guest with;
    CHECK(with.submit_empty(opcode).status != VRNIC_STATUS_UNSUPPORTED);
}

TEST_CASE("requests for operations that the device does not have fail, those of the peer, too") {
    struct Row {
        std::uint8_t operation;
        Opcode packet;
        std::uint64_t feature;
    };
    const auto [operation, packet, feature] =
        GENERATE(Row{VRNIC_OP_FETCH_ADD, kFetchAdd, VRNIC_CAP_ATOMIC},
                 Row{VRNIC_OP_COMPARE_SWAP, kCompareSwap, VRNIC_CAP_ATOMIC},
                 Row{VRNIC_OP_ATOMIC_WRITE, kAtomicWrite, VRNIC_CAP_ATOMIC_WRITE},
                 Row{VRNIC_OP_FLUSH, kFlush, VRNIC_CAP_FLUSH_GLOBAL});
    CAPTURE(unsigned{operation});
    {
        Connection c({.without = feature});
        c.post_send(c.send_entry(operation, 0, 8));
        CHECK(c.sent().empty());
        const auto cqe = c.poll();
        REQUIRE(cqe.has_value());
        CHECK(unsigned(cqe->status) == VRNIC_WC_LOC_QP_OP_ERR);
        CHECK(cqe->syndrome == VRNIC_SYND_BAD_OPCODE);
    }
    Connection c({.access = VRNIC_ACCESS_ALL, .without = feature});
    c.post_recv(0, 64);
    PacketFields fields = c.next(packet);
    fields.address = kIova;
    fields.rkey = c.key;
    c.deliver(fields, packet == kAtomicWrite ? Connection::pattern(8) : std::vector<std::byte>{});
    const Sent nak = c.only();
    CHECK(unsigned(nak.opcode()) == kAcknowledge);
    CHECK(unsigned(nak.packet.syndrome) == kNakInvalidRequest);
    CHECK(unsigned(c.state()) == VRNIC_QPS_ERR);
}
