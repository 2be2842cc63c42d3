// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "plan.h"

namespace vrnic::check {

namespace {

constexpr int kVersion = 1;  // of what the two sides say to each other

}  // namespace

nlohmann::json to_json(const Plan& plan) {
    nlohmann::json operations = nlohmann::json::array();
    for (Operation operation : plan.operations) operations.push_back(static_cast<int>(operation));
    return {{"vrnic-check", kVersion},
            {"operations", operations},
            {"sizes", plan.sizes},
            {"seed", plan.seed},
            {"rounds", plan.rounds},
            {"qps", plan.qps},
            {"depth", plan.depth},
            {"mtu", plan.mtu},
            {"directions", static_cast<int>(plan.directions)},
            {"ipv6", plan.ipv6},
            {"events", plan.events},
            {"errors", plan.errors},
            {"atomics", plan.atomics},
            {"extensions", plan.extensions},
            {"dmabuf", plan.dmabuf},
            {"lenient", plan.lenient},
            {"timeout", plan.timeout_seconds}};
}

Result<Plan> plan_from_json(const nlohmann::json& value) {
    if (value.value("vrnic-check", 0) != kVersion)
        return verbs_error("the peer is another version of vrnic-check");
    Plan plan;
    try {
        for (int operation : value.at("operations")) {
            if (operation < 0 || static_cast<size_t>(operation) >= std::size(kOperations))
                return verbs_error("the peer asks for an operation that is not known here");
            plan.operations.push_back(static_cast<Operation>(operation));
        }
        plan.sizes = value.at("sizes").get<std::vector<uint32_t>>();
        plan.seed = value.at("seed");
        plan.rounds = value.at("rounds");
        plan.qps = value.at("qps");
        plan.depth = value.at("depth");
        plan.mtu = value.at("mtu");
        plan.directions = static_cast<Directions>(value.at("directions").get<int>());
        plan.ipv6 = value.at("ipv6");
        plan.events = value.at("events");
        plan.errors = value.at("errors");
        plan.atomics = value.at("atomics");
        plan.extensions = value.at("extensions");
        plan.dmabuf = value.at("dmabuf");
        plan.lenient = value.at("lenient");
        plan.timeout_seconds = value.at("timeout");
    } catch (const nlohmann::json::exception& error) {
        return verbs_error(std::string("the peer's plan is malformed: ") + error.what());
    }
    return plan;
}

}  // namespace vrnic::check
