// SPDX-License-Identifier: GPL-2.0-or-later
// A bench with a connection whose other end is the test.
#pragma once

#include "support/bench.h"
#include "support/frame.h"

namespace vrnic::device_test {

inline constexpr std::uint32_t kPeer = 0x0a000002;
inline constexpr std::array<std::uint8_t, 6> kPeerMac = {0x52, 0x54, 0, 0, 0, 2};
inline constexpr std::uint32_t kPeerQpn = 0x77;
inline constexpr std::uint32_t kPsn = 0x123;  // as Driver::connect sets both directions

// A queue pair in RTS, connected to a peer that is this test.
struct Connected : Bench {
    explicit Connected(const MachineOptions& options = {}) : Bench(options) {
        bring_up();
        pdn = driver.must(VRNIC_ADMIN_ALLOC_PD).handle();
        cq = driver.create_cq();
        qp = driver.create_qp(pdn, cq, cq);
        driver.connect(qp, kPeerQpn, kPeerMac, kPeer);
        buffer = machine.allocate(16384);
        key = driver.register_memory(pdn, buffer, 16384);
    }

    RoceFrame from_peer(std::uint8_t opcode, std::vector<std::uint8_t> body) const {
        RoceFrame frame;
        frame.opcode = opcode;
        frame.qpn = qp.qpn;
        frame.psn = kPsn;
        frame.body = std::move(body);
        return frame;
    }

    std::uint32_t pdn = 0, key = 0;
    Cq cq;
    Qp qp;
    std::uint64_t buffer = 0;
};

}  // namespace vrnic::device_test
