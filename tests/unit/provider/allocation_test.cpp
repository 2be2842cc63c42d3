// SPDX-License-Identifier: GPL-2.0-or-later
// Posting and polling ask for no memory.
#include <atomic>
#include <cerrno>
#include <cstddef>

#include "fake_kernel.h"
#include "unit/catch.h"

// Of AddressSanitizer's library; gcc 12 comes without the header.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t),
                                                         void (*)(const volatile void*));

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

std::atomic<bool> counting{false};
std::atomic<unsigned> allocations{0};

void on_malloc(const volatile void*, size_t) {
    if (counting) ++allocations;
}
void on_free(const volatile void*) {}

}  // namespace

TEST_CASE("posting and polling ask for no memory") {
    static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    REQUIRE(installed != 0);
    FakeKernel kernel;
    ibv_cq_ex* extended = kernel.create_cq_ex(IBV_WC_STANDARD_FLAGS);
    ibv_cq* cq = ibv_cq_ex_to_cq(extended);
    ibv_srq* srq = kernel.create_srq(4);
    ibv_qp* rc = kernel.create_qp(cq, IBV_QPT_RC);
    ibv_qp* shared = kernel.create_qp(cq, IBV_QPT_RC, srq);
    ibv_qp_ex* ud = kernel.create_qp_ex(cq, IBV_QPT_UD, IBV_QP_EX_WITH_SEND);
    ibv_ah* ah = kernel.create_ah(1);
    ibv_sge sge{0x5000, 8, 1};
    ibv_send_wr send{}, *bad_send = nullptr;
    send.opcode = IBV_WR_SEND;
    send.sg_list = &sge;
    send.num_sge = 1;
    ibv_recv_wr receive{}, *bad_receive = nullptr;
    receive.sg_list = &sge;
    receive.num_sge = 1;
    ibv_wc wc{};
    ibv_poll_cq_attr attr{};
    kernel.complete_send(cq, rc, 0);  // the fake's own memory
    kernel.complete_receive(cq, rc, 0);
    kernel.complete_send(cq, &ud->qp_base, 0);
    int errors = 0, taken = 0;

    counting = true;
    errors += vrnic_post_send(rc, &send, &bad_send);
    errors += vrnic_post_recv(rc, &receive, &bad_receive);
    errors += vrnic_post_srq_recv(srq, &receive, &bad_receive);
    ibv_wr_start(ud);
    ibv_wr_send(ud);
    ibv_wr_set_ud_addr(ud, ah, 1, 1);
    ibv_wr_set_sge(ud, 1, 0x5000, 8);
    errors += ibv_wr_complete(ud);
    taken += vrnic_poll_cq(cq, 1, &wc);
    errors += ibv_start_poll(extended, &attr);
    errors += ibv_next_poll(extended);
    ibv_end_poll(extended);
    errors += vrnic_req_notify_cq(cq, 0);
    counting = false;

    CHECK(errors == 0);
    CHECK(taken == 1);
    CHECK(allocations == 0);
    counting = true;  // the hook does count
    delete new int;
    counting = false;
    CHECK(allocations != 0);
    vrnic_destroy_ah(ah);
    vrnic_destroy_qp(&ud->qp_base);
    vrnic_destroy_qp(shared);
    vrnic_destroy_qp(rc);
    vrnic_destroy_srq(srq);
    vrnic_destroy_cq(cq);
}
