// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <pthread.h>

namespace vrnic {

// A queue's lock. Verbs calls may come from any thread (ibv_post_send(3), ibv_poll_cq(3)); what it
// guards is a few stores long.
class SpinLock {
  public:
    SpinLock() { pthread_spin_init(&lock_, PTHREAD_PROCESS_PRIVATE); }
    ~SpinLock() { pthread_spin_destroy(&lock_); }
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    void lock() { pthread_spin_lock(&lock_); }
    void unlock() { pthread_spin_unlock(&lock_); }

  private:
    pthread_spinlock_t lock_;
};

}  // namespace vrnic
