// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Every method with every one of its attributes wrong in every way that there is. What is right
// comes from the kernel's own list.
#include <fmt/format.h>
#include <rdma/rdma_user_ioctl.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>

#include "bench.h"
#include "command.h"

namespace vrnic::dvcheck {

namespace {

using SrqPtr = std::unique_ptr<ibv_srq, check::Destroy<ibv_destroy_srq>>;
using MwPtr = std::unique_ptr<ibv_mw, check::Destroy<ibv_dealloc_mw>>;
using AhPtr = std::unique_ptr<ibv_ah, check::Destroy<ibv_destroy_ah>>;

constexpr std::size_t kRoom = 1024;  // bytes for any attribute
constexpr uint32_t kNoHandle = 0x7fffff;

struct Method {
    std::string name;
    uint16_t object, method;
    std::vector<vrnic_ib_type> attrs;
};

Result<std::vector<Method>> all_methods(ibv_context* context) {
    uint32_t count = 0;
    if (int err = vrnicdv_query_types(context, nullptr, &count)) return wrong(std::strerror(err));
    std::vector<vrnic_ib_type> types(count);
    if (int err = vrnicdv_query_types(context, types.data(), &count))
        return wrong(std::strerror(err));
    std::vector<Method> methods;
    std::string object;
    for (const vrnic_ib_type& type : types) {
        if (type.kind == VRNIC_TYPE_OBJECT)
            object = type.name;
        else if (type.kind == VRNIC_TYPE_METHOD)
            methods.push_back({object + "." + type.name, type.object, type.method, {}});
        else
            methods.back().attrs.push_back(type);
    }
    return methods;
}

bool is_handle(const vrnic_ib_type& attr) {
    return attr.kind >= VRNIC_TYPE_NEW && attr.kind <= VRNIC_TYPE_DESTROY;
}

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
            if (is_handle(type)) {
                const auto known = handles.find(type.handle);
                if (type.kind != VRNIC_TYPE_NEW)
                    attr.data = known == handles.end() ? kNoHandle : known->second;
            } else {
                set_size(attr, i, type.size);
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

    int run(ibv_context* context) const {
        ib_uverbs_ioctl_hdr header{};
        header.length =
            static_cast<uint16_t>(sizeof(header) + attrs.size() * sizeof(ib_uverbs_attr));
        header.object_id = method_.object;
        header.method_id = method_.method;
        header.num_attrs = static_cast<uint16_t>(attrs.size());
        header.driver_id = VRNIC_UVERBS_DRIVER_ID;
        std::vector<uint64_t> message(header.length / sizeof(uint64_t));
        std::memcpy(message.data(), &header, sizeof(header));
        if (!attrs.empty())
            std::memcpy(reinterpret_cast<char*>(message.data()) + sizeof(header), attrs.data(),
                        attrs.size() * sizeof(ib_uverbs_attr));
        return ioctl(context->cmd_fd, RDMA_VERBS_IOCTL, message.data()) ? errno : 0;
    }

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
        if (!out.srq || !out.mw || !out.ah) return wrong("cannot make all kinds of objects");
        vrnic_fault_rule rule{};
        rule.kind = VRNIC_FAULT_DROP;
        rule.ppm = rule.packets = rule.octets = 1;
        dv::Command fault(VRNIC_OBJECT_FAULT, VRNIC_METHOD_FAULT_CREATE);
        fault.new_handle(VRNIC_ATTR_FAULT_CREATE_HANDLE)
            .in(VRNIC_ATTR_FAULT_CREATE_RULE, rule)
            .handle(VRNIC_ATTR_FAULT_CREATE_QP, bench.a.get()->handle);
        if (int err = fault.run(bench.context()))
            return wrong(fmt::format("cannot make a fault: {}", std::strerror(err)));
        out.handles = {
            {VRNIC_OBJECT_FAULT, fault.handle_of(VRNIC_ATTR_FAULT_CREATE_HANDLE)},
            {UVERBS_OBJECT_PD, bench.device.pd->handle},
            {UVERBS_OBJECT_CQ, bench.completions.send_cq()->handle},
            {UVERBS_OBJECT_QP, bench.a.get()->handle},
            {UVERBS_OBJECT_MR, bench.memory.mr()->handle},
            {UVERBS_OBJECT_SRQ, out.srq->handle},
            {UVERBS_OBJECT_MW, out.mw->handle},
            {UVERBS_OBJECT_AH, out.ah->handle},
        };
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
            if (method.object == UVERBS_OBJECT_XRCD) continue;  // its handle is libibverbs' secret
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
    if (is_handle(type) || type.kind == VRNIC_TYPE_LIST) return {};
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
    if (is_handle(type) || (type.kind == VRNIC_TYPE_IN && type.size <= 8)) return {};
    call.attrs[i].data = 8;
    return expect(method, i, "at an address where nothing is", call.run(bench.context()), EFAULT);
}

Result<void> no_such_handle(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!is_handle(method.attrs[i]) || method.attrs[i].kind == VRNIC_TYPE_NEW) return {};
    call.attrs[i].data = kNoHandle;
    return expect(method, i, "of nothing", call.run(bench.context()), ENOENT);
}

Result<void> other_type(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!is_handle(method.attrs[i]) || method.attrs[i].kind == VRNIC_TYPE_NEW) return {};
    const bool is_pd = method.attrs[i].handle == UVERBS_OBJECT_PD;
    call.attrs[i].data = is_pd ? bench.completions.send_cq()->handle : bench.device.pd->handle;
    return expect(method, i, "of another type", call.run(bench.context()), EINVAL);
}

// What is a handle in one context is none in another.
Result<void> other_context(Bench& bench, const Method& method, Call call, std::size_t i) {
    if (!is_handle(method.attrs[i]) || method.attrs[i].kind == VRNIC_TYPE_NEW) return {};
    const check::ContextPtr other(ibv_open_device(bench.context()->device));
    if (!other) return wrong("cannot open the device twice");
    return expect(method, i, "of another context", call.run(other.get()), ENOENT);
}

Result<void> unknown_ones(Bench& bench) {
    const auto methods = all_methods(bench.context());
    if (!methods) return std::unexpected(methods.error());
    const auto objects = Objects::make(bench);
    if (!objects) return std::unexpected(objects.error());
    for (const Method& method : *methods) {
        if (method.object == VRNIC_OBJECT_FAULT || method.object == UVERBS_OBJECT_XRCD) continue;
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
