// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Every method with every one of its attributes wrong in every way that there is. What is right
// comes from the kernel's own list.
#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "command.h"
#include "descriptor.h"
#include "methods.h"
#include "xrcd_handle.h"

namespace vrnic::dvcheck {

namespace {

using SrqPtr = std::unique_ptr<ibv_srq, check::Destroy<ibv_destroy_srq>>;
using MwPtr = std::unique_ptr<ibv_mw, check::Destroy<ibv_dealloc_mw>>;
using XrcdPtr = std::unique_ptr<ibv_xrcd, check::Destroy<ibv_close_xrcd>>;
using AhPtr = std::unique_ptr<ibv_ah, check::Destroy<ibv_destroy_ah>>;

constexpr std::size_t kRoom = 1024;  // bytes for any attribute
constexpr uint32_t kNoHandle = 0x7fffff;

// One call, whose attributes can be spoiled before it is made.
class Call {
  public:
    Call(const Method& method, const std::map<uint16_t, uint32_t>& handles) : method_(method) {
        buffers_.resize(method.attrs.size() * kRoom);
        for (std::size_t i = 0; i < method.attrs.size(); ++i) {
            const vrnic_ib_type& type = method.attrs[i];
            ib_uverbs_attr attr{};
            attr.attr_id = type.attr;
            attr.flags = UVERBS_ATTR_F_MANDATORY;
            if (!has_memory(type)) {
                const auto known = handles.find(type.handle);
                if (is_object(type)) attr.data = known == handles.end() ? kNoHandle : known->second;
            } else {
                set_size(attr, i, type.size);
                if (type.kind == VRNIC_TYPE_IN && type.size == sizeof(vrnic_fault_rule)) {
                    vrnic_fault_rule rule{};
                    rule.kind = VRNIC_FAULT_DROP;
                    rule.ppm = rule.packets = rule.octets = 1;
                    std::memcpy(buffer(i), &rule, sizeof(rule));
                }
            }
            attrs.push_back(attr);
        }
    }

    // Up to 8 bytes that go in are in the attribute: here 1, which is the port, and its number, and
    // an operation.
    void set_size(ib_uverbs_attr& attr, std::size_t i, std::size_t size) {
        attr.len = static_cast<uint16_t>(size);
        attr.data = method_.attrs[i].kind == VRNIC_TYPE_IN && size <= 8
                        ? 1
                        : reinterpret_cast<uintptr_t>(buffer(i));
    }
    uint8_t* buffer(std::size_t i) { return buffers_.data() + i * kRoom; }

    int run(ibv_context* context) const { return call(context, method_, attrs); }

    std::vector<ib_uverbs_attr> attrs;

  private:
    const Method& method_;
    std::vector<uint8_t> buffers_;
};

// Of each type one, that a method may be tried on.
struct Objects {
    SrqPtr srq;
    MwPtr mw;
    AhPtr ah;
    XrcdPtr xrcd;
    check::Descriptor stream;
    std::map<uint16_t, uint32_t> handles;

    static Result<Objects> make(Bench& bench) {
        Objects out;
        ibv_srq_init_attr srq{};
        srq.attr.max_wr = srq.attr.max_sge = 1;
        out.srq.reset(ibv_create_srq(bench.device.pd.get(), &srq));
        out.mw.reset(ibv_alloc_mw(bench.device.pd.get(), IBV_MW_TYPE_1));
        ibv_ah_attr ah{};
        ah.is_global = 1;
        ah.port_num = 1;
        ah.grh.dgid = bench.device.gid;
        ah.grh.sgid_index = static_cast<uint8_t>(bench.device.gid_index);
        out.ah.reset(ibv_create_ah(bench.device.pd.get(), &ah));
        ibv_xrcd_init_attr xrcd{};
        xrcd.comp_mask = IBV_XRCD_INIT_ATTR_FD | IBV_XRCD_INIT_ATTR_OFLAGS;
        xrcd.fd = -1;
        xrcd.oflags = O_CREAT;
        out.xrcd.reset(ibv_open_xrcd(bench.context(), &xrcd));
        if (!out.srq || !out.mw || !out.ah || !out.xrcd)
            return wrong("cannot make all kinds of objects");
        vrnic_fault_rule rule{};
        rule.kind = VRNIC_FAULT_DROP;
        rule.ppm = rule.packets = rule.octets = 1;
        dv::Command fault(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_CREATE);
        fault.new_handle(VRNIC_ATTR_FAULT_CREATE_HANDLE)
            .in(VRNIC_ATTR_FAULT_CREATE_RULE, rule)
            .handle(VRNIC_ATTR_FAULT_CREATE_QP, bench.a.get()->handle);
        if (int err = fault.run(bench.context()))
            return wrong(fmt::format("cannot make a fault: {}", std::strerror(err)));
        out.stream =
            check::Descriptor(vrnicdv_open_interface(bench.context(), "faults.vrnic", 1, nullptr));
        if (out.stream.get() < 0)
            return wrong(fmt::format("cannot open faults.vrnic: {}", std::strerror(errno)));
        for (uint16_t object : {VRNIC_OBJECT_CAPTURE, VRNIC_OBJECT_COUNTERS}) {
            dv::Command create(object, VRNIC_METHOD_CAPTURE_CREATE);
            create.new_handle(VRNIC_ATTR_CAPTURE_CREATE_HANDLE)
                .in(VRNIC_ATTR_CAPTURE_CREATE_FILTER, vrnic_ib_filter{1, 0, 0, 0});
            if (int err = create.run(bench.context()))
                return wrong(fmt::format("cannot make a capture: {}", std::strerror(err)));
            out.handles[object] = create.handle_of(VRNIC_ATTR_CAPTURE_CREATE_HANDLE);
        }
        out.handles.insert({
            {VRNIC_OBJECT_STREAM, static_cast<uint32_t>(out.stream.get())},
            {VRNIC_OBJECT_FAULT, fault.handle_of(VRNIC_ATTR_FAULT_CREATE_HANDLE)},
            {UVERBS_OBJECT_PD, bench.device.pd->handle},
            {UVERBS_OBJECT_CQ, bench.completions.send_cq()->handle},
            {UVERBS_OBJECT_QP, bench.a.get()->handle},
            {UVERBS_OBJECT_MR, bench.memory.mr()->handle},
            {UVERBS_OBJECT_SRQ, out.srq->handle},
            {UVERBS_OBJECT_MW, out.mw->handle},
            {UVERBS_OBJECT_AH, out.ah->handle},
            {UVERBS_OBJECT_XRCD, vrnic_xrcd_handle(out.xrcd.get())},
        });
        return out;
    }
};

using Attempt =
    std::function<Result<void>(Bench& bench, const Method& method, Call call, std::size_t i)>;

Result<void> expect(const Method& method, std::size_t i, const char* how, int found, int expected) {
    if (found == expected) return {};
    return wrong(fmt::format("{}, {} {}: errno {} ({}), not {}", method.name, method.attrs[i].name,
                             how, found, std::strerror(found), expected));
}

// Every attribute of every method.
std::function<Result<void>(Bench&)> each(Attempt attempt) {
    return [attempt](Bench& bench) -> Result<void> {
        const auto methods = all_methods(bench.context());
        if (!methods) return std::unexpected(methods.error());
        const auto objects = Objects::make(bench);
        if (!objects) return std::unexpected(objects.error());
        for (const Method& method : *methods) {
            for (std::size_t i = 0; i < method.attrs.size(); ++i)
                if (auto right = attempt(bench, method, Call(method, objects->handles), i); !right)
                    return right;
        }
        return {};
    };
}

Result<void> missing(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!(method.attrs[i].flags & VRNIC_TYPE_MANDATORY)) return {};
    call.attrs.erase(call.attrs.begin() + static_cast<long>(i));
    return expect(method, i, "missing", call.run(bench.context()), EINVAL);
}

Result<void> twice(Bench& bench, const Method& method, Call call, std::size_t i) {
    call.attrs.push_back(call.attrs[i]);
    return expect(method, i, "twice", call.run(bench.context()), EINVAL);
}

Result<void> too_short(Bench& bench, const Method& method, Call call, std::size_t i) {
    const vrnic_ib_type& type = method.attrs[i];
    if (!has_memory(type) || type.kind == VRNIC_TYPE_LIST) return {};
    call.set_size(call.attrs[i], i, type.min_size - 1u);
    return expect(method, i, "too short", call.run(bench.context()), EINVAL);
}

Result<void> tail_not_zero(Bench& bench, const Method& method, Call call, std::size_t i) {
    const vrnic_ib_type& type = method.attrs[i];
    if (type.kind != VRNIC_TYPE_IN) return {};
    call.buffer(i)[type.size + 7u] = 1;
    call.set_size(call.attrs[i], i, type.size + 8u);
    return expect(method, i, "with a tail that is not zero", call.run(bench.context()), EOPNOTSUPP);
}

Result<void> no_memory(Bench& bench, const Method& method, Call call, std::size_t i) {
    const vrnic_ib_type& type = method.attrs[i];
    if (!has_memory(type) || (type.kind == VRNIC_TYPE_IN && type.size <= 8)) return {};
    call.attrs[i].data = 8;
    if (method.object == VRNIC_OBJECT_STREAM && type.attr == VRNIC_ATTR_STREAM_CALL_RULE) {
        call.attrs[1].data = VRNIC_STREAM_CALL_FAULT;  // else nobody looks there
        call.attrs = {call.attrs[0], call.attrs[1], call.attrs[i]};
    }
    return expect(method, i, "at an address where nothing is", call.run(bench.context()), EFAULT);
}

Result<void> no_such_handle(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!is_object(method.attrs[i])) return {};
    call.attrs[i].data = kNoHandle;
    return expect(method, i, "of nothing", call.run(bench.context()),
                  is_descriptor(method.attrs[i]) ? EBADF : ENOENT);
}

Result<void> other_type(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!is_object(method.attrs[i])) return {};
    if (is_descriptor(method.attrs[i])) {
        call.attrs[i].data = static_cast<uint64_t>(bench.context()->cmd_fd);
        return expect(method, i, "of another type", call.run(bench.context()), EBADF);
    }
    const bool is_pd = method.attrs[i].handle == UVERBS_OBJECT_PD;
    call.attrs[i].data = is_pd ? bench.completions.send_cq()->handle : bench.device.pd->handle;
    return expect(method, i, "of another type", call.run(bench.context()), EINVAL);
}

// What is a handle in one context is none in another.
Result<void> other_context(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!is_object(method.attrs[i])) return {};
    const check::ContextPtr other(ibv_open_device(bench.context()->device));
    if (!other) return wrong("cannot open the device twice");
    // The first one that is not of this context is told of.
    const bool descriptor = is_descriptor(method.attrs[0]);
    return expect(method, i, "of another context", call.run(other.get()),
                  descriptor ? EBADF : ENOENT);
}

Result<void> unknown_ones(Bench& bench) {
    const auto methods = all_methods(bench.context());
    if (!methods) return std::unexpected(methods.error());
    const auto objects = Objects::make(bench);
    if (!objects) return std::unexpected(objects.error());
    for (const Method& method : *methods) {
        if (method.object == VRNIC_OBJECT_FAULT) continue;
        if (method.name.ends_with(".DESTROY")) continue;  // works once
        Call call(method, objects->handles);
        const int usual = call.run(bench.context());
        call.attrs.push_back({.attr_id = 0x101f, .len = 0, .flags = 0, .attr_data = {}, .data = 0});
        if (auto right = expect(method, 0, "beside an unknown optional one",
                                call.run(bench.context()), usual);
            !right)
            return right;
        call.attrs.back().flags = UVERBS_ATTR_F_MANDATORY;
        if (auto right = expect(method, 0, "beside an unknown mandatory one",
                                call.run(bench.context()), EPROTONOSUPPORT);
            !right)
            return right;
    }
    const Method none{"no method", VRNIC_OBJECT_FAULT, 0x1007, {}};
    if (auto right = same("of an unknown method: errno", Call(none, {}).run(bench.context()),
                          EPROTONOSUPPORT);
        !right)
        return right;
    const Method nothing{"no object", 0x1009, 0x1000, {}};
    return same("of an unknown object: errno", Call(nothing, {}).run(bench.context()),
                EPROTONOSUPPORT);
}

}  // namespace

std::vector<Case> attribute_cases() {
    return {
        {"a missing attribute", each(missing)},
        {"an attribute twice", each(twice)},
        {"an attribute that is too short", each(too_short)},
        {"a longer one whose tail is not zero", each(tail_not_zero)},
        {"an attribute in memory that is not there", each(no_memory)},
        {"a handle of nothing", each(no_such_handle)},
        {"a handle of another type", each(other_type)},
        {"a handle of another context", each(other_context)},
        {"unknown attributes, methods and objects", unknown_ones},
    };
}

}  // namespace vrnic::dvcheck
