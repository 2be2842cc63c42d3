// SPDX-License-Identifier: GPL-2.0-or-later
// A folder that lives as long as a test case, and a cache in it.
#pragma once

#include <glib.h>

#include <filesystem>

#include "setup/cache.h"
#include "setup/context.h"

namespace vrnic::setup::testing {

class Scratch {
  public:
    Scratch() {
        char* made = g_dir_make_tmp("vrnic-setup-XXXXXX", nullptr);
        folder_ = made;
        g_free(made);
        g_setenv("VRNIC_CACHE", (folder_ / "cache").c_str(), TRUE);
        std::filesystem::create_directories(folder_ / "cache/apt");  // not its first use
    }
    ~Scratch() {
        g_unsetenv("VRNIC_CACHE");
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    EventLoop loop;
    Progress progress;

  private:
    std::filesystem::path folder_;
};

}  // namespace vrnic::setup::testing
