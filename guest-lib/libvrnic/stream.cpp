// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Descriptors of what the device does.
#include <cerrno>
#include <cstring>

#include "command.h"
#include "vrnicdv.h"

using vrnic::dv::Command;
using vrnic::dv::watching;

namespace {

Command call(int fd, std::uint32_t operation) {
    Command command(VRNIC_OBJECT_STREAM, VRNIC_METHOD_STREAM_CALL);
    command.handle(VRNIC_ATTR_STREAM_CALL_FD, static_cast<std::uint32_t>(fd))
        .in(VRNIC_ATTR_STREAM_CALL_OPERATION, operation);
    return command;
}

}  // namespace

int vrnicdv_query_interfaces(ibv_context* context, vrnic_ib_interface* interfaces,
                             std::uint32_t* count) {
    return Command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_INTERFACES)
        .out(VRNIC_ATTR_DEVICE_INTERFACES_COUNT, count)
        .out_list(VRNIC_ATTR_DEVICE_INTERFACES_LIST, interfaces, *count)
        .run(context);
}

int vrnicdv_open_interface(ibv_context* context, const char* name, std::uint32_t version,
                           const vrnic_ib_stream_options* options) {
    vrnic_ib_interface wanted{};
    const std::size_t length = std::strlen(name);
    if (length >= sizeof(wanted.name)) {
        errno = ENOENT;
        return -1;
    }
    std::memcpy(wanted.name, name, length);
    wanted.version = version;
    Command command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_OPEN);
    command.new_handle(VRNIC_ATTR_DEVICE_OPEN_FD).in(VRNIC_ATTR_DEVICE_OPEN_INTERFACE, wanted);
    if (options) command.in(VRNIC_ATTR_DEVICE_OPEN_OPTIONS, *options);
    return command.open(VRNIC_ATTR_DEVICE_OPEN_FD, context);
}

#define VRNICDV_EVENTS(OBJECT, object)                                         \
    int vrnicdv_open_##object##_events(ibv_##object* object) {                 \
        return Command(UVERBS_OBJECT_##OBJECT, VRNIC_METHOD_##OBJECT##_GET_FD) \
            .handle(VRNIC_ATTR_##OBJECT##_GET_FD_HANDLE, object->handle)       \
            .new_handle(VRNIC_ATTR_##OBJECT##_GET_FD_FD)                       \
            .open(VRNIC_ATTR_##OBJECT##_GET_FD_FD, object->context);           \
    }
VRNICDV_EVENTS(QP, qp)
VRNICDV_EVENTS(CQ, cq)
VRNICDV_EVENTS(SRQ, srq)

#define VRNICDV_WATCH(OBJECT, object)                                   \
    int vrnicdv_watch_##object(int fd, ibv_##object* object, bool on) { \
        return call(fd, watching(on))                                   \
            .handle(VRNIC_ATTR_STREAM_CALL_##OBJECT, object->handle)    \
            .run(object->context);                                      \
    }
VRNICDV_WATCH(QP, qp)
VRNICDV_WATCH(CQ, cq)
VRNICDV_WATCH(SRQ, srq)
VRNICDV_WATCH(MR, mr)

int vrnicdv_watch_number(int fd, ibv_context* context, std::uint32_t type, std::uint32_t number,
                         bool on) {
    return call(fd, watching(on))
        .in(VRNIC_ATTR_STREAM_CALL_NUMBER, vrnic_ib_number{type, number})
        .run(context);
}

int vrnicdv_add_fault(int fd, ibv_context* context, const vrnic_fault_rule* rule, ibv_qp* qp) {
    Command command = call(fd, VRNIC_STREAM_CALL_FAULT);
    command.in(VRNIC_ATTR_STREAM_CALL_RULE, *rule);
    if (qp) command.handle(VRNIC_ATTR_STREAM_CALL_QP, qp->handle);
    return command.run(context);
}

int vrnicdv_query_stream(int fd, ibv_context* context, vrnic_stream_context* out) {
    return Command(VRNIC_OBJECT_STREAM, VRNIC_METHOD_STREAM_QUERY)
        .handle(VRNIC_ATTR_STREAM_QUERY_FD, static_cast<std::uint32_t>(fd))
        .out(VRNIC_ATTR_STREAM_QUERY_CONTEXT, out)
        .run(context);
}
