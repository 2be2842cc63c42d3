// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "setup/context.h"

namespace vrnic::setup {

// The checkout's meson build folder, locked against another vrnic as long as this lives.
class MesonBuild {
  public:
    [[nodiscard]] static Result<MesonBuild> open(const Context& context);

    // Headers by QEMU version, added to those configured before.
    void want_qemu_headers(const std::string& version, const std::filesystem::path& headers);
    void want_rdma_core_headers(const std::filesystem::path& folder);
    // Brings meson's options up to what was wanted; nothing is run when they are.
    [[nodiscard]] Result<void> configure();

    // What targets defined in or below a folder of the checkout make; absolute.
    [[nodiscard]] Result<std::vector<std::filesystem::path>> outputs_below(
        const std::string& folder) const;
    // what: for the progress line, "the device".
    [[nodiscard]] Result<void> build(const std::string& what,
                                     const std::vector<std::filesystem::path>& outputs) const;

  private:
    MesonBuild(const Context& context, FileLock lock) : context_(context), lock_(std::move(lock)) {}
    void read_options();
    [[nodiscard]] std::string options_text() const;

    Context context_;
    FileLock lock_;
    std::map<std::string, std::string> qemu_headers_;
    std::string rdma_core_headers_;
};

}  // namespace vrnic::setup
