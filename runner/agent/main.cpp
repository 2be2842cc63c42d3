// SPDX-License-Identifier: GPL-2.0-or-later
// vrnic-agent: the runner's hand in a guest. The guest's init starts it as its one child; when it
// ends, the guest powers off. protocol.h says how it and the runner speak.
//
//   vrnic-agent            serve the runner
//   vrnic-agent load       load the NIC's modules and configure it: after a step unloaded them
//   vrnic-agent env        print DEV=..., NETDEV=..., GID=... as they are now

#include <poll.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <optional>
#include <vector>

#include "agent/leaks.h"
#include "agent/nics.h"
#include "agent/port.h"
#include "agent/protocol.h"
#include "agent/shell.h"
#include "agent/step.h"
#include "agent/system.h"

namespace vrnic::agent {
namespace {

namespace fs = std::filesystem;

protocol::VmConfig read_config() {
    return protocol::parse_config(
        read_file(fs::path(protocol::job_folder) / protocol::config_file));
}

Result<void> load_and_configure(const protocol::VmConfig& config) {
    if (auto loaded = load_modules(config); !loaded) return loaded;
    return configure_nics(config);
}

// /etc/hosts for every VM that can be on the links: names need no DNS.
void set_names(const protocol::VmConfig& config) {
    const std::string name = "vm" + std::to_string(config.number);
    [[maybe_unused]] const int named = ::sethostname(name.data(), name.size());
    std::string hosts = "127.0.0.1 localhost\n::1 localhost\n";
    for (std::size_t link = 0; link < config.nics.size(); ++link) {
        const std::string suffix = link == 0 ? "" : "-" + std::to_string(link + 1);
        for (int vm = 1; vm <= config.count; ++vm) {
            const std::string peer = "vm" + std::to_string(vm);
            const int number = static_cast<int>(link);
            hosts += protocol::ipv4_address(number, vm) + " " + peer + suffix + "\n";
            // No IPv6 entry for the plain name: tools would pick it, or not, each as it likes.
            hosts += protocol::ipv6_address(number, vm) + " " + peer + suffix + "-6\n";
        }
    }
    (void)write_file("/etc/hosts", hosts);
}

void save_kernel_log() {
    constexpr int read_all = 3;      // SYSLOG_ACTION_READ_ALL
    constexpr int size_buffer = 10;  // SYSLOG_ACTION_SIZE_BUFFER
    const int size = ::klogctl(size_buffer, nullptr, 0);
    if (size <= 0) return;
    std::vector<char> log(static_cast<std::size_t>(size));
    const int count = ::klogctl(read_all, log.data(), size);
    if (count > 0)
        (void)write_file(fs::path(protocol::job_folder) / "dmesg.txt",
                         std::string_view(log.data(), static_cast<std::size_t>(count)));
}

class Server {
  public:
    Server(Port status, Port output, protocol::VmConfig config)
        : status_(status), output_(output), config_(std::move(config)) {}

    // Until the runner says stop.
    void serve();

  private:
    void say(const std::string& line) const { status_.write(line + "\n"); }
    void report_configured(const Result<void>& done) const {
        say(done ? "ready" : "failed " + done.error());
    }
    void receive();
    void obey(std::string_view line);
    void start(int id);
    void look_after_step();
    void look_after_children();

    Port status_;
    Port output_;
    protocol::VmConfig config_;
    std::string received_;
    std::optional<Step> step_;
    pid_t shell_ = -1;
    bool stopping_ = false;
};

void Server::serve() {
    say("hello " + std::to_string(protocol::version));
    set_names(config_);
    report_configured(load_and_configure(config_));
    while (!stopping_) {
        // Short while a step runs: its sockets are looked at each time. Its end wakes at once:
        // which of two VMs' commands failed first is told by the order of their reports.
        const int wait_ms = step_ ? 20 : shell_ > 0 ? 200 : -1;
        std::array<pollfd, 3> events{{{status_.fd(), POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}}};
        if (step_) {
            events[1].fd = step_->output_fd();
            events[2].fd = step_->end_fd();
        }
        if (::poll(events.data(), events.size(), wait_ms) < 0) continue;
        if (events[0].revents & POLLIN) receive();
        // The runner closed its end: nobody is left to work for.
        if ((events[0].revents & POLLHUP) && !(events[0].revents & POLLIN)) stopping_ = true;
        if (step_) look_after_step();
        look_after_children();
    }
}

void Server::look_after_children() {
    // Orphans of steps are this process's children too (it is their subreaper). While a step runs
    // it collects its own.
    if (step_) return;
    for (pid_t ended; (ended = ::waitpid(-1, nullptr, WNOHANG)) > 0;) {
        if (ended == shell_) say("shell-ended");
    }
}

void Server::receive() {
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(status_.fd(), buffer.data(), buffer.size());
    if (count <= 0) return;
    received_.append(buffer.data(), static_cast<std::size_t>(count));
    for (std::size_t end; (end = received_.find('\n')) != std::string::npos;) {
        const std::string line = received_.substr(0, end);
        received_.erase(0, end + 1);
        obey(line);
    }
}

void Server::obey(std::string_view line) {
    const auto words = protocol::words(line, 3);
    if (words.empty()) return;
    const auto number = [&](std::size_t at) {
        return words.size() > at ? std::atoi(std::string(words[at]).c_str()) : 0;
    };
    const int id = number(1);
    if (words[0] == "start" && !step_) start(id);
    if (words[0] == "end" && step_ && step_->id() == id) step_->end();
    if (words[0] == "configure") report_configured(configure_nics(config_));
    if (words[0] == "shell" && shell_ < 0) shell_ = start_shell(config_, number(1), number(2));
    if (words[0] == "stop") stopping_ = true;
}

void Server::start(int id) {
    auto step = Step::start(id, config_);
    if (step) {
        step_ = *step;
        return;
    }
    const std::string text = "vrnic-agent: " + step.error() + "\n";
    output_.write(text);
    say("status " + std::to_string(id) + " 127 " + std::to_string(text.size()));
}

void Server::look_after_step() {
    if (auto port = step_->new_listening_port())
        say("listening " + std::to_string(step_->id()) + " " + std::to_string(*port));
    if (auto status = step_->advance([this](std::string_view bytes) { output_.write(bytes); })) {
        say("status " + std::to_string(step_->id()) + " " + std::to_string(*status) + " " +
            std::to_string(step_->output_bytes()));
        step_.reset();
    }
}

int serve_runner() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    // A guest short of memory shall lose a step, not its agent.
    (void)write_file("/proc/self/oom_score_adj", "-1000");
    auto status = Port::open(protocol::status_port);
    auto output = Port::open(protocol::output_port);
    if (!status || !output) {
        std::fprintf(stderr, "vrnic-agent: %s\n",
                     (!status ? status.error() : output.error()).c_str());
        return 1;
    }
    stop_automatic_leak_scans();
    Server(*status, *output, read_config()).serve();
    // First, in case that the runner's patience ends before the scan; again with what it brought.
    save_kernel_log();
    report_leaks();
    save_kernel_log();
    ::umount2(protocol::job_folder, 0);
    ::sync();
    ::reboot(RB_POWER_OFF);
    return 0;
}

int load() {
    const auto done = load_and_configure(read_config());
    if (!done) std::fprintf(stderr, "vrnic-agent: %s\n", done.error().c_str());
    return done ? 0 : 1;
}

int print_environment() {
    const auto config = read_config();
    const NicNames names = find_nic(config, 0);
    std::printf("VM=vm%d\nNETDEV=%s\nDEV=%s\nGID=%s\nGID6=%s\n", config.number,
                names.netdev.c_str(), names.rdma_device.c_str(), names.gid_ipv4.c_str(),
                names.gid_ipv6.c_str());
    return 0;
}

}  // namespace
}  // namespace vrnic::agent

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::string_view command = argc > 1 ? argv[1] : "";
    if (command.empty()) return vrnic::agent::serve_runner();
    if (command == "load") return vrnic::agent::load();
    if (command == "env") return vrnic::agent::print_environment();
    std::fprintf(stderr, "usage: vrnic-agent [load|env]\n");
    return 2;
}
