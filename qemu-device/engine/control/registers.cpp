// SPDX-License-Identifier: GPL-2.0-or-later
#include "control/registers.h"

#include <algorithm>
#include <array>

#include "host/log.h"
#include "vrnic_regs.h"

namespace vrnic {
namespace {

struct Target {
    Device& device;
    AdminQueue& admin;
    std::uint32_t& clock_high;
};

using Read = std::uint32_t (*)(const Target&);
using Write = bool (*)(const Target&, std::uint32_t value);  // false: the value was refused

struct Register {
    std::uint32_t offset;
    Read read;          // nullptr: write only, reads as zero
    Write write;        // nullptr: read only
    bool wide = false;  // low half of a 64-bit quantity: may be accessed with the next one
};

constexpr unsigned kHalf = 32;

std::uint32_t status(const Target& t) {
    return VRNIC_STATUS_READY | (t.device.fatal != 0 ? VRNIC_STATUS_FATAL : 0) |
           (t.device.port.link_up() ? VRNIC_STATUS_LINK_UP : 0);
}

bool control(const Target& t, std::uint32_t value) {
    if ((value & ~VRNIC_CONTROL_RESET) != 0) return false;
    if ((value & VRNIC_CONTROL_RESET) != 0) t.device.reset_requested = true;
    return true;
}

std::uint32_t mac_octets(const Target& t, unsigned first, unsigned end) {
    std::uint32_t value = 0;
    for (unsigned i = first; i < end; ++i)
        value |= std::uint32_t{t.device.port.permanent_mac()[i]} << 8 * (i - first);
    return value;
}

template <BusAddress AdminQueue::Setup::*field, unsigned shift>
std::uint32_t read_address(const Target& t) {
    return static_cast<std::uint32_t>(t.admin.setup().*field >> shift);
}

template <BusAddress AdminQueue::Setup::*field, unsigned shift>
bool write_address(const Target& t, std::uint32_t value) {
    if (t.admin.enabled()) return false;
    BusAddress& address = t.admin.setup().*field;
    address = (address & ~(std::uint64_t{0xffffffff} << shift)) | std::uint64_t{value} << shift;
    return true;
}

template <std::uint32_t AdminQueue::Setup::*field>
std::uint32_t read_number(const Target& t) {
    return t.admin.setup().*field;
}

template <std::uint32_t AdminQueue::Setup::*field>
bool write_number(const Target& t, std::uint32_t value) {
    if (t.admin.enabled()) return false;
    t.admin.setup().*field = value;
    return true;
}

bool enable(const Target& t, std::uint32_t value) {
    if (value > 1) return false;
    if (value == 0)
        t.admin.disable();
    else
        (void)t.admin.enable();  // reports by itself; the register tells
    return true;
}

// The high half that belongs to the low one is kept for the access that follows.
std::uint32_t read_clock(const Target& t) {
    const Nanoseconds now = t.device.host.now();
    t.clock_high = static_cast<std::uint32_t>(now >> kHalf);
    return static_cast<std::uint32_t>(now);
}

using Setup = AdminQueue::Setup;

constexpr auto kRegisters = std::to_array<Register>({
    {VRNIC_REG_ID, [](const Target&) -> std::uint32_t { return VRNIC_ID; }, nullptr},
    {VRNIC_REG_ABI,
     [](const Target&) -> std::uint32_t { return VRNIC_ABI_MAJOR << 16 | VRNIC_ABI_MINOR; },
     nullptr},
    {VRNIC_REG_STATUS, status, nullptr},
    {VRNIC_REG_CONTROL, nullptr, control},
    {VRNIC_REG_FATAL, [](const Target& t) { return t.device.fatal; }, nullptr},
    {VRNIC_REG_MAC_LO, [](const Target& t) { return mac_octets(t, 0, 4); }, nullptr, true},
    {VRNIC_REG_MAC_HI, [](const Target& t) { return mac_octets(t, 4, 6); }, nullptr},
    {VRNIC_REG_DB_STRIDE, [](const Target& t) { return t.device.uars.stride_log(); }, nullptr},
    {VRNIC_REG_DB_COUNT, [](const Target& t) { return t.device.uars.slots(); }, nullptr},
    {VRNIC_REG_VECTORS, [](const Target& t) { return t.device.events.vectors(); }, nullptr},
    {VRNIC_REG_ADMIN_SQ_LO, read_address<&Setup::submissions, 0>,
     write_address<&Setup::submissions, 0>, true},
    {VRNIC_REG_ADMIN_SQ_HI, read_address<&Setup::submissions, kHalf>,
     write_address<&Setup::submissions, kHalf>},
    {VRNIC_REG_ADMIN_CQ_LO, read_address<&Setup::completions, 0>,
     write_address<&Setup::completions, 0>, true},
    {VRNIC_REG_ADMIN_CQ_HI, read_address<&Setup::completions, kHalf>,
     write_address<&Setup::completions, kHalf>},
    {VRNIC_REG_ADMIN_SIZE, read_number<&Setup::log_size>, write_number<&Setup::log_size>},
    {VRNIC_REG_ADMIN_VECTOR, read_number<&Setup::vector>, write_number<&Setup::vector>},
    {VRNIC_REG_ADMIN_ENABLE, [](const Target& t) -> std::uint32_t { return t.admin.enabled(); },
     enable},
    {VRNIC_REG_ADMIN_DB, nullptr,
     [](const Target& t, std::uint32_t value) {
         t.admin.doorbell(value);
         return true;
     }},
    {VRNIC_REG_CLOCK, read_clock, nullptr, true},
    {VRNIC_REG_CLOCK + 4, [](const Target& t) { return t.clock_high; }, nullptr},
});

const Register* find(std::uint64_t offset) {
    const auto row = std::ranges::find(kRegisters, offset, &Register::offset);
    return row == kRegisters.end() ? nullptr : &*row;
}

// Event queue doorbells are an array, write only.
constexpr std::uint64_t kEqDoorbellsEnd = VRNIC_REG_EQ_DB + VRNIC_MAX_EQS * VRNIC_REG_EQ_DB_STRIDE;

bool is_eq_doorbell(std::uint64_t offset) {
    return offset >= VRNIC_REG_EQ_DB && offset < kEqDoorbellsEnd &&
           (offset - VRNIC_REG_EQ_DB) % VRNIC_REG_EQ_DB_STRIDE == 0;
}

bool fits(const Register& row, unsigned size) {
    return size == 4 || (size == 8 && row.wide);
}

}  // namespace

std::uint64_t Registers::read(std::uint64_t offset, unsigned size) {
    if (is_eq_doorbell(offset) && size == 4) return 0;
    const Register* row = find(offset);
    if (!row || !fits(*row, size)) {
        refuse("read", offset, size);
        return 0;
    }
    const Target target{device_, admin_, clock_high_};
    std::uint64_t value = row->read ? row->read(target) : 0;
    if (size == 8) value |= std::uint64_t{(row + 1)->read(target)} << kHalf;
    return value;
}

void Registers::write(std::uint64_t offset, std::uint64_t value, unsigned size) {
    const auto low = static_cast<std::uint32_t>(value);
    if (is_eq_doorbell(offset) && size == 4) {
        const auto eqn =
            static_cast<std::uint32_t>((offset - VRNIC_REG_EQ_DB) / VRNIC_REG_EQ_DB_STRIDE);
        device_.events.doorbell(eqn, low);
        device_.cqs.events_consumed(eqn);
        return;
    }
    const Register* row = find(offset);
    const Target target{device_, admin_, clock_high_};
    if (!row || !fits(*row, size) || !row->write || !row->write(target, low) ||
        (size == 8 && !(row + 1)->write(target, static_cast<std::uint32_t>(value >> kHalf))))
        refuse("write", offset, size);
}

void Registers::refuse(const char* what, std::uint64_t offset, unsigned size) {
    ++device_.counters.mmio_errors;
    guest_error(device_.host, "registers: {} of {} bytes at {:#x} is not allowed", what, size,
                offset);
}

}  // namespace vrnic
