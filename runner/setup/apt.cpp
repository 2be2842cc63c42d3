// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/apt.h"

#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

#include "setup/mirror.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view backports = "-backports";
constexpr auto index_life = std::chrono::hours(6);

std::vector<fs::path> files_ending(const fs::path& folder, std::string_view suffix) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
        if (at->is_regular_file() && at->path().filename().string().ends_with(suffix))
            files.push_back(at->path());
    std::ranges::sort(files);
    return files;
}

PackageFields parse_fields(const std::string& text) {
    PackageFields fields;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line) && !line.empty();) {
        const auto colon = line.find(": ");
        if (line[0] != ' ' && colon != std::string::npos)
            fields[line.substr(0, colon)] = line.substr(colon + 2);
    }
    return fields;
}

}  // namespace

std::vector<std::string> depends_on(const PackageFields& package, std::string_view prefix) {
    std::vector<std::string> names;
    const auto field = package.find("Depends");
    if (field == package.end()) return names;
    std::istringstream in(field->second);
    for (std::string item; std::getline(in, item, ',');) {
        item.erase(0, item.find_first_not_of(' '));
        const std::string name = item.substr(0, item.find_first_of(" :|("));
        if (name.starts_with(prefix)) names.push_back(name);
    }
    return names;
}

Apt::Apt(EventLoop& loop, Progress& progress, const Cache& cache, std::string release,
         FileLock lock)
    : loop_(&loop),
      progress_(&progress),
      cache_(&cache),
      release_(std::move(release)),
      folder_(cache.root() / "apt" / release_),
      lock_(std::move(lock)) {}

Result<Apt> Apt::open(EventLoop& loop, Progress& progress, const Cache& cache,
                      std::string_view release) {
    const fs::path folder = cache.root() / "apt" / release;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return setup_error("cannot make {}: {}", folder.string(), error.message());
    auto lock = FileLock::take(loop, progress, folder / "lock",
                               fmt::format("packages of Debian {}", release));
    if (!lock) return std::unexpected(lock.error());

    Apt apt(loop, progress, cache, std::string(release), std::move(*lock));
    if (auto done = apt.configure(); !done) return std::unexpected(done.error());
    if (auto done = apt.update(); !done) return std::unexpected(done.error());
    return apt;
}

Result<void> Apt::configure() {
    const auto mirror = machine_mirror();
    if (!mirror) return std::unexpected(mirror.error());
    const bool with_backports = release_.ends_with(backports);
    const auto codename =
        release_.substr(0, release_.size() - (with_backports ? backports.size() : 0));

    const auto dump = tool_output({"apt-config", "dump"});
    // Read before apt's own configuration, of which it turns the rest off: that may hold hooks
    // which change this machine.
    std::string config = fmt::format(
        "Dir::Etc::main \"/dev/null\";\n"
        "Dir::Etc::parts \"/dev/null\";\n"
        "Dir::Etc::sourcelist \"{0}/sources.list\";\n"
        "Dir::Etc::sourceparts \"/dev/null\";\n"
        "Dir::Etc::preferences \"/dev/null\";\n"
        "Dir::Etc::preferencesparts \"/dev/null\";\n"
        "Dir::State \"{0}/state\";\n"
        "Dir::State::status \"{0}/status\";\n"
        "Dir::Cache \"{0}/cache\";\n"
        "Dir::Log \"{0}/log\";\n"
        "APT::Architecture \"amd64\";\n"
        "APT::Architectures {{ \"amd64\"; }};\n"
        "APT::Install-Recommends \"false\";\n"
        "APT::Get::Assume-Yes \"true\";\n"
        "APT::Sandbox::User \"{1}\";\n"
        // Without this apt calls an update with unreachable sources a success.
        "APT::Update::Error-Mode \"any\";\n"
        "Acquire::Languages \"none\";\n"
        "Acquire::Retries \"2\";\n"
        "Acquire::http::Timeout \"20\";\n"
        "Acquire::https::Timeout \"20\";\n",
        folder_.string(), g_get_user_name());
    if (dump) config += transport_settings(*dump);

    for (const auto* folder : {"state/lists/partial", "cache", "log"}) {
        std::error_code error;
        fs::create_directories(folder_ / folder, error);
    }
    const auto sources = sources_list(*mirror, codename, with_backports);
    if (const auto before = read_text(folder_ / "sources.list"); !before || *before != sources) {
        std::error_code ignored;
        fs::remove(folder_ / "updated", ignored);  // the index of another mirror
    }
    for (const auto& [name, text] :
         {std::pair<const char*, std::string_view>{"sources.list", sources},
          {"apt.conf", config},
          {"status", ""}})
        if (auto written = write_text(folder_ / name, text); !written) return written;
    return {};
}

Result<void> Apt::update() {
    const fs::path stamp = folder_ / "updated";
    std::error_code error;
    const auto written = fs::last_write_time(stamp, error);
    if (!error && fs::file_time_type::clock::now() - written < index_life) return {};

    fs::remove_all(folder_ / "downloads", error);  // they may be of versions now gone
    progress_->step(fmt::format("reading the package index of Debian {}", release_));
    auto updated = run_tool(*loop_, *progress_,
                            {.argv = command({"apt-get", "update"}),
                             .directory = {},
                             .log = cache_->log("apt-update-" + release_),
                             .environment = {{"APT_CONFIG", (folder_ / "apt.conf").string()}},
                             .detail = {}});
    if (!updated) {
        if (updated.error().status == ExitStatus::interrupted) return updated;
        progress_->done();
        return setup_error(
            "cannot reach the Debian mirror for {}: {}; check the network, the proxy and "
            "/etc/apt/sources.list, then run this again",
            release_, updated.error().message);
    }
    progress_->done();
    return write_text(stamp, "");
}

fs::path Apt::downloads(const std::string& what) const {
    return folder_ / "downloads" / what;
}

std::vector<std::string> Apt::command(std::vector<std::string> argv) const {
    if (!preferred_.empty())
        argv.insert(argv.begin() + 1, {"-o", "APT::Default-Release=" + preferred_});
    return argv;
}

Result<PackageFields> Apt::show(const std::string& package) const {
    const auto text = tool_output(command({"apt-cache", "show", "--no-all-versions", package}),
                                  {{"APT_CONFIG", (folder_ / "apt.conf").string()}});
    if (!text || text->empty())
        return setup_error("Debian {} on this machine's mirror has no package {}", release_,
                           package);
    return parse_fields(*text);
}

Result<std::vector<fs::path>> Apt::fetch(const std::string& what, const std::string& told,
                                         std::vector<std::string> argv, std::string_view suffix) {
    const fs::path folder = downloads(what);
    std::error_code error;
    fs::create_directories(folder / "partial", error);
    if (error) return setup_error("cannot make {}: {}", folder.string(), error.message());
    progress_->step(told);
    const auto bytes = [&] {
        return fmt::format("{} MB",
                           (folder_bytes(folder) + folder_bytes(folder / "partial")) >> 20);
    };
    auto fetched = run_tool(*loop_, *progress_,
                            {.argv = command(std::move(argv)),
                             .directory = folder,
                             .log = cache_->log("download-" + what),
                             .environment = {{"APT_CONFIG", (folder_ / "apt.conf").string()}},
                             .detail = bytes});
    if (!fetched) return std::unexpected(fetched.error());
    progress_->done();
    return files_ending(folder, suffix);
}

Result<std::vector<fs::path>> Apt::download_closure(const std::string& what,
                                                    const std::vector<std::string>& packages) {
    std::vector<std::string> argv = {"apt-get", "--download-only", "-o",
                                     "Dir::Cache::archives=" + downloads(what).string(), "install"};
    argv.insert(argv.end(), packages.begin(), packages.end());
    return fetch(what,
                 fmt::format("downloading for {}: {} packages and their dependencies", what,
                             packages.size()),
                 std::move(argv), ".deb");
}

Result<std::vector<fs::path>> Apt::download(const std::string& what,
                                            const std::vector<std::string>& packages) {
    std::vector<std::string> argv = {"apt-get", "download"};
    argv.insert(argv.end(), packages.begin(), packages.end());
    return fetch(what, fmt::format("downloading {} packages for {}", packages.size(), what),
                 std::move(argv), ".deb");
}

Result<std::vector<fs::path>> Apt::download_source(const std::string& what,
                                                   const std::string& package) {
    auto fetched = fetch(what, fmt::format("downloading the source of {}", package),
                         {"apt-get", "source", "--download-only", package}, "");
    if (fetched || fetched.error().status == ExitStatus::interrupted) return fetched;
    // apt checks each file against the signed index before it gives it its name: those that did
    // arrive are good.
    auto files = files_ending(downloads(what), "");
    if (files.empty()) return fetched;
    return files;
}

Result<void> Apt::unpack(const std::string& what, const std::vector<fs::path>& packages,
                         const fs::path& folder) {
    progress_->step(fmt::format("unpacking {} packages for {}", packages.size(), what));
    std::size_t count = 0;
    for (const auto& package : packages) {
        progress_->detail(fmt::format("{}/{}", ++count, packages.size()));
        auto unpacked = run_tool(*loop_, *progress_,
                                 {.argv = {"dpkg-deb", "-x", package, folder},
                                  .directory = {},
                                  .log = cache_->log("unpack-" + what),
                                  .environment = {},
                                  .detail = {}});
        if (!unpacked) return unpacked;
    }
    progress_->done();
    return {};
}

void Apt::drop(const std::string& what) const {
    std::error_code ignored;
    fs::remove_all(downloads(what), ignored);
}

}  // namespace vrnic::setup
