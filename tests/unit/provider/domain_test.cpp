// SPDX-License-Identifier: GPL-2.0-or-later
// Thread domains, parent domains, and memory of the application's own.
#include "domain.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>

#include "cq.h"
#include "fake_kernel.h"
#include "qp.h"
#include "srq.h"
#include "unit/catch.h"

using namespace vrnic;
using namespace vrnic::provider_test;

namespace {

// An application's allocator, which counts.
struct Allocator {
    std::map<void*, uint64_t> live;  // with the type that it was asked for
    void* answer = nullptr;          // instead of memory
    bool answers = false;
    size_t offset = 0;

    static void* alloc(ibv_pd* pd, void* context, size_t size, size_t alignment, uint64_t type) {
        auto& self = *static_cast<Allocator*>(context);
        CHECK(pd != nullptr);
        CHECK(size % 4096 == 0);
        CHECK(alignment == 4096);
        if (self.answers) return self.answer;
        void* memory = std::aligned_alloc(alignment, size + alignment);
        std::memset(memory, 0xee, size + alignment);
        void* given = static_cast<std::byte*>(memory) + self.offset;
        self.live[given] = type;
        return given;
    }
    static void free(ibv_pd*, void* context, void* memory, uint64_t type) {
        auto& self = *static_cast<Allocator*>(context);
        REQUIRE(self.live.contains(memory));
        CHECK(self.live[memory] == type);
        self.live.erase(memory);
        std::free(static_cast<std::byte*>(memory) - self.offset);
    }
};

struct Bench {
    FakeKernel kernel;
    Allocator allocator;

    ibv_pd* parent(ibv_td* td, bool allocators) {
        ibv_parent_domain_init_attr attr{};
        attr.pd = kernel.pd();
        attr.td = td;
        if (allocators) {
            attr.comp_mask =
                IBV_PARENT_DOMAIN_INIT_ATTR_ALLOCATORS | IBV_PARENT_DOMAIN_INIT_ATTR_PD_CONTEXT;
            attr.alloc = Allocator::alloc;
            attr.free = Allocator::free;
            attr.pd_context = &allocator;
        }
        return vrnic_alloc_parent_domain(kernel.context(), &attr);
    }
    ibv_td* thread() {
        ibv_td_init_attr attr{};
        return vrnic_alloc_td(kernel.context(), &attr);
    }
    ibv_qp* create_qp(ibv_pd* pd, ibv_cq* cq) {
        ibv_qp_init_attr attr{};
        attr.qp_type = IBV_QPT_RC;
        attr.send_cq = attr.recv_cq = cq;
        attr.cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1};
        return vrnic_create_qp(pd, &attr);
    }
};

}  // namespace

TEST_CASE("a protection domain is the kernel's, a parent domain is not") {
    Bench bench;
    CHECK(bench.kernel.kernel_pds == 1);
    ibv_pd* parent = bench.parent(nullptr, false);
    REQUIRE(parent);
    CHECK(bench.kernel.kernel_pds == 1);
    CHECK(parent->handle == bench.kernel.pd()->handle);
    CHECK(vrnic_dealloc_pd(bench.kernel.pd()) == EBUSY);
    CHECK(bench.kernel.kernel_pds == 1);
    CHECK(vrnic_dealloc_pd(parent) == 0);
    CHECK(bench.kernel.kernel_pds == 1);

    bench.kernel.next_error = ENOMEM;
    CHECK(vrnic_alloc_pd(bench.kernel.context()) == nullptr);
    CHECK(errno == ENOMEM);
    ibv_pd* pd = vrnic_alloc_pd(bench.kernel.context());
    bench.kernel.next_error = EBUSY;  // the kernel knows of regions
    CHECK(vrnic_dealloc_pd(pd) == EBUSY);
    CHECK(vrnic_dealloc_pd(pd) == 0);
}

TEST_CASE("domains stay while they are used") {
    Bench bench;
    ibv_td* td = bench.thread();
    ibv_pd* parent = bench.parent(td, false);
    CHECK(vrnic_dealloc_td(td) == EBUSY);
    ibv_cq* cq = bench.kernel.create_cq(4);
    ibv_qp* qp = bench.create_qp(parent, cq);
    REQUIRE(qp);
    CHECK(vrnic_dealloc_pd(parent) == EBUSY);
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_dealloc_pd(parent) == 0);
    CHECK(vrnic_dealloc_td(td) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
}

TEST_CASE("what a parent domain refuses") {
    Bench bench;
    ibv_parent_domain_init_attr attr{};
    attr.pd = bench.kernel.pd();
    ibv_pd* parent = nullptr;
    SECTION("none to be parent of") {
        attr.pd = nullptr;
    }
    SECTION("a parent domain") {
        attr.pd = parent = bench.parent(nullptr, false);
    }
    SECTION("an unknown field") {
        attr.comp_mask = 4;
    }
    SECTION("half an allocator") {
        attr.comp_mask = IBV_PARENT_DOMAIN_INIT_ATTR_ALLOCATORS;
        attr.alloc = Allocator::alloc;
    }
    CHECK(vrnic_alloc_parent_domain(bench.kernel.context(), &attr) == nullptr);
    CHECK(errno == EINVAL);
    if (parent) CHECK(vrnic_dealloc_pd(parent) == 0);
    ibv_td_init_attr td{};
    td.comp_mask = 1;
    CHECK(vrnic_alloc_td(bench.kernel.context(), &td) == nullptr);
    CHECK(errno == EINVAL);
}

TEST_CASE("queues of a thread domain do not lock") {
    Bench bench;
    ibv_td* td = bench.thread();
    ibv_pd* alone = bench.parent(td, false);
    ibv_pd* shared = bench.parent(nullptr, false);
    for (ibv_pd* parent : {alone, shared}) {
        ibv_cq_ex* cq = bench.kernel.create_cq_ex(0, 0, parent);
        REQUIRE(cq);
        ibv_qp* qp = bench.create_qp(parent, ibv_cq_ex_to_cq(cq));
        REQUIRE(qp);
        CHECK(Cq::from(cq).lock.single_threaded() == (parent == alone));
        CHECK(Qp::from(qp).send.lock.single_threaded() == (parent == alone));
        CHECK_FALSE(Qp::from(qp).receive.lock.single_threaded());
        CHECK(vrnic_destroy_qp(qp) == 0);
        CHECK(vrnic_destroy_cq(ibv_cq_ex_to_cq(cq)) == 0);
        CHECK(vrnic_dealloc_pd(parent) == 0);
    }
    CHECK(vrnic_dealloc_td(td) == 0);
}

TEST_CASE("queues in the application's memory") {
    Bench bench;
    ibv_pd* parent = bench.parent(nullptr, true);
    ibv_cq_ex* cq_ex = bench.kernel.create_cq_ex(0, 0, parent);
    REQUIRE(cq_ex);
    ibv_cq* cq = ibv_cq_ex_to_cq(cq_ex);
    ibv_qp* qp = bench.create_qp(parent, cq);
    REQUIRE(qp);
    ibv_srq_init_attr attr{};
    attr.attr = {.max_wr = 4, .max_sge = 1};
    ibv_srq* srq = vrnic_create_srq(parent, &attr);
    REQUIRE(srq);
    CHECK(bench.allocator.live.size() == 3);
    const auto type_of = [&](uint64_t va) {
        return static_cast<QueueKind>(bench.allocator.live.at(reinterpret_cast<void*>(va)));
    };
    CHECK(type_of(bench.kernel.cqs_.at(cq->handle).buf_va) == QueueKind::kCq);
    CHECK(type_of(bench.kernel.request_of(qp).buf_va) == QueueKind::kQp);
    CHECK(type_of(bench.kernel.request_of(srq).buf_va) == QueueKind::kSrq);

    // It was handed in dirty.
    ibv_wc wc;
    CHECK(vrnic_poll_cq(cq, 1, &wc) == 0);
    CHECK(bench.kernel.record(qp).sq_pi == 0);
    CHECK(vrnic_resize_cq(cq, 64) == 0);
    CHECK(bench.allocator.live.size() == 3);
    CHECK(vrnic_destroy_qp(qp) == 0);
    CHECK(vrnic_destroy_srq(srq) == 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
    CHECK(bench.allocator.live.empty());
    CHECK(vrnic_dealloc_pd(parent) == 0);
}

TEST_CASE("allocators that leave it to us, have none, or are wrong") {
    Bench bench;
    ibv_pd* parent = bench.parent(nullptr, true);
    SECTION("left to us") {
        bench.allocator.answers = true;
        bench.allocator.answer = reinterpret_cast<void*>(-1);
        ibv_cq_ex* cq = bench.kernel.create_cq_ex(0, 0, parent);
        REQUIRE(cq);
        CHECK(vrnic_destroy_cq(ibv_cq_ex_to_cq(cq)) == 0);
    }
    SECTION("none") {
        bench.allocator.answers = true;
        CHECK(bench.kernel.create_cq_ex(0, 0, parent) == nullptr);
        CHECK(errno == ENOMEM);
    }
    SECTION("not aligned") {
        bench.allocator.offset = 64;
        CHECK(bench.kernel.create_cq_ex(0, 0, parent) == nullptr);
        CHECK(errno == EINVAL);
    }
    SECTION("given back when the kernel refuses") {
        bench.kernel.next_error = EDQUOT;
        CHECK(bench.kernel.create_cq_ex(0, 0, parent) == nullptr);
        CHECK(errno == EDQUOT);
    }
    CHECK(bench.allocator.live.empty());
    CHECK(vrnic_dealloc_pd(parent) == 0);
}

TEST_CASE("a context and a protection domain of somebody else") {
    FakeKernel kernel;
    verbs_context* verbs = vrnic_import_context(nullptr, kernel.cmd_fd());
    REQUIRE(verbs);
    ibv_pd* pd = vrnic_import_pd(&verbs->context, kernel.pd()->handle);
    REQUIRE(pd);
    CHECK(pd->handle == kernel.pd()->handle);
    ibv_cq* cq = vrnic_create_cq(&verbs->context, 4, nullptr, 0);
    REQUIRE(cq);
    CHECK(vrnic_req_notify_cq(cq, 0) == 0);  // by the doorbell that both have mapped
    CHECK(kernel.take_doorbell() != 0);
    CHECK(vrnic_destroy_cq(cq) == 0);
    vrnic_unimport_pd(pd);
    CHECK(kernel.kernel_pds == 1);
    vrnic_free_context(&verbs->context);

    kernel.next_error = EOPNOTSUPP;  // a kernel before us
    CHECK(vrnic_import_context(nullptr, kernel.cmd_fd()) == nullptr);
    CHECK(errno == EOPNOTSUPP);
}
