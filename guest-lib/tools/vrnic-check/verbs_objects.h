// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <infiniband/verbs.h>

#include <memory>

namespace vrnic::check {

// Owners of verbs objects. What is made later must go first.
template <auto kDestroy>
struct Destroy {
    template <typename T>
    void operator()(T* object) const {
        (void)kDestroy(object);
    }
};

// 0, or an errno value and the object stays.
template <typename T, auto kDestroy>
int destroy(std::unique_ptr<T, Destroy<kDestroy>>& owner) {
    if (!owner) return 0;
    const int err = kDestroy(owner.get());
    if (err == 0) (void)owner.release();
    return err;
}

using ContextPtr = std::unique_ptr<ibv_context, Destroy<ibv_close_device>>;
using PdPtr = std::unique_ptr<ibv_pd, Destroy<ibv_dealloc_pd>>;
using MrPtr = std::unique_ptr<ibv_mr, Destroy<ibv_dereg_mr>>;
using ChannelPtr = std::unique_ptr<ibv_comp_channel, Destroy<ibv_destroy_comp_channel>>;
using CqPtr = std::unique_ptr<ibv_cq, Destroy<ibv_destroy_cq>>;
using QpPtr = std::unique_ptr<ibv_qp, Destroy<ibv_destroy_qp>>;

}  // namespace vrnic::check
