// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/console_log.h"

#include <unistd.h>

#include <utility>

namespace vrnic::runner {

ConsoleLog::ConsoleLog(const std::filesystem::path& file, std::uint64_t most)
    : file_(std::fopen(file.c_str(), "w"), std::fclose),
      most_(most),
      lines_([this](std::string_view line) { look_at(line); }) {}

void ConsoleLog::take(std::string_view bytes) {
    keep(bytes);
    lines_.take(bytes);
}

void ConsoleLog::keep(std::string_view bytes) {
    if (!file_) return;
    if (size_ + bytes.size() > most_) {
        constexpr std::string_view gap = "\n[vrnic: a flood of lines is left out here]\n";
        size_ = most_ / 2;
        // A disk that is full costs the evidence, not the run.
        if (::ftruncate(::fileno(file_.get()), static_cast<off_t>(size_)) != 0) return;
        std::fseek(file_.get(), 0, SEEK_END);
        keep(gap);
    }
    std::fwrite(bytes.data(), 1, bytes.size(), file_.get());
    std::fflush(file_.get());
    size_ += bytes.size();
}

void ConsoleLog::look_at(std::string_view line) {
    constexpr std::size_t most_warnings = 64;
    for (auto& complaint : reader_.read(line)) {
        // What ended the guest comes last and must not be lost among warnings.
        if (complaints_.size() < most_warnings || complaint.kind != Complaint::warning)
            complaints_.push_back(std::move(complaint));
    }
}

std::vector<KernelComplaint> ConsoleLog::new_complaints() {
    return std::exchange(complaints_, {});
}

}  // namespace vrnic::runner
