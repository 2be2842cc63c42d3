// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/capabilities.h"

#include "control/events.h"
#include "ethernet/port.h"
#include "ethernet/queue.h"
#include "faults/rule.h"
#include "rdma/mr.h"
#include "rdma/queue_pair.h"
#include "streams/streams.h"
#include "vrnic_regs.h"

namespace vrnic {
namespace {

constexpr std::uint32_t kVersion = 0 << 16 | 1 << 8 | 0;  // of the device model

constexpr std::uint64_t all_page_sizes() {
    std::uint64_t mask = 0;
    for (unsigned shift = VRNIC_PAGE_SHIFT_MIN; shift <= VRNIC_PAGE_SHIFT_MAX; ++shift)
        mask |= std::uint64_t{1} << shift;
    return mask;
}

constexpr std::uint64_t kAll = VRNIC_CAP_RDMA | VRNIC_CAP_QP_TYPES | VRNIC_CAP_ATOMIC |
                               VRNIC_CAP_WINDOWS | VRNIC_CAP_ATOMIC_WRITE | VRNIC_CAP_FLUSH_GLOBAL |
                               VRNIC_CAP_SRQ | VRNIC_CAP_MCAST | VRNIC_CAP_CQ_RESIZE |
                               VRNIC_CAP_CQ_MODERATION | VRNIC_CAP_SRQ_RESIZE | VRNIC_CAP_FAST_REG |
                               VRNIC_CAP_KERNEL;

// Without one thing there is none that needs it.
std::uint64_t features_without(std::uint64_t without) {
    constexpr struct {
        std::uint64_t feature, needs;
    } kNeeds[] = {{VRNIC_CAP_XRC, VRNIC_CAP_SRQ},
                  {VRNIC_CAP_SRQ_RESIZE, VRNIC_CAP_SRQ},
                  {VRNIC_CAP_MCAST, VRNIC_CAP_UD}};
    std::uint64_t features = kAll & ~without;
    for (const auto& row : kNeeds)
        if ((features & row.needs) == 0) features &= ~row.feature;
    return features;
}

}  // namespace

vrnic_device_caps capabilities(const EngineConfig& config) {
    vrnic_device_caps caps{};
    caps.features = features_without(config.without);
    caps.max_mr_size = MrTable::kMaxRegionBytes;
    caps.page_size_mask = all_page_sizes();
    caps.max_mr_pages = 4u << 20;
    caps.max_qps = 65536;
    caps.max_cqs = 65536;
    caps.max_mrs = 1u << 20;
    caps.max_pds = 4096;
    caps.max_eqs = VRNIC_MAX_EQS;
    caps.max_uars = config.doorbell_slots;
    caps.max_gids = 32;
    caps.max_msg_size = 1u << 31;
    caps.max_sq_entries = 16384;
    caps.max_rq_entries = 16384;
    caps.max_cq_entries = 65536;
    caps.max_eq_entries = 1u << EventQueues::kMaxLogSize;
    caps.max_send_sge = 16;
    caps.max_recv_sge = 16;
    caps.max_inline = 512;
    caps.max_rd_atomic = kMaxRdAtomic;
    caps.max_eth_queues = 1;
    caps.max_eth_entries = 1u << EthernetQueue::kMaxLogSize;
    caps.max_mtu = kMaxMtu;
    caps.max_path_mtu = 4096;
    caps.link_speed = 100'000;
    caps.fw_version = kVersion;
    caps.max_cq_count = 65535;  // verbs have 16 bits for both
    caps.max_cq_period = 65535;
    caps.local_ack_delay = 16;  // 268 ms: guests share the host's processors
    caps.max_srqs = 65536;
    caps.max_srq_entries = 16384;
    caps.max_xrcds = 4096;
    caps.max_mcast_groups = 1024;
    caps.max_mcast_qps = 64;
    caps.max_fast_pages = 1024;
    caps.max_counter_sets = 1024;
    caps.max_faults = kMaxFaultRules;
    caps.max_streams = Streams::kMax;
    return caps;
}

}  // namespace vrnic
