// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <pthread.h>

namespace vrnic {

// A queue's lock. Verbs calls may come from any thread (ibv_post_send(3), ibv_poll_cq(3)); what it
// guards is a few stores long. Of a queue that the application promised to use from one thread at a
// time only (ibv_alloc_td(3), IBV_CREATE_CQ_ATTR_SINGLE_THREADED) it does nothing.
class SpinLock {
  public:
    SpinLock() { pthread_spin_init(&lock_, PTHREAD_PROCESS_PRIVATE); }
    ~SpinLock() { pthread_spin_destroy(&lock_); }
    SpinLock(const SpinLock&) = delete;
    SpinLock& operator=(const SpinLock&) = delete;

    // Before anybody uses it.
    void set_single_threaded(bool single_threaded) { single_threaded_ = single_threaded; }
    bool single_threaded() const { return single_threaded_; }

    void lock() {
        if (!single_threaded_) pthread_spin_lock(&lock_);
    }
    void unlock() {
        if (!single_threaded_) pthread_spin_unlock(&lock_);
    }

  private:
    pthread_spinlock_t lock_;
    bool single_threaded_ = false;
};

}  // namespace vrnic
