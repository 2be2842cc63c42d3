// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// What is told of objects, and of what there is.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <span>

#include "bench.h"

namespace vrnic::dvcheck {

namespace {

// ---- the list that the kernel answers with, against the header ----

#define HANDLE_ROW(type, bytes) .handle = (type)
#define ROW_NEW HANDLE_ROW
#define ROW_READ HANDLE_ROW
#define ROW_WRITE HANDLE_ROW
#define ROW_DESTROY HANDLE_ROW
#define ROW_FD_NEW HANDLE_ROW
#define ROW_FD HANDLE_ROW
#define ROW_IN(type, bytes) .min_size = (bytes), .size = sizeof(type)
#define ROW_OUT ROW_IN
#define ROW_LIST(type, bytes) .min_size = sizeof(type), .size = sizeof(type)

struct Row {
    const char* name;
    uint8_t kind;
    uint16_t number;
    uint16_t min_size = 0;
    uint16_t size = 0;
    uint16_t handle = 0;
};

#define ATTR_ROW(object_method, name_, kind_, type, bytes, presence) \
    Row{.name = #name_,                                              \
        .kind = VRNIC_TYPE_##kind_,                                  \
        .number = VRNIC_ATTR_##object_method##_##name_,              \
        ROW_##kind_(type, bytes)},
#define METHOD_ROW(object, method)                                                               \
    Row{.name = #method, .kind = VRNIC_TYPE_METHOD, .number = VRNIC_METHOD_##object##_##method}, \
        VRNIC_ATTRS_##object##_##method(ATTR_ROW)
#define STANDARD_ROW(object)                                                           \
    Row{.name = #object, .kind = VRNIC_TYPE_OBJECT, .number = UVERBS_OBJECT_##object}, \
        VRNIC_METHODS_##object(METHOD_ROW)
#define OBJECT_ROW(object)                                                            \
    Row{.name = #object, .kind = VRNIC_TYPE_OBJECT, .number = VRNIC_OBJECT_##object}, \
        VRNIC_METHODS_##object(METHOD_ROW)

const Row kHeader[] = {VRNIC_STANDARD_OBJECTS(STANDARD_ROW) VRNIC_OBJECTS(OBJECT_ROW)};

uint16_t number_of(const vrnic_ib_type& type) {
    if (type.kind == VRNIC_TYPE_OBJECT) return type.object;
    return type.kind == VRNIC_TYPE_METHOD ? type.method : type.attr;
}

Result<void> types_are_the_headers(Bench& bench) {
    uint32_t count = 0;
    if (int err = vrnicdv_query_types(bench.context(), nullptr, &count))
        return wrong(fmt::format("their number: {}", std::strerror(err)));
    fmt::print("# the driver has {} entries, the header {}\n", count, std::size(kHeader));
    std::vector<vrnic_ib_type> types(count + 1);
    types.back().kind = 0x5a;
    if (int err = vrnicdv_query_types(bench.context(), types.data(), &count))
        return wrong(std::strerror(err));
    // Of an older driver and today's header, or the reverse, one has more: all else is the same.
    const std::span<const Row> header(kHeader);
    const std::span<const vrnic_ib_type> told = std::span(types).first(count);
    const auto is = [](const Row& row, const vrnic_ib_type& type) {
        return std::string_view(type.name) == row.name && type.kind == row.kind &&
               number_of(type) == row.number && type.min_size == row.min_size &&
               type.size == row.size && type.handle == row.handle;
    };
    std::size_t i = 0;
    if (count >= header.size()) {
        for (const vrnic_ib_type& type : told)
            if (i < header.size() && is(header[i], type)) ++i;
        if (i != header.size())
            return wrong(fmt::format("the driver does not have {} of the header", header[i].name));
    } else {
        for (const Row& row : header)
            if (i < count && is(row, told[i])) ++i;
        if (i != count) return wrong(fmt::format("the header does not have {}", told[i].name));
    }
    if (types.back().kind != 0x5a) return wrong("more was written than there is");
    // Room for fewer: these are filled, and all are counted.
    types.assign(2, {});
    types[1].kind = 0x5a;
    count = 1;
    if (int err = vrnicdv_query_types(bench.context(), types.data(), &count))
        return wrong(std::strerror(err));
    if (types[1].kind != 0x5a) return wrong("more was written than there was room for");
    return same("the number with little room", count, told.size());
}

// ---- contexts ----

Result<void> device_and_port(Bench& bench) {
    vrnic_device_caps caps{};
    if (int err = vrnicdv_query_device(bench.context(), &caps)) return wrong(std::strerror(err));
    if (auto right = same("max_qp", bench.device.attributes.max_qp, caps.max_qps); !right)
        return right;
    vrnic_port_context port{};
    if (int err = vrnicdv_query_port(bench.context(), &port)) return wrong(std::strerror(err));
    return same("link_up", port.link_up, 1);
}

Result<void> objects_by_handle(Bench& bench) {
    vrnic_domain_context pd{};
    vrnic_cq_context cq{};
    vrnic_key_context key{};
    vrnic_qp_context qp{};
    if (int err = vrnicdv_query_pd(bench.device.pd.get(), &pd))
        return wrong(fmt::format("PD: {}", std::strerror(err)));
    if (int err = vrnicdv_query_cq(bench.completions.send_cq(), &cq))
        return wrong(fmt::format("CQ: {}", std::strerror(err)));
    if (int err = vrnicdv_query_mr(bench.memory.mr(), &key))
        return wrong(fmt::format("MR: {}", std::strerror(err)));
    if (int err = vrnicdv_query_qp(bench.a.get(), &qp))
        return wrong(fmt::format("QP: {}", std::strerror(err)));
    for (const auto& [what, found, expected] :
         {std::tuple{"qpn", uint64_t{qp.qpn}, uint64_t{bench.a.get()->qp_num}},
          {"dest_qpn", uint64_t{qp.dest_qpn}, uint64_t{bench.b.get()->qp_num}},
          {"state", uint64_t{qp.state}, uint64_t{IBV_QPS_RTS}},
          {"type", uint64_t{qp.type}, uint64_t{IBV_QPT_RC}},
          {"the QP's PD", uint64_t{qp.pdn}, uint64_t{pd.number}},
          {"the QP's CQ", uint64_t{qp.send_cqn}, uint64_t{cq.cqn}},
          {"users of the PD", uint64_t{pd.users}, uint64_t{3}},
          {"key", uint64_t{key.key}, uint64_t{bench.memory.mr()->lkey}},
          {"length", uint64_t{key.length}, uint64_t{Bench::kSize}}})
        if (auto right = same(what, found, expected); !right) return right;
    return {};
}

Result<void> xrc_domain_by_handle(Bench& bench) {
    ibv_xrcd_init_attr init{};
    init.comp_mask = IBV_XRCD_INIT_ATTR_FD | IBV_XRCD_INIT_ATTR_OFLAGS;
    init.fd = -1;
    init.oflags = O_CREAT;
    const std::unique_ptr<ibv_xrcd, check::Destroy<ibv_close_xrcd>> xrcd(
        ibv_open_xrcd(bench.context(), &init));
    if (!xrcd) return wrong(fmt::format("ibv_open_xrcd: {}", std::strerror(errno)));
    vrnic_domain_context context{};
    if (int err = vrnicdv_query_xrcd(xrcd.get(), &context)) return wrong(std::strerror(err));
    return same("users of the XRCD", context.users, 0);
}

// Asked of the device each time, not of what the driver remembers.
Result<void> psns_move(Bench& bench) {
    vrnic_qp_context before{}, after{}, peer{};
    if (int err = vrnicdv_query_qp(bench.a.get(), &before)) return wrong(std::strerror(err));
    const auto status = bench.write(Bench::kSize);
    if (!status) return std::unexpected(status.error());
    if (auto right = same("the write's status", *status, IBV_WC_SUCCESS); !right) return right;
    if (int err = vrnicdv_query_qp(bench.a.get(), &after)) return wrong(std::strerror(err));
    if (int err = vrnicdv_query_qp(bench.b.get(), &peer)) return wrong(std::strerror(err));
    const uint32_t packets = Bench::kSize / 1024;
    if (auto right = same("next_psn", after.next_psn, (before.next_psn + packets) & 0xffffff);
        !right)
        return right;
    if (auto right = same("unacked_psn", after.unacked_psn, after.next_psn); !right) return right;
    if (auto right = same("the peer's expected_psn", peer.expected_psn, after.next_psn); !right)
        return right;
    return same("sq_next", after.sq_next, before.sq_next + 1);
}

Result<void> by_number_with_a_capability(Bench& bench) {
    vrnic_ib_context bytes{};
    vrnic_qp_context by_number{}, by_handle{};
    const uint32_t qpn = bench.a.get()->qp_num;
    if (int err = vrnicdv_query_object(bench.context(), VRNIC_CONTEXT_QP, qpn, &bytes))
        return wrong(std::strerror(err));
    if (int err = vrnicdv_query_qp(bench.a.get(), &by_handle)) return wrong(std::strerror(err));
    std::memcpy(&by_number, bytes.bytes, sizeof(by_number));
    if (std::memcmp(&by_number, &by_handle, sizeof(by_handle)) != 0)
        return wrong("by number it is another one than by handle");
    if (auto right =
            same("of no such number: errno",
                 vrnicdv_query_object(bench.context(), VRNIC_CONTEXT_QP, 0xfffff0, &bytes), ENOENT);
        !right)
        return right;
    if (auto right = same("of no such type: errno",
                          vrnicdv_query_object(bench.context(), 4711, 1, &bytes), EINVAL);
        !right)
        return right;
    if (seteuid(65534)) return wrong("cannot become another user");
    const int err = vrnicdv_query_object(bench.context(), VRNIC_CONTEXT_QP, qpn, &bytes);
    const int own = vrnicdv_query_qp(bench.a.get(), &by_handle);
    if (seteuid(0)) return wrong("cannot become root again");
    if (auto right = same("without the capability: errno", err, EPERM); !right) return right;
    return same("one's own without it: errno", own, 0);
}

}  // namespace

std::vector<Case> inspect_cases() {
    return {
        {"the kernel tells the types that the header has", types_are_the_headers},
        {"device and port", device_and_port},
        {"objects by their handles", objects_by_handle},
        {"an XRC domain by its handle", xrc_domain_by_handle},
        {"PSNs move with the traffic", psns_move},
        {"anybody's object by its number, with CAP_NET_ADMIN only", by_number_with_a_capability},
    };
}

}  // namespace vrnic::dvcheck
