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

// Where a register of eight bytes lies in what is mapped of it.
bool holds_register(uint32_t size, uint32_t offset) {
    return size >= sizeof(uint64_t) && offset <= size - sizeof(uint64_t) &&
           offset % sizeof(uint64_t) == 0;
}

// An errno value.
int map(int cmd_fd, uint64_t key, uint32_t size, int protection, void*& pages) {
    void* mapped = mmap(nullptr, size, protection, MAP_SHARED, cmd_fd, static_cast<off_t>(key));
    if (mapped == MAP_FAILED) return errno;
    pages = mapped;
    return 0;
}

// The context's doorbell slot. An errno value.
int map_doorbell(Context::State& state, int cmd_fd) {
    const auto& limits = state.limits;
    if (!holds_register(limits.db_mmap_size, limits.db_offset)) return EPROTO;
    if (int err =
            map(cmd_fd, limits.db_mmap_key, limits.db_mmap_size, PROT_WRITE, state.doorbell_pages))
        return err;
    state.doorbell = Doorbell(static_cast<std::byte*>(state.doorbell_pages) + limits.db_offset);
    return 0;
}

// The device's clock, when there is one to map. An errno value.
int map_clock(Context::State& state, int cmd_fd) {
    const auto& limits = state.limits;
    if (limits.clock_mmap_size == 0) return 0;
    if (!holds_register(limits.clock_mmap_size, limits.clock_offset)) return EPROTO;
    if (int err = map(cmd_fd, limits.clock_mmap_key, limits.clock_mmap_size, PROT_READ,
                      state.clock_pages))
        return err;
    state.clock =
        DeviceClock(static_cast<const std::byte*>(state.clock_pages) + limits.clock_offset);
    return 0;
}

// Whether the device is still there. An errno value.
int map_state(Context::State& state, int cmd_fd) {
    const auto& limits = state.limits;
    if (limits.state_mmap_size == 0) return 0;
    if (limits.state_mmap_size < sizeof(vrnic_ib_state)) return EPROTO;
    if (int err = map(cmd_fd, limits.state_mmap_key, limits.state_mmap_size, PROT_READ,
                      state.state_pages))
        return err;
    state.device = static_cast<const vrnic_ib_state*>(state.state_pages);
    return 0;
}

void destroy(Context* context) {
    Context::State& state = context->state;
    if (state.state_pages) munmap(state.state_pages, state.limits.state_mmap_size);
    if (state.clock_pages) munmap(state.clock_pages, state.limits.clock_mmap_size);
    if (state.doorbell_pages) munmap(state.doorbell_pages, state.limits.db_mmap_size);
    std::destroy_at(&state);
    glue_free_context(&context->verbs);
}

// A context whose limits the command asks the kernel for; nullptr and errno.
verbs_context* open(ibv_device* device, int cmd_fd,
                    int (*command)(verbs_context*, vrnic_ib_alloc_ucontext_resp*)) {
    verbs_context* verbs = glue_new_context(device, cmd_fd, sizeof(Context));
    if (verbs == nullptr) return nullptr;
    auto* context = reinterpret_cast<Context*>(verbs);
    std::construct_at(&context->state);

    int err = command(verbs, &context->state.limits);
    if (err == 0) err = map_doorbell(context->state, cmd_fd);
    if (err == 0) err = map_clock(context->state, cmd_fd);
    if (err == 0) err = map_state(context->state, cmd_fd);
    if (err) {
        destroy(context);
        errno = err;
        return nullptr;
    }
    glue_set_ops(verbs);
    return verbs;
}

}  // namespace

}  // namespace vrnic

using namespace vrnic;

verbs_context* vrnic_alloc_context(ibv_device* device, int cmd_fd) {
    return open(device, cmd_fd, glue_cmd_get_context);
}

verbs_context* vrnic_import_context(ibv_device* device, int cmd_fd) {
    return open(device, cmd_fd, glue_cmd_query_context);
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
        case IBV_EVENT_QP_LAST_WQE_REACHED:
            Qp::from(event->element.qp).note_error();
            break;
        default:
            break;
    }
}
