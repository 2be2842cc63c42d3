// SPDX-License-Identifier: (GPL-2.0 OR BSD-2-Clause)
#include "scene.h"

#include <fmt/format.h>

#include <algorithm>

#include "pattern.h"
#include "random.h"

namespace vrnic::check {

namespace {

constexpr uint32_t kDepth = 8;  // of the queues of a QP

std::string names(const Statuses& statuses) {
    std::string text;
    for (ibv_wc_status status : statuses)
        text += fmt::format("{}{}", text.empty() ? "" : " or ", ibv_wc_status_str(status));
    return text;
}

}  // namespace

Result<void> for_each_direction(const Plan& plan, bool is_client,
                                const std::function<Result<void>(bool initiator)>& direction) {
    for (bool client_starts : {true, false}) {
        if (plan.directions == (client_starts ? Directions::kServer : Directions::kClient))
            continue;
        if (auto done = direction(client_starts == is_client); !done) return done;
    }
    return {};
}

Result<Scene> Scene::set(const Plan& plan, const Device& device, Channel& peer, bool initiator,
                         const Options& options) {
    auto completions = Completions::create(device.context.get(), 2 * kDepth, plan.events);
    if (!completions) return std::unexpected(completions.error());
    auto memory = (plan.dmabuf ? Buffer::create_dmabuf : Buffer::create)(device.pd.get(), kSize,
                                                                         options.access);
    if (!memory) return std::unexpected(memory.error());
    QpOptions qp = options.qp;
    qp.depth = kDepth;
    qp.mtu = mtu_of(plan.mtu).value_or(IBV_MTU_256);
    auto pair = QueuePair::create(device, *completions, qp);
    if (!pair) return std::unexpected(pair.error());

    Scene scene(std::move(*completions), std::move(*memory), std::move(*pair));
    scene.timeout_seconds_ = plan.timeout_seconds;
    scene.background = key_of(plan.seed, initiator);
    scene.peer_background = key_of(plan.seed, !initiator);
    Pattern(scene.background).fill(scene.memory.bytes(), 0);
    nlohmann::json ours = scene.pair.describe();
    ours["address"] = scene.address();
    ours["rkey"] = scene.memory.mr()->rkey;
    auto theirs = peer.exchange(ours);
    if (!theirs) return std::unexpected(theirs.error());
    scene.peer_address = theirs->value("address", uint64_t{0});
    scene.peer_rkey = theirs->value("rkey", 0u);
    if (auto connected = scene.pair.connect(*theirs); !connected)
        return std::unexpected(connected.error());
    return scene;
}

void Scene::complain(std::string text) {
    if (complaint_.empty()) complaint_ = std::move(text);
}

std::optional<ibv_wc> Scene::expect(uint64_t wr_id, const Statuses& statuses) {
    if (waiting_.empty()) {
        auto found = completions.wait(timeout_seconds_);
        if (!found) {
            complain(fmt::format("request {}: {}", wr_id, found.error().message));
            return std::nullopt;
        }
        waiting_ = std::move(*found);
    }
    const ibv_wc wc = waiting_.front();
    waiting_.erase(waiting_.begin());
    seen_.push_back(ibv_wc_status_str(wc.status));
    if (wc.wr_id != wr_id || wc.qp_num != pair.get()->qp_num)
        complain(fmt::format("completion of wr_id {} on QP {}, expected {} on {}", wc.wr_id,
                             wc.qp_num, wr_id, pair.get()->qp_num));
    if (std::ranges::find(statuses, wc.status) == statuses.end())
        complain(fmt::format("request {}: {}, expected {}", wr_id, ibv_wc_status_str(wc.status),
                             names(statuses)));
    return wc;
}

void Scene::expect_error_state() {
    auto state = pair.state();
    if (!state)
        complain(state.error().message);
    else if (*state != IBV_QPS_ERR)
        complain(
            fmt::format("the QP is in state {}, not in the error state", static_cast<int>(*state)));
}

Finding Scene::finding(std::string name) const {
    std::string text;
    for (const auto& part : seen_) text += (text.empty() ? "" : ", ") + part;
    return {std::move(name), text.empty() ? "-" : text, complaint_};
}

}  // namespace vrnic::check
