// SPDX-License-Identifier: GPL-2.0-or-later
// Skeleton: links, does nothing yet.
#include "rdma/transport.h"

namespace vrnic {

struct Transport::Impl {};

Transport::Transport(const TransportWorld&, const TransportConfig&)
    : impl_(std::make_unique<Impl>()) {}
Transport::~Transport() = default;

AdminResult<std::uint32_t> Transport::create_qp(const vrnic_cmd_create_qp&) {
    return admin_error(VRNIC_STATUS_UNSUPPORTED);
}
AdminResult<void> Transport::modify_qp(const vrnic_cmd_modify_qp&) {
    return admin_error(VRNIC_STATUS_NO_OBJECT);
}
AdminResult<vrnic_resp_query_qp> Transport::query_qp(std::uint32_t) {
    return admin_error(VRNIC_STATUS_NO_OBJECT);
}
AdminResult<void> Transport::destroy_qp(std::uint32_t) {
    return admin_error(VRNIC_STATUS_NO_OBJECT);
}
AdminResult<void> Transport::set_gid(const vrnic_cmd_set_gid&) { return {}; }
std::uint32_t Transport::qps_of_pd(std::uint32_t) const { return 0; }
std::uint32_t Transport::qps_of_uar(std::uint32_t) const { return 0; }
bool Transport::ring_sq(std::uint32_t, std::uint32_t) { return false; }
bool Transport::ring_rq(std::uint32_t, std::uint32_t) { return false; }
void Transport::receive(std::span<const std::byte>) {}
bool Transport::run(std::uint32_t) { return false; }
void Transport::wire_ready() {}
Nanoseconds Transport::next_deadline() const { return kNever; }
void Transport::on_deadline(Nanoseconds) {}
void Transport::set_port(bool, const std::uint8_t (&)[6]) {}
void Transport::reset() {}

}  // namespace vrnic
