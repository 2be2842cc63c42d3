// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "buffer.h"
#include "completions.h"
#include "device.h"
#include "failure.h"
#include "verbs_objects.h"

namespace vrnic::check {

// How QPs are made and connected.
struct QpOptions {
    uint32_t depth = 1;  // of both queues
    uint32_t sges = 1;   // of both queues
    uint32_t max_inline = 0;
    ibv_mtu mtu = IBV_MTU_1024;
    uint8_t timeout = 16;  // 4.096 us * 2^n: 268 ms
    uint8_t retry_count = 7;
    uint8_t rnr_retry = 7;       // for ever
    uint8_t min_rnr_timer = 12;  // 0.64 ms
    int more_access = 0;         // of the peer, beside READ, WRITE and atomics (ibv_access_flags)
    uint64_t extended = 0;       // operations to post by ibv_wr_* (ibv_qp_create_send_ops_flags)
};

// A reliable connected QP. What the peer must know of it travels as JSON.
class QueuePair {
  public:
    static Result<QueuePair> create(const Device& device, const Completions& completions,
                                    const QpOptions& options);

    ibv_qp* get() const { return qp_.get(); }
    const ibv_qp_cap& capabilities() const { return capabilities_; }
    nlohmann::json describe() const;

    // Reset to RTS with the peer as it described itself.
    Result<void> connect(const nlohmann::json& peer);
    Result<void> move_to(ibv_qp_state state);  // RESET or ERR
    Result<ibv_qp_state> state() const;
    // A signaled WRITE of these bytes from the memory to its own beginning.
    Result<void> post_write(const Buffer& memory, uint32_t bytes);
    Result<void> destroy();

  private:
    QpPtr qp_;
    const Device* device_ = nullptr;
    QpOptions options_;
    ibv_qp_cap capabilities_{};
    uint32_t psn_ = 0;
};

}  // namespace vrnic::check
