// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/tool.h"

#include <gio/gio.h>

#include <array>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/child_process.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

struct GFree {
    void operator()(char* text) const { g_free(text); }
};
struct GUnref {
    void operator()(gpointer object) const { g_object_unref(object); }
};
struct GErrorFree {
    void operator()(GError* error) const { g_error_free(error); }
};

// The line of a log that says most: the first error of the plainest kind, or else the last line.
std::string telling_line(const fs::path& log) {
    constexpr std::array<std::string_view, 8> signs = {
        "No space left", "E: ", "ERROR", "rror:", "FAILED", "fatal", "not found", "***"};
    std::ifstream in(log);
    std::string line, last, telling;
    std::size_t best = signs.size();
    while (std::getline(in, line)) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        last = line;
        for (std::size_t rank = 0; rank < best; ++rank)
            if (line.find(signs[rank]) != std::string::npos) {
                best = rank;
                telling = line;
            }
    }
    return telling.empty() ? last : telling;
}

}  // namespace

void add_sbin_to_path() {
    const char* path = g_getenv("PATH");
    const auto wider = fmt::format("{}:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
    g_setenv("PATH", wider.c_str(), TRUE);
    // apt and dpkg are read by programs here.
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
}

Result<void> run_tool(EventLoop& loop, Progress& progress, Tool tool) {
    std::error_code ignored;
    fs::create_directories(tool.log.parent_path(), ignored);
    fs::remove(tool.log, ignored);

    runner::ChildCommand command;
    command.argv = tool.argv;
    command.directory = tool.directory;
    command.output_file = tool.log;
    command.environment = tool.environment;
    auto child = runner::ChildProcess::start(std::move(command));
    if (!child) return std::unexpected(child.error());

    while (!(*child)->end()) {
        const auto slice = runner::Clock::now() + std::chrono::milliseconds(300);
        const auto woken = loop.wait([&] { return (*child)->end().has_value(); }, slice);
        if (woken == EventLoop::Woken::interrupted)
            return runner::fail(ExitStatus::interrupted,
                                "interrupted; the next run carries on from here");
        if (tool.detail) progress.detail(tool.detail());
        progress.tick();
    }
    const auto& end = *(*child)->end();
    if (end.signal == 0 && end.status == 0) return {};
    return setup_error("{} failed ({}): {} (all of it: {})",
                       fs::path(tool.argv.front()).filename().string(), end.text(),
                       telling_line(tool.log), tool.log.string());
}

Result<std::string> tool_output(const std::vector<std::string>& argv,
                                const Environment& environment) {
    std::unique_ptr<GSubprocessLauncher, GUnref> launcher(g_subprocess_launcher_new(
        GSubprocessFlags(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE)));
    for (const auto& [name, value] : environment)
        g_subprocess_launcher_setenv(launcher.get(), name.c_str(), value.c_str(), TRUE);
    std::vector<const char*> arguments;
    for (const auto& argument : argv) arguments.push_back(argument.c_str());
    arguments.push_back(nullptr);

    GError* raw = nullptr;
    std::unique_ptr<GSubprocess, GUnref> process(
        g_subprocess_launcher_spawnv(launcher.get(), arguments.data(), &raw));
    std::unique_ptr<GError, GErrorFree> error(raw);
    if (!process) return setup_error("cannot start {}: {}", argv.front(), error->message);

    char* text = nullptr;
    const bool ended =
        g_subprocess_communicate_utf8(process.get(), nullptr, nullptr, &text, nullptr, &raw);
    std::unique_ptr<char, GFree> owned(text);
    error.reset(raw);
    if (!ended) return setup_error("{}: {}", argv.front(), error->message);
    if (!g_subprocess_get_successful(process.get())) return setup_error("{} failed", argv.front());
    return std::string(text ? text : "");
}

Result<std::string> read_text(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return setup_error("cannot read {}", file.string());
    return std::move(text).str();
}

Result<void> write_text(const fs::path& file, std::string_view text) {
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    std::ofstream out(file, std::ios::binary | std::ios::trunc);
    out << text;
    out.close();
    if (!out) return setup_error("cannot write {}: {}", file.string(), g_strerror(errno));
    return {};
}

std::uintmax_t folder_bytes(const fs::path& folder) {
    std::uintmax_t bytes = 0;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
        std::error_code gone;
        if (at->is_regular_file(gone)) bytes += at->file_size(gone);
    }
    return bytes;
}

}  // namespace vrnic::setup
