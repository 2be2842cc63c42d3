// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "setup/progress.h"
#include "setup/tool.h"

namespace vrnic::setup {

// An advisory lock on a file, held for as long as the object lives and given back by the kernel
// when the process ends, however it ends.
class FileLock {
  public:
    // Waits, and says so once, while another process holds it.
    [[nodiscard]] static Result<FileLock> take(EventLoop& loop, Progress& progress,
                                               const std::filesystem::path& file,
                                               std::string_view what);

  private:
    explicit FileLock(runner::UniqueFd fd) : fd_(std::move(fd)) {}
    runner::UniqueFd fd_;
};

// What an entry is made of: everything that, when it changes, means that it must be made again.
class CacheKey {
  public:
    explicit CacheKey(std::string kind) : kind_(std::move(kind)) {}
    CacheKey& add(std::string_view input);
    // The entry's folder name: kind, dash, the first 12 hexadecimal digits of a SHA-256.
    [[nodiscard]] std::string name() const;
    [[nodiscard]] const std::string& kind() const { return kind_; }

  private:
    std::string kind_;
    std::string inputs_;
};

// Finished things by what went into them: $VRNIC_CACHE, or $XDG_CACHE_HOME/vrnic, or
// ~/.cache/vrnic. As long as this lives no other vrnic empties it. An entry is made in a folder
// beside its place, under a lock, and comes into being by a rename: what has its right name is
// whole.
class Cache {
  public:
    [[nodiscard]] static Result<Cache> open();

    [[nodiscard]] const std::filesystem::path& root() const { return root_; }
    [[nodiscard]] std::filesystem::path log(std::string_view name) const;

    // Where an entry is made, and where it will be: for what must know its own address.
    struct Place {
        std::filesystem::path making;
        std::filesystem::path final;
    };
    using Maker = std::function<Result<void>(const Place&)>;

    // The finished entry, made first when it is not there. bytes is about what making it needs,
    // downloads included; less free space than that is refused before anything is started.
    [[nodiscard]] Result<std::filesystem::path> entry(EventLoop& loop, Progress& progress,
                                                      const CacheKey& key, std::uintmax_t bytes,
                                                      const Maker& make) const;

    // For emptying it: an error while another vrnic uses it. Until this process ends, others that
    // want to use it wait.
    [[nodiscard]] Result<void> claim() const;

    // Bytes free for this user in the cache's file system.
    [[nodiscard]] std::uintmax_t free_bytes() const;

  private:
    Cache(std::filesystem::path root, runner::UniqueFd in_use)
        : root_(std::move(root)), in_use_(std::move(in_use)) {}
    std::filesystem::path root_;
    runner::UniqueFd in_use_;  // a lock that users share
};

}  // namespace vrnic::setup
