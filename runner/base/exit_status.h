// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace vrnic::runner {

// What `./vrnic` exits with when it is not the status of a guest's command. Kept above the
// statuses that programs use themselves; 124 and 125 as timeout(1) has them.
enum class ExitStatus : int {
    success = 0,
    failure = 1,        // a test failed
    usage = 2,          // wrong arguments
    guest_panic = 120,  // the guest's kernel panicked or oopsed
    qemu_died = 121,
    guest_ended = 122,  // the guest powered off or reset before it gave its verdict
    timeout = 124,
    setup = 125,  // something needed to start could not be had
    interrupted = 130,
};

}  // namespace vrnic::runner
