// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/cache.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/file.h>
#include <unistd.h>

#include <memory>

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

constexpr const char* in_use_name = "in-use.lock";
constexpr std::uintmax_t mebibyte = 1024 * 1024;

fs::path cache_place() {
    if (const char* place = g_getenv("VRNIC_CACHE"); place && *place) return place;
    return fs::path(g_get_user_cache_dir()) / "vrnic";  // obeys XDG_CACHE_HOME
}

// Makes what is on its way to the disk arrive before a rename that says it is whole.
void flush(const fs::path& folder) {
    const runner::UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.valid()) ::syncfs(fd.get());
}

}  // namespace

Result<FileLock> FileLock::take(EventLoop& loop, Progress& progress, const fs::path& file,
                                std::string_view what) {
    runner::UniqueFd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd.valid())
        return setup_error("cannot write {}: {}; choose another place with VRNIC_CACHE=DIR",
                           file.string(), g_strerror(errno));
    bool told = false;
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return setup_error("cannot lock {}: {}", file.string(), g_strerror(errno));
        if (!told) progress.step(fmt::format("waiting for another vrnic that prepares {}", what));
        told = true;
        progress.tick();
        const auto slice = runner::Clock::now() + std::chrono::milliseconds(200);
        if (loop.wait([] { return false; }, slice) == EventLoop::Woken::interrupted)
            return runner::fail(ExitStatus::interrupted, "interrupted");
    }
    if (told) progress.done();
    return FileLock(std::move(fd));
}

CacheKey& CacheKey::add(std::string_view input) {
    // The length keeps ("ab","c") and ("a","bc") apart.
    inputs_ += fmt::format("{}:{}\n", input.size(), input);
    return *this;
}

std::string CacheKey::name() const {
    std::unique_ptr<char, decltype(&g_free)> sum(
        g_compute_checksum_for_data(
            G_CHECKSUM_SHA256, reinterpret_cast<const guchar*>(inputs_.data()), inputs_.size()),
        g_free);
    return fmt::format("{}-{}", kind_, std::string_view(sum.get()).substr(0, 12));
}

Result<Cache> Cache::open() {
    const fs::path place = fs::absolute(cache_place());
    std::error_code error;
    fs::create_directories(place, error);
    if (error || ::access(place.c_str(), W_OK) != 0)
        return setup_error(
            "cannot write the cache folder {}: {}; choose another with VRNIC_CACHE=DIR",
            place.string(), error ? error.message() : g_strerror(errno));
    runner::UniqueFd in_use(
        ::open((place / in_use_name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!in_use.valid())
        return setup_error("cannot write the cache folder {}: {}", place.string(),
                           g_strerror(errno));
    while (::flock(in_use.get(), LOCK_SH) != 0 && errno == EINTR) {
    }
    return Cache(place, std::move(in_use));
}

Result<void> Cache::claim() const {
    if (::flock(in_use_.get(), LOCK_EX | LOCK_NB) == 0) return {};
    return runner::fail(ExitStatus::failure,
                        "another vrnic uses {}; run this again when it has ended", root_.string());
}

fs::path Cache::log(std::string_view name) const {
    return root_ / "logs" / fmt::format("{}.log", name);
}

std::uintmax_t Cache::free_bytes() const {
    std::error_code error;
    const auto space = fs::space(root_, error);
    return error ? 0 : space.available;
}

Result<fs::path> Cache::entry(EventLoop& loop, Progress& progress, const CacheKey& key,
                              std::uintmax_t bytes, const Maker& make) const {
    const std::string name = key.name();
    const Place place{root_ / (name + ".making"), root_ / name};
    std::error_code error;
    if (fs::is_directory(place.final, error)) return place.final;

    // Nothing was ever downloaded to here.
    if (!fs::exists(root_ / "apt", error))
        progress.note(
            fmt::format("Debian packages, kernels and guest images are prepared in {} "
                        "(about 1 GB, once; ./vrnic clean removes it)",
                        root_.string()));
    auto lock = FileLock::take(loop, progress, root_ / (name + ".lock"), key.kind());
    if (!lock) return std::unexpected(lock.error());
    if (fs::is_directory(place.final, error)) return place.final;  // made while we waited

    fs::remove_all(place.making, error);  // of an interrupted run: the lock says nobody is at it
    if (free_bytes() < bytes)
        return setup_error(
            "not enough space in {}: {} needs about {} MB and {} MB are free; "
            "free some, or choose another place with VRNIC_CACHE=DIR",
            root_.string(), key.kind(), bytes / mebibyte, free_bytes() / mebibyte);
    fs::create_directories(place.making, error);
    if (error) return setup_error("cannot make {}: {}", place.making.string(), error.message());

    const auto made = make(place);
    if (!made) {
        progress.done();
        // Errors name many causes of one thing: say the one that a person can do something about.
        const bool full = free_bytes() < 16 * mebibyte;
        fs::remove_all(place.making, error);
        if (full)
            return setup_error(
                "no space left in {} while preparing {} (about {} MB are needed); "
                "free some, or choose another place with VRNIC_CACHE=DIR",
                root_.string(), key.kind(), bytes / mebibyte);
        return std::unexpected(made.error());
    }
    flush(place.making);
    fs::rename(place.making, place.final, error);
    if (error) return setup_error("cannot rename {}: {}", place.making.string(), error.message());
    progress.done();
    return place.final;
}

}  // namespace vrnic::setup
