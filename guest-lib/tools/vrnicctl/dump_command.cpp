// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "context_fields.h"
#include "open_device.h"
#include "vrnicdv.h"

namespace vrnic::ctl {

namespace {

struct Options {
    std::string kind;
    std::uint32_t number = 0;
    std::string device;
    bool raw = false;
    bool json = false;
};

bool is_padding(const ContextField& field) {
    return field.name.starts_with("reserved");
}

void print_text(const ContextKind& kind, std::span<const std::uint8_t> context) {
    for (const ContextField& field : kind.fields) {
        if (is_padding(field)) continue;
        const std::uint64_t value = value_of(field, context);
        if (const auto name = name_of_value(kind, field, value); !name.empty())
            fmt::print("{:<22}{} ({})\n", field.name, name, value);
        else if (value < 10)
            fmt::print("{:<22}{}\n", field.name, value);
        else
            fmt::print("{:<22}{} ({:#x})\n", field.name, value, value);
    }
}

void print_json(const ContextKind& kind, std::span<const std::uint8_t> context) {
    nlohmann::ordered_json out;
    for (const ContextField& field : kind.fields)
        if (!is_padding(field)) out[std::string(field.name)] = value_of(field, context);
    fmt::print("{}\n", out.dump(2));
}

void print_raw(std::span<const std::uint8_t> context) {
    for (std::size_t at = 0; at < context.size(); at += 16)
        fmt::print(
            "{:04x}  {:02x}\n", at,
            fmt::join(context.subspan(at, std::min<std::size_t>(16, context.size() - at)), " "));
}

int run_dump(const Options& options) {
    const auto kinds = context_kinds();
    const auto kind = std::ranges::find(kinds, options.kind, &ContextKind::name);
    const auto context = open_device(options.device);
    if (!context) return fail(context.error());
    vrnic_ib_context bytes;
    switch (const int err =
                vrnicdv_query_object(context->get(), kind->type, options.number, &bytes)) {
        case 0:
            break;
        case ENOENT:
            return fail(fmt::format("there is no {} {}", kind->name, options.number));
        case EPERM:
            return fail("looking at objects of others needs CAP_NET_ADMIN: try as root");
        default:
            return fail(why_not_told(err));
    }
    const std::span<const std::uint8_t> told(bytes.bytes, kind->size);
    if (options.raw)
        print_raw(told);
    else
        (options.json ? print_json : print_text)(*kind, told);
    return 0;
}

}  // namespace

void add_dump(CLI::App& program, Run& run) {
    const auto options = std::make_shared<Options>();
    CLI::App* command =
        program.add_subcommand("dump", "an object as the device holds it at this moment");
    std::vector<std::string> names;
    for (const ContextKind& kind : context_kinds()) names.emplace_back(kind.name);
    command->add_option("TYPE", options->kind, "type of object; key: of a memory region or window")
        ->required()
        ->check(CLI::IsMember(names));
    command
        ->add_option("NUMBER", options->number,
                     "its number at the device: lqpn, drv_cqn or drv_srqn of rdma -dd resource show; "
                     "a port's is 1, a key's is the key")
        ->required();
    command->add_option("--device", options->device, "RDMA device (default: the first of vrnic)");
    CLI::Option* raw = command->add_flag("--raw", options->raw, "bytes, as the device gave them");
    command->add_flag("--json", options->json, "report as JSON")->excludes(raw);
    command->footer("Needs CAP_NET_ADMIN. The fields are those of uapi/vrnic_contexts.h.");
    command->callback([options, &run] { run = [options] { return run_dump(*options); }; });
}

}  // namespace vrnic::ctl
