// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "context.h"

#include <sys/mman.h>

#include <cerrno>
#include <memory>

#include "qp.h"
#include "verbs_glue.h"

namespace vrnic {

static_assert(offsetof(Context, verbs) == 0);

Context& Context::from(ibv_context* context) {
    // libibverbs hands out the ibv_context at the end of its verbs_context.
    return *reinterpret_cast<Context*>(reinterpret_cast<std::byte*>(context) -
                                       offsetof(verbs_context, context));
}

namespace {

// Maps the context's doorbell slot. An errno value.
int map_doorbell(Context::State& state, int cmd_fd) {
    const auto& limits = state.limits;
    if (limits.db_mmap_size < sizeof(uint64_t) ||
        limits.db_offset > limits.db_mmap_size - sizeof(uint64_t) ||
        limits.db_offset % sizeof(uint64_t) != 0)
        return EPROTO;
    void* pages = mmap(nullptr, limits.db_mmap_size, PROT_WRITE, MAP_SHARED, cmd_fd,
                       static_cast<off_t>(limits.db_mmap_key));
    if (pages == MAP_FAILED) return errno;
    state.doorbell_pages = pages;
    state.doorbell = Doorbell(static_cast<std::byte*>(pages) + limits.db_offset);
    return 0;
}

void destroy(Context* context) {
    if (context->state.doorbell_pages)
        munmap(context->state.doorbell_pages, context->state.limits.db_mmap_size);
    std::destroy_at(&context->state);
    glue_free_context(&context->verbs);
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

verbs_context* vrnic_alloc_context(ibv_device* device, int cmd_fd) {
    verbs_context* verbs = glue_new_context(device, cmd_fd, sizeof(Context));
    if (verbs == nullptr) return nullptr;
    auto* context = reinterpret_cast<Context*>(verbs);
    std::construct_at(&context->state);

    int err = glue_cmd_get_context(verbs, &context->state.limits);
    if (err == 0) err = map_doorbell(context->state, cmd_fd);
    if (err) {
        destroy(context);
        errno = err;
        return nullptr;
    }
    glue_set_ops(verbs);
    return verbs;
}

void vrnic_free_context(ibv_context* context) {
    destroy(&Context::from(context));
}

// Called as the application takes the event (ibv_get_async_event(3)).
void vrnic_async_event(ibv_context*, ibv_async_event* event) {
    switch (event->event_type) {
        case IBV_EVENT_QP_FATAL:
        case IBV_EVENT_QP_REQ_ERR:
        case IBV_EVENT_QP_ACCESS_ERR:
            Qp::from(event->element.qp).note_error();
            break;
        default:
            break;
    }
}
