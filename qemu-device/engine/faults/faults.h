// SPDX-License-Identifier: GPL-2.0-or-later
// The rules of one device at work: who comes to a fault point asks here. Where no rule is given,
// that is one test of a bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/counters.h"
#include "base/id_pool.h"
#include "base/random.h"
#include "base/result.h"
#include "faults/armed_rule.h"
#include "faults/held_packets.h"
#include "faults/rule.h"
#include "host/host.h"
#include "host/log.h"
#include "roce/parse.h"

namespace vrnic {

// Where packets go on behind a fault point.
class PacketSink {
  public:
    // False: not taken now; it is offered again by Faults::release.
    virtual bool take(std::span<const std::byte> frame, bool loopback) = 0;

  protected:
    ~PacketSink() = default;
};

// Who is told of each fault that one of the guest's rules injected.
class FaultWatcher {
  public:
    virtual void injected(std::uint32_t fault, std::uint32_t qpn, FaultKind kind) = 0;

  protected:
    ~FaultWatcher() = default;
};

struct CommandFault {
    bool lost = false;         // else it fails:
    std::uint16_t status = 0;  // VRNIC_STATUS_*
};

class Faults {
  public:
    // seed: of rules that name none.
    Faults(Host& host, Counters& counters, std::uint64_t seed)
        : host_(host), counters_(counters), seed_(seed) {}

    // The owner's, instead of those before; check_fault found them good. What those held back goes
    // on now.
    void set(std::span<const FaultRule> rules);
    std::vector<FaultRule> rules() const;  // the owner's

    // The guest's, which come after the owner's; they were found good, too.
    AdminResult<std::uint32_t> create(const FaultRule& rule);
    AdminResult<void> modify(std::uint32_t handle, const FaultRule& rule);  // counts from 0 again
    AdminResult<void> destroy(std::uint32_t handle);    // what it held back goes on in its time
    const ArmedRule* find(std::uint32_t handle) const;  // nullptr: there is none

    // Of the device: what is held back is gone, and so are the guest's rules. The owner's stay,
    // with what they have seen.
    void reset();

    void set_watcher(FaultWatcher* watcher) { watcher_ = watcher; }

    bool armed(FaultPoint point) const { return (armed_ >> static_cast<unsigned>(point) & 1) != 0; }

    // A packet at packet_out or packet_in; there the packet says the QPN. What becomes of it now
    // goes to the sink.
    void pass(PacketWay way, std::span<const std::byte> frame, PacketSink& sink);
    // Packets that are due, in the order of their deadlines, as far as the sink takes them.
    void release(Direction direction, PacketSink& sink);
    bool holds_packets() const { return !held_.empty(); }

    std::optional<CommandFault> command(std::uint16_t opcode);
    // True: it is not to be raised, now.
    bool interrupt(std::uint32_t vector);
    // VRNIC_WC_* with which the entry is to fail. opcode: VRNIC_OP_* of the send queue.
    std::optional<std::uint8_t> completion(WorkQueue queue, std::uint32_t qpn,
                                           std::uint8_t opcode = 0);
    bool link_down() const { return link_down_; }

    // Nothing is due before this; kNever: nothing is held back.
    Nanoseconds next_deadline() const { return next_; }
    // Raises delayed interrupts, moves the link; packets that are due wait for release().
    void on_deadline(Nanoseconds now);

  private:
    static constexpr std::size_t kVectors = 64;

    ArmedRule arm(const FaultRule& rule, std::uint32_t handle, std::uint32_t number);
    void rules_changed();
    template <typename Fits>
    ArmedRule* choose(FaultPoint point, Fits&& fits);
    void inject(ArmedRule& rule, const PacketWay& way, std::span<const std::byte> frame,
                const roce::Packet& packet, PacketSink& sink);
    bool hold(const FaultRule& rule, const PacketWay& way, std::span<const std::byte> frame);
    bool corrupt(ArmedRule& rule, const PacketWay& way, std::span<const std::byte> frame,
                 const roce::Packet& packet, PacketSink& sink);
    void go_on(const PacketWay& way, std::span<const std::byte> frame, PacketSink& sink);
    void deliver(const PacketWay& way, std::span<const std::byte> frame, PacketSink& sink);
    template <typename... Args>
    void note(ArmedRule& rule, std::uint32_t qpn, fmt::format_string<Args...> format,
              Args&&... args);
    void follow_link(Nanoseconds now);
    void find_next(Nanoseconds now);

    Host& host_;
    Counters& counters_;
    std::uint64_t seed_;
    FaultWatcher* watcher_ = nullptr;
    std::uint32_t armed_ = 0;  // bits by FaultPoint
    bool link_down_ = false;
    Nanoseconds next_ = kNever;
    std::vector<ArmedRule> rules_;  // the owner's, then the guest's
    IdPool handles_{1, kMaxFaultRules};
    HeldPackets held_;
    std::vector<std::byte> scratch_;  // a packet that is being changed
    // By vector: when it is to be raised; kNever: it is not.
    std::vector<Nanoseconds> interrupts_ = std::vector<Nanoseconds>(kVectors, kNever);
};

}  // namespace vrnic
