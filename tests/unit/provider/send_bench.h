// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "fake_kernel.h"
#include "unit/catch.h"

namespace vrnic::provider_test {

// A queue pair whose requests complete in one queue.
struct SendBench {
    FakeKernel kernel;
    ibv_cq* cq = kernel.create_cq(16);
    ibv_qp* qp;
    ibv_sge sge{0x5000, 8, 0x1234};

    explicit SendBench(ibv_qp_type type) : qp(kernel.create_qp(cq, type)) { REQUIRE(qp); }
    ~SendBench() {
        if (qp) vrnic_destroy_qp(qp);
        vrnic_destroy_cq(cq);
    }
    ibv_send_wr request(ibv_wr_opcode opcode) {
        ibv_send_wr wr{};
        wr.wr_id = 7;
        wr.sg_list = &sge;
        wr.num_sge = 1;
        wr.opcode = opcode;
        wr.send_flags = IBV_SEND_SIGNALED;
        return wr;
    }
    int post(ibv_send_wr wr) {
        ibv_send_wr* bad = nullptr;
        return vrnic_post_send(qp, &wr, &bad);
    }
    ibv_wc poll() {
        ibv_wc wc{};
        REQUIRE(vrnic_poll_cq(cq, 1, &wc) == 1);
        return wc;
    }
};

}  // namespace vrnic::provider_test
