// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "context.h"
#include "cq.h"
#include "domain.h"
#include "doorbell.h"
#include "queue_memory.h"
#include "ring.h"
#include "send_entry.h"
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
    SpinLock lock;            // of those who post; after a completion queue's

    // For the completion queue:
    uint32_t qpn = 0;
    bool sends = false;
    WorkQueue* next_of_cq = nullptr;

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

// Requests between wr_start and wr_complete (ibv_wr_post(3)). Under the send queue's lock.
struct SendBatch {
    uint32_t first = 0;
    uint32_t next = 0;
    int error = 0;  // the first mistake; nothing counts after it
    // The newest request's:
    vrnic_sqe* sqe = nullptr;
    std::byte* data = nullptr;  // where its list, or inline data, begins
    uint32_t max_sge = 0;
    bool takes_list = false;
    bool takes_inline = false;
    bool needs_target = false;  // an address, or an XRC shared receive queue
};

// Queue pair. One that receives for XRC (IBV_QPT_XRC_RECV) is the kernel's: it has no queues here,
// and several processes may have opened it.
struct Qp {
    alignas(16) std::byte verbs[VRNIC_VERBS_QP_SPACE]{};  // libibverbs'; first

    Context::State* context = nullptr;
    DomainUse domain;
    QueueMemory memory;
    WorkQueue send;
    WorkQueue receive;
    uint32_t qpn = 0;
    uint8_t kind = 0;              // kRc, ... (send_entry.h); 0: sends nothing
    uint64_t operations = 0;       // IBV_QP_EX_WITH_*: what it can send
    uint64_t send_operations = 0;  // those of them that ibv_wr_* may be asked for
    bool signal_all = false;
    bool in_error = false;  // under receive.lock: posted receives must be announced (note_error)
    SendBatch batch;
    vrnic_qp_dbrec* dbrec = nullptr;  // in memory

    static Qp& from(ibv_qp* qp) { return *reinterpret_cast<Qp*>(qp); }
    ibv_qp* ibv() { return reinterpret_cast<ibv_qp*>(verbs); }
    ibv_qp_ex* extended() { return reinterpret_cast<ibv_qp_ex*>(verbs); }

    // IBTA 10.3.1: send requests are taken in RTS, SQD, SQE and Error.
    bool takes_sends() { return ibv()->state >= IBV_QPS_RTS && ibv()->state <= IBV_QPS_ERR; }
    bool send_errors_are_fatal() const { return kind & kReliable; }
    // Scatter/gather entries that a request of this operation may have.
    uint32_t max_sge_of(const SendOperation& operation) const {
        const size_t room = send.ring.stride() - data_offset(kind, operation);
        return std::min<uint32_t>(send.max_sge, static_cast<uint32_t>(room / sizeof(vrnic_sge)));
    }

    ibv_qp_cap capacity() const;  // of both queues

    // Under send.lock, after the producer index was published. Rings the doorbell, unless the
    // device says that it looks at the send queue without one (vrnic_ring.h).
    void announce_sends() const;

    // The QP is in the error state: the device flushes receives, those posted from now on too, and
    // has to be told of them. (Otherwise it looks for receives itself when a message comes.)
    void note_error();
    // Both queues are empty and at index 0 again, no old completion is left. For the RESET state.
    void reset_queues();
    // No completion of this QP is delivered from now on.
    void discard_completions();
    // Its completion queues know of it, from its creation to its destruction.
    void join_completion_queues();
    void leave_completion_queues();
};

// Sets the calls of ibv_wr_post(3). has_flush: the application's ibv_qp_ex has a place for
// wr_flush.
void set_send_calls(ibv_qp_ex& qp, bool has_flush);

}  // namespace vrnic
