// SPDX-License-Identifier: GPL-2.0-or-later
// The driver's side of one Ethernet ring, for unit tests.
#pragma once

#include "unit/guest.h"

namespace vrnic::test {

// A guest whose port is up, with one ring of 4 descriptors and a CQ for it.
template <typename Descriptor>
struct RingGuest : Guest {
    static constexpr std::uint8_t kLogSize = 2;

    std::uint8_t direction;
    Eq async = create_eq(0, 0);
    Eq events = create_eq(1, kCompletionVector);
    Cq cq = create_cq(0, 1);
    BusAddress ring_address = host.allocate(0x1000);
    BusAddress record = host.allocate(0x1000);
    std::uint32_t produced = 0;
    std::uint32_t queue = 0;

    explicit RingGuest(std::uint8_t direction) : direction(direction) {
        queue = create();
        set_port(VRNIC_PORT_UP, 9000);
    }

    vrnic_cmd_create_eth_queue fields() {
        vrnic_cmd_create_eth_queue out{};
        out.direction = direction;
        out.log_size = kLogSize;
        out.cqn = cq.cqn;
        out.ring = contiguous(ring_address, 0x1000);
        out.dbrec = record;
        return out;
    }
    std::uint32_t create() {
        produced = 0;
        publish(0);
        return handle(submit(VRNIC_ADMIN_CREATE_ETH_QUEUE, fields()));
    }
    void publish(std::uint32_t index) {
        vrnic_le32 value;
        value = index;
        host.store(record, value);
    }
    // Writes a descriptor and the record, rings no doorbell.
    void post(const Descriptor& descriptor) {
        host.store(ring_address + (produced & ((1u << kLogSize) - 1)) * sizeof(descriptor),
                   descriptor);
        publish(++produced);
    }
    void doorbell() {
        ring(0, direction == VRNIC_ETH_TX ? VRNIC_DB_TYPE_ETH_TX : VRNIC_DB_TYPE_ETH_RX, queue);
    }
};

}  // namespace vrnic::test
