// SPDX-License-Identifier: GPL-2.0-or-later
// vrnic.so finds the device for its QEMU, or refuses before anything is registered.
#include <cstdio>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "support/bench.h"

using namespace vrnic::device_test;
namespace fs = std::filesystem;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// "7.2", from what QEMU says of itself.
std::string qemu_version() {
    const auto [status, said] = run_qemu({"-version"});
    std::smatch match;
    if (!std::regex_search(said, match, std::regex("version ([0-9]+\\.[0-9]+)\\.")))
        throw std::runtime_error("QEMU does not tell its version: " + said);
    return match[1];
}

std::vector<std::string> with_plugin(const fs::path& plugin) {
    return {"-machine", "q35",  "-accel",      "tcg",     "-S",
            "-display", "none", "-nodefaults", "-plugin", "file=" + plugin.string(),
            "-device",  "vrnic"};
}

// Every device object that was built, beside vrnic.so.
std::vector<fs::path> glues() {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(fs::canonical(plugin_path()).parent_path())) {
        const std::string name = entry.path().filename();
        if (name.starts_with("vrnic-qemu-") && name.ends_with(".so")) found.push_back(entry.path());
    }
    return found;
}

// The dynamic symbols of a file that nm's option selects, without weak ones and those of a version.
std::set<std::string> symbols(const char* option, const fs::path& file) {
    const std::string command = std::string("nm -D ") + option + " '" + file.string() + "'";
    const std::unique_ptr<FILE, int (*)(FILE*)> nm(::popen(command.c_str(), "r"), ::pclose);
    std::string all;
    for (int byte = std::fgetc(nm.get()); byte != EOF; byte = std::fgetc(nm.get()))
        all += static_cast<char>(byte);
    std::set<std::string> found;
    std::istringstream lines(all);
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_search(line, match, std::regex("([A-Za-z]) ([^ @]+)$")) && match[1] != "w")
            found.insert(match[2]);
    }
    return found;
}

fs::path qemu_program() {
    for (const auto& word : qemu_command()) {
        if (!contains(word, "qemu-system-")) continue;
        for (const fs::path folder : {"", "/usr/bin", "/usr/local/bin"})
            if (fs::exists(folder / word)) return folder / word;
    }
    throw std::runtime_error("cannot find QEMU's program");
}

}  // namespace

// QEMU loads libraries for itself, such as zlib, whose symbols would be found today and in another
// build not.
TEST_CASE("the device takes from QEMU what is QEMU's own, and GLib", "[loader]") {
    const auto glue =
        fs::canonical(plugin_path()).parent_path() / ("vrnic-qemu-" + qemu_version() + ".so");
    const auto needed = symbols("--undefined-only", glue);
    const auto offered = symbols("--defined-only", qemu_program());
    CHECK(needed.contains("pci_register_bar"));
    for (const auto& symbol : needed) {
        INFO(symbol);
        CHECK((offered.contains(symbol) || symbol.starts_with("g_")));
    }
}

TEST_CASE("a QEMU without a device of its version is told which there are", "[loader]") {
    const TemporaryFolder folder;
    const fs::path plugin = folder.path() / "vrnic.so";
    fs::copy_file(plugin_path(), plugin);
    SECTION("none") {
        const auto [status, said] = run_qemu(with_plugin(plugin));
        CHECK(status != 0);
        CHECK(contains(said, "vrnic: not built for QEMU " + qemu_version() + "; works with: none"));
    }
    SECTION("another") {
        std::ofstream(folder.path() / "vrnic-qemu-99.1.so");
        const auto [status, said] = run_qemu(with_plugin(plugin));
        CHECK(status != 0);
        CHECK(contains(said, "not built for QEMU " + qemu_version() + "; works with: 99.1"));
    }
}

TEST_CASE("a device object that is none is refused", "[loader]") {
    const TemporaryFolder folder;
    const fs::path plugin = folder.path() / "vrnic.so";
    fs::copy_file(plugin_path(), plugin);
    const fs::path glue = folder.path() / ("vrnic-qemu-" + qemu_version() + ".so");
    SECTION("not a shared object") {
        std::ofstream(glue) << "text";
        const auto [status, said] = run_qemu(with_plugin(plugin));
        CHECK(status != 0);
        CHECK(contains(said, "does not fit this one"));
    }
    SECTION("a shared object of somebody else") {
        fs::copy_file(plugin_path(), glue);
        const auto [status, said] = run_qemu(with_plugin(plugin));
        CHECK(status != 0);
        CHECK(contains(said, "belongs to another release of vrnic"));
    }
}

TEST_CASE("a device of another layout is refused before anything is registered", "[loader]") {
    const TemporaryFolder folder;
    const fs::path plugin = folder.path() / "vrnic.so";
    fs::copy_file(plugin_path(), plugin);
    fs::copy_file(fs::path(VRNIC_WRONG_LAYOUTS) / ("wrong-layout-" + qemu_version() + ".so"),
                  folder.path() / ("vrnic-qemu-" + qemu_version() + ".so"));
    SECTION("as plugin") {
        const auto [status, said] = run_qemu(with_plugin(plugin));
        CHECK(status == 1);
        CHECK(contains(said, "vrnic: this QEMU was built differently"));
        CHECK(contains(said, "; refused, works with " + qemu_version()));
    }
    SECTION("as preload") {
        const auto [status, said] =
            run_qemu({"-machine", "q35", "-display", "none", "-nodefaults", "-device", "vrnic"},
                     {{"LD_PRELOAD", plugin.string()}});
        CHECK(status == 1);
        CHECK(contains(said, "vrnic: this QEMU was built differently"));
        CHECK(contains(said, "'vrnic' is not a valid device model name"));
    }
}

TEST_CASE("a device built for another release is refused", "[loader]") {
    const std::string own = "vrnic-qemu-" + qemu_version() + ".so";
    for (const fs::path& other : glues()) {
        if (other.filename() == own) continue;
        CAPTURE(other);
        const TemporaryFolder folder;
        const fs::path plugin = folder.path() / "vrnic.so";
        fs::copy_file(plugin_path(), plugin);
        fs::copy_file(other, folder.path() / own);
        // As preload: as a plugin its other plugin interface would be refused by QEMU already.
        const auto [status, said] =
            run_qemu({"-machine", "q35", "-display", "none", "-nodefaults", "-device", "vrnic"},
                     {{"LD_PRELOAD", plugin.string()}});
        CHECK(status == 1);
        const bool refused = contains(said, "vrnic: this QEMU was built differently") ||
                             contains(said, "does not fit this one");
        CHECK(refused);
        CHECK(contains(said, "'vrnic' is not a valid device model name"));
    }
}

TEST_CASE("as preload the device answers to help, and the preload is not handed on", "[loader]") {
    const auto [status, said] =
        run_qemu({"-device", "vrnic,help"}, {{"LD_PRELOAD", plugin_path().string()}});
    CHECK(status == 0);
    CHECK(contains(said, "doorbell-size=<size>"));

    // A shell that QEMU starts shows what it was given.
    const TemporaryFolder folder;
    const fs::path note = folder.path() / "note";
    Machine machine(
        {.device = "", .plugin = false, .environment = {{"LD_PRELOAD", plugin_path().string()}}});
    machine.human("migrate \"exec:echo [$LD_PRELOAD] > " + note.string() + "; cat >/dev/null\"");
    CHECK(machine.eventually([&] { return fs::exists(note) && fs::file_size(note) > 0; }));
    std::string text;
    std::getline(std::ifstream(note) >> std::ws, text);
    CHECK(text == "[]");
    CHECK(machine.ends_well());
}

TEST_CASE("in a program that is not QEMU the loader does nothing", "[loader]") {
    const TemporaryFolder folder;
    const fs::path out = folder.path() / "out";
    const std::string command = "LD_PRELOAD=" + plugin_path().string() +
                                " sh -c 'echo unharmed' >" + out.string() + " 2>&1";
    REQUIRE(std::system(command.c_str()) == 0);
    std::ifstream file(out);
    const std::string said{std::istreambuf_iterator<char>(file), {}};
    CHECK(said == "unharmed\n");
}

TEST_CASE("plugin and preload together register one device", "[loader]") {
    const auto [status, said] =
        run_qemu({"-machine", "q35", "-display", "none", "-nodefaults", "-plugin",
                  "file=" + plugin_path().string(), "-device", "vrnic,vectors=99"},
                 {{"LD_PRELOAD", plugin_path().string()}});
    CHECK(status == 1);
    CHECK(contains(said, "vectors=99 is not between 1 and 64"));
}
