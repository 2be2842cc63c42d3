// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/nics.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace vrnic::agent {
namespace {

namespace fs = std::filesystem;
using protocol::NicKind;
using std::chrono::seconds;

constexpr auto device_wait = seconds(60);  // generous: a busy host under TCG, a debug kernel

Result<void> insert_module(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::unexpected("no " + file.string());
    const long failed = ::syscall(SYS_finit_module, fd, "", 0);
    const int error = errno;
    ::close(fd);
    if (failed != 0 && error != EEXIST)
        return std::unexpected("cannot load " + file.string() + ": " + std::strerror(error));
    return {};
}

template <typename Match>
std::string find_in_class(const char* folder, Match match) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (match(entry.path())) return entry.path().filename();
    }
    return {};
}

std::string netdev_of_mac(const std::string& mac) {
    return find_in_class("/sys/class/net", [&](const fs::path& device) {
        return trim(read_file(device / "address")) == mac;
    });
}

std::string rdma_device_of(const std::string& netdev) {
    return find_in_class("/sys/class/infiniband", [&](const fs::path& device) {
        // A NIC with both functions shares its parent; rxe names its interface.
        return fs::exists(device / "device/net" / netdev) ||
               trim(read_file(device / "parent")) == netdev;
    });
}

// In the form of sysfs: eight groups of four hexadecimal digits.
std::string gid_of_ipv4(int link, int number) {
    std::array<char, 48> text;
    std::snprintf(text.data(), text.size(), "0000:0000:0000:0000:0000:ffff:0a4d:%02x%02x", link,
                  number);
    return text.data();
}

std::string gid_of_ipv6(int link, int number) {
    // The groups of an address are hexadecimal; ipv6_address() writes decimal digits into them.
    std::array<char, 48> text;
    std::snprintf(text.data(), text.size(), "fd77:%04d:0000:0000:0000:0000:0000:%04d", link,
                  number);
    return text.data();
}

std::string gid_index(const std::string& device, const std::string& gid) {
    const fs::path port = fs::path("/sys/class/infiniband") / device / "ports/1";
    std::error_code error;
    for (int index = 0; fs::exists(port / "gids" / std::to_string(index), error); ++index) {
        const std::string name = std::to_string(index);
        if (trim(read_file(port / "gids" / name)) == gid &&
            trim(read_file(port / "gid_attrs/types" / name)) == "RoCE v2")
            return name;
    }
    return {};
}

bool has_kind(const protocol::VmConfig& config, NicKind kind) {
    return std::ranges::any_of(config.nics, [&](const auto& nic) { return nic.kind == kind; });
}

}  // namespace

Result<void> load_modules(const protocol::VmConfig& config) {
    std::vector<std::string> wanted = {"modprobe", "-a"};
    const bool rdma = has_kind(config, NicKind::vrnic) || has_kind(config, NicKind::rxe);
    if (rdma) wanted.insert(wanted.end(), {"ib_uverbs", "rdma_ucm"});
    if (has_kind(config, NicKind::rxe)) wanted.insert(wanted.end(), {"virtio_net", "rdma_rxe"});
    if (has_kind(config, NicKind::plain)) wanted.push_back("virtio_net");
    if (wanted.size() > 2) {
        if (auto loaded = run(wanted); !loaded) return loaded;
    }
    if (has_kind(config, NicKind::vrnic)) {
        const fs::path parts = protocol::parts_folder;
        for (const char* module : {"vrnic.ko", "vrnic_stream.ko", "vrnic_ib.ko"}) {
            if (auto loaded = insert_module(parts / module); !loaded) return loaded;
        }
    }
    return {};
}

Result<void> configure_nics(const protocol::VmConfig& config) {
    std::string batch;
    for (std::size_t link = 0; link < config.nics.size(); ++link) {
        const auto& nic = config.nics[link];
        std::string netdev;
        if (!wait_until([&] { return !(netdev = netdev_of_mac(nic.mac)).empty(); }, device_wait))
            return std::unexpected("no network interface with address " + nic.mac + " came up");
        const auto number = static_cast<int>(link);
        batch += "link set dev " + netdev + " mtu " + std::to_string(config.mtu) + " up\n";
        batch += "addr replace " + protocol::ipv4_address(number, config.number) + "/24 dev " +
                 netdev + "\n";
        batch += "addr replace " + protocol::ipv6_address(number, config.number) + "/64 dev " +
                 netdev + " nodad\n";
    }
    if (batch.empty()) return {};
    if (auto done = run({"ip", "-batch", "-"}, batch); !done) return done;

    for (std::size_t link = 0; link < config.nics.size(); ++link) {
        const auto& nic = config.nics[link];
        if (nic.kind == NicKind::plain) continue;
        const std::string netdev = netdev_of_mac(nic.mac);
        if (nic.kind == NicKind::rxe && rdma_device_of(netdev).empty()) {
            const std::string name = "rxe" + std::to_string(link);
            if (auto done = run({"rdma", "link", "add", name, "type", "rxe", "netdev", netdev});
                !done)
                return done;
        }
        std::string device;
        if (!wait_until([&] { return !(device = rdma_device_of(netdev)).empty(); }, device_wait))
            return std::unexpected("no RDMA device of " + netdev + " came up");
        // The GID table follows the addresses a moment later, by a kernel work queue.
        const std::string gid = gid_of_ipv4(static_cast<int>(link), config.number);
        if (!wait_until([&] { return !gid_index(device, gid).empty(); }, device_wait))
            return std::unexpected(device + " has no GID for " +
                                   protocol::ipv4_address(static_cast<int>(link), config.number));
    }
    return {};
}

NicNames find_nic(const protocol::VmConfig& config, std::size_t link) {
    NicNames names;
    if (link >= config.nics.size()) return names;
    names.netdev = netdev_of_mac(config.nics[link].mac);
    if (names.netdev.empty()) return names;
    names.rdma_device = rdma_device_of(names.netdev);
    if (names.rdma_device.empty()) return names;
    const auto number = static_cast<int>(link);
    names.gid_ipv4 = gid_index(names.rdma_device, gid_of_ipv4(number, config.number));
    names.gid_ipv6 = gid_index(names.rdma_device, gid_of_ipv6(number, config.number));
    return names;
}

}  // namespace vrnic::agent
