// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <cerrno>
#include <memory>
#include <new>

#include "command.h"
#include "vrnicdv.h"

using vrnic::dv::Command;

struct vrnicdv_fault {
    ibv_context* context;
    std::uint32_t handle;
    std::uint32_t number = 0;  // 0: the driver does not tell
};

vrnicdv_fault* vrnicdv_create_fault(ibv_context* context, const vrnic_fault_rule* rule,
                                    ibv_qp* qp) {
    std::unique_ptr<vrnicdv_fault> fault(new (std::nothrow)
                                             vrnicdv_fault{.context = context, .handle = 0});
    if (!fault) {
        errno = ENOMEM;
        return nullptr;
    }
    Command command(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_CREATE);
    command.new_handle(VRNIC_ATTR_FAULT_CREATE_HANDLE).in(VRNIC_ATTR_FAULT_CREATE_RULE, *rule);
    if (qp) command.handle(VRNIC_ATTR_FAULT_CREATE_QP, qp->handle);
#if VRNIC_OBJECTS_VERSION >= 2  // else this is built as an older one, for a test
    command.out(VRNIC_ATTR_FAULT_CREATE_NUMBER, &fault->number).optional();
#endif
    errno = command.run(context);
    if (errno != 0) return nullptr;
    fault->handle = command.handle_of(VRNIC_ATTR_FAULT_CREATE_HANDLE);
    return fault.release();
}

int vrnicdv_query_fault(vrnicdv_fault* fault, vrnic_fault_rule* rule,
                        vrnic_fault_context* counted) {
    Command command(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_QUERY);
    command.handle(VRNIC_ATTR_FAULT_QUERY_HANDLE, fault->handle);
    if (rule) command.out(VRNIC_ATTR_FAULT_QUERY_RULE, rule);
    if (counted) command.out(VRNIC_ATTR_FAULT_QUERY_CONTEXT, counted);
    return command.run(fault->context);
}

int vrnicdv_fault_number(vrnicdv_fault* fault, std::uint32_t* number) {
    *number = fault->number;
    return fault->number == 0 ? EOPNOTSUPP : 0;
}

int vrnicdv_modify_fault(vrnicdv_fault* fault, const vrnic_fault_rule* rule) {
    return Command(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_MODIFY)
        .handle(VRNIC_ATTR_FAULT_MODIFY_HANDLE, fault->handle)
        .in(VRNIC_ATTR_FAULT_MODIFY_RULE, *rule)
        .run(fault->context);
}

int vrnicdv_restart_fault(vrnicdv_fault* fault) {
    return Command(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_CALL)
        .handle(VRNIC_ATTR_FAULT_CALL_HANDLE, fault->handle)
        .in(VRNIC_ATTR_FAULT_CALL_OPERATION, std::uint32_t{VRNIC_FAULT_CALL_RESTART})
        .run(fault->context);
}

int vrnicdv_destroy_fault(vrnicdv_fault* fault) {
    const std::unique_ptr<vrnicdv_fault> owned(fault);
    const int err = Command(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_DESTROY)
                        .handle(VRNIC_ATTR_FAULT_DESTROY_HANDLE, fault->handle)
                        .run(fault->context);
    return err == EIO ? 0 : err;  // the device has gone and has taken it along
}
