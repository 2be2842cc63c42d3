// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "context_fields.h"

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

constexpr ContextField kPort[] = {VRNIC_PORT_CONTEXT(PORT_FIELD)};
constexpr ContextField kDomain[] = {VRNIC_DOMAIN_CONTEXT(DOMAIN_FIELD)};
constexpr ContextField kCq[] = {VRNIC_CQ_CONTEXT(CQ_FIELD)};
constexpr ContextField kSrq[] = {VRNIC_SRQ_CONTEXT(SRQ_FIELD)};
constexpr ContextField kQp[] = {VRNIC_QP_CONTEXT(QP_FIELD)};
constexpr ContextField kKey[] = {VRNIC_KEY_CONTEXT(KEY_FIELD)};
constexpr ContextField kFault[] = {VRNIC_FAULT_CONTEXT(FAULT_FIELD)};
constexpr ContextField kCounters[] = {VRNIC_COUNTERS_CONTEXT(COUNTERS_FIELD)};

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
};

}  // namespace

std::span<const ContextKind> context_kinds() {
    return kKinds;
}

std::uint64_t value_of(const ContextField& field, std::span<const std::uint8_t> context) {
    std::uint64_t value = 0;
    for (std::size_t i = field.size; i-- > 0;) value = value << 8 | context[field.offset + i];
    return value;
}

}  // namespace vrnic::ctl
