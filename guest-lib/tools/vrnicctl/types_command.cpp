// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "commands.h"
#include "open_device.h"
#include "report_command.h"
#include "vrnicdv.h"

namespace vrnic::ctl {

namespace {

constexpr std::array<const char*, 11> kKinds = {
    "object", "method", "new", "read", "write", "destroy", "in", "out", "list", "fd new", "fd"};

const char* name_of_kind(const vrnic_ib_type& type) {
    return type.kind < kKinds.size() ? kKinds[type.kind] : "?";
}

bool is_handle(const vrnic_ib_type& type) {
    return type.kind >= VRNIC_TYPE_NEW && type.kind <= VRNIC_TYPE_DESTROY;
}

bool is_descriptor(const vrnic_ib_type& type) {
    return type.kind == VRNIC_TYPE_FD_NEW || type.kind == VRNIC_TYPE_FD;
}

std::string sizes(const vrnic_ib_type& type) {
    if (is_handle(type)) return "handle";
    if (is_descriptor(type)) return "descriptor";
    if (type.kind == VRNIC_TYPE_LIST) return fmt::format("{} bytes each", type.size);
    if (type.min_size == type.size) return fmt::format("{} bytes", type.size);
    return fmt::format("{} to {} bytes", type.min_size, type.size);
}

void print_text(const std::vector<vrnic_ib_type>& types) {
    for (const vrnic_ib_type& type : types) {
        if (type.kind == VRNIC_TYPE_OBJECT)
            fmt::print("{} ({:#06x}{})\n", type.name, type.object,
                       type.flags & VRNIC_TYPE_STANDARD ? ", standard" : "");
        else if (type.kind == VRNIC_TYPE_METHOD)
            fmt::print("  {} ({:#06x})\n", type.name, type.method);
        else
            fmt::print("    {:<12}{:<9}{:<9}{}\n", type.name, name_of_kind(type),
                       type.flags & VRNIC_TYPE_MANDATORY ? "" : "optional", sizes(type));
    }
}

void print_json(const std::vector<vrnic_ib_type>& types) {
    nlohmann::ordered_json out = nlohmann::ordered_json::array();
    for (const vrnic_ib_type& type : types) {
        nlohmann::ordered_json one{{"name", type.name}};
        if (type.kind == VRNIC_TYPE_OBJECT) {
            one["object"] = type.object;
            one["standard"] = (type.flags & VRNIC_TYPE_STANDARD) != 0;
            one["methods"] = nlohmann::ordered_json::array();
            out.push_back(std::move(one));
        } else if (type.kind == VRNIC_TYPE_METHOD) {
            one["method"] = type.method;
            one["attributes"] = nlohmann::ordered_json::array();
            out.back()["methods"].push_back(std::move(one));
        } else {
            one["attribute"] = type.attr;
            one["kind"] = name_of_kind(type);
            one["mandatory"] = (type.flags & VRNIC_TYPE_MANDATORY) != 0;
            if (is_handle(type) || is_descriptor(type))
                one["object"] = type.handle;
            else
                one["size"] = type.size, one["min-size"] = type.min_size;
            out.back()["methods"].back()["attributes"].push_back(std::move(one));
        }
    }
    fmt::print("{}\n", out.dump(2));
}

int run_types(const std::string& device, bool json) {
    const auto context = open_device(device);
    if (!context) return fail(context.error());
    std::uint32_t count = 0;
    int err = vrnicdv_query_types(context->get(), nullptr, &count);
    std::vector<vrnic_ib_type> types(count);
    if (err == 0) err = vrnicdv_query_types(context->get(), types.data(), &count);
    if (err != 0) return fail(why_not_told(err));
    (json ? print_json : print_text)(types);
    return 0;
}

}  // namespace

void add_types(CLI::App& program, Run& run) {
    add_report(program, run,
               {.name = "types",
                .what = "what can be asked of a device: objects, their methods and attributes",
                .device = "an RDMA device (default: the first of vrnic)",
                .report = run_types});
}

}  // namespace vrnic::ctl
