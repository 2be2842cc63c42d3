// SPDX-License-Identifier: GPL-2.0-or-later
#include "rdma/execute.h"

#include "host/log.h"
#include "rdma/work_queue.h"

namespace vrnic::execute {

namespace {

constexpr std::uint32_t kMaxMessage = 1u << 31;

Result refuse(Cause cause, Syndrome syndrome, std::uint8_t status = VRNIC_WC_SUCCESS) {
    return std::unexpected(Refusal{cause, syndrome, status});
}

// A range named by the peer: the key is to blame, or the memory behind it.
Result from_access(const AccessResult& access) {
    if (access) return {};
    return refuse(
        access.error() == VRNIC_SYND_DMA_FAILED ? Cause::operational : Cause::remote_access,
        access.error());
}

Result check_range(TransportContext& context, const QueuePair& qp, std::uint32_t rkey,
                   std::uint64_t address, std::uint32_t length, std::uint32_t access) {
    if (length > kMaxMessage) return refuse(Cause::invalid_request, VRNIC_SYND_TOO_LONG);
    // What the QP does not let anybody do is an invalid request, whatever the key (IBTA 9.7.4.1.5).
    if ((qp.attr.access_flags & access) == 0)
        return refuse(Cause::invalid_request, VRNIC_SYND_NO_PERMISSION);
    const auto view = context.regions.check_remote(rkey, qp.key_user(), address, length, access);
    if (!view) return refuse(Cause::remote_access, view.error());
    return {};
}

}  // namespace

Result begin_write(TransportContext& context, QueuePair& qp, std::uint32_t rkey,
                   std::uint64_t address, std::uint32_t length) {
    return check_range(context, qp, rkey, address, length, VRNIC_ACCESS_REMOTE_WRITE);
}

Result place_write(TransportContext& context, QueuePair& qp, std::span<const std::byte> data) {
    Responder& responder = qp.responder;
    if (data.size() > responder.length - responder.received)
        return refuse(Cause::invalid_request, VRNIC_SYND_TOO_LONG);
    auto placed = from_access(write_remote(context, qp.key_user(), responder.rkey,
                                           responder.address + responder.received, data));
    if (placed) responder.received += static_cast<std::uint32_t>(data.size());
    return placed;
}

Result begin_read(TransportContext& context, QueuePair& qp, std::uint32_t rkey,
                  std::uint64_t address, std::uint32_t length) {
    return check_range(context, qp, rkey, address, length, VRNIC_ACCESS_REMOTE_READ);
}

Result fetch_read(TransportContext& context, KeyUser user, std::uint32_t rkey,
                  std::uint64_t address, std::span<std::byte> out) {
    return from_access(read_remote(context, user, rkey, address, out));
}

Result write_word(TransportContext& context, QueuePair& qp, std::uint32_t rkey,
                  std::uint64_t address, std::uint64_t value) {
    if (address % sizeof(value) != 0) return refuse(Cause::invalid_request, VRNIC_SYND_MISALIGNED);
    if (auto checked =
            check_range(context, qp, rkey, address, sizeof(value), VRNIC_ACCESS_REMOTE_WRITE);
        !checked)
        return checked;
    return from_access(store_remote(context, qp.key_user(), rkey, address, value));
}

// What is written is visible at once: nothing but the checks is left to do.
Result flush(TransportContext& context, QueuePair& qp, std::uint32_t rkey, std::uint64_t address,
             std::uint32_t length, std::uint8_t placement, std::uint8_t level) {
    constexpr std::uint8_t kPlacements = VRNIC_FLUSH_GLOBAL | VRNIC_FLUSH_PERSISTENT;
    if (placement == 0 || (placement & ~kPlacements) != 0 || level > VRNIC_FLUSH_MR)
        return refuse(Cause::invalid_request, VRNIC_SYND_NO_PERMISSION);
    // There are no regions that permit it.
    if ((placement & VRNIC_FLUSH_PERSISTENT) != 0)
        return refuse(Cause::remote_access, VRNIC_SYND_NO_PERMISSION);
    if (level == VRNIC_FLUSH_RANGE)
        return check_range(context, qp, rkey, address, length, VRNIC_ACCESS_FLUSH_GLOBAL);
    if ((qp.attr.access_flags & VRNIC_ACCESS_FLUSH_GLOBAL) == 0)
        return refuse(Cause::invalid_request, VRNIC_SYND_NO_PERMISSION);
    const auto view =
        context.regions.check_remote_whole(rkey, qp.key_user(), VRNIC_ACCESS_FLUSH_GLOBAL);
    if (!view) return refuse(Cause::remote_access, view.error());
    return {};
}

Result invalidate(TransportContext& context, QueuePair& qp, std::uint32_t key) {
    const auto done = context.regions.invalidate(qp.key_user(), key);
    if (!done) return refuse(Cause::remote_access, done.error(), VRNIC_WC_REM_INV_REQ_ERR);
    return {};
}

std::expected<std::uint64_t, Refusal> change_word(TransportContext& context, QueuePair& qp,
                                                  std::uint32_t rkey, std::uint64_t address,
                                                  const AtomicOperation& operation) {
    // IBTA 9.4.5: an address that is not aligned is an invalid request.
    if (address % sizeof(std::uint64_t) != 0)
        return std::unexpected(Refusal{Cause::invalid_request, VRNIC_SYND_MISALIGNED});
    if (auto checked = check_range(context, qp, rkey, address, sizeof(std::uint64_t),
                                   VRNIC_ACCESS_REMOTE_ATOMIC);
        !checked)
        return std::unexpected(checked.error());
    const auto original = change_remote(context, qp.key_user(), rkey, address, operation);
    if (!original) return std::unexpected(from_access(std::unexpected(original.error())).error());
    return *original;
}

std::expected<bool, Refusal> take_receive(TransportContext& context, QueuePair& qp) {
    if (qp.responder.entry_taken) return true;
    const Available available = receive_entry_available(context, qp);
    if (!available) return std::unexpected(Refusal{Cause::operational, available.error()});
    if (!*available) return false;
    const auto taken = take_receive_entry(context, qp);
    if (!taken) return std::unexpected(Refusal{Cause::operational, taken.error()});
    if (!*taken)
        return std::unexpected(
            Refusal{Cause::operational, VRNIC_SYND_BAD_WQE, VRNIC_WC_LOC_QP_OP_ERR});
    if (context.faults.armed(FaultPoint::completion)) [[unlikely]]
        if (const auto status = context.faults.completion(WorkQueue::receive, qp.qpn))
            return std::unexpected(Refusal{Cause::operational, VRNIC_SYND_INJECTED, *status});
    return true;
}

Result place_send(TransportContext& context, QueuePair& qp, std::span<const std::byte> data) {
    Responder& responder = qp.responder;
    const std::uint64_t end = std::uint64_t{responder.received} + data.size();
    if (end > responder.entry.capacity || end > kMaxMessage)
        return refuse(Cause::invalid_request, VRNIC_SYND_TOO_LONG, VRNIC_WC_LOC_LEN_ERR);
    const auto list = std::span(responder.entry.sge).first(responder.entry.num_sge);
    if (const auto placed = scatter(context, responder.entry.pdn, list, responder.received, data);
        !placed)
        return refuse(Cause::operational, placed.error(), VRNIC_WC_LOC_PROT_ERR);
    responder.received = static_cast<std::uint32_t>(end);
    return {};
}

Result finish_receive(TransportContext& context, QueuePair& qp, const Arrival& arrival) {
    if (complete_receive(context, qp, arrival, VRNIC_WC_SUCCESS, VRNIC_SYND_NONE)) return {};
    return refuse(Cause::operational, VRNIC_SYND_NONE);
}

void report(TransportContext& context, QueuePair& qp, const Refusal& refusal) {
    if (refusal.status != VRNIC_WC_SUCCESS && qp.responder.entry_taken) {
        // A failing CQ changes nothing: the QP is on its way to ERR.
        (void)complete_receive(context, qp, Arrival{}, refusal.status, refusal.syndrome);
        return;
    }
    const std::uint32_t event = refusal.cause == Cause::invalid_request ? VRNIC_EVENT_QP_REQ_ERROR
                                : refusal.cause == Cause::remote_access
                                    ? VRNIC_EVENT_QP_ACCESS_ERROR
                                    : VRNIC_EVENT_QP_FATAL;
    guest_error(context.host, "QP {}: a request of its peer is refused: {}", qp.qpn,
                syndrome_name(refusal.syndrome));
    context.events.raise(event, qp.qpn, refusal.syndrome);
}

}  // namespace vrnic::execute
