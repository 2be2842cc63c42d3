// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "setup/cache.h"
#include "setup/progress.h"
#include "setup/project.h"
#include "setup/tool.h"

namespace vrnic::setup {

// What every part of set-up works with. Refers to things that outlive it.
struct Context {
    EventLoop& loop;
    Progress& progress;
    const Cache& cache;
    const Project& project;

    [[nodiscard]] Result<void> run(std::vector<std::string> argv, std::string_view log,
                                   std::filesystem::path directory = {}) const {
        return run_tool(loop, progress,
                        {.argv = std::move(argv),
                         .directory = std::move(directory),
                         .log = cache.log(log),
                         .environment = {},
                         .detail = {}});
    }
};

}  // namespace vrnic::setup
