// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "setup/cache.h"

namespace vrnic::setup {

// The fields of one package as the archive's index has them.
using PackageFields = std::map<std::string, std::string>;

// Package names of a Depends field that begin with prefix, first alternatives only.
[[nodiscard]] std::vector<std::string> depends_on(const PackageFields& package,
                                                  std::string_view prefix);

// An apt of our own for one Debian release: its state, downloads and sources lie in the cache,
// it needs no root, and it neither reads nor changes what is installed on this machine.
// Holds the release's lock as long as it lives.
class Apt {
  public:
    // release: a codename, with "-backports" behind it when those are wanted too.
    [[nodiscard]] static Result<Apt> open(EventLoop& loop, Progress& progress, const Cache& cache,
                                          std::string_view release);

    // Preferred suite for what follows, as apt's --target-release; empty: none.
    void prefer(std::string_view suite) { preferred_ = suite; }

    // The newest version in the index; an error when there is none.
    [[nodiscard]] Result<PackageFields> show(const std::string& package) const;

    // Downloads packages with all that they depend on, into an empty system.
    // what: for the progress line, and the name of the folder that survives an interruption.
    [[nodiscard]] Result<std::vector<std::filesystem::path>> download_closure(
        const std::string& what, const std::vector<std::string>& packages);

    // Downloads these packages alone.
    [[nodiscard]] Result<std::vector<std::filesystem::path>> download(
        const std::string& what, const std::vector<std::string>& packages);

    // Downloads the files of a source package ("qemu" or "qemu=VERSION"). Archives can be
    // incomplete: the caller looks whether what it needs is among them.
    [[nodiscard]] Result<std::vector<std::filesystem::path>> download_source(
        const std::string& what, const std::string& package);

    // Unpacks packages into a folder. None of their scripts is run.
    [[nodiscard]] Result<void> unpack(const std::string& what,
                                      const std::vector<std::filesystem::path>& packages,
                                      const std::filesystem::path& folder);

    // Forgets the downloads of `what`, when they have been used.
    void drop(const std::string& what) const;

  private:
    Apt(EventLoop& loop, Progress& progress, const Cache& cache, std::string release,
        FileLock lock);
    [[nodiscard]] Result<void> configure();
    [[nodiscard]] Result<void> update();
    [[nodiscard]] std::filesystem::path downloads(const std::string& what) const;
    [[nodiscard]] std::vector<std::string> command(std::vector<std::string> argv) const;
    [[nodiscard]] Result<std::vector<std::filesystem::path>> fetch(const std::string& what,
                                                                   const std::string& told,
                                                                   std::vector<std::string> argv,
                                                                   std::string_view suffix);

    EventLoop* loop_;
    Progress* progress_;
    const Cache* cache_;
    std::string release_;
    std::filesystem::path folder_;
    std::string preferred_;
    FileLock lock_;
};

}  // namespace vrnic::setup
