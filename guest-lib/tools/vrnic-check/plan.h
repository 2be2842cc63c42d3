// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "failure.h"

namespace vrnic::check {

enum class Operation { kSend, kSendImm, kWrite, kWriteImm, kRead };

// What is known of an operation.
struct OperationInfo {
    Operation operation;
    std::string_view name;
    bool consumes_receive;
    bool immediate;
    bool can_inline;
};

inline constexpr OperationInfo kOperations[] = {
    {Operation::kSend, "send", true, false, true},
    {Operation::kSendImm, "send-imm", true, true, true},
    {Operation::kWrite, "write", false, false, true},
    {Operation::kWriteImm, "write-imm", true, true, true},
    {Operation::kRead, "read", false, false, false},
};
inline const OperationInfo& info(Operation operation) {
    return kOperations[static_cast<size_t>(operation)];
}

// Who starts the operations.
enum class Directions { kClient, kServer, kBoth };

// What is to be done. The client makes it and tells the server, so that its options are enough.
struct Plan {
    std::vector<Operation> operations;
    std::vector<uint32_t> sizes;  // bytes
    uint64_t seed = 0;
    uint32_t rounds = 2;  // of each case, each with other data
    uint32_t qps = 1;
    uint32_t depth = 4;  // messages under way on a QP
    uint32_t mtu = 0;    // bytes; 0: the smaller of both ports
    Directions directions = Directions::kBoth;
    bool ipv6 = false;
    bool events = false;            // wait for completion events instead of polling
    bool errors = false;            // look at the behaviour on errors, not at content
    bool atomics = false;           // look at atomics of both sides on the same words
    bool extensions = false;        // look at memory windows, invalidation, ATOMIC WRITE and FLUSH
    bool dmabuf = false;            // buffers are another driver's, registered as dma-buf
    bool lenient = false;           // accept what rdma_rxe is known to do instead
    uint32_t timeout_seconds = 30;  // for one completion
};

nlohmann::json to_json(const Plan& plan);
Result<Plan> plan_from_json(const nlohmann::json& value);

}  // namespace vrnic::check
