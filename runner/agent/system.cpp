// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/system.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

namespace vrnic::agent {

std::string read_file(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return {};
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t count;
    while ((count = ::read(fd, buffer.data(), buffer.size())) > 0)
        text.append(buffer.data(), static_cast<std::size_t>(count));
    ::close(fd);
    return text;
}

Result<void> write_file(const std::filesystem::path& path, std::string_view text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return std::unexpected("cannot write " + path.string() + ": " + std::strerror(errno));
    while (!text.empty()) {
        const ssize_t count = ::write(fd, text.data(), text.size());
        if (count <= 0) break;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    const int error = text.empty() ? 0 : errno;
    ::close(fd);
    if (error != 0)
        return std::unexpected("cannot write " + path.string() + ": " + std::strerror(error));
    return {};
}

std::string trim(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(space) - first + 1));
}

Result<void> run(const std::vector<std::string>& argv, std::string_view input) {
    std::vector<char*> arguments;
    for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);

    int pipe_fds[2];
    if (::pipe2(pipe_fds, O_CLOEXEC) != 0) return std::unexpected("no pipe");
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(pipe_fds[0], STDIN_FILENO);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(pipe_fds[0]);
    // Inputs are shorter than a pipe's buffer, so this does not block on a program that reads
    // nothing. SIGPIPE is ignored.
    [[maybe_unused]] const ssize_t written = ::write(pipe_fds[1], input.data(), input.size());
    ::close(pipe_fds[1]);
    if (child < 0) return std::unexpected("cannot start " + argv[0]);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return std::unexpected(
        argv[0] + (WIFEXITED(status) ? " ended with status " + std::to_string(WEXITSTATUS(status))
                                     : " was ended by a signal"));
}

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
}

}  // namespace vrnic::agent
