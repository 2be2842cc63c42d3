// SPDX-License-Identifier: GPL-2.0-or-later
#include "agent/leaks.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "agent/protocol.h"
#include "agent/system.h"
#include "base/lines.h"

namespace vrnic::agent {
namespace {

namespace fs = std::filesystem;

// The kernel reports no object that is younger than 5 s.
constexpr unsigned young_s = 6;
// The rest is in the file.
constexpr std::size_t most_printed = 20;
constexpr int frames_shown = 6;

// "    [<ffffffff81234567>] vrnic_probe+0x12/0x340 [vrnic]", or without the address.
std::string function_of(std::string_view frame) {
    frame.remove_prefix(std::min(frame.find_first_not_of(' '), frame.size()));
    if (frame.starts_with("[<")) frame.remove_prefix(std::min(frame.find("] ") + 2, frame.size()));
    return std::string(frame.substr(0, frame.find('+')));
}

bool kernel_looks_for_leaks() {
    std::error_code error;
    return fs::exists(leak_report_file, error) &&
           read_file("/proc/cmdline").find("kmemleak=off") == std::string::npos;
}

void print(const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
}

}  // namespace

std::vector<std::string> summarize_leaks(std::string_view report) {
    constexpr std::string_view object = "unreferenced object ", size = "(size ", comm = "  comm ";
    std::vector<std::string> leaks;
    int frames = -1;  // of the object's backtrace so far; -1: not in one
    runner::for_each_line(report, [&](std::string_view line) {
        if (line.starts_with(object)) {
            const std::size_t at = line.find(size);
            const std::string_view bytes =
                at == std::string_view::npos ? "?" : line.substr(at + size.size());
            leaks.push_back("kmemleak: " + std::string(bytes.substr(0, bytes.find(')'))) +
                            " bytes leaked");
            frames = -1;
        } else if (leaks.empty()) {
            return;
        } else if (line.starts_with(comm)) {
            leaks.back() +=
                " by " + std::string(line.substr(comm.size(), line.find(',') - comm.size()));
        } else if (line.starts_with("  backtrace")) {
            frames = 0;
        } else if (frames >= 0 && frames < frames_shown) {
            leaks.back() += (frames++ == 0 ? ": " : " < ") + function_of(line);
        }
    });
    return leaks;
}

void stop_automatic_leak_scans() {
    if (kernel_looks_for_leaks()) (void)write_file(leak_report_file, "scan=off");
}

void report_leaks() {
    if (!kernel_looks_for_leaks()) return;
    // An object counts when two scans found it unchanged, and old enough at the second.
    for (int scan = 0; scan < 2; ++scan) {
        if (scan > 0) ::sleep(young_s);
        if (auto done = write_file(leak_report_file, "scan"); !done)
            return print("kmemleak: cannot look for leaks: " + done.error());
    }
    const std::string report = read_file(leak_report_file);
    if (report.empty()) return;
    (void)write_file(fs::path(protocol::job_folder) / "kmemleak.txt", report);
    const auto leaks = summarize_leaks(report);
    for (std::size_t i = 0; i < std::min(leaks.size(), most_printed); ++i) print(leaks[i]);
    print("kmemleak: " + std::to_string(leaks.size()) + " in all, see kmemleak.txt");
}

}  // namespace vrnic::agent
