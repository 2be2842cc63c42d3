// SPDX-License-Identifier: GPL-2.0-or-later
// Whole machines (host, engine, driver) and two of them on one link.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "driver.h"
#include "engine.h"
#include "host.h"
#include "link.h"
#include "trace.h"
#include "world.h"

namespace vrnic::sim {

// The seed of a case, or the one that a failure printed and VRNIC_SIM_SEED gives back.
inline std::uint64_t seed_or(std::uint64_t otherwise) {
    const char* given = std::getenv("VRNIC_SIM_SEED");
    return given ? std::strtoull(given, nullptr, 0) : otherwise;
}

inline EngineConfig engine_config(std::uint8_t number, std::uint64_t seed) {
    EngineConfig config;
    config.mac = {2, 0, 0, 0, 0, number};
    config.seed = seed;
    return config;
}

struct NodeOptions {
    std::size_t memory_bytes = 16 << 20;
    std::string faults{};  // rules of each engine
};

struct Node {
    Node(World& world, Link& link, std::uint8_t number, std::uint64_t seed, NodeOptions options)
        : host(world, link, options.memory_bytes),
          engine(host, engine_config(number, seed)),
          driver(world, host, engine, number, seed) {
        host.connect(engine);
        set_faults(options.faults);
    }
    void set_faults(const std::string& rules) {
        const auto set = engine.set_faults(rules);
        if (!set) throw std::invalid_argument(set.error());
    }
    const Counters& counters() const { return engine.counters(); }

    SimHost host;
    Engine engine;
    SimDriver driver;
};

// Two machines, started; one completion queue on each.
struct Pair {
    explicit Pair(std::uint64_t seed = 1, NodeOptions options = {})
        : link(world, trace, seed),
          a(world, link, 1, seed * 2, options),
          b(world, link, 2, seed * 2 + 1, options) {
        a.driver.start();
        b.driver.start();
        cq_a = &a.driver.create_cq({.log_size = 8});
        cq_b = &b.driver.create_cq({.log_size = 8});
    }

    std::pair<GuestQp&, GuestQp&> make_qps(QpOptions options = {}) {
        GuestQp& qa = a.driver.create_qp(*cq_a, *cq_a, options);
        GuestQp& qb = b.driver.create_qp(*cq_b, *cq_b, options);
        return {qa, qb};
    }
    // Queue pairs over which A can ask B for everything; B's receives are posted to its QP in any
    // case.
    enum class Transport { rc, rc_shared, xrc };
    std::pair<GuestQp&, GuestQp&> connect_by(Transport transport, const Connection& how = {}) {
        QpOptions of_a, of_b;
        if (transport == Transport::rc_shared) of_b.srq = &b.driver.create_srq();
        if (transport == Transport::xrc) {
            of_a.type = VRNIC_QPT_XRC_INI;
            of_b.type = VRNIC_QPT_XRC_TGT;
            of_b.xrcdn = b.driver.alloc_xrcd();
            of_b.srq = &b.driver.create_srq({.xrcdn = of_b.xrcdn, .cq = cq_b});
        }
        GuestQp& qa = a.driver.create_qp(*cq_a, *cq_a, of_a);
        GuestQp& qb = b.driver.create_qp(*cq_b, *cq_b, of_b);
        connect_qps(a.driver, qa, b.driver, qb, how);
        return {qa, qb};
    }
    std::pair<GuestQp&, GuestQp&> connect(const Connection& how = {}, QpOptions options = {}) {
        auto qps = make_qps(options);
        connect_qps(a.driver, qps.first, b.driver, qps.second, how);
        return qps;
    }

    // Completions of the side until there are count, or the time is up.
    std::vector<vrnic_cqe> wait_a(std::size_t count, Nanoseconds limit = kSecond) {
        return wait(a.driver, *cq_a, count, limit);
    }
    std::vector<vrnic_cqe> wait_b(std::size_t count, Nanoseconds limit = kSecond) {
        return wait(b.driver, *cq_b, count, limit);
    }
    std::vector<vrnic_cqe> wait(SimDriver& driver, GuestCq& cq, std::size_t count,
                                Nanoseconds limit) {
        std::vector<vrnic_cqe> found;
        static_cast<void>(world.run_until(
            [&] {
                while (found.size() < count) {
                    auto cqe = driver.poll(cq);
                    if (!cqe) return false;
                    found.push_back(*cqe);
                }
                return true;
            },
            limit));
        return found;
    }

    World world;
    Trace trace;
    Link link;
    Node a, b;
    GuestCq* cq_a;
    GuestCq* cq_b;
};

}  // namespace vrnic::sim
