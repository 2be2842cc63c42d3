// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_bind_mw(3): windows of type 1 are bound by a call, which posts the request.
#include <cerrno>

#include "verbs_glue.h"

int vrnic_bind_mw(ibv_qp* qp, ibv_mw* mw, ibv_mw_bind* bind) {
    const ibv_mw_bind_info& info = bind->bind_info;
    if (mw->type != IBV_MW_TYPE_1) return EINVAL;
    if (info.mr == nullptr && (info.addr != 0 || info.length != 0)) return EINVAL;
    if (info.mw_access_flags & IBV_ACCESS_ZERO_BASED) return EINVAL;
    if (info.mr && info.mr->pd->handle != mw->pd->handle) return EPERM;

    ibv_send_wr wr{};
    wr.wr_id = bind->wr_id;
    wr.opcode = IBV_WR_BIND_MW;
    wr.send_flags = bind->send_flags;
    wr.bind_mw.mw = mw;
    wr.bind_mw.rkey = ibv_inc_rkey(mw->rkey);
    wr.bind_mw.bind_info = info;
    ibv_send_wr* refused = nullptr;
    if (int err = vrnic_post_send(qp, &wr, &refused)) return err;
    mw->rkey = wr.bind_mw.rkey;
    return 0;
}
