// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Objects as the device holds them.
#include "command.h"
#include "vrnicdv.h"
#include "xrcd_handle.h"

using vrnic::dv::Command;

int vrnicdv_query_types(ibv_context* context, vrnic_ib_type* types, std::uint32_t* count) {
    return Command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_TYPES)
        .out(VRNIC_ATTR_DEVICE_TYPES_COUNT, count)
        .out_list(VRNIC_ATTR_DEVICE_TYPES_LIST, types, *count)
        .run(context);
}

int vrnicdv_query_device(ibv_context* context, vrnic_device_caps* caps) {
    return Command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_QUERY)
        .out(VRNIC_ATTR_DEVICE_QUERY_CAPS, caps)
        .run(context);
}

int vrnicdv_query_port(ibv_context* context, vrnic_port_context* port) {
    return Command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_QUERY_PORT)
        .out(VRNIC_ATTR_DEVICE_QUERY_PORT_CONTEXT, port)
        .run(context);
}

int vrnicdv_query_object(ibv_context* context, std::uint32_t type, std::uint32_t number,
                         vrnic_ib_context* out) {
    return Command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_QUERY_OBJECT)
        .in(VRNIC_ATTR_DEVICE_QUERY_OBJECT_TYPE, type)
        .in(VRNIC_ATTR_DEVICE_QUERY_OBJECT_NUMBER, number)
        .out(VRNIC_ATTR_DEVICE_QUERY_OBJECT_CONTEXT, out)
        .run(context);
}

#define VRNICDV_QUERY(OBJECT, object, context_type, field)                    \
    int vrnicdv_query_##object(ibv_##object* object, context_type* out) {     \
        return Command(UVERBS_OBJECT_##OBJECT, VRNIC_METHOD_##OBJECT##_QUERY) \
            .handle(VRNIC_ATTR_##OBJECT##_QUERY_HANDLE, object->handle)       \
            .out(VRNIC_ATTR_##OBJECT##_QUERY_##field, out)                    \
            .run(object->context);                                            \
    }
VRNICDV_QUERY(PD, pd, vrnic_domain_context, CONTEXT)
VRNICDV_QUERY(CQ, cq, vrnic_cq_context, CONTEXT)
VRNICDV_QUERY(SRQ, srq, vrnic_srq_context, CONTEXT)
VRNICDV_QUERY(QP, qp, vrnic_qp_context, CONTEXT)
VRNICDV_QUERY(MR, mr, vrnic_key_context, CONTEXT)
VRNICDV_QUERY(MW, mw, vrnic_key_context, CONTEXT)
VRNICDV_QUERY(AH, ah, vrnic_av, AV)

int vrnicdv_query_xrcd(ibv_xrcd* xrcd, vrnic_domain_context* out) {
    return Command(UVERBS_OBJECT_XRCD, VRNIC_METHOD_XRCD_QUERY)
        .handle(VRNIC_ATTR_XRCD_QUERY_HANDLE, vrnic_xrcd_handle(xrcd))
        .out(VRNIC_ATTR_XRCD_QUERY_CONTEXT, out)
        .run(xrcd->context);
}

#define VRNICDV_CALL(OBJECT, object)                                           \
    int vrnicdv_call_##object(ibv_##object* object, std::uint32_t operation) { \
        return Command(UVERBS_OBJECT_##OBJECT, VRNIC_METHOD_##OBJECT##_CALL)   \
            .handle(VRNIC_ATTR_##OBJECT##_CALL_HANDLE, object->handle)         \
            .in(VRNIC_ATTR_##OBJECT##_CALL_OPERATION, operation)               \
            .run(object->context);                                             \
    }
VRNICDV_CALL(QP, qp)
VRNICDV_CALL(CQ, cq)
VRNICDV_CALL(SRQ, srq)
