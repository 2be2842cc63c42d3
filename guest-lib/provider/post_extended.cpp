// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_wr_post(3): requests are written call by call, and posted together by wr_complete, or not at
// all. From wr_start to its end the lock is held. After a mistake nothing more is written, and
// wr_complete tells of it.
#include <cerrno>

#include "address_handle.h"
#include "qp.h"
#include "send_entry.h"

namespace vrnic {

namespace {

Qp& qp_of(ibv_qp_ex* qp) {
    return Qp::from(reinterpret_cast<ibv_qp*>(qp));  // its first member
}

// The address of a datagram, and XRC's shared receive queue, have to be told of each request.
void end_request(SendBatch& batch) {
    if (batch.needs_target && !batch.error) batch.error = EINVAL;
    batch.needs_target = false;
}

// The entry of the next request; nullptr when a mistake was made.
vrnic_sqe* begin_request(ibv_qp_ex* extended, ibv_wr_opcode opcode) {
    Qp& qp = qp_of(extended);
    SendBatch& batch = qp.batch;
    end_request(batch);
    if (batch.error) return nullptr;
    const SendOperation& operation = kOperations[opcode];
    if (!(operation.asked & qp.send_operations)) {
        batch.error = EINVAL;
        return nullptr;
    }
    if (!qp.send.range.has_room_at(batch.next)) {
        batch.error = ENOMEM;
        return nullptr;
    }
    const uint32_t index = batch.next++;
    std::byte* entry = qp.send.ring.entry(index);
    batch.sqe = reinterpret_cast<vrnic_sqe*>(entry);
    batch.data = entry + data_offset(qp.kind, operation);
    batch.max_sge = operation.data ? qp.max_sge_of(operation) : 0;
    batch.takes_list = operation.data;
    batch.takes_inline = operation.inline_data;
    batch.needs_target = qp.kind == kUd || (qp.kind == kXrc && !operation.local);
    write_header(*batch.sqe, operation, extended->wr_flags, qp.signal_all);
    qp.send.posted[qp.send.ring.position(index)] = {extended->wr_id, operation.completion};
    return batch.sqe;
}

// ---- begin and end ----

void wr_start(ibv_qp_ex* extended) {
    Qp& qp = qp_of(extended);
    qp.send.lock.lock();
    qp.batch = SendBatch{};
    qp.batch.first = qp.batch.next = qp.send.range.produced();
    if (!qp.takes_sends()) qp.batch.error = EINVAL;
}

int wr_complete(ibv_qp_ex* extended) {
    Qp& qp = qp_of(extended);
    SendBatch& batch = qp.batch;
    end_request(batch);
    const int err = batch.error;
    if (!err && batch.next != batch.first) {
        qp.send.range.produce_to(batch.next);
        publish_index(*qp.send.producer_record, batch.next);
        qp.announce_sends();
    }
    qp.send.lock.unlock();
    return err;
}

void wr_abort(ibv_qp_ex* extended) {
    qp_of(extended).send.lock.unlock();
}

// ---- operations ----

void wr_send(ibv_qp_ex* qp) {
    (void)begin_request(qp, IBV_WR_SEND);
}

void wr_send_imm(ibv_qp_ex* qp, __be32 immediate) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_SEND_WITH_IMM)) sqe->imm.raw = immediate;
}

void wr_send_inv(ibv_qp_ex* qp, uint32_t key) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_SEND_WITH_INV)) sqe->imm = key;
}

void wr_rdma_write(ibv_qp_ex* qp, uint32_t rkey, uint64_t address) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_RDMA_WRITE)) write_remote(*sqe, rkey, address);
}

void wr_rdma_write_imm(ibv_qp_ex* qp, uint32_t rkey, uint64_t address, __be32 immediate) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_RDMA_WRITE_WITH_IMM)) {
        write_remote(*sqe, rkey, address);
        sqe->imm.raw = immediate;
    }
}

void wr_rdma_read(ibv_qp_ex* qp, uint32_t rkey, uint64_t address) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_RDMA_READ)) write_remote(*sqe, rkey, address);
}

void wr_atomic_cmp_swp(ibv_qp_ex* qp, uint32_t rkey, uint64_t address, uint64_t compare,
                       uint64_t swap) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_ATOMIC_CMP_AND_SWP)) {
        write_remote(*sqe, rkey, address);
        write_atomic(*sqe, swap, compare);
    }
}

void wr_atomic_fetch_add(ibv_qp_ex* qp, uint32_t rkey, uint64_t address, uint64_t add) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_ATOMIC_FETCH_AND_ADD)) {
        write_remote(*sqe, rkey, address);
        write_atomic(*sqe, add, 0);
    }
}

// Its eight bytes come with the call.
void wr_atomic_write(ibv_qp_ex* qp, uint32_t rkey, uint64_t address, const void* data) {
    constexpr uint32_t kSize = 8;
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_ATOMIC_WRITE)) {
        write_remote(*sqe, rkey, address);
        std::memcpy(qp_of(qp).batch.data, data, kSize);
        sqe->flags |= VRNIC_SQE_INLINE;
        sqe->inline_length = kSize;
        qp_of(qp).batch.takes_list = qp_of(qp).batch.takes_inline = false;
    }
}

void wr_flush(ibv_qp_ex* qp, uint32_t rkey, uint64_t address, size_t length, uint8_t placement,
              uint8_t level) {
    SendBatch& batch = qp_of(qp).batch;
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_FLUSH)) {
        if (length > UINT32_MAX) {
            batch.error = EINVAL;
            return;
        }
        write_remote(*sqe, rkey, address);
        write_flush(*sqe, static_cast<uint32_t>(length), placement, level);
    }
}

void wr_local_inv(ibv_qp_ex* qp, uint32_t key) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_LOCAL_INV)) sqe->imm = key;
}

void wr_bind_mw(ibv_qp_ex* qp, ibv_mw*, uint32_t rkey, const ibv_mw_bind_info* info) {
    if (vrnic_sqe* sqe = begin_request(qp, IBV_WR_BIND_MW)) write_bind(*sqe, rkey, *info);
}

// ---- what a request is told afterwards ----

void wr_set_sge_list(ibv_qp_ex* qp, size_t count, const ibv_sge* list) {
    SendBatch& batch = qp_of(qp).batch;
    if (batch.error) return;
    if (!batch.takes_list || count > batch.max_sge) {
        batch.error = EINVAL;
        return;
    }
    for (size_t i = 0; i < count; ++i) write_sge(batch.data + i * sizeof(vrnic_sge), list[i]);
    batch.sqe->num_sge = static_cast<uint8_t>(count);
}

void wr_set_sge(ibv_qp_ex* qp, uint32_t lkey, uint64_t address, uint32_t length) {
    const ibv_sge sge{address, length, lkey};
    wr_set_sge_list(qp, 1, &sge);
}

void wr_set_inline_data_list(ibv_qp_ex* extended, size_t count, const ibv_data_buf* list) {
    Qp& qp = qp_of(extended);
    SendBatch& batch = qp.batch;
    if (batch.error) return;
    uint32_t length = 0;
    bool fits = batch.takes_inline;
    for (size_t i = 0; fits && i < count; ++i)
        fits = append_inline(batch.data, length, qp.send.max_inline, list[i].addr, list[i].length);
    if (!fits) {
        batch.error = EINVAL;
        return;
    }
    batch.sqe->flags |= VRNIC_SQE_INLINE;
    batch.sqe->inline_length = length;
}

void wr_set_inline_data(ibv_qp_ex* qp, void* address, size_t length) {
    const ibv_data_buf data{address, length};
    wr_set_inline_data_list(qp, 1, &data);
}

void wr_set_ud_addr(ibv_qp_ex* extended, ibv_ah* ah, uint32_t qpn, uint32_t qkey) {
    Qp& qp = qp_of(extended);
    if (qp.batch.error) return;
    if (qp.kind != kUd || ah == nullptr || !qp.batch.needs_target) {
        qp.batch.error = EINVAL;
        return;
    }
    write_datagram(*qp.batch.sqe, Ah::from(ah).av, qpn, qkey);
    qp.batch.needs_target = false;
}

void wr_set_xrc_srqn(ibv_qp_ex* extended, uint32_t srqn) {
    Qp& qp = qp_of(extended);
    if (qp.batch.error) return;
    if (qp.kind != kXrc || !qp.batch.needs_target) {
        qp.batch.error = EINVAL;
        return;
    }
    qp.batch.sqe->xrc_srqn = srqn;
    qp.batch.needs_target = false;
}

}  // namespace

void set_send_calls(ibv_qp_ex& qp, bool has_flush) {
    qp.wr_start = wr_start;
    qp.wr_complete = wr_complete;
    qp.wr_abort = wr_abort;
    qp.wr_send = wr_send;
    qp.wr_send_imm = wr_send_imm;
    qp.wr_send_inv = wr_send_inv;
    qp.wr_rdma_write = wr_rdma_write;
    qp.wr_rdma_write_imm = wr_rdma_write_imm;
    qp.wr_rdma_read = wr_rdma_read;
    qp.wr_atomic_cmp_swp = wr_atomic_cmp_swp;
    qp.wr_atomic_fetch_add = wr_atomic_fetch_add;
    qp.wr_atomic_write = wr_atomic_write;
    if (has_flush) qp.wr_flush = wr_flush;
    qp.wr_local_inv = wr_local_inv;
    qp.wr_bind_mw = wr_bind_mw;
    qp.wr_set_sge = wr_set_sge;
    qp.wr_set_sge_list = wr_set_sge_list;
    qp.wr_set_inline_data = wr_set_inline_data;
    qp.wr_set_inline_data_list = wr_set_inline_data_list;
    qp.wr_set_ud_addr = wr_set_ud_addr;
    qp.wr_set_xrc_srqn = wr_set_xrc_srqn;
}

}  // namespace vrnic
