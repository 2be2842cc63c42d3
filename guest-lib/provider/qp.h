// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "context.h"
#include "cq.h"
#include "doorbell.h"
#include "queue_memory.h"
#include "ring.h"
#include "spinlock.h"
#include "verbs_glue.h"
#include "vrnic_ring.h"

namespace vrnic {

// What a completion says about the request it is of, kept by us: the device returns only the index.
struct PostedWork {
    uint64_t wr_id;
    ibv_wc_opcode opcode;
};

// Send or receive queue.
struct WorkQueue {
    Ring ring;
    std::unique_ptr<PostedWork[]> posted;  // by position in the ring
    PostedRange range;
    vrnic_le32* producer_record = nullptr;  // in the doorbell record
    uint32_t max_sge = 0;
    uint32_t max_inline = 0;  // bytes; send queue only
    SpinLock lock;            // of those who post

    // Under the lock: posts a list of requests, each by build(index, request), up to the first one
    // that is refused: then its errno value, and it is *bad_request. announce() follows when any
    // was posted.
    template <typename Request, typename Build, typename Announce>
    int post(Request* request, Request** bad_request, Build build, Announce announce) {
        const uint32_t first = range.produced();
        uint32_t index = first;
        int err = 0;
        for (; request; request = request->next, ++index) {
            err = range.has_room_at(index) ? build(index, *request) : ENOMEM;
            if (err) {
                *bad_request = request;
                break;
            }
        }
        if (index != first) {
            range.produce_to(index);
            publish_index(*producer_record, index);
            announce();
        }
        return err;
    }
};

// Queue pair.
struct Qp {
    alignas(16) std::byte verbs[VRNIC_VERBS_QP_SPACE]{};  // libibverbs'; first

    Context::State* context = nullptr;
    QueueMemory memory;
    WorkQueue send;
    WorkQueue receive;
    uint32_t qpn = 0;
    bool signal_all = false;
    bool in_error = false;  // under receive.lock: posted receives must be announced (note_error)

    static Qp& from(ibv_qp* qp) { return *reinterpret_cast<Qp*>(qp); }
    ibv_qp* ibv() { return reinterpret_cast<ibv_qp*>(verbs); }

    // The QP is in the error state: the device flushes receives, those posted from now on too, and
    // has to be told of them. (Otherwise it looks for receives itself when a message comes.)
    void note_error();
    // Both queues are empty and at index 0 again, no old completion is left. For the RESET state.
    void reset_queues();
    // No completion of this QP is delivered from now on.
    void discard_completions();
};

}  // namespace vrnic
