// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

// What the runner and the agent in a guest say to each other. The one description of it, compiled
// into both ends.
//
// Two virtio-serial ports join them. `org.vrnic.status` carries lines of text, words separated by
// single spaces, both ways:
//
//   agent: hello VERSION              first, once
//   agent: ready                      modules loaded, interfaces up with their addresses
//   agent: failed TEXT                that could not be done
//   runner: start ID                  run /job/step-ID.sh with bash; one at a time
//   agent: listening ID PORT          a TCP socket or rdma_cm id listens that did not when the step began
//   agent: status ID STATUS BYTES     the step ended; so much output was written for it
//   runner: end ID                    end that step's processes (SIGTERM, then SIGKILL)
//   runner: configure                 a NIC came (back): set it up; answered by ready or failed
//   runner: shell ROWS COLUMNS        start bash on the console /dev/hvc0, for a person
//   agent: shell-ended                that person left it
//   runner: stop                      save the kernel log to /job/dmesg.txt, power off; on a kernel
//                                     with kmemleak say on the console what leaked before
//
// A step's status is as a shell gives it: 128 + signal when a signal ended it.
// `org.vrnic.output` carries the steps' output, nothing else, from guest to runner. The two ports
// are not ordered to each other: BYTES says how much of the output belongs to the step.
//
// The runner writes /job/vm.conf before it starts the VM; see VmConfig.

#include <string>
#include <string_view>
#include <vector>

namespace vrnic::protocol {

inline constexpr int version = 1;
inline constexpr const char* status_port = "org.vrnic.status";
inline constexpr const char* output_port = "org.vrnic.output";
inline constexpr const char* job_folder = "/job";
inline constexpr const char* config_file = "vm.conf";
inline constexpr const char* parts_folder = "/vrnic";  // modules, provider, tools

enum class NicKind {
    vrnic,  // our device, driver and provider
    rxe,    // virtio-net with rdma_rxe on it
    plain,  // virtio-net
};

struct NicConfig {
    NicKind kind = NicKind::vrnic;
    std::string mac;  // lower case, "52:54:00:76:01:00": how the guest finds it
};

// Who a guest is among the VMs of its run.
struct VmConfig {
    int number = 1;  // from 1: hostname vmN, addresses 10.77.LINK.N and fd77:LINK::N
    int count = 1;   // VMs in all
    int mtu = 1500;
    std::vector<NicConfig> nics;  // in order of links, from 0
};

// One "key value" per line.
[[nodiscard]] std::string to_text(const VmConfig& config);
// Lines it does not know are left out.
[[nodiscard]] VmConfig parse_config(std::string_view text);

// 10.77.LINK.NUMBER, fd77:LINK::NUMBER (fd77::NUMBER on the first link); no prefix length.
[[nodiscard]] std::string ipv4_address(int link, int number);
[[nodiscard]] std::string ipv6_address(int link, int number);

// The words of a message, at most `limit`; the last one takes the rest of the line.
[[nodiscard]] std::vector<std::string_view> words(std::string_view line, std::size_t limit);

}  // namespace vrnic::protocol
