// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "context_fields.h"

#include "vrnic_admin.h"
#include "vrnic_contexts.h"

namespace vrnic::ctl {

namespace {

#define FIELD_OF(context, field_type, field) \
    {#field, offsetof(context, field), sizeof(vrnic_##field_type)},

#define PORT_FIELD(type, name) FIELD_OF(vrnic_port_context, type, name)
#define DOMAIN_FIELD(type, name) FIELD_OF(vrnic_domain_context, type, name)
#define CQ_FIELD(type, name) FIELD_OF(vrnic_cq_context, type, name)
#define SRQ_FIELD(type, name) FIELD_OF(vrnic_srq_context, type, name)
#define QP_FIELD(type, name) FIELD_OF(vrnic_qp_context, type, name)
#define KEY_FIELD(type, name) FIELD_OF(vrnic_key_context, type, name)
#define FAULT_FIELD(type, name) FIELD_OF(vrnic_fault_context, type, name)
#define COUNTERS_FIELD(type, name) FIELD_OF(vrnic_counters_context, type, name)
#define STREAM_FIELD(type, name) FIELD_OF(vrnic_stream_context, type, name)

constexpr ContextField kPort[] = {VRNIC_PORT_CONTEXT(PORT_FIELD)};
constexpr ContextField kDomain[] = {VRNIC_DOMAIN_CONTEXT(DOMAIN_FIELD)};
constexpr ContextField kCq[] = {VRNIC_CQ_CONTEXT(CQ_FIELD)};
constexpr ContextField kSrq[] = {VRNIC_SRQ_CONTEXT(SRQ_FIELD)};
constexpr ContextField kQp[] = {VRNIC_QP_CONTEXT(QP_FIELD)};
constexpr ContextField kKey[] = {VRNIC_KEY_CONTEXT(KEY_FIELD)};
constexpr ContextField kFault[] = {VRNIC_FAULT_CONTEXT(FAULT_FIELD)};
constexpr ContextField kCounters[] = {VRNIC_COUNTERS_CONTEXT(COUNTERS_FIELD)};
constexpr ContextField kStream[] = {VRNIC_STREAM_CONTEXT(STREAM_FIELD)};

constexpr ContextKind kKinds[] = {
    {"port", VRNIC_CONTEXT_PORT, sizeof(vrnic_port_context), kPort},
    {"pd", VRNIC_CONTEXT_PD, sizeof(vrnic_domain_context), kDomain},
    {"xrcd", VRNIC_CONTEXT_XRCD, sizeof(vrnic_domain_context), kDomain},
    {"cq", VRNIC_CONTEXT_CQ, sizeof(vrnic_cq_context), kCq},
    {"srq", VRNIC_CONTEXT_SRQ, sizeof(vrnic_srq_context), kSrq},
    {"qp", VRNIC_CONTEXT_QP, sizeof(vrnic_qp_context), kQp},
    {"key", VRNIC_CONTEXT_KEY, sizeof(vrnic_key_context), kKey},
    {"fault", VRNIC_CONTEXT_FAULT, sizeof(vrnic_fault_context), kFault},
    {"counters", VRNIC_CONTEXT_COUNTERS, sizeof(vrnic_counters_context), kCounters},
    {"stream", VRNIC_CONTEXT_STREAM, sizeof(vrnic_stream_context), kStream},
};

struct ValueName {
    std::uint32_t type;  // VRNIC_CONTEXT_*
    std::string_view field;
    std::uint64_t value;
    std::string_view name;
};
constexpr ValueName kValueNames[] = {
    {VRNIC_CONTEXT_QP, "type", VRNIC_QPT_GSI, "GSI"},
    {VRNIC_CONTEXT_QP, "type", VRNIC_QPT_RC, "RC"},
    {VRNIC_CONTEXT_QP, "type", VRNIC_QPT_UC, "UC"},
    {VRNIC_CONTEXT_QP, "type", VRNIC_QPT_UD, "UD"},
    {VRNIC_CONTEXT_QP, "type", VRNIC_QPT_XRC_INI, "XRC_INI"},
    {VRNIC_CONTEXT_QP, "type", VRNIC_QPT_XRC_TGT, "XRC_TGT"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_RESET, "RESET"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_INIT, "INIT"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_RTR, "RTR"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_RTS, "RTS"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_SQD, "SQD"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_SQE, "SQE"},
    {VRNIC_CONTEXT_QP, "state", VRNIC_QPS_ERR, "ERR"},
    {VRNIC_CONTEXT_QP, "path_mtu", 1, "256 bytes"},
    {VRNIC_CONTEXT_QP, "path_mtu", 2, "512 bytes"},
    {VRNIC_CONTEXT_QP, "path_mtu", 3, "1024 bytes"},
    {VRNIC_CONTEXT_QP, "path_mtu", 4, "2048 bytes"},
    {VRNIC_CONTEXT_QP, "path_mtu", 5, "4096 bytes"},
    {VRNIC_CONTEXT_QP, "message", 1, "SEND"},
    {VRNIC_CONTEXT_QP, "message", 2, "WRITE"},
    {VRNIC_CONTEXT_KEY, "kind", VRNIC_KEY_REGION, "region"},
    {VRNIC_CONTEXT_KEY, "kind", VRNIC_KEY_ALL_MEMORY, "all memory"},
    {VRNIC_CONTEXT_KEY, "kind", VRNIC_KEY_FAST_REGION, "fast region"},
    {VRNIC_CONTEXT_KEY, "kind", VRNIC_KEY_WINDOW_TYPE_1, "window of type 1"},
    {VRNIC_CONTEXT_KEY, "kind", VRNIC_KEY_WINDOW_TYPE_2, "window of type 2"},
};

}  // namespace

std::string_view name_of_value(const ContextKind& kind, const ContextField& field,
                               std::uint64_t value) {
    for (const ValueName& one : kValueNames)
        if (one.type == kind.type && one.field == field.name && one.value == value) return one.name;
    return "";
}

std::span<const ContextKind> context_kinds() {
    return kKinds;
}

std::uint64_t value_of(const ContextField& field, std::span<const std::uint8_t> context) {
    std::uint64_t value = 0;
    for (std::size_t i = field.size; i-- > 0;) value = value << 8 | context[field.offset + i];
    return value;
}

}  // namespace vrnic::ctl
