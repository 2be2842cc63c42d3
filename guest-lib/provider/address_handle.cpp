// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// ibv_create_ah(3). The kernel resolves the address and answers with the address vector.
#include "address_handle.h"

#include <cerrno>
#include <cstddef>
#include <new>

#include "verbs_glue.h"

namespace vrnic {

static_assert(offsetof(Ah, verbs) == 0);

}  // namespace vrnic

using namespace vrnic;

ibv_ah* vrnic_create_ah(ibv_pd* pd, ibv_ah_attr* attr) {
    auto* ah = new (std::nothrow) Ah;
    if (ah == nullptr) {
        errno = ENOMEM;
        return nullptr;
    }
    vrnic_ib_create_ah_resp resp{};
    if (int err = glue_cmd_create_ah(pd, &ah->verbs, attr, &resp)) {
        delete ah;
        errno = err;
        return nullptr;
    }
    ah->av = resp.av;
    return &ah->verbs;
}

int vrnic_destroy_ah(ibv_ah* ibah) {
    if (int err = glue_cmd_destroy_ah(ibah)) return err;
    delete &Ah::from(ibah);
    return 0;
}
