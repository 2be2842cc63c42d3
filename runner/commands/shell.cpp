// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic shell [N]: N VMs to type into.
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"
#include "commands/terminal.h"

namespace vrnic::runner {
namespace {

using std::chrono::seconds;

struct ShellOptions {
    LabOptions lab;
};

constexpr char escape_key = 0x1d;  // Ctrl-]

void write_out(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

// One terminal for several shells: one of them is in front, the others' output waits.
class Screen {
  public:
    explicit Screen(Lab& lab) : lab_(lab), waiting_(lab.size()) {}

    void begin() {
        const auto [rows, columns] = terminal_size();
        for (std::size_t i = 0; i < lab_.size(); ++i)
            lab_.vm(i).start_shell(rows, columns,
                                   [this, i](std::string_view bytes) { show(i, bytes); });
    }

    void take_keys() {
        std::array<char, 1024> keys;
        const ssize_t count = ::read(STDIN_FILENO, keys.data(), keys.size());
        if (count <= 0) {
            left_ = true;
            return;
        }
        for (ssize_t i = 0; i < count; ++i) take_key(keys[static_cast<std::size_t>(i)]);
    }

    // The person is done: by the escape key, or by leaving a shell.
    [[nodiscard]] bool left() {
        bool ended = left_;
        for (std::size_t i = 0; i < lab_.size(); ++i) ended |= lab_.vm(i).shell_ended();
        return ended;
    }

  private:
    void show(std::size_t vm, std::string_view bytes) {
        constexpr std::size_t most_waiting = 64 * 1024;
        if (vm == front_) return write_out(bytes);
        waiting_[vm] += bytes;
        if (waiting_[vm].size() > most_waiting)
            waiting_[vm].erase(0, waiting_[vm].size() - most_waiting);
    }

    void take_key(char key) {
        if (!escaped_) {
            escaped_ = key == escape_key;
            if (!escaped_) lab_.vm(front_).type({&key, 1});
            return;
        }
        escaped_ = false;
        if (key == escape_key) lab_.vm(front_).type({&key, 1});
        if (key == 'q') left_ = true;
        const auto chosen = static_cast<std::size_t>(key - '1');
        if (key >= '1' && chosen < lab_.size()) bring_to_front(chosen);
    }

    void bring_to_front(std::size_t vm) {
        front_ = vm;
        write_out(fmt::format("\r\n--- vm{}\r\n", vm + 1));
        write_out(std::exchange(waiting_[vm], {}));
    }

    Lab& lab_;
    std::vector<std::string> waiting_;
    std::size_t front_ = 0;
    bool escaped_ = false;
    bool left_ = false;
};

Result<int> shell(Session& session, const ShellOptions& options) {
    if (!::isatty(STDIN_FILENO))
        return fail(ExitStatus::usage, "this needs a terminal; use ./vrnic run in scripts");
    auto folder = session.make_run_folder();
    if (!folder) return std::unexpected(folder.error());
    print_remark(
        fmt::format("starting {} VM{} ...", options.lab.vms, options.lab.vms == 1 ? "" : "s"));
    auto lab = session.boot(options.lab, folder->path(), nullptr, seconds(120));
    if (!lab) {
        folder->keep();
        return std::unexpected(lab.error());
    }
    print_remark("Ctrl-] 1, 2, ... changes between the VMs, Ctrl-] q ends them");
    Result<void> ended;
    {
        auto terminal = RawTerminal::take();
        if (!terminal) return std::unexpected(terminal.error());
        Screen screen(**lab);
        FdWatch keys(STDIN_FILENO, FdWatch::For::reading, [&] { screen.take_keys(); });
        screen.begin();
        ended = (*lab)->wait([&] { return screen.left(); }, Deadline::max(), "");
    }
    fmt::print("\n");
    if (!ended) {
        folder->keep();
        print_remark(fmt::format("consoles and logs: {}", folder->path().string()));
        return std::unexpected(ended.error());
    }
    if (auto stopped = (*lab)->stop(seconds(10)); !stopped) return std::unexpected(stopped.error());
    return 0;
}

}  // namespace

void add_shell_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<ShellOptions>();
    CLI::App* command = app.add_subcommand("shell", "VMs to type into");
    add_lab_flags(*command, options->lab);
    command->add_option("N", options->lab.vms, "how many")
        ->capture_default_str()
        ->check(CLI::Range(1, 8));
    command->callback([options, &chosen] {
        options->lab.shell = true;
        chosen = [options](Session& session) { return shell(session, *options); };
    });
}

}  // namespace vrnic::runner
