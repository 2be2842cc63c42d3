// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>

#include "base/error.h"

namespace vrnic::runner {

// Where a run's evidence lies: consoles, kernel logs, output, QEMU's words. Removed with the
// object unless kept; the newest runs stay, older ones are removed when a new one begins.
class RunFolder {
  public:
    // In `parent`, made when it is not there.
    [[nodiscard]] static Result<RunFolder> make(const std::filesystem::path& parent);

    RunFolder(RunFolder&& other) noexcept;
    RunFolder& operator=(RunFolder&&) = delete;
    ~RunFolder();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    void keep() { kept_ = true; }
    // At the end of a command: keeps the evidence when it failed, or when asked to, and says where.
    void keep_evidence(const Result<int>& status, bool asked);

  private:
    explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

    std::filesystem::path path_;
    bool kept_ = false;
};

}  // namespace vrnic::runner
