// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// What a case works with: a device of vrnic, and two of its queue pairs connected to each other.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "buffer.h"
#include "completions.h"
#include "device.h"
#include "queue_pair.h"
#include "vrnicdv.h"

namespace vrnic::dvcheck {

using check::Result;
using check::wrong;

struct Bench {
    check::Device device;
    check::Completions completions;
    check::Buffer memory;
    check::QueuePair a, b;

    static constexpr uint32_t kSize = 4096;  // of the memory, bytes
    static Result<Bench> set_up(const std::string& device);

    ibv_context* context() const { return device.context.get(); }
    // A WRITE from a to b, whole; the status of its completion.
    Result<ibv_wc_status> write(uint32_t bytes);
};

// A complaint when two values differ.
Result<void> same(const char* what, uint64_t found, uint64_t expected);

struct Case {
    const char* name;
    std::function<Result<void>(Bench&)> run;
};

std::vector<Case> inspect_cases();
std::vector<Case> fault_cases();
std::vector<Case> stream_cases();
std::vector<Case> attribute_cases();

}  // namespace vrnic::dvcheck
