// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ring.h"
#include "vrnic_ring.h"

namespace vrnic {

// How large an entry of a receive queue, or of a shared one, is for so many scatter/gather entries,
// and how many one of that size holds.
inline uint8_t receive_log_stride(uint32_t sges) {
    return std::max<uint8_t>(
        VRNIC_RQE_STRIDE_MIN_LOG,
        log2_ceil(static_cast<uint32_t>(VRNIC_RQE_DATA_OFFSET + sges * sizeof(vrnic_sge))));
}
inline uint32_t receive_sges(size_t stride) {
    return static_cast<uint32_t>((stride - VRNIC_RQE_DATA_OFFSET) / sizeof(vrnic_sge));
}

// Writes a request into an entry. False, and nothing written: more scatter/gather entries than max.
inline bool write_receive_entry(std::byte* entry, const ibv_recv_wr& wr, uint32_t max_sge,
                                uint32_t tag) {
    if (wr.num_sge < 0 || static_cast<uint32_t>(wr.num_sge) > max_sge) return false;
    auto* sge = reinterpret_cast<vrnic_sge*>(entry + VRNIC_RQE_DATA_OFFSET);
    for (int i = 0; i < wr.num_sge; ++i) {
        sge[i].addr = wr.sg_list[i].addr;
        sge[i].length = wr.sg_list[i].length;
        sge[i].lkey = wr.sg_list[i].lkey;
    }
    // reserved stays zero: nobody writes there
    auto& header = *reinterpret_cast<vrnic_rqe*>(entry);
    header.num_sge = static_cast<uint32_t>(wr.num_sge);
    header.tag = tag;
    return true;
}

}  // namespace vrnic
