// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
// Faults that a process asks for.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "bench.h"

namespace vrnic::dvcheck {

namespace {

using FaultPtr = std::unique_ptr<vrnicdv_fault, check::Destroy<vrnicdv_destroy_fault>>;

vrnic_fault_rule rule_of(uint8_t kind) {
    vrnic_fault_rule rule{};
    rule.kind = kind;
    rule.ppm = VRNIC_FAULT_ALWAYS;
    rule.packets = rule.octets = 1;
    return rule;
}

vrnic_fault_rule failed_completion() {
    vrnic_fault_rule rule = rule_of(VRNIC_FAULT_FAIL_COMPLETION);
    rule.status = IBV_WC_REM_ACCESS_ERR;
    rule.nth = 2;
    return rule;
}

Result<FaultPtr> create(Bench& bench, const vrnic_fault_rule& rule, ibv_qp* qp) {
    FaultPtr fault(vrnicdv_create_fault(bench.context(), &rule, qp));
    if (!fault) return wrong(fmt::format("creating: {}", std::strerror(errno)));
    return fault;
}

Result<void> write_gives(Bench& bench, ibv_wc_status expected) {
    const auto status = bench.write(64);
    if (!status) return std::unexpected(status.error());
    return same("the completion's status", *status, expected);
}

Result<void> counted(vrnicdv_fault* fault, uint64_t seen, uint64_t injected) {
    vrnic_fault_context context{};
    if (int err = vrnicdv_query_fault(fault, nullptr, &context))
        return wrong(fmt::format("asking: {}", std::strerror(err)));
    if (auto right = same("seen", context.seen, seen); !right) return right;
    return same("injected", context.injected, injected);
}

Result<void> hits_its_queue_pair(Bench& bench) {
    auto fault = create(bench, failed_completion(), bench.a.get());
    if (!fault) return std::unexpected(fault.error());
    if (auto right = write_gives(bench, IBV_WC_SUCCESS); !right) return right;
    if (auto right = counted(fault->get(), 1, 0); !right) return right;
    if (auto right = write_gives(bench, IBV_WC_REM_ACCESS_ERR); !right) return right;
    return counted(fault->get(), 2, 1);
}

Result<void> leaves_others_alone(Bench& bench) {
    vrnic_fault_rule rule = failed_completion();
    rule.nth = 0;
    rule.flags = VRNIC_FAULT_HAS_QPN;  // does not count: it is about b
    rule.qpn = bench.a.get()->qp_num;
    auto fault = create(bench, rule, bench.b.get());
    if (!fault) return std::unexpected(fault.error());
    if (auto right = write_gives(bench, IBV_WC_SUCCESS); !right) return right;
    vrnic_fault_rule told{};
    if (int err = vrnicdv_query_fault(fault->get(), &told, nullptr))
        return wrong(std::strerror(err));
    return same("qpn of the rule", told.qpn, bench.b.get()->qp_num);
}

Result<void> is_changed_and_ended(Bench& bench) {
    auto fault = create(bench, failed_completion(), bench.a.get());
    if (!fault) return std::unexpected(fault.error());
    if (auto right = write_gives(bench, IBV_WC_SUCCESS); !right) return right;
    if (int err = vrnicdv_restart_fault(fault->get())) return wrong(std::strerror(err));
    if (auto right = counted(fault->get(), 0, 0); !right) return right;
    if (auto right = write_gives(bench, IBV_WC_SUCCESS); !right) return right;
    vrnic_fault_rule rule = failed_completion();
    rule.nth = 100;
    if (int err = vrnicdv_modify_fault(fault->get(), &rule)) return wrong(std::strerror(err));
    if (auto right = write_gives(bench, IBV_WC_SUCCESS); !right) return right;
    rule.nth = 0;
    if (int err = vrnicdv_modify_fault(fault->get(), &rule)) return wrong(std::strerror(err));
    if (int err = vrnicdv_destroy_fault(fault->release())) return wrong(std::strerror(err));
    return write_gives(bench, IBV_WC_SUCCESS);
}

// With an older driver, or as an older library, it has none.
Result<void> has_a_number(Bench& bench) {
    auto fault = create(bench, failed_completion(), bench.a.get());
    if (!fault) return std::unexpected(fault.error());
    uint32_t number = 0;
    const int err = vrnicdv_fault_number(fault->get(), &number);
    fmt::print("# the number of a fault: {}\n", err == 0 ? "told" : "not told");
    if (err == EOPNOTSUPP) return {};
    vrnic_ib_context context;
    return same("asked by its number: errno",
                vrnicdv_query_object(bench.context(), VRNIC_CONTEXT_FAULT, number, &context), 0);
}

Result<void> ends_with_its_queue_pair(Bench& bench) {
    auto fault = create(bench, failed_completion(), bench.a.get());
    if (!fault) return std::unexpected(fault.error());
    if (auto gone = bench.a.destroy(); !gone) return gone;
    vrnic_fault_context context{};
    const vrnic_fault_rule rule = failed_completion();
    if (auto right =
            same("asking: errno", vrnicdv_query_fault(fault->get(), nullptr, &context), ENODEV);
        !right)
        return right;
    if (auto right = same("changing: errno", vrnicdv_modify_fault(fault->get(), &rule), ENODEV);
        !right)
        return right;
    return same("destroying: errno", vrnicdv_destroy_fault(fault->release()), 0);
}

Result<void> of_everybody_needs_a_capability(Bench& bench) {
    const vrnic_fault_rule all = rule_of(VRNIC_FAULT_LOSE_INTERRUPT), own = failed_completion();
    if (seteuid(65534)) return wrong("cannot become another user");
    const FaultPtr refused(vrnicdv_create_fault(bench.context(), &all, nullptr));
    const int err = errno;
    FaultPtr mine(vrnicdv_create_fault(bench.context(), &own, bench.a.get()));
    if (seteuid(0)) return wrong("cannot become root again");
    if (refused) return wrong("a rule about everybody was taken from somebody");
    if (auto right = same("errno", err, EPERM); !right) return right;
    if (!mine) return wrong("a rule about one's own queue pair was refused");
    vrnic_fault_rule rule = rule_of(VRNIC_FAULT_LOSE_INTERRUPT);
    rule.flags = VRNIC_FAULT_HAS_VECTOR;
    rule.vector = 60;
    if (auto taken = create(bench, rule, nullptr); !taken) return std::unexpected(taken.error());
    return {};
}

Result<void> nonsense_is_refused(Bench& bench) {
    vrnic_fault_rule rule = rule_of(VRNIC_FAULT_LINK_DOWN);
    FaultPtr fault(vrnicdv_create_fault(bench.context(), &rule, bench.a.get()));
    if (fault || errno != EINVAL) return wrong("the link of one queue pair can be taken down");
    rule = rule_of(200);
    fault.reset(vrnicdv_create_fault(bench.context(), &rule, nullptr));
    if (fault || errno != EINVAL) return wrong("a kind that there is not was taken");
    rule = rule_of(VRNIC_FAULT_DROP);
    rule.reserved = 1;
    fault.reset(vrnicdv_create_fault(bench.context(), &rule, bench.a.get()));
    if (fault || errno != EINVAL) return wrong("a reserved field was taken");
    return {};
}

Result<void> are_bounded(Bench& bench) {
    std::vector<FaultPtr> faults;
    const vrnic_fault_rule rule = failed_completion();
    while (faults.size() < 1000) {
        FaultPtr fault(vrnicdv_create_fault(bench.context(), &rule, bench.a.get()));
        if (!fault) break;
        faults.push_back(std::move(fault));
    }
    if (auto right = same("errno", errno, ENOMEM); !right) return right;
    vrnic_device_caps caps{};
    if (int err = vrnicdv_query_device(bench.context(), &caps)) return wrong(std::strerror(err));
    return same("rules at once", faults.size(), caps.max_faults);
}

}  // namespace

std::vector<Case> fault_cases() {
    return {
        {"a fault hits its queue pair", hits_its_queue_pair},
        {"a fault leaves other queue pairs alone", leaves_others_alone},
        {"a fault is restarted, changed and ended", is_changed_and_ended},
        {"a fault has a number", has_a_number},
        {"a fault ends with its queue pair", ends_with_its_queue_pair},
        {"a fault for everybody needs CAP_NET_ADMIN", of_everybody_needs_a_capability},
        {"a rule that makes no sense is refused", nonsense_is_refused},
        {"rules are bounded, and all go", are_bounded},
    };
}

}  // namespace vrnic::dvcheck
