// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/stream.h"
#include "vm/kernel_log.h"

namespace vrnic::runner {

// What a guest's kernel prints: kept in a file, and looked through for complaints. A guest may
// flood its console: of more than `most` bytes the file keeps the first half and the newest.
class ConsoleLog {
  public:
    explicit ConsoleLog(const std::filesystem::path& file, std::uint64_t most = 64 << 20);

    ConsoleLog(const ConsoleLog&) = delete;
    ConsoleLog& operator=(const ConsoleLog&) = delete;

    void take(std::string_view bytes);

    // Complaints in whole lines that came since the last call. More than some warnings say nothing
    // new and are left out.
    [[nodiscard]] std::vector<KernelComplaint> new_complaints();

  private:
    void keep(std::string_view bytes);
    void look_at(std::string_view line);

    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    std::uint64_t most_;
    std::uint64_t size_ = 0;
    LineCutter lines_;
    KernelLogReader reader_;
    std::vector<KernelComplaint> complaints_;
};

}  // namespace vrnic::runner
