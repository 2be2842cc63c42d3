// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Descriptors of what the device does.
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "command.h"
#include "vrnicdv.h"

using vrnic::dv::Command;

namespace {

// The new descriptor, or -1 with errno.
int opened(Command& command, std::uint16_t attr, const ibv_context* context) {
    errno = command.run(context);
    return errno == 0 ? static_cast<int>(command.handle_of(attr)) : -1;
}

Command call(int fd, std::uint32_t operation) {
    Command command(VRNIC_OBJECT_STREAM, VRNIC_METHOD_STREAM_CALL);
    command.handle(VRNIC_ATTR_STREAM_CALL_FD, static_cast<std::uint32_t>(fd))
        .in(VRNIC_ATTR_STREAM_CALL_OPERATION, operation);
    return command;
}

std::uint32_t watching(bool on) {
    return on ? VRNIC_STREAM_CALL_WATCH : VRNIC_STREAM_CALL_UNWATCH;
}

}  // namespace

int vrnicdv_query_interfaces(ibv_context* context, vrnic_ib_interface* interfaces,
                             std::uint32_t* count) {
    constexpr std::uint32_t kMost = UINT16_MAX / sizeof(*interfaces);  // the length has 16 bits
    const std::uint32_t room = std::min(*count, kMost);
    Command command(UVERBS_OBJECT_DEVICE, VRNIC_METHOD_DEVICE_INTERFACES);
    command.out(VRNIC_ATTR_DEVICE_INTERFACES_COUNT, count);
    if (room != 0)
        command.out(VRNIC_ATTR_DEVICE_INTERFACES_LIST, interfaces, room * sizeof(*interfaces));
    return command.run(context);
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
    return opened(command, VRNIC_ATTR_DEVICE_OPEN_FD, context);
}

#define VRNICDV_EVENTS(OBJECT, object)                                            \
    int vrnicdv_open_##object##_events(ibv_##object* object) {                    \
        Command command(UVERBS_OBJECT_##OBJECT, VRNIC_METHOD_##OBJECT##_GET_FD);  \
        command.handle(VRNIC_ATTR_##OBJECT##_GET_FD_HANDLE, object->handle)       \
            .new_handle(VRNIC_ATTR_##OBJECT##_GET_FD_FD);                         \
        return opened(command, VRNIC_ATTR_##OBJECT##_GET_FD_FD, object->context); \
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
