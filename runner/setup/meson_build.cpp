// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/meson_build.h"

#include <fmt/ranges.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// In the build folder: the options given last. Asking meson takes as long as a build.
constexpr const char* options_file = "vrnic-options.json";

// ninja's last line of progress, "[12/80] Compiling ...".
std::string last_step(const fs::path& log) {
    std::ifstream in(log);
    std::string line, step;
    while (std::getline(in, line))
        if (line.starts_with('[')) step = line.substr(0, line.find(']') + 1);
    return step;
}

}  // namespace

Result<MesonBuild> MesonBuild::open(const Context& context) {
    const fs::path build = context.project.build;
    auto lock = FileLock::take(context.loop, context.progress, build / "vrnic.lock", "the build");
    if (!lock) return std::unexpected(lock.error());
    MesonBuild opened(context, std::move(*lock));
    opened.read_options();
    return opened;
}

void MesonBuild::read_options() {
    const auto text = read_text(context_.project.build / options_file);
    if (!text) return;
    const json options = json::parse(*text, nullptr, false);
    if (options.is_discarded()) return;  // written anew by configure()
    std::error_code error;
    const json qemus = options.value("qemu_headers", json::object());
    for (const auto& [version, headers] : qemus.items())
        if (headers.is_string() && fs::exists(headers.get<std::string>(), error))
            qemu_headers_[version] = headers;
    rdma_core_headers_ = options.value("rdma_core_headers", "");
    if (!fs::exists(rdma_core_headers_, error)) rdma_core_headers_.clear();
}

std::string MesonBuild::options_text() const {
    return json{{"qemu_headers", qemu_headers_}, {"rdma_core_headers", rdma_core_headers_}}.dump(1);
}

void MesonBuild::want_qemu_headers(const std::string& version, const fs::path& headers) {
    qemu_headers_[version] = headers;
}

void MesonBuild::want_rdma_core_headers(const fs::path& folder) {
    rdma_core_headers_ = folder;
}

Result<void> MesonBuild::configure() {
    const fs::path stamp = context_.project.build / options_file;
    if (const auto before = read_text(stamp); before && *before == options_text()) return {};
    std::vector<std::string> headers;
    for (const auto& [version, folder] : qemu_headers_)
        headers.push_back(fmt::format("'{}:{}'", version, folder));

    context_.progress.step("configuring the build");
    // A stamp that is older than what meson was told would hide the difference.
    std::error_code error;
    fs::remove(stamp, error);
    auto done = context_.run({"meson", "configure", context_.project.build,
                              fmt::format("-Dqemu_headers=[{}]", fmt::join(headers, ",")),
                              "-Drdma_core_headers=" + rdma_core_headers_},
                             "meson-configure");
    // Targets are known after meson has run again, which ninja does for its own file.
    if (done)
        done =
            context_.run({"ninja", "-C", context_.project.build, "build.ninja"}, "meson-configure");
    if (!done) return done;
    context_.progress.done();
    return write_text(stamp, options_text());
}

Result<std::vector<fs::path>> MesonBuild::outputs_below(const std::string& folder) const {
    const auto text = read_text(context_.project.build / "meson-info/intro-targets.json");
    if (!text) return std::unexpected(text.error());
    const std::string below = (context_.project.source / folder).string() + "/";
    std::vector<fs::path> outputs;
    try {
        for (const auto& target : json::parse(*text))
            if (target.at("defined_in").get<std::string>().starts_with(below))
                for (const auto& output : target.at("filename"))
                    outputs.push_back(output.get<std::string>());
    } catch (const json::exception& error) {
        return setup_error("meson's list of targets cannot be read: {}", error.what());
    }
    return outputs;
}

Result<void> MesonBuild::build(const std::string& what,
                               const std::vector<fs::path>& outputs) const {
    std::vector<std::string> argv = {"ninja", "-C", context_.project.build};
    for (const auto& output : outputs) argv.push_back(fs::relative(output, context_.project.build));
    const fs::path log = context_.cache.log("build");

    // A look first: a build that does nothing should say nothing.
    auto dry = argv;
    dry.insert(dry.begin() + 1, "-n");
    const auto plan = tool_output(dry);
    if (plan && plan->find("no work to do") != std::string::npos) return {};

    context_.progress.step(fmt::format("building {}", what));
    auto built =
        run_tool(context_.loop, context_.progress,
                 {.argv = argv, .directory = {}, .log = log, .environment = {}, .detail = [log] {
                      return last_step(log);
                  }});
    if (built) context_.progress.done();
    return built;
}

}  // namespace vrnic::setup
