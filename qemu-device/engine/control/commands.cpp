// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/commands.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <optional>
#include <type_traits>

#include "control/calls.h"
#include "control/contexts.h"
#include "faults/guest_rule.h"
#include "host/log.h"

namespace vrnic {
namespace {

struct NoFields {};

// The handle of what was made, when that worked.
AdminResult<std::uint32_t> made(const AdminResult<void>& result, std::uint32_t handle) {
    if (!result) return std::unexpected(result.error());
    return handle;
}

// ---- the commands: one function each ----

// Cuts the answer to the room that the guest has for it.
AdminResult<void> answer(Device& device, const vrnic_cmd_query& cmd,
                         std::span<const std::byte> data) {
    constexpr std::uint32_t kMinLength = 8;
    if (cmd.addr % 8 != 0)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_query, addr));
    if (cmd.length < kMinLength)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_query, length));
    data = data.first(std::min<std::size_t>(data.size(), cmd.length));
    if (device.host.dma_write(cmd.addr, data)) return {};
    ++device.counters.dma_errors;
    return admin_error(VRNIC_STATUS_DMA, VRNIC_FIELD(vrnic_cmd_query, addr));
}

AdminResult<void> query_device(Device& device, const vrnic_cmd_query& cmd) {
    return answer(device, cmd, std::as_bytes(std::span(&device.caps, 1)));
}

AdminResult<void> query_counters(Device& device, const vrnic_cmd_query_counters& cmd) {
    const std::optional<Counters> found = device.transport.counters(cmd.counters);
    if (!found)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_query_counters, counters));
    const vrnic_counters counters = found->to_guest();
    return answer(device, cmd.answer, std::as_bytes(std::span(&counters, 1)));
}

AdminResult<void> query_object(Device& device, const vrnic_cmd_query_object& cmd) {
    const auto context = object_context(device, cmd.type, cmd.number);
    if (!context) return std::unexpected(context.error());
    return answer(device, cmd.answer, context->bytes());
}

AdminResult<std::uint32_t> create_eq(Device& device, const vrnic_cmd_create_eq& cmd) {
    return made(device.events.create(cmd), cmd.eqn);
}

AdminResult<void> destroy_eq(Device& device, const vrnic_cmd_handle& cmd) {
    return device.events.destroy(cmd.handle);
}

AdminResult<std::uint32_t> alloc_uar(Device& device, const NoFields&) {
    return device.uars.alloc();
}

AdminResult<void> free_uar(Device& device, const vrnic_cmd_handle& cmd) {
    const std::uint32_t users =
        device.cqs.cqs_of_uar(cmd.handle) + device.transport.qps_of_uar(cmd.handle);
    return device.uars.free(cmd.handle, users);
}

// Handles of Ethernet queues: there is one of each direction, with the direction's number.
AdminResult<std::uint32_t> create_eth_queue(Device& device, const vrnic_cmd_create_eth_queue& cmd) {
    if (cmd.direction != VRNIC_ETH_TX && cmd.direction != VRNIC_ETH_RX)
        return admin_error(VRNIC_STATUS_INVALID,
                           VRNIC_FIELD(vrnic_cmd_create_eth_queue, direction));
    EthernetQueue& queue =
        cmd.direction == VRNIC_ETH_TX ? device.transmitter.queue() : device.receiver.queue();
    return made(queue.create(cmd), queue.number());
}

AdminResult<void> destroy_eth_queue(Device& device, const vrnic_cmd_handle& cmd) {
    if (cmd.handle == VRNIC_ETH_TX && device.transmitter.queue().live())
        device.transmitter.destroy_queue();
    else if (cmd.handle == VRNIC_ETH_RX && device.receiver.queue().live())
        device.receiver.queue().destroy();
    else
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    return {};
}

AdminResult<void> set_port(Device& device, const vrnic_cmd_set_port& cmd) {
    return device.set_port(cmd);
}

AdminResult<std::uint32_t> alloc_pd(Device& device, const NoFields&) {
    return device.pds.alloc();
}

AdminResult<void> dealloc_pd(Device& device, const vrnic_cmd_handle& cmd) {
    const std::uint32_t users =
        device.regions.users_of(cmd.handle) + device.transport.users_of_pd(cmd.handle);
    return device.pds.dealloc(cmd.handle, users);
}

AdminResult<std::uint32_t> alloc_xrcd(Device& device, const NoFields&) {
    return device.xrcds.alloc();
}

AdminResult<void> dealloc_xrcd(Device& device, const vrnic_cmd_handle& cmd) {
    return device.xrcds.dealloc(cmd.handle, device.transport.users_of_xrcd(cmd.handle));
}

AdminResult<void> set_gid(Device& device, const vrnic_cmd_set_gid& cmd) {
    return device.transport.set_gid(cmd);
}

AdminResult<std::uint32_t> reg_mr(Device& device, const vrnic_cmd_reg_mr& cmd) {
    if (!device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_reg_mr, pdn));
    return device.regions.register_region(cmd);
}

AdminResult<void> dereg_mr(Device& device, const vrnic_cmd_handle& cmd) {
    const auto done = device.regions.deregister(cmd.handle);
    if (done) device.streams.forget(VRNIC_CONTEXT_KEY, cmd.handle);
    return done;
}

AdminResult<void> revoke_mr(Device& device, const vrnic_cmd_handle& cmd) {
    return device.regions.revoke(cmd.handle);
}

AdminResult<void> rereg_mr(Device& device, const vrnic_cmd_rereg_mr& cmd) {
    if ((cmd.mask & VRNIC_REREG_PD) != 0 && !device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_rereg_mr, pdn));
    return device.regions.reregister(cmd);
}

AdminResult<std::uint32_t> alloc_dma_mr(Device& device, const vrnic_cmd_alloc_dma_mr& cmd) {
    if (!device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_alloc_dma_mr, pdn));
    return device.regions.alloc_all_memory(cmd);
}

AdminResult<std::uint32_t> alloc_fast_mr(Device& device, const vrnic_cmd_alloc_fast_mr& cmd) {
    if (!device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_alloc_fast_mr, pdn));
    return device.regions.alloc_fast_region(cmd);
}

AdminResult<std::uint32_t> alloc_mw(Device& device, const vrnic_cmd_alloc_mw& cmd) {
    if (!device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_alloc_mw, pdn));
    return device.regions.alloc_window(cmd);
}

AdminResult<void> dealloc_mw(Device& device, const vrnic_cmd_handle& cmd) {
    const auto done = device.regions.dealloc_window(cmd.handle);
    if (done) device.streams.forget(VRNIC_CONTEXT_KEY, cmd.handle);
    return done;
}

AdminResult<std::uint32_t> create_cq(Device& device, const vrnic_cmd_create_cq& cmd) {
    if (!device.uars.exists(cmd.uar))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_cq, uar));
    return device.cqs.create(cmd);
}

AdminResult<void> destroy_cq(Device& device, const vrnic_cmd_handle& cmd) {
    return device.cqs.destroy(cmd.handle);
}

AdminResult<void> resize_cq(Device& device, const vrnic_cmd_resize_cq& cmd) {
    return device.cqs.resize(cmd);
}

AdminResult<void> moderate_cq(Device& device, const vrnic_cmd_moderate_cq& cmd) {
    if (cmd.count > device.caps.max_cq_count)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_moderate_cq, count));
    if (cmd.period > device.caps.max_cq_period)
        return admin_error(VRNIC_STATUS_INVALID, VRNIC_FIELD(vrnic_cmd_moderate_cq, period));
    return device.cqs.moderate(cmd);
}

AdminResult<std::uint32_t> create_qp(Device& device, const vrnic_cmd_create_qp& cmd) {
    // An XRC target has a domain instead of what queues need.
    const bool is_target = cmd.type == VRNIC_QPT_XRC_TGT;
    if (!is_target && !device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_qp, pdn));
    if (!is_target && !device.uars.exists(cmd.uar))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_qp, uar));
    if (is_target && !device.xrcds.exists(cmd.xrcdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_qp, xrcdn));
    return device.transport.create_qp(cmd);
}

AdminResult<void> modify_qp(Device& device, const vrnic_cmd_modify_qp& cmd) {
    return device.transport.modify_qp(cmd);
}

AdminResult<vrnic_resp_query_qp> query_qp(Device& device, const vrnic_cmd_handle& cmd) {
    return device.transport.query_qp(cmd.handle);
}

AdminResult<void> destroy_qp(Device& device, const vrnic_cmd_handle& cmd) {
    return device.transport.destroy_qp(cmd.handle);
}

AdminResult<void> attach_mcast(Device& device, const vrnic_cmd_mcast& cmd) {
    return device.transport.attach_mcast(cmd);
}

AdminResult<void> detach_mcast(Device& device, const vrnic_cmd_mcast& cmd) {
    return device.transport.detach_mcast(cmd);
}

AdminResult<std::uint32_t> create_srq(Device& device, const vrnic_cmd_create_srq& cmd) {
    if (!device.pds.exists(cmd.pdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_srq, pdn));
    if (cmd.xrcdn != 0 && !device.xrcds.exists(cmd.xrcdn))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_create_srq, xrcdn));
    return device.transport.create_srq(cmd);
}

AdminResult<void> modify_srq(Device& device, const vrnic_cmd_modify_srq& cmd) {
    return device.transport.modify_srq(cmd);
}

AdminResult<void> resize_srq(Device& device, const vrnic_cmd_resize_srq& cmd) {
    return device.transport.resize_srq(cmd);
}

AdminResult<std::uint32_t> create_counters(Device& device, const NoFields&) {
    return device.transport.create_counters();
}

AdminResult<void> destroy_counters(Device& device, const vrnic_cmd_handle& cmd) {
    return device.transport.destroy_counters(cmd.handle);
}

AdminResult<void> bind_counters(Device& device, const vrnic_cmd_bind_counters& cmd) {
    return device.transport.bind_counters(cmd);
}

AdminResult<std::uint32_t> create_fault(Device& device, const vrnic_cmd_create_fault& cmd) {
    const auto rule = from_guest(cmd.rule, VRNIC_FIELD(vrnic_cmd_create_fault, rule));
    if (!rule) return std::unexpected(rule.error());
    return device.create_fault(*rule);
}

AdminResult<void> modify_fault(Device& device, const vrnic_cmd_modify_fault& cmd) {
    const auto rule = from_guest(cmd.rule, VRNIC_FIELD(vrnic_cmd_modify_fault, rule));
    if (!rule) return std::unexpected(rule.error());
    return device.modify_fault(cmd.handle, *rule);
}

AdminResult<std::uint32_t> create_stream(Device& device, const vrnic_cmd_create_stream& cmd) {
    return device.streams.create(cmd);
}

AdminResult<void> modify_stream(Device& device, const vrnic_cmd_modify_stream& cmd) {
    return device.streams.modify(cmd);
}

AdminResult<void> destroy_stream(Device& device, const vrnic_cmd_handle& cmd) {
    return device.streams.destroy(cmd.handle);
}

AdminResult<void> watch(Device& device, const vrnic_cmd_watch& cmd) {
    const auto object = object_context(device, cmd.type, cmd.number);
    if (!object && object.error().status == VRNIC_STATUS_NO_OBJECT)
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_watch, number));
    return device.streams.watch(cmd);
}

AdminResult<void> destroy_fault(Device& device, const vrnic_cmd_handle& cmd) {
    return device.destroy_fault(cmd.handle);
}

AdminResult<vrnic_resp_query_srq> query_srq(Device& device, const vrnic_cmd_handle& cmd) {
    return device.transport.query_srq(cmd.handle);
}

AdminResult<void> destroy_srq(Device& device, const vrnic_cmd_handle& cmd) {
    return device.transport.destroy_srq(cmd.handle);
}

// ---- from bytes to typed fields and back ----

using ResponsePayload = std::span<std::uint8_t, sizeof(vrnic_admin_cpl::payload)>;

void put_response(ResponsePayload out, std::uint32_t handle) {
    vrnic_resp_handle response{};
    response.handle = handle;
    std::memcpy(out.data(), &response, sizeof(response));
}

template <typename Response>
void put_response(ResponsePayload out, const Response& response) {
    static_assert(sizeof(response) <= out.extent);
    std::memcpy(out.data(), &response, sizeof(response));
}

using Handler = AdminResult<void> (*)(Device&, const vrnic_admin_cmd&, ResponsePayload);

template <auto function, typename Result, typename Fields>
AdminResult<void> call(Device& device, const vrnic_admin_cmd& command, ResponsePayload out) {
    Fields fields{};
    if constexpr (!std::is_same_v<Fields, NoFields>)
        std::memcpy(&fields, command.payload, sizeof(fields));
    Result result = function(device, fields);
    if (!result) return std::unexpected(result.error());
    if constexpr (!std::is_void_v<typename Result::value_type>) put_response(out, *result);
    return {};
}

// ---- the table ----

// Octets of the payload that must be zero; size 0: none.
struct Reserved {
    std::uint8_t offset = 0;
    std::uint8_t size = 0;
};

struct Command {
    std::uint16_t opcode;
    const char* name;
    std::uint64_t needs;  // VRNIC_CAP_*
    std::uint8_t size;    // of the fields; the rest of the payload is reserved
    Handler handler;
    std::array<Reserved, 4> reserved;
};

template <auto function>
struct Entry;

template <typename Result, typename Fields, Result (*function)(Device&, const Fields&)>
struct Entry<function> {
    static constexpr Handler handler = &call<function, Result, Fields>;
    static constexpr std::uint8_t size = std::is_same_v<Fields, NoFields> ? 0 : sizeof(Fields);
};

#define RESERVED(type, field)                      \
    Reserved {                                     \
        offsetof(type, field), sizeof(type::field) \
    }
#define COMMAND_WITH(feature, name, function, ...)                                           \
    Command {                                                                                \
        VRNIC_ADMIN_##name, #name, feature, Entry<function>::size, Entry<function>::handler, \
            std::array<Reserved, 4> {                                                        \
            __VA_ARGS__                                                                      \
        }                                                                                    \
    }
#define COMMAND(...) COMMAND_WITH(0, __VA_ARGS__)

// Reserved fields of a page list are its own matter (PagedMemory).
constexpr auto kCommands = std::to_array<Command>({
    COMMAND(QUERY_DEVICE, query_device, RESERVED(vrnic_cmd_query, reserved)),
    COMMAND(QUERY_COUNTERS, query_counters, RESERVED(vrnic_cmd_query_counters, answer.reserved),
            RESERVED(vrnic_cmd_query_counters, reserved)),
    COMMAND(QUERY_OBJECT, query_object, RESERVED(vrnic_cmd_query_object, answer.reserved)),
    COMMAND(CREATE_EQ, create_eq, RESERVED(vrnic_cmd_create_eq, reserved)),
    COMMAND(DESTROY_EQ, destroy_eq, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(ALLOC_UAR, alloc_uar),
    COMMAND(FREE_UAR, free_uar, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(CREATE_ETH_QUEUE, create_eth_queue, RESERVED(vrnic_cmd_create_eth_queue, reserved)),
    COMMAND(DESTROY_ETH_QUEUE, destroy_eth_queue, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(SET_PORT, set_port, RESERVED(vrnic_cmd_set_port, reserved)),
    COMMAND(ALLOC_PD, alloc_pd),
    COMMAND(DEALLOC_PD, dealloc_pd, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(SET_GID, set_gid, RESERVED(vrnic_cmd_set_gid, reserved0),
            RESERVED(vrnic_cmd_set_gid, reserved1)),
    COMMAND(REG_MR, reg_mr),
    COMMAND(DEREG_MR, dereg_mr, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(REREG_MR, rereg_mr),
    COMMAND(REVOKE_MR, revoke_mr, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND_WITH(VRNIC_CAP_KERNEL, ALLOC_DMA_MR, alloc_dma_mr),
    COMMAND_WITH(VRNIC_CAP_FAST_REG, ALLOC_FAST_MR, alloc_fast_mr),
    COMMAND_WITH(VRNIC_CAP_WINDOWS, ALLOC_MW, alloc_mw, RESERVED(vrnic_cmd_alloc_mw, reserved)),
    COMMAND(DEALLOC_MW, dealloc_mw, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND_WITH(VRNIC_CAP_XRC, ALLOC_XRCD, alloc_xrcd),
    COMMAND(DEALLOC_XRCD, dealloc_xrcd, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(CREATE_CQ, create_cq, RESERVED(vrnic_cmd_create_cq, reserved0),
            RESERVED(vrnic_cmd_create_cq, reserved1)),
    COMMAND(DESTROY_CQ, destroy_cq, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(RESIZE_CQ, resize_cq, RESERVED(vrnic_cmd_resize_cq, reserved)),
    COMMAND(MODERATE_CQ, moderate_cq, RESERVED(vrnic_cmd_moderate_cq, reserved)),
    COMMAND(CREATE_QP, create_qp, RESERVED(vrnic_cmd_create_qp, reserved0)),
    COMMAND(MODIFY_QP, modify_qp, RESERVED(vrnic_cmd_modify_qp, attr.reserved),
            RESERVED(vrnic_cmd_modify_qp, reserved)),
    COMMAND(QUERY_QP, query_qp, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(DESTROY_QP, destroy_qp, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND_WITH(VRNIC_CAP_MCAST, ATTACH_MCAST, attach_mcast, RESERVED(vrnic_cmd_mcast, reserved)),
    COMMAND(DETACH_MCAST, detach_mcast, RESERVED(vrnic_cmd_mcast, reserved)),
    COMMAND_WITH(VRNIC_CAP_SRQ, CREATE_SRQ, create_srq, RESERVED(vrnic_cmd_create_srq, reserved0)),
    COMMAND(MODIFY_SRQ, modify_srq),
    COMMAND(QUERY_SRQ, query_srq, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(DESTROY_SRQ, destroy_srq, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(RESIZE_SRQ, resize_srq, RESERVED(vrnic_cmd_resize_srq, reserved)),
    COMMAND(CREATE_COUNTERS, create_counters),
    COMMAND(DESTROY_COUNTERS, destroy_counters, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(BIND_COUNTERS, bind_counters),
    COMMAND(CALL_OBJECT, call_object, RESERVED(vrnic_cmd_call_object, reserved)),
    COMMAND(CREATE_FAULT, create_fault, RESERVED(vrnic_cmd_create_fault, rule.reserved)),
    COMMAND(MODIFY_FAULT, modify_fault, RESERVED(vrnic_cmd_modify_fault, reserved),
            RESERVED(vrnic_cmd_modify_fault, rule.reserved)),
    COMMAND(DESTROY_FAULT, destroy_fault, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(CREATE_STREAM, create_stream, RESERVED(vrnic_cmd_create_stream, reserved0)),
    COMMAND(DESTROY_STREAM, destroy_stream, RESERVED(vrnic_cmd_handle, reserved)),
    COMMAND(WATCH, watch, RESERVED(vrnic_cmd_watch, reserved)),
    COMMAND(MODIFY_STREAM, modify_stream),
});

#undef COMMAND
#undef COMMAND_WITH
#undef RESERVED

// The first reserved octet that is not zero, as its offset in the command.
AdminResult<void> check_reserved(const Command& row, const vrnic_admin_cmd& command) {
    constexpr std::uint32_t kPayload = offsetof(vrnic_admin_cmd, payload);
    if (command.reserved != 0)
        return admin_error(VRNIC_STATUS_RESERVED, offsetof(vrnic_admin_cmd, reserved));
    const auto check = [&](std::uint32_t begin, std::uint32_t end) -> AdminResult<void> {
        for (std::uint32_t at = begin; at < end; ++at)
            if (command.payload[at] != 0) return admin_error(VRNIC_STATUS_RESERVED, kPayload + at);
        return {};
    };
    for (const Reserved& part : row.reserved)
        if (auto result = check(part.offset, part.offset + part.size); !result) return result;
    return check(row.size, sizeof(command.payload));
}

AdminResult<void> run(Device& device, const Command& row, const vrnic_admin_cmd& command,
                      ResponsePayload out) {
    if ((device.caps.features & row.needs) != row.needs)
        return admin_error(VRNIC_STATUS_UNSUPPORTED);
    if (auto result = check_reserved(row, command); !result) return result;
    // Tables are the only large memory, asked for after their size was bounded.
    try {
        return row.handler(device, command, out);
    } catch (const std::bad_alloc&) {
        return admin_error(VRNIC_STATUS_LIMIT);
    }
}

constexpr auto kNames = [] {
    std::array<Name, kCommands.size()> names{};
    for (std::size_t i = 0; i < names.size(); ++i)
        names[i] = {kCommands[i].name, kCommands[i].opcode};
    return names;
}();

}  // namespace

void execute(Device& device, const vrnic_admin_cmd& command, vrnic_admin_cpl& completion) {
    completion = vrnic_admin_cpl{};
    completion.tag = command.tag;
    ++device.counters.admin_commands;

    const auto row = std::ranges::find(kCommands, command.opcode, &Command::opcode);
    const AdminResult<void> result =
        row == kCommands.end() ? admin_error(VRNIC_STATUS_BAD_OPCODE)
                               : run(device, *row, command, ResponsePayload(completion.payload));
    if (result) return;

    ++device.counters.admin_errors;
    completion.status = result.error().status;
    completion.detail = result.error().detail;
    guest_error(device.host, "admin command {} ({:#x}), tag {}: {}, detail {}",
                row == kCommands.end() ? "?" : row->name,
                static_cast<std::uint16_t>(command.opcode), static_cast<std::uint16_t>(command.tag),
                result.error().status < kAdminStatusNames.size()
                    ? kAdminStatusNames[result.error().status]
                    : "?",
                result.error().detail);
}

std::span<const Name> command_names() {
    return kNames;
}

}  // namespace vrnic
