// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/event_loop.h"
#include "vm/vm_spec.h"

namespace vrnic::runner {

// "kvm" or "tcg". asked: "kvm" or "tcg" is taken as it is; "auto" finds out. A /dev/kvm that can
// be opened may still not run a kernel, so KVM has to show that it does, by a few seconds of the
// guest's own kernel; the answer is remembered in `memory` until the host's kernel, its boot
// or the QEMU changes.
[[nodiscard]] Result<std::string> choose_accelerator(EventLoop& loop, const std::string& asked,
                                                     const VmFiles& files,
                                                     const std::filesystem::path& memory);

}  // namespace vrnic::runner
