// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_alloc_pd(3), ibv_alloc_td(3), ibv_alloc_parent_domain(3).
#include "domain.h"

#include <cerrno>
#include <cstddef>
#include <new>

#include "verbs_glue.h"

namespace vrnic {

static_assert(offsetof(Pd, verbs) == 0 && offsetof(Td, verbs) == 0);

}  // namespace vrnic

using namespace vrnic;

ibv_pd* vrnic_alloc_pd(ibv_context* context) {
    auto* pd = new (std::nothrow) Pd;
    if (pd == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    if (int err = glue_cmd_alloc_pd(context, &pd->verbs)) {
        delete pd;
        errno = err;
        return nullptr;
    }
    return &pd->verbs;
}

int vrnic_dealloc_pd(ibv_pd* ibpd) {
    Pd& pd = Pd::from(ibpd);
    if (pd.users.load() != 0) return EBUSY;
    if (pd.protection) {
        pd.protection->users.fetch_sub(1);
        if (pd.thread) pd.thread->users.fetch_sub(1);
    } else if (int err = glue_cmd_dealloc_pd(ibpd)) {
        return err;
    }
    delete &pd;
    return 0;
}

// The kernel's is somebody else's, who ends it.
ibv_pd* vrnic_import_pd(ibv_context* context, uint32_t handle) {
    auto* pd = new (std::nothrow) Pd;
    if (pd == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    pd->verbs.context = context;
    pd->verbs.handle = handle;
    return &pd->verbs;
}

void vrnic_unimport_pd(ibv_pd* pd) {
    delete &Pd::from(pd);
}

ibv_td* vrnic_alloc_td(ibv_context* context, ibv_td_init_attr* attr) {
    if (attr->comp_mask) {
        errno = EINVAL;
        return nullptr;
    }
    auto* td = new (std::nothrow) Td;
    if (td == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    td->verbs.context = context;
    return &td->verbs;
}

int vrnic_dealloc_td(ibv_td* ibtd) {
    Td& td = Td::from(ibtd);
    if (td.users.load() != 0) return EBUSY;
    delete &td;
    return 0;
}

ibv_pd* vrnic_alloc_parent_domain(ibv_context* context, ibv_parent_domain_init_attr* attr) {
    constexpr uint32_t kKnown =
        IBV_PARENT_DOMAIN_INIT_ATTR_ALLOCATORS | IBV_PARENT_DOMAIN_INIT_ATTR_PD_CONTEXT;
    const bool allocates = attr->comp_mask & IBV_PARENT_DOMAIN_INIT_ATTR_ALLOCATORS;
    if (attr->pd == nullptr || (attr->comp_mask & ~kKnown) || Pd::from(attr->pd).protection ||
        (allocates && (attr->alloc == nullptr || attr->free == nullptr))) {
        errno = EINVAL;
        return nullptr;
    }
    auto* pd = new (std::nothrow) Pd;
    if (pd == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    pd->verbs.context = context;
    pd->verbs.handle = attr->pd->handle;
    pd->protection = &Pd::from(attr->pd);
    pd->protection->users.fetch_add(1);
    if (attr->td) {
        pd->thread = &Td::from(attr->td);
        pd->thread->users.fetch_add(1);
    }
    if (allocates) {
        pd->alloc = attr->alloc;
        pd->free = attr->free;
    }
    if (attr->comp_mask & IBV_PARENT_DOMAIN_INIT_ATTR_PD_CONTEXT)
        pd->allocator_context = attr->pd_context;
    return &pd->verbs;
}
