// SPDX-License-Identifier: GPL-2.0-or-later
#include "faults/faults.h"

#include <algorithm>
#include <iterator>

#include "faults/damage.h"
#include "faults/kinds.h"

namespace vrnic {
namespace {

bool is_packet_point(FaultPoint point) {
    return point == FaultPoint::packet_out || point == FaultPoint::packet_in;
}

// When a link_down rule begins and ends.
Nanoseconds link_begin(const ArmedRule& one) {
    return one.since + one.rule.after;
}
Nanoseconds link_end(const ArmedRule& one) {
    return one.rule.time == 0 ? kNever : link_begin(one) + one.rule.time;
}

bool is_of_guest(const ArmedRule& one) {
    return one.handle != 0;
}

const char* name_of(Direction direction) {
    return direction == Direction::in ? "in" : "out";
}

}  // namespace

void Faults::set(std::span<const FaultRule> rules) {
    const Nanoseconds now = host_.now();
    held_.release_all(now);
    for (Nanoseconds& deadline : interrupts_)
        if (deadline != kNever) deadline = now;
    std::vector<ArmedRule> after;
    for (const FaultRule& rule : rules)
        after.push_back(arm(rule, 0, static_cast<std::uint32_t>(after.size()) + 1));
    std::ranges::copy_if(rules_, std::back_inserter(after), is_of_guest);
    rules_ = std::move(after);
    rules_changed();
}

std::vector<FaultRule> Faults::rules() const {
    std::vector<FaultRule> out;
    for (const ArmedRule& one : rules_)
        if (!is_of_guest(one)) out.push_back(one.rule);
    return out;
}

AdminResult<std::uint32_t> Faults::create(const FaultRule& rule) {
    const auto handle = handles_.take();
    if (!handle) return admin_error(VRNIC_STATUS_LIMIT);
    rules_.push_back(arm(rule, *handle, *handle));
    rules_changed();
    return *handle;
}

AdminResult<void> Faults::modify(std::uint32_t handle, const FaultRule& rule) {
    const auto found = std::ranges::find(rules_, handle, &ArmedRule::handle);
    if (handle == 0 || found == rules_.end())
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_modify_fault, handle));
    *found = arm(rule, handle, handle);
    rules_changed();
    return {};
}

AdminResult<void> Faults::destroy(std::uint32_t handle) {
    if (!find(handle))
        return admin_error(VRNIC_STATUS_NO_OBJECT, VRNIC_FIELD(vrnic_cmd_handle, handle));
    std::erase_if(rules_, [&](const ArmedRule& one) { return one.handle == handle; });
    handles_.give_back(handle);
    rules_changed();
    return {};
}

const ArmedRule* Faults::find(std::uint32_t handle) const {
    const auto found = std::ranges::find(rules_, handle, &ArmedRule::handle);
    return handle == 0 || found == rules_.end() ? nullptr : &*found;
}

// Rules that name no seed must not all draw the same.
ArmedRule Faults::arm(const FaultRule& rule, std::uint32_t handle, std::uint32_t number) {
    const std::uint64_t place = handle == 0 ? number - 1 : kMaxFaultRules + handle;
    const std::uint64_t seed = rule.seed.value_or(seed_ + place * 0xd1342543de82ef95u);
    return {.rule = rule,
            .handle = handle,
            .number = number,
            .random = Random(seed),
            .since = host_.now()};
}

void Faults::rules_changed() {
    armed_ = 0;
    for (const ArmedRule& one : rules_) {
        const FaultPoint point = fault_point(one.rule);
        armed_ |= 1u << static_cast<unsigned>(point);
        if (!is_packet_point(point)) continue;
        held_.make_room();
        scratch_.resize(roce::kMaxFrame);
    }
    next_ = host_.now();
    on_deadline(next_);
}

void Faults::reset() {
    held_.clear();
    std::ranges::fill(interrupts_, kNever);
    std::erase_if(rules_, is_of_guest);
    handles_.reset();
    rules_changed();
}

// ---- which rule ----

// Each rule counts what fits it, whatever the others do; the first that fires has it.
template <typename Fits>
ArmedRule* Faults::choose(FaultPoint point, Fits&& fits) {
    ArmedRule* chosen = nullptr;
    for (ArmedRule& one : rules_)
        if (fault_point(one.rule) == point && fits(one.rule) && one.fires() && !chosen)
            chosen = &one;
    return chosen;
}

template <typename... Args>
void Faults::note(ArmedRule& one, std::uint32_t qpn, fmt::format_string<Args...> format,
                  Args&&... args) {
    const FaultKindInfo& info = fault_kind(one.rule.kind);
    ++(counters_.*info.counter);
    ++one.injected;
    log_fault(host_, "fault {}{} ({}): {}", is_of_guest(one) ? "of the guest " : "", one.number,
              info.name, text(format, std::forward<Args>(args)...));
    if (watcher_ && is_of_guest(one)) watcher_->injected(one.handle, qpn, one.rule.kind);
}

// ---- packets ----

void Faults::pass(PacketWay way, std::span<const std::byte> frame, PacketSink& sink) {
    const auto packet = roce::parse(frame);
    ArmedRule* rule = nullptr;
    if (packet && way.direction == Direction::in) way.qpn = packet->destination_qp;
    if (packet)  // what is no packet is nobody's
        rule =
            choose(way.direction == Direction::in ? FaultPoint::packet_in : FaultPoint::packet_out,
                   [&](const FaultRule& r) {
                       return (!r.qpn || *r.qpn == way.qpn) && r.opcodes[packet->opcode->opcode];
                   });
    if (rule)
        inject(*rule, way, frame, *packet, sink);
    else
        go_on(way, frame, sink);
    release(way.direction, sink);
}

// What there is no room to hold, or nothing to change of, goes on as it is and is not counted.
void Faults::inject(ArmedRule& one, const PacketWay& way, std::span<const std::byte> frame,
                    const roce::Packet& packet, PacketSink& sink) {
    bool injected = true;
    switch (one.rule.kind) {
        case FaultKind::drop:
            break;
        case FaultKind::duplicate:
            go_on(way, frame, sink);
            if (one.rule.time == 0)
                deliver(way, frame, sink);
            else
                injected = hold(one.rule, way, frame);
            break;
        case FaultKind::corrupt:
            injected = corrupt(one, way, frame, packet, sink);
            if (!injected) go_on(way, frame, sink);
            break;
        default:
            injected = hold(one.rule, way, frame);
            if (!injected) go_on(way, frame, sink);
    }
    if (injected)
        note(one, way.qpn, "{} PSN {:#x} of QP {}, {}", packet.opcode->name, packet.psn.value(),
             way.qpn, name_of(way.direction));
}

bool Faults::hold(const FaultRule& rule, const PacketWay& way, std::span<const std::byte> frame) {
    HeldPacket* packet = held_.add(way, frame);
    if (!packet) return false;
    packet->deadline = host_.now() + rule.time;
    packet->behind = rule.kind == FaultKind::reorder ? rule.packets : 0;
    next_ = std::min(next_, packet->deadline);
    return true;
}

bool Faults::corrupt(ArmedRule& one, const PacketWay& way, std::span<const std::byte> frame,
                     const roce::Packet& packet, PacketSink& sink) {
    if (frame.size() > scratch_.size()) return false;
    const std::span copy = std::span(scratch_).first(frame.size());
    std::ranges::copy(frame, copy.begin());
    roce::Packet inside = packet;
    inside.payload = copy.subspan(static_cast<std::size_t>(packet.payload.data() - frame.data()),
                                  packet.payload.size());
    if (!damage(copy, inside, one.rule, one.random)) return false;
    go_on(way, copy, sink);
    return true;
}

void Faults::go_on(const PacketWay& way, std::span<const std::byte> frame, PacketSink& sink) {
    deliver(way, frame, sink);
    held_.note_passed(way, host_.now());
}

// What the sink does not take waits in front of all that is due. The sink then takes nothing until
// it is free again, so that these are few.
void Faults::deliver(const PacketWay& way, std::span<const std::byte> frame, PacketSink& sink) {
    if (sink.take(frame, way.loopback)) return;
    HeldPacket* packet = held_.add(way, frame);
    if (!packet) return;  // a wire promises nothing
    packet->due = true;
    packet->deadline = 0;
}

void Faults::release(Direction direction, PacketSink& sink) {
    for (const bool loopback : {false, true}) {
        while (const HeldPacket* packet = held_.first_due(direction, loopback)) {
            if (!sink.take(packet->frame(), loopback)) break;
            held_.take_off(*packet);
        }
    }
}

// ---- the others ----

std::optional<CommandFault> Faults::command(std::uint16_t opcode) {
    ArmedRule* one = choose(FaultPoint::command, [&](const FaultRule& rule) {
        return opcode < rule.opcodes.size() ? rule.opcodes[opcode] : rule.opcodes.all();
    });
    if (!one) return std::nullopt;
    note(*one, 0, "admin command {:#x}", opcode);
    return CommandFault{one->rule.kind == FaultKind::lose_command, one->rule.status};
}

bool Faults::interrupt(std::uint32_t vector) {
    ArmedRule* one = choose(FaultPoint::interrupt, [&](const FaultRule& rule) {
        return !rule.vector || *rule.vector == vector;
    });
    if (!one || vector >= interrupts_.size()) return false;
    note(*one, 0, "vector {}", vector);
    if (one->rule.kind == FaultKind::delay_interrupt) {
        interrupts_[vector] = std::min(interrupts_[vector], host_.now() + one->rule.time);
        next_ = std::min(next_, interrupts_[vector]);
    }
    return true;
}

std::optional<std::uint8_t> Faults::completion(WorkQueue queue, std::uint32_t qpn,
                                               std::uint8_t opcode) {
    ArmedRule* one = choose(FaultPoint::completion, [&](const FaultRule& rule) {
        return rule.queue == queue && (!rule.qpn || *rule.qpn == qpn) && rule.opcodes[opcode];
    });
    if (!one) return std::nullopt;
    note(*one, qpn, "an entry of the {} queue of QP {}",
         queue == WorkQueue::send ? "send" : "receive", qpn);
    return static_cast<std::uint8_t>(one->rule.status);
}

void Faults::follow_link(Nanoseconds now) {
    link_down_ = false;
    for (ArmedRule& one : rules_) {
        if (one.rule.kind != FaultKind::link_down || now < link_begin(one) || now >= link_end(one))
            continue;
        link_down_ = true;
        if (!one.link_counted) note(one, 0, "the link goes down");
        one.link_counted = true;
    }
}

// ---- time ----

void Faults::on_deadline(Nanoseconds now) {
    if (now < next_) return;
    held_.note_time(now);
    for (std::uint32_t vector = 0; vector < interrupts_.size(); ++vector) {
        if (interrupts_[vector] > now) continue;
        interrupts_[vector] = kNever;
        ++counters_.interrupts;
        host_.raise_interrupt(vector);
    }
    follow_link(now);
    find_next(now);
}

void Faults::find_next(Nanoseconds now) {
    next_ = std::min(held_.next_deadline(), std::ranges::min(interrupts_));
    for (const ArmedRule& one : rules_) {
        if (one.rule.kind != FaultKind::link_down) continue;
        for (const Nanoseconds moment : {link_begin(one), link_end(one)})
            if (moment > now) next_ = std::min(next_, moment);
    }
}

}  // namespace vrnic
