// SPDX-License-Identifier: GPL-2.0-or-later
// What transmit and receive queues have in common: a ring of descriptors, a doorbell record, a CQ.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/counters.h"
#include "base/result.h"
#include "host/host.h"
#include "host/paged_memory.h"
#include "rdma/cq.h"
#include "vrnic_admin.h"
#include "vrnic_ring.h"

namespace vrnic {

class EthernetQueue {
  public:
    EthernetQueue(Host& host, Counters& counters, CqTable& cqs, std::uint32_t number,
                  std::uint32_t descriptor_size, std::uint8_t cqe_opcode)
        : host_(host),
          counters_(counters),
          cqs_(cqs),
          number_(number),
          descriptor_size_(descriptor_size),
          cqe_opcode_(cqe_opcode) {}

    static constexpr std::uint32_t kMaxLogSize = 12;  // entries
    static constexpr std::uint32_t kMaxPages = 2 + (sizeof(vrnic_eth_txd) << kMaxLogSize >> 12);

    AdminResult<void> create(const vrnic_cmd_create_eth_queue& cmd);
    void destroy();  // also when there is none
    void forget() {
        live_ = false;
        ring_ = {};
    }  // at a reset: the CQ is gone, too

    bool live() const { return live_; }
    bool working() const { return live_ && !failed_; }
    std::uint32_t number() const { return number_; }
    std::uint32_t index() const { return index_; }  // of the next descriptor

    // True: a descriptor waits at index(). Reads the record only when none is known.
    bool posted();
    // Reads the descriptor at index(); false: the queue has failed.
    bool fetch(std::span<std::byte> descriptor);
    // Completes the descriptor at index() and steps on.
    void complete(std::uint8_t status, std::uint32_t syndrome, std::uint32_t byte_len);

  private:
    void fail(std::uint32_t syndrome, std::string_view reason);

    Host& host_;
    Counters& counters_;
    CqTable& cqs_;
    std::uint32_t number_;
    std::uint32_t descriptor_size_;
    std::uint8_t cqe_opcode_;

    bool live_ = false;
    bool failed_ = false;  // takes no more descriptors until it is made anew
    std::uint32_t cqn_ = 0;
    std::uint32_t size_ = 0;   // entries
    std::uint32_t index_ = 0;  // of the next descriptor
    std::uint32_t known_ = 0;  // producer index, as last read
    BusAddress record_ = 0;
    PagedMemory ring_;
};

}  // namespace vrnic
