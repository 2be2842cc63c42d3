// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// The fields of objects as the device holds them, made from the tables of vrnic_contexts.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vrnic::ctl {

struct ContextField {
    std::string_view name;
    std::size_t offset;
    std::size_t size;  // bytes
};

struct ContextKind {
    std::string_view name;  // as people type it
    std::uint32_t type;     // VRNIC_CONTEXT_*
    std::size_t size;       // bytes
    std::span<const ContextField> fields;
};

std::span<const ContextKind> context_kinds();

// What people call a value, "" where it is a number and nothing else.
std::string_view name_of_value(const ContextKind& kind, const ContextField& field,
                               std::uint64_t value);

// Little-endian.
std::uint64_t value_of(const ContextField& field, std::span<const std::uint8_t> context);

}  // namespace vrnic::ctl
