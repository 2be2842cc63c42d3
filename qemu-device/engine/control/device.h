// SPDX-License-Identifier: GPL-2.0-or-later
// All objects of one device, for those who carry out the driver's requests.
#pragma once

#include "base/counters.h"
#include "capture/wire.h"
#include "control/config.h"
#include "control/events.h"
#include "control/uar.h"
#include "ethernet/port.h"
#include "ethernet/receive.h"
#include "ethernet/transmit.h"
#include "faults/faults.h"
#include "host/host.h"
#include "rdma/cq.h"
#include "rdma/domain.h"
#include "rdma/mr.h"
#include "rdma/transport.h"
#include "streams/streams.h"
#include "vrnic_admin.h"

namespace vrnic {

struct Device {
    Host& host;
    Counters counters;
    const vrnic_device_caps caps;

    // Members are made in this order: the later ones use the earlier ones.
    Faults faults;
    EventQueues events;
    Streams streams;
    UarTable uars;
    DomainTable pds;
    DomainTable xrcds;
    MrTable regions;
    CqTable cqs;
    Wire wire;
    Port port;
    Transmitter transmitter;
    Receiver receiver;
    Transport transport;

    std::uint32_t fatal = 0;       // VRNIC_FATAL_*: only a reset helps
    bool reset_requested = false;  // by CONTROL.RESET; the engine carries it out
    bool carrier;                  // there is one, but for faults

    Device(Host& host, const EngineConfig& config);
    void reset();  // everything as after construction but for the carrier, the count of resets and
                   // the faults of the owner

    void fail(std::uint32_t reason);  // enters the fatal state, tells the driver
    void set_link(bool up);           // the carrier; tells the driver of a change
    void follow_faults(Nanoseconds now);
    // Rules of the guest; the link may follow at once.
    AdminResult<std::uint32_t> create_fault(const FaultRule& rule);
    AdminResult<void> modify_fault(std::uint32_t handle, const FaultRule& rule);
    AdminResult<void> destroy_fault(std::uint32_t handle);
    AdminResult<void> set_port(const vrnic_cmd_set_port& cmd);

  private:
    void follow_link();
};

}  // namespace vrnic
