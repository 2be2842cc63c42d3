// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/qemu_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "support/line_socket.h"

namespace vrnic::device_test {

std::vector<std::string> qemu_command() {
    const char* text = std::getenv("VRNIC_QEMU");
    std::istringstream words(text && *text ? text : "qemu-system-x86_64");
    std::vector<std::string> command;
    for (std::string word; words >> word;) command.push_back(word);
    return command;
}

std::filesystem::path plugin_path() {
    const char* text = std::getenv("VRNIC_PLUGIN");
    return text && *text ? text : VRNIC_PLUGIN_BUILT;
}

TemporaryFolder::TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vrnic-device-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

QemuProcess::QemuProcess(const std::vector<std::string>& arguments, std::filesystem::path log,
                         const std::vector<std::pair<std::string, std::string>>& environment)
    : log_(std::move(log)) {
    std::vector<std::string> words = qemu_command();
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    const Fd out(::open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    const Fd in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(in.get(), STDIN_FILENO);
        ::dup2(out.get(), STDOUT_FILENO);
        ::dup2(out.get(), STDERR_FILENO);
        for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
    }
}

QemuProcess::~QemuProcess() {
    if (running()) {
        ::kill(pid_, SIGKILL);
        reap(0);
    }
}

void QemuProcess::reap(int options) {
    int status = 0;
    if (status_ || ::waitpid(pid_, &status, options) != pid_) return;
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool QemuProcess::running() {
    reap(WNOHANG);
    return !status_;
}

int QemuProcess::wait() {
    using namespace std::chrono_literals;
    const auto limit = std::chrono::steady_clock::now() + kPatience;
    while (running()) {
        if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("QEMU does not end");
        std::this_thread::sleep_for(5ms);
    }
    return *status_;
}

std::string QemuProcess::log() const {
    std::ifstream file(log_);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t QemuProcess::resident_kib() const {
    std::ifstream file(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    throw std::runtime_error("QEMU has no memory");
}

std::pair<int, std::string> run_qemu(
    const std::vector<std::string>& arguments,
    const std::vector<std::pair<std::string, std::string>>& environment) {
    const TemporaryFolder folder;
    QemuProcess process(arguments, folder.path() / "log", environment);
    const int status = process.wait();
    return {status, process.log()};
}

}  // namespace vrnic::device_test
