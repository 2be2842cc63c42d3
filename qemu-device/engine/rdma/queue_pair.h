// SPDX-License-Identifier: GPL-2.0-or-later
// A queue pair: plain data that says everything about it, so that it can be looked at and saved
// between any two events. What it does is in requester, completer and responder.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/psn.h"
#include "host/paged_memory.h"
#include "rdma/address.h"
#include "rdma/mr.h"
#include "rdma/qp_type.h"
#include "rdma/send_operation.h"
#include "rdma/work_ring.h"
#include "roce/headers.h"
#include "vrnic_admin.h"
#include "vrnic_ring.h"

namespace vrnic {

// With many queue pairs each line of one has to be fetched anew, so what is looked at together lies
// together, in as few of them as can be.
inline constexpr std::size_t kCacheLine = 64;  // bytes

// A send queue entry that was taken; its copy is in Requester::entries.
struct alignas(kCacheLine) SendRequest {
    std::uint8_t opcode = 0;  // VRNIC_OP_*
    std::uint8_t flags = 0;   // VRNIC_SQE_*
    std::uint8_t num_sge = 0;
    std::uint8_t error =
        VRNIC_WC_SUCCESS;  // local: the request is never sent and fails when it is the oldest
    Syndrome syndrome = VRNIC_SYND_NONE;  // of error
    std::array<std::uint8_t, 4> immediate{};
    std::uint32_t rkey = 0;
    std::uint32_t length = 0;  // bytes of the message
    std::uint64_t remote_addr = 0;
    std::uint32_t xrc_srqn = 0;  // XRC: the peer's shared receive queue
    std::uint32_t entry = 0;     // index in the send queue
    Psn first_psn;
    std::uint32_t packets = 0;    // PSNs that it takes; of a READ those of its responses
    std::uint32_t responses = 0;  // READ, atomic: response packets that came

    Psn last_psn() const { return first_psn + (packets - 1); }
    const SendOperation& operation() const { return send_operation(opcode); }
    bool fetches() const { return operation().fetches(); }
    // To be invalidated, of SEND_INV and LOCAL_INV.
    std::uint32_t key() const {
        vrnic_le32 key;
        std::memcpy(&key, immediate.data(), sizeof(key));
        return key;
    }
};

// The side that asks. Requests lie in a ring in the order of their PSNs:
//   head .. cursor    sent, at least in part, not acknowledged as a whole
//   cursor            being sent, from packet cursor_packet on
//   cursor .. tail    to be sent (again, after going back)
// and PSNs unacked <= PSN of the cursor <= sent_end <= next_psn.
struct Requester {
    struct alignas(kCacheLine) EntryPart {
        std::array<std::byte, kCacheLine> bytes;
    };

    std::vector<SendRequest> ring;         // a power of two
    std::unique_ptr<EntryPart[]> entries;  // one stride of the send queue for each place of ring
    std::uint32_t head = 0;
    std::uint32_t cursor = 0;
    std::uint32_t tail = 0;
    std::uint32_t cursor_packet = 0;
    Psn unacked;                            // oldest packet that is not acknowledged
    Psn sent_end;                           // one past the newest packet that was ever sent
    Psn next_psn;                           // of the next request that is taken
    std::uint32_t fetches_outstanding = 0;  // READs and atomics in head .. cursor, not complete
    std::uint32_t packets_unrequested =
        0;  // sent since the last one that asked for an acknowledgement
    std::uint8_t retries_left = 0;
    std::uint8_t rnr_retries_left = 0;  // 7: for ever
    std::uint8_t timeouts_in_a_row = 0;
    bool timer_excused = false;  // a late timer was forgiven since the last retry or progress
    bool rnr_waiting = false;  // the timer says when to go on; else it is the acknowledgement timer
    bool not_ready_noted = false;  // a RNR NAK came since the last progress
    bool read_gap_noted = false;   // went back for a missing READ response; until it comes, no more
    bool drained = false;          // SQD: the event was given

    bool outstanding() const { return unacked != sent_end; }
    SendRequest& at(std::uint32_t index) { return ring[index & (ring.size() - 1)]; }
    const SendRequest& at(std::uint32_t index) const { return ring[index & (ring.size() - 1)]; }
};

// A request that is answered by responses of its own (Answer::read, atomic or placed).
struct ResponseJob {
    Psn psn;  // of the next response
    Psn last_psn;
    std::uint64_t address = 0;  // READ: of the next byte; atomic: what the word was
    std::uint32_t remaining = 0;
    std::uint32_t rkey = 0;
    std::uint32_t pdn = 0;  // that the key has to be of
    Answer answer = Answer::read;
    bool started = false;    // the first response of this run went out
    bool duplicate = false;  // asked for again
    std::uint32_t msn = 0;
};

// An atomic that was carried out: what a repeated one is answered with (IBTA 9.7.5.1.3).
struct AtomicResult {
    bool valid = false;
    Psn psn;
    std::uint64_t original = 0;
};

inline constexpr std::uint32_t kMaxRdAtomic = 16;  // READs and atomics outstanding
inline constexpr std::uint32_t kMaxResponseJobs = 2 * kMaxRdAtomic;  // with repeated ones
inline constexpr std::uint32_t kMaxSge = 32;

// A receive queue entry that was taken.
struct ReceiveEntry {
    std::uint32_t index = 0;     // in the receive queue; of a shared one: its tag
    std::uint32_t srqn = 0;      // 0: it was one of the QP's own queue
    std::uint32_t pdn = 0;       // of its keys
    std::uint32_t cqn = 0;       // where it completes
    std::uint64_t capacity = 0;  // bytes
    std::uint32_t num_sge = 0;
    std::array<vrnic_sge, kMaxSge> sge;
};

enum class MessageKind : std::uint8_t { none, send, write };

// The side that is asked. What every packet looks at comes first.
struct alignas(kCacheLine) Responder {
    Psn expected;
    std::uint32_t msn = 0;     // messages completed, 24 bits
    bool nak_sent = false;     // a sequence or RNR NAK; until the expected packet comes, no other
    bool established = false;  // the COMM_EST event was given
    // A request was refused for good: no more are taken; when the NAK is out, the QP goes to ERR.
    bool failed = false;
    // In ERR, with a shared receive queue: the event that nothing more is taken there was given.
    bool last_entry_told = false;

    // The acknowledgement to be sent, after the jobs.
    bool ack_pending = false;
    std::uint8_t ack_syndrome = 0;
    Psn ack_psn;
    std::uint32_t packets_unacked = 0;  // taken since the last acknowledgement

    // Message of which more packets are to come.
    MessageKind message = MessageKind::none;
    bool entry_taken = false;
    std::uint32_t received = 0;  // its bytes so far
    std::uint64_t address = 0;   // WRITE: start
    std::uint32_t length = 0;    // WRITE: whole
    std::uint32_t rkey = 0;

    // XRC: the shared receive queue that the newest request named, and its PD.
    std::uint32_t xrc_srqn = 0;
    std::uint32_t xrc_pdn = 0;

    std::uint32_t num_jobs = 0;
    std::uint32_t next_atomic_result = 0;

    ReceiveEntry entry;
    // READs and atomics in the order of their PSNs; answered one after the other.
    std::array<ResponseJob, kMaxResponseJobs> jobs;
    // Of the newest atomics: as many as a peer can have outstanding, so as many as it may repeat.
    std::array<AtomicResult, kMaxRdAtomic> atomic_results;
};

// What the destination of a UD queue pair's newest request was made from: requests to the same
// peer, one after the other, need not make it again.
struct DatagramAddress {
    bool valid = false;
    std::uint32_t generation = 0;
    std::uint32_t qpn = 0;
    vrnic_av av{};
};

struct alignas(kCacheLine) QueuePair {
    static constexpr std::uint32_t kNoCq = ~0u;

    // Every packet and every turn look at this.
    std::uint32_t qpn = 0;
    std::uint8_t type = VRNIC_QPT_RC;
    bool signal_all = false;
    bool timer_due = false;
    bool datagram = false;  // follow from the type, and are asked for each packet
    bool reliable = true;
    std::uint16_t operations = 0;   // bit n: may send operation n (VRNIC_OP_*)
    std::uint32_t mtu = 256;        // of the path, bytes
    std::uint32_t counter_set = 0;  // 0: none
    std::uint32_t pdn = 0;
    std::uint32_t send_cqn = kNoCq;
    std::uint32_t recv_cqn = kNoCq;
    std::uint32_t srqn = 0;  // 0: its receive queue is its own
    std::uint32_t uar = 0;
    vrnic_qp_attr attr{};  // as given; attr.state is the state. Its end is not asked for often

    std::uint32_t xrcdn = 0;  // XRC_TGT
    bool blocks_self_mcast = false;
    bool privileged = false;     // may register memory by request
    bool binds_windows = false;  // has ever: they end with it

    // What its owner asks for.
    alignas(kCacheLine) WorkRing sq;
    WorkRing rq;
    std::uint32_t dbrec_offset = 0;

    alignas(kCacheLine) Requester requester;
    PagedMemory memory;  // rings and doorbell record
    Peer peer;           // of the connection; UD: of the newest request
    Responder responder;

    DatagramAddress datagram_address;
    Nanoseconds next_congestion_notification = 0;  // not before

    std::uint8_t state() const { return attr.state; }
    roce::Service service() const {
        switch (type) {
            case VRNIC_QPT_UC:
                return roce::Service::uc;
            case VRNIC_QPT_UD:
            case VRNIC_QPT_GSI:
                return roce::Service::ud;
            case VRNIC_QPT_XRC_INI:
            case VRNIC_QPT_XRC_TGT:
                return roce::Service::xrc;
            default:
                return roce::Service::rc;
        }
    }
    bool is_datagram() const { return datagram; }
    bool is_reliable() const { return reliable; }
    bool may_send(std::uint8_t operation) const {
        return operation < 16 && (operations >> operation & 1) != 0;
    }
    bool has_requester() const { return type != VRNIC_QPT_XRC_TGT; }
    bool has_responder() const { return type != VRNIC_QPT_XRC_INI; }
    bool takes_shared_entries() const { return srqn != 0 || type == VRNIC_QPT_XRC_TGT; }
    bool sends() const {
        return has_requester() && (attr.state == VRNIC_QPS_RTS || attr.state == VRNIC_QPS_SQD);
    }
    bool receives() const {
        return has_responder() && (attr.state == VRNIC_QPS_RTR || attr.state == VRNIC_QPS_RTS ||
                                   attr.state == VRNIC_QPS_SQD || attr.state == VRNIC_QPS_SQE);
    }
    // Whose keys the peer's requests may use (XRC: IBTA A14.4.2).
    KeyUser key_user() const { return {type == VRNIC_QPT_XRC_TGT ? responder.xrc_pdn : pdn, qpn}; }
};

}  // namespace vrnic
