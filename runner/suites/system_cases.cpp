// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/system_cases.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;  // actions and cases keep the order of the file

// A mistake in a table; caught where the file's name is known.
struct BadTable {
    std::string what;
};

struct Verb {
    std::string_view name;
    Action::Kind kind;
    enum class Argument { vm_and_text, vm, number } argument;
};

constexpr std::array verbs{
    Verb{"serve", Action::Kind::serve, Verb::Argument::vm_and_text},
    Verb{"start", Action::Kind::start, Verb::Argument::vm_and_text},
    Verb{"run", Action::Kind::run, Verb::Argument::vm_and_text},
    Verb{"finish", Action::Kind::finish, Verb::Argument::vm},
    Verb{"end", Action::Kind::end, Verb::Argument::vm},
    Verb{"unplug", Action::Kind::unplug, Verb::Argument::vm},
    Verb{"plug", Action::Kind::plug, Verb::Argument::vm},
    Verb{"link", Action::Kind::link, Verb::Argument::vm_and_text},
    Verb{"faults", Action::Kind::faults, Verb::Argument::vm_and_text},
    Verb{"surprise-removed", Action::Kind::surprise_removed, Verb::Argument::vm_and_text},
    Verb{"sleep", Action::Kind::sleep, Verb::Argument::number},
};

using Values = std::map<std::string, std::string>;

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

// "{size}" becomes the value of "size"; braces around anything else stay, they are the shell's.
std::string fill(std::string text, const Values& values) {
    for (const auto& [key, value] : values) {
        const std::string hole = "{" + key + "}";
        for (std::size_t at = 0; (at = text.find(hole, at)) != std::string::npos;
             at += value.size())
            text.replace(at, hole.size(), value);
    }
    return text;
}

// Every combination of a "for" table's values.
std::vector<Values> combinations(const Json& table) {
    std::vector<Values> all{{}};
    for (const auto& [key, choices] : table.items()) {
        std::vector<Values> longer;
        for (const auto& values : all) {
            for (const auto& choice : choices) {
                longer.push_back(values);
                longer.back()[key] = text_of(choice);
            }
        }
        all = std::move(longer);
    }
    return all;
}

// A "for" table's values, of which one has to be: {"mtu": [9000]}.
bool is_one_of(const Json& wanted, const Values& values) {
    for (const auto& [key, choices] : wanted.items()) {
        const auto value = values.find(key);
        if (value == values.end()) throw BadTable{fmt::format("no \"{}\" to choose by", key)};
        for (const auto& choice : choices)
            if (text_of(choice) == value->second) return true;
    }
    return false;
}

int vm_index(const std::string& name, int vms) {
    for (int vm = 0; vm < vms; ++vm) {
        if (name == fmt::format("vm{}", vm + 1)) return vm;
    }
    throw BadTable{fmt::format("there is no VM \"{}\" here", name)};
}

Action read_action(const Json& entry, const Values& values, int vms) {
    if (!entry.is_object() || entry.size() != 1)
        throw BadTable{fmt::format("not one action: {}", entry.dump())};
    const std::string& name = entry.begin().key();
    const Json& argument = entry.begin().value();
    const auto verb = std::ranges::find(verbs, name, &Verb::name);
    if (verb == verbs.end()) throw BadTable{fmt::format("unknown action \"{}\"", name)};
    Action action{.kind = verb->kind, .vm = 0, .text = {}, .seconds = 0};
    switch (verb->argument) {
        case Verb::Argument::vm_and_text: {
            if (!argument.is_object() || argument.size() != 1)
                throw BadTable{fmt::format("{} needs {{\"vmN\": \"...\"}}", name)};
            action.vm = vm_index(argument.begin().key(), vms);
            action.text = fill(argument.begin().value().get<std::string>(), values);
            break;
        }
        case Verb::Argument::vm:
            action.vm = vm_index(argument.get<std::string>(), vms);
            break;
        case Verb::Argument::number:
            action.seconds = argument.get<double>();
            break;
    }
    return action;
}

// Some are for certain values of the case only: {"only": {"how": ["unplug"]}, "unplug": "vm1"}.
std::vector<Action> read_actions(Json entries, const Values& values, int vms) {
    std::vector<Action> actions;
    for (auto& entry : entries) {
        const bool here = !entry.contains("only") || is_one_of(entry["only"], values);
        if (entry.is_object()) entry.erase("only");
        const Action action = read_action(entry, values, vms);
        if (here) actions.push_back(action);
    }
    return actions;
}

// "commands": one for each VM, as `./vrnic run` takes them.
std::vector<Action> read_commands(const Json& commands, const Values& values, int vms) {
    if (static_cast<int>(commands.size()) > vms) throw BadTable{"more commands than VMs"};
    std::vector<Action> actions;
    const int count = static_cast<int>(commands.size());
    for (int vm = 0; vm < count; ++vm)
        actions.push_back(
            {.kind = vm + 1 < count ? Action::Kind::serve : Action::Kind::run,
             .vm = vm,
             .text = fill(commands[static_cast<std::size_t>(vm)].get<std::string>(), values),
             .seconds = 0});
    for (int vm = 0; vm + 1 < count; ++vm)
        actions.push_back({.kind = Action::Kind::finish, .vm = vm, .text = {}, .seconds = 0});
    return actions;
}

constexpr std::array case_keys{"name",   "for",  "commands", "before", "actions",   "repeat",
                               "expect", "ktap", "skips",    "time",   "when_asked"};
constexpr std::array group_keys{"name",          "for",   "lab",       "modules",
                                "check_capture", "cases", "when_asked"};
constexpr std::array lab_keys{"vms",    "guest", "kernel", "qemu", "memory",         "cpus",
                              "mtu",    "nics",  "device", "rxe",  "kernel_options", "share",
                              "faults", "iommu"};

template <typename Keys>
void refuse_unknown(const Json& object, const Keys& keys) {
    for (const auto& [key, value] : object.items()) {
        if (std::ranges::find(keys, std::string_view(key)) == keys.end())
            throw BadTable{fmt::format("unknown key \"{}\"", key)};
    }
}

bool is_when_asked(const Json& entry, const Values& values) {
    const Json when = entry.value("when_asked", Json(false));
    return when.is_boolean() ? when.get<bool>() : is_one_of(when, values);
}

SystemCase read_case(const Json& entry, const Values& values, const SystemGroup& group,
                     const fs::path& folder) {
    SystemCase found;
    found.name = group.name + ": " + fill(entry.at("name").get<std::string>(), values);
    const int vms = group.lab.vms;
    if (entry.contains("commands")) found.actions = read_commands(entry["commands"], values, vms);
    found.before = read_actions(entry.value("before", Json::array()), values, vms);
    if (entry.contains("actions")) found.actions = read_actions(entry["actions"], values, vms);
    if (found.actions.empty()) throw BadTable{"a case without commands or actions"};
    found.repeat = entry.value("repeat", 1);
    found.time_s = entry.value("time", 60);
    found.when_asked = is_when_asked(entry, values);
    const Json expect = entry.value("expect", Json::object());
    for (const auto& [vm, pattern] : expect.items())
        found.expect.push_back({vm_index(vm, vms), fill(pattern.get<std::string>(), values)});
    if (entry.contains("ktap")) found.ktap = vm_index(entry["ktap"].get<std::string>(), vms);
    if (entry.contains("skips")) {
        auto skips = load_expected_skips(folder / fill(entry["skips"].get<std::string>(), values));
        if (!skips) throw BadTable{skips.error().message};
        found.skips = std::move(*skips);
    }
    return found;
}

void read_lab(const Json& entry, const Values& values, const fs::path& folder, LabOptions& lab) {
    refuse_unknown(entry, lab_keys);
    const auto text = [&](const char* key, std::string& into) {
        if (entry.contains(key)) into = fill(text_of(entry[key]), values);
    };
    const auto number = [&](const char* key, int& into) {
        if (entry.contains(key)) into = std::stoi(fill(text_of(entry[key]), values));
    };
    const auto list = [&](const char* key, std::vector<std::string>& into) {
        for (const auto& item : entry.value(key, Json::array()))
            into.push_back(fill(item.get<std::string>(), values));
    };
    text("guest", lab.guest);
    const std::string asked_for = lab.kernel;
    text("kernel", lab.kernel);
    if (lab.kernel == "default") lab.kernel = asked_for;
    text("qemu", lab.qemu);
    text("kernel_options", lab.kernel_options);
    number("vms", lab.vms);
    number("memory", lab.memory_mib);
    number("cpus", lab.cpus);
    number("mtu", lab.mtu);
    number("nics", lab.nics);
    lab.iommu = entry.value("iommu", lab.iommu);
    if (entry.contains("share")) lab.share = folder / entry["share"].get<std::string>();
    list("device", lab.device);
    list("rxe", lab.rxe);
    list("faults", lab.faults);
}

void read_group(const Json& entry, const LabOptions& base, const fs::path& folder,
                std::vector<SystemGroup>& groups) {
    refuse_unknown(entry, group_keys);
    for (const auto& group_values : combinations(entry.value("for", Json::object()))) {
        SystemGroup group;
        group.name = fill(entry.at("name").get<std::string>(), group_values);
        group.lab = base;
        read_lab(entry.value("lab", Json::object()), group_values, folder, group.lab);
        group.modules = entry.value("modules", "");
        group.check_capture = entry.value("check_capture", false);
        for (const auto& one : entry.at("cases")) {
            refuse_unknown(one, case_keys);
            for (auto values : combinations(one.value("for", Json::object()))) {
                values.insert(group_values.begin(), group_values.end());
                SystemCase read = read_case(one, values, group, folder);
                read.when_asked |= is_when_asked(entry, group_values);
                group.cases.push_back(std::move(read));
            }
        }
        groups.push_back(std::move(group));
    }
}

}  // namespace

void leave_out_when_asked(std::vector<SystemGroup>& groups) {
    for (auto& group : groups)
        std::erase_if(group.cases, [](const SystemCase& one) { return one.when_asked; });
    std::erase_if(groups, [](const SystemGroup& group) { return group.cases.empty(); });
}

Result<std::vector<SystemGroup>> load_system_groups(const fs::path& folder,
                                                    const LabOptions& base) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    }
    if (error)
        return fail(ExitStatus::setup, "cannot read {}: {}", folder.string(), error.message());
    std::ranges::sort(files);

    std::vector<SystemGroup> groups;
    for (const auto& file : files) {
        // The tables are the project's own; json's and stoi's exceptions become one line here.
        try {
            std::ifstream in(file);
            const Json table = Json::parse(in, nullptr, true, true);
            for (const auto& entry : table.at("groups")) read_group(entry, base, folder, groups);
        } catch (const BadTable& bad) {
            return fail(ExitStatus::setup, "{}: {}", file.string(), bad.what);
        } catch (const std::exception& bad) {
            return fail(ExitStatus::setup, "{}: {}", file.string(), bad.what());
        }
    }
    for (auto& group : groups) group.suite = folder.filename().string();
    return groups;
}

}  // namespace vrnic::runner
