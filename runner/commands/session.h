// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/event_loop.h"
#include "commands/run_folder.h"
#include "setup/cache.h"
#include "setup/context.h"
#include "setup/progress.h"
#include "setup/project.h"
#include "vm/lab.h"
#include "vm/lab_options.h"

namespace vrnic::runner {

// What every command works with: the loop, the cache, the checkout.
class Session {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Session>> open();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    [[nodiscard]] EventLoop& loop() { return loop_; }
    [[nodiscard]] setup::Context context() { return {loop_, progress_, cache_, project_}; }
    [[nodiscard]] setup::Cache& cache() { return cache_; }
    [[nodiscard]] const setup::Cache& cache() const { return cache_; }
    [[nodiscard]] const setup::Project& project() const { return project_; }
    [[nodiscard]] setup::Progress& progress() { return progress_; }

    // Builds and fetches what is missing for these VMs. Done once for each kind of VM: what a test
    // run started with is what it ends with.
    [[nodiscard]] Result<VmFiles> prepare(const LabOptions& options);

    [[nodiscard]] Result<RunFolder> make_run_folder();
    // Sets up, starts the VMs and waits until they are ready. boot_limit counts from the start of
    // the VMs, set-up not included; it is that of a usual kernel.
    [[nodiscard]] Result<std::unique_ptr<Lab>> boot(const LabOptions& options,
                                                    const std::filesystem::path& folder,
                                                    Lab::OnLine on_line,
                                                    std::chrono::seconds boot_limit);

  private:
    Session(setup::Cache cache, setup::Project project)
        : cache_(std::move(cache)), project_(std::move(project)) {}

    EventLoop loop_;
    setup::Progress progress_;
    setup::Cache cache_;
    setup::Project project_;
    std::map<std::string, VmFiles> prepared_;
};

}  // namespace vrnic::runner
