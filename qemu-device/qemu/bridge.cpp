// SPDX-License-Identifier: GPL-2.0-or-later
// The engine's world inside QEMU, and the border that no exception crosses.
#include "bridge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine.h"
#include "vrnic_regs.h"

namespace {

class QemuHost final : public vrnic::Host {
  public:
    QemuHost(const vrnic_host& operations, void* device) : ops_(operations), device_(device) {}

    // The device is going: from now on every operation fails without reaching it.
    void detach() { device_ = nullptr; }

    bool dma_read(vrnic::BusAddress address, std::span<std::byte> out) override {
        return device_ && ops_.dma_read(device_, address, out.data(), out.size());
    }
    bool dma_write(vrnic::BusAddress address, std::span<const std::byte> data) override {
        return device_ && ops_.dma_write(device_, address, data.data(), data.size());
    }
    bool dma_store64(vrnic::BusAddress address, std::uint64_t value) override {
        return device_ && ops_.dma_store64(device_, address, value);
    }
    void raise_interrupt(std::uint32_t vector) override {
        if (device_) ops_.raise_interrupt(device_, vector);
    }
    vrnic::SendResult send_frame(std::span<const std::byte> frame) override {
        if (device_ && ops_.send_frame(device_, frame.data(), frame.size()) == VRNIC_SEND_PAUSED)
            return vrnic::SendResult::paused;
        return vrnic::SendResult::sent;
    }
    void receive_ready() override {
        if (device_) ops_.receive_ready(device_);
    }
    vrnic::Nanoseconds now() override { return device_ ? ops_.now(device_) : 0; }
    vrnic::Nanoseconds wall_time() override { return device_ ? ops_.wall_time(device_) : 0; }
    void set_timer(vrnic::Nanoseconds deadline) override {
        static_assert(vrnic::kNever == VRNIC_TIMER_NEVER);
        if (device_) ops_.set_timer(device_, deadline);
    }
    void schedule_run() override {
        if (device_) ops_.schedule_run(device_);
    }
    void log(vrnic::LogLevel level, std::string_view line) override {
        static constexpr vrnic_log kLevels[] = {VRNIC_LOG_GUEST_ERROR, VRNIC_LOG_INFO,
                                                VRNIC_LOG_FAULT};
        const vrnic_log to = kLevels[static_cast<int>(level)];
        if (device_) ops_.log(device_, to, line.data(), line.size());
    }

  private:
    const vrnic_host& ops_;
    void* device_;
};

vrnic::EngineConfig engine_config(const vrnic_config& config) {
    vrnic::EngineConfig out;
    std::copy(std::begin(config.mac), std::end(config.mac), out.mac.begin());
    out.vectors = config.vectors;
    out.doorbell_slots = config.doorbell_slots;
    out.doorbell_stride_log = config.doorbell_stride_log;
    out.seed = config.seed;
    out.link_up = config.link_up;
    out.without = config.without;
    return out;
}

}  // namespace

// Holds the engine through three lives: working; failed, when an exception came out of it (the
// guest sees STATUS.FATAL until it resets the device, which makes a new engine); detached, when the
// device was removed from within one of the engine's own calls.
struct vrnic_bridge {
    vrnic_bridge(const vrnic_host& operations, void* device, const vrnic_config& config)
        : host(operations, device), config(engine_config(config)) {
        engine.emplace(host, this->config);
    }

    // Runs call(engine) unless there is no working engine. Deletes this when it was detached
    // meanwhile.
    template <typename Call>
    void enter(Call&& call) noexcept {
        ++depth;
        if (!failed && !detached) {
            try {
                call(*engine);
            } catch (const std::exception& error) {
                fail(error.what());
            } catch (...) {
                fail("unknown exception");
            }
        }
        leave();
    }

    void reset() noexcept {
        if (failed) renew = true;
        enter([](vrnic::Engine& e) { e.reset(); });
    }

    void detach() noexcept {
        detached = true;
        host.detach();
        ++depth;
        leave();
    }

    QemuHost host;
    vrnic::EngineConfig config;  // link_up follows the port, so that a new engine starts right
    std::string faults;          // and so do the rules
    std::optional<vrnic::Engine> engine;
    unsigned depth = 0;  // calls into the engine that have not returned
    bool failed = false;
    bool renew = false;  // failed, and a reset was asked for
    bool detached = false;

  private:
    void fail(std::string_view what) noexcept {
        failed = true;
        host.set_timer(vrnic::kNever);
        host.log(vrnic::LogLevel::guest_error,
                 "internal error, the device stops until it is reset:");
        host.log(vrnic::LogLevel::guest_error, what);
    }

    void leave() noexcept {
        if (--depth > 0) return;
        if (detached) {
            delete this;  // made by vrnic_bridge_new, given up by vrnic_bridge_free
        } else if (renew) {
            renew = false;
            try {
                engine.emplace(host, config);
                failed = false;
                (void)engine->set_faults(faults);  // they were good before
            } catch (...) {
                fail("no memory for a new engine");
            }
        }
    }
};

namespace {

// What a failed device still answers.
std::uint64_t failed_register(std::uint64_t offset, unsigned size) {
    if (size != 4) return 0;
    switch (offset) {
        case VRNIC_REG_ID:
            return VRNIC_ID;
        case VRNIC_REG_ABI:
            return VRNIC_ABI_MAJOR << 16 | VRNIC_ABI_MINOR;
        case VRNIC_REG_STATUS:
            return VRNIC_STATUS_FATAL;
        case VRNIC_REG_FATAL:
            return VRNIC_FATAL_INTERNAL;
        default:
            return 0;
    }
}

// Cut to size, always terminated.
void copy_out(std::string_view text, char* out, std::size_t size) {
    if (size == 0) return;
    const std::size_t length = std::min(text.size(), size - 1);
    std::memcpy(out, text.data(), length);
    out[length] = '\0';
}

// What a call gives, as text.
template <typename Call>
void get(char* out, std::size_t size, Call&& call) noexcept {
    try {
        copy_out(call(), out, size);
    } catch (...) {
        copy_out("", out, size);
    }
}

// A call that may refuse what it is given, with the reason.
template <typename Call>
bool set(vrnic_bridge* bridge, char* error, std::size_t error_size, Call&& call) noexcept {
    bool good = false;
    copy_out("the device has failed, or is being removed", error, error_size);
    bridge->enter([&](vrnic::Engine& engine) {
        const std::expected<void, std::string> result = call(engine);
        good = result.has_value();
        if (!good) copy_out(result.error(), error, error_size);
    });
    return good;
}

}  // namespace

vrnic_bridge* vrnic_bridge_new(const vrnic_host* host, void* device, const vrnic_config* config) {
    try {
        return std::make_unique<vrnic_bridge>(*host, device, *config).release();
    } catch (...) {
        return nullptr;
    }
}

void vrnic_bridge_free(vrnic_bridge* bridge) {
    if (bridge) bridge->detach();
}

uint64_t vrnic_bridge_read_register(vrnic_bridge* bridge, uint64_t offset, unsigned size) {
    if (bridge->failed) return failed_register(offset, size);
    std::uint64_t value = 0;
    bridge->enter([&](vrnic::Engine& e) { value = e.read_register(offset, size); });
    return value;
}

void vrnic_bridge_write_register(vrnic_bridge* bridge, uint64_t offset, uint64_t value,
                                 unsigned size) {
    if (bridge->failed) {
        if (offset == VRNIC_REG_CONTROL && size == 4 && (value & VRNIC_CONTROL_RESET))
            bridge->reset();
        return;
    }
    bridge->enter([&](vrnic::Engine& e) { e.write_register(offset, value, size); });
}

void vrnic_bridge_write_doorbell(vrnic_bridge* bridge, uint64_t offset, uint64_t value,
                                 unsigned size) {
    bridge->enter([&](vrnic::Engine& e) { e.write_doorbell(offset, value, size); });
}

bool vrnic_bridge_can_receive(const vrnic_bridge* bridge) {
    // A failed device takes frames and loses them: it never holds up the wire.
    return bridge->failed || bridge->engine->can_receive();
}

void vrnic_bridge_receive(vrnic_bridge* bridge, const void* frame, size_t size) {
    const std::span bytes(static_cast<const std::byte*>(frame), size);
    bridge->enter([&](vrnic::Engine& e) { e.receive_frame(bytes); });
}

void vrnic_bridge_wire_ready(vrnic_bridge* bridge) {
    bridge->enter([](vrnic::Engine& e) { e.wire_ready(); });
}

void vrnic_bridge_on_timer(vrnic_bridge* bridge) {
    bridge->enter([](vrnic::Engine& e) { e.on_timer(); });
}

void vrnic_bridge_run(vrnic_bridge* bridge) {
    bridge->enter([](vrnic::Engine& e) { e.run(); });
}

void vrnic_bridge_set_link(vrnic_bridge* bridge, bool up) {
    bridge->config.link_up = up;
    bridge->enter([&](vrnic::Engine& e) { e.set_link(up); });
}

void vrnic_bridge_reset(vrnic_bridge* bridge) {
    bridge->reset();
}

bool vrnic_bridge_set_capture(vrnic_bridge* bridge, const char* file, const char* name, char* error,
                              size_t error_size) {
    return set(bridge, error, error_size,
               [&](vrnic::Engine& e) { return e.set_capture(file, name); });
}

void vrnic_bridge_capture(const vrnic_bridge* bridge, char* out, size_t size) {
    get(out, size, [&] { return bridge->engine->capture(); });
}

void vrnic_bridge_flush_capture(vrnic_bridge* bridge) {
    bridge->enter([](vrnic::Engine& e) { e.flush_capture(); });
}

bool vrnic_bridge_set_faults(vrnic_bridge* bridge, const char* rules, char* error,
                             size_t error_size) {
    return set(bridge, error, error_size, [&](vrnic::Engine& e) {
        auto done = e.set_faults(std::string_view(rules));
        if (done) bridge->faults = rules;
        return done;
    });
}

void vrnic_bridge_faults(const vrnic_bridge* bridge, char* out, size_t size) {
    get(out, size, [&] { return bridge->engine->faults(); });
}

void vrnic_bridge_stats(const vrnic_bridge* bridge, char* out, size_t size) {
    get(out, size, [&] {
        std::string text;
        const vrnic::Counters& counters = bridge->engine->counters();
#define VRNIC_COUNTER_JSON(name) \
    fmt::format_to(std::back_inserter(text), ",\"" #name "\":{}", counters.name);
        VRNIC_COUNTERS(VRNIC_COUNTER_JSON)
#undef VRNIC_COUNTER_JSON
        text.front() = '{';
        text += '}';
        return text;
    });
}
