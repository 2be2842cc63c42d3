// SPDX-License-Identifier: GPL-2.0-or-later
// Carrying out a peer's operations on a queue pair: checks, placement, completion. Knows nothing
// about packets: a message comes as a beginning, pieces of data in order, and an end.
#pragma once

#include <expected>
#include <span>

#include "rdma/completion.h"
#include "rdma/context.h"
#include "rdma/memory_access.h"

namespace vrnic::execute {

// Why an operation is refused for good (IBTA 9.7.4.1, 9.9.3).
enum class Cause : std::uint8_t { invalid_request, remote_access, operational };

struct Refusal {
    Cause cause;
    Syndrome syndrome;  // VRNIC_SYND_*
    // How the receive queue entry in use fails; VRNIC_WC_SUCCESS: it is not to blame, and an
    // asynchronous event tells what happened.
    std::uint8_t status = VRNIC_WC_SUCCESS;
};

using Result = std::expected<void, Refusal>;

// The QP has to be open for WRITEs and the whole range has to be writable with rkey.
Result begin_write(TransportContext& context, QueuePair& qp, std::uint32_t rkey,
                   std::uint64_t address, std::uint32_t length);
// The next bytes of the WRITE that is in progress (Responder::address, received).
Result place_write(TransportContext& context, QueuePair& qp, std::span<const std::byte> data);

Result begin_read(TransportContext& context, QueuePair& qp, std::uint32_t rkey,
                  std::uint64_t address, std::uint32_t length);
// user: as it was when the READ came.
Result fetch_read(TransportContext& context, KeyUser user, std::uint32_t rkey,
                  std::uint64_t address, std::span<std::byte> out);

// The QP has to be open for atomics, the address aligned, the word changeable with rkey. The answer
// is what the word was.
std::expected<std::uint64_t, Refusal> change_word(TransportContext& context, QueuePair& qp,
                                                  std::uint32_t rkey, std::uint64_t address,
                                                  const AtomicOperation& operation);

// ATOMIC WRITE and FLUSH (IBTA annex A19). placement, level: VRNIC_FLUSH_*.
Result write_word(TransportContext& context, QueuePair& qp, std::uint32_t rkey,
                  std::uint64_t address, std::uint64_t value);
Result flush(TransportContext& context, QueuePair& qp, std::uint32_t rkey, std::uint64_t address,
             std::uint32_t length, std::uint8_t placement, std::uint8_t level);

// The key that a SEND names is no longer valid (IBTA 9.4.1.1.3).
Result invalidate(TransportContext& context, QueuePair& qp, std::uint32_t key);

// Takes a receive queue entry, unless one is in use. False: there is none, now.
std::expected<bool, Refusal> take_receive(TransportContext& context, QueuePair& qp);
// The next bytes of the SEND that is in progress (Responder::received), into the entry.
Result place_send(TransportContext& context, QueuePair& qp, std::span<const std::byte> data);
// The end of a message that uses a receive queue entry.
Result finish_receive(TransportContext& context, QueuePair& qp, const Arrival& arrival);

// What is to be told about a refusal on this side: the entry's completion, or an event.
void report(TransportContext& context, QueuePair& qp, const Refusal& refusal);

}  // namespace vrnic::execute
