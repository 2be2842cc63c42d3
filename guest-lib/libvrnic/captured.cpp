// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// CAPTURE and COUNTERS, whose methods and attributes have the same numbers.
#include <cerrno>
#include <memory>
#include <new>

#include "command.h"
#include "vrnicdv.h"

using vrnic::dv::Command;

struct vrnicdv_stream {
    ibv_context* context;
    std::uint16_t object;
    std::uint32_t handle;
};

namespace {

static_assert(int{VRNIC_METHOD_CAPTURE_GET_FD} == int{VRNIC_METHOD_COUNTERS_GET_FD});
static_assert(int{VRNIC_ATTR_CAPTURE_CALL_NUMBER} == int{VRNIC_ATTR_COUNTERS_CALL_NUMBER});

vrnicdv_stream* create(ibv_context* context, std::uint16_t object, const vrnic_ib_filter* filter) {
    std::unique_ptr<vrnicdv_stream> stream(new (std::nothrow) vrnicdv_stream{context, object, 0});
    if (!stream) {
        errno = ENOMEM;
        return nullptr;
    }
    Command command(object, VRNIC_METHOD_CAPTURE_CREATE);
    command.new_handle(VRNIC_ATTR_CAPTURE_CREATE_HANDLE)
        .in(VRNIC_ATTR_CAPTURE_CREATE_FILTER, *filter);
    errno = command.run(context);
    if (errno != 0) return nullptr;
    stream->handle = command.handle_of(VRNIC_ATTR_CAPTURE_CREATE_HANDLE);
    return stream.release();
}

Command call(const vrnicdv_stream* stream, bool on) {
    Command command(stream->object, VRNIC_METHOD_CAPTURE_CALL);
    command.handle(VRNIC_ATTR_CAPTURE_CALL_HANDLE, stream->handle)
        .in(VRNIC_ATTR_CAPTURE_CALL_OPERATION, vrnic::dv::watching(on));
    return command;
}

}  // namespace

vrnicdv_stream* vrnicdv_create_capture(ibv_context* context, const vrnic_ib_filter* filter) {
    return create(context, VRNIC_OBJECT_CAPTURE, filter);
}

vrnicdv_stream* vrnicdv_create_counters(ibv_context* context, const vrnic_ib_filter* filter) {
    return create(context, VRNIC_OBJECT_COUNTERS, filter);
}

int vrnicdv_query_captured(vrnicdv_stream* stream, vrnic_stream_context* out) {
    return Command(stream->object, VRNIC_METHOD_CAPTURE_QUERY)
        .handle(VRNIC_ATTR_CAPTURE_QUERY_HANDLE, stream->handle)
        .out(VRNIC_ATTR_CAPTURE_QUERY_CONTEXT, out)
        .run(stream->context);
}

int vrnicdv_modify_captured(vrnicdv_stream* stream, std::uint32_t kinds) {
    vrnic_ib_filter filter{};
    filter.kinds = kinds;
    return Command(stream->object, VRNIC_METHOD_CAPTURE_MODIFY)
        .handle(VRNIC_ATTR_CAPTURE_MODIFY_HANDLE, stream->handle)
        .in(VRNIC_ATTR_CAPTURE_MODIFY_FILTER, filter)
        .run(stream->context);
}

#define VRNICDV_CAPTURE(OBJECT, object)                                                   \
    int vrnicdv_capture_##object(vrnicdv_stream* stream, ibv_##object* object, bool on) { \
        return call(stream, on)                                                           \
            .handle(VRNIC_ATTR_CAPTURE_CALL_##OBJECT, object->handle)                     \
            .run(stream->context);                                                        \
    }
VRNICDV_CAPTURE(QP, qp)
VRNICDV_CAPTURE(CQ, cq)
VRNICDV_CAPTURE(SRQ, srq)
VRNICDV_CAPTURE(MR, mr)

int vrnicdv_capture_number(vrnicdv_stream* stream, std::uint32_t type, std::uint32_t number,
                           bool on) {
    return call(stream, on)
        .in(VRNIC_ATTR_CAPTURE_CALL_NUMBER, vrnic_ib_number{type, number})
        .run(stream->context);
}

int vrnicdv_captured_fd(vrnicdv_stream* stream) {
    Command command(stream->object, VRNIC_METHOD_CAPTURE_GET_FD);
    return command.handle(VRNIC_ATTR_CAPTURE_GET_FD_HANDLE, stream->handle)
        .new_handle(VRNIC_ATTR_CAPTURE_GET_FD_FD)
        .open(VRNIC_ATTR_CAPTURE_GET_FD_FD, stream->context);
}

int vrnicdv_destroy_captured(vrnicdv_stream* stream) {
    const std::unique_ptr<vrnicdv_stream> owned(stream);
    const int err = Command(stream->object, VRNIC_METHOD_CAPTURE_DESTROY)
                        .handle(VRNIC_ATTR_CAPTURE_DESTROY_HANDLE, stream->handle)
                        .run(stream->context);
    return err == EIO ? 0 : err;  // the device has gone and has taken it along
}
