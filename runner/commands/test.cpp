// SPDX-License-Identifier: GPL-2.0-or-later
// ./vrnic test [SUITE...]: builds what is missing and runs the project's tests.
#include <algorithm>
#include <memory>

#include "commands/command.h"
#include "commands/lab_flags.h"
#include "commands/printer.h"
#include "setup/build.h"
#include "setup/guest.h"
#include "suites/built_tests.h"
#include "suites/report.h"
#include "suites/selection.h"
#include "suites/suite_table.h"
#include "suites/system_suite.h"

namespace vrnic::runner {
namespace {

namespace fs = std::filesystem;

struct TestOptions {
    LabOptions lab;
    std::vector<std::string> words;
    fs::path junit;
    fs::path json;
    bool list = false;
    bool keep = false;
};

std::string suite_names() {
    std::vector<std::string_view> names;
    for (const auto& suite : suites) names.push_back(suite.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

Result<void> check_words(const std::vector<std::string>& words) {
    for (const auto& word : words) {
        const std::string name = word.substr(0, word.find('/'));
        if (find_suite(name) == nullptr)
            return fail(ExitStatus::usage, "there is no suite {}; the suites are {}", name,
                        suite_names());
    }
    return {};
}

// What a suite finds ready that starts `./vrnic run`, and what it is told by its environment: the
// options of this command, and where the modules are that break a guest.
Result<void> prepare_runs(Session& session, const LabOptions& lab) {
    if (auto prepared = session.prepare(lab); !prepared) return std::unexpected(prepared.error());
    const auto image = setup::guest_image(session.context(),
                                          {.guest = lab.guest, .kernel = lab.kernel, .with = {}});
    if (!image) return std::unexpected(image.error());
    const auto modules = setup::build_test_modules(session.context(), *image, "tests/runner/guest");
    if (!modules) return std::unexpected(modules.error());
    g_setenv("VRNIC_TEST_MODULES", modules->c_str(), TRUE);
    const auto options =
        fmt::format("--kernel {} --qemu {} --accel {}", lab.kernel, lab.qemu, lab.accel);
    g_setenv("VRNIC_RUN_OPTIONS", options.c_str(), TRUE);
    return {};
}

// Builds a suite's executables and what they test.
Result<void> build_suite(Session& session, std::string_view suite, const LabOptions& lab) {
    if (suite == "runner" || suite == "debug")
        if (auto ready = prepare_runs(session, lab); !ready) return ready;
    if (suite == "soak")  // has the cases of device, on another build of it
        if (auto built = build_suite(session, "device", lab); !built) return built;
    if (suite == "device") {
        const auto qemu = setup::qemu_flavor(session.context(), "system");
        if (!qemu) return std::unexpected(qemu.error());
        const auto device = setup::build_device(session.context(), {*qemu});
        if (!device) return std::unexpected(device.error());
    }
    if (suite == "unit")
        if (auto done = setup::configure_guest_lib(session.context()); !done)
            return std::unexpected(done.error());
    const auto built = setup::build_below(session.context(), fmt::format("tests/{}", suite));
    if (!built) return std::unexpected(built.error());
    session.progress().done();
    return {};
}

class TestRun {
  public:
    TestRun(Session& session, const TestOptions& options, Selection selection)
        : session_(session), options_(options), selection_(std::move(selection)) {}

    [[nodiscard]] Result<int> run() {
        auto done = run_suites();
        for (const auto& [name, reason] : selection_.skipped()) {
            const auto slash = name.find('/');
            report_.add(
                {name.substr(0, slash), name.substr(slash + 1), Outcome::skipped, {}, reason});
        }
        if (!options_.junit.empty())
            if (auto written = report_.write_junit(options_.junit); !written)
                return std::unexpected(written.error());
        if (!options_.json.empty())
            if (auto written = report_.write_json(options_.json); !written)
                return std::unexpected(written.error());
        if (!done) print_remark(done.error().message);
        report_.print_summary();
        if (!done) return static_cast<int>(done.error().status);
        const bool any = report_.count(Outcome::passed) + report_.count(Outcome::failed) > 0;
        if (!any) print_remark("no such test; ./vrnic test --list names them");
        return any && report_.count(Outcome::failed) == 0 ? 0 : 1;
    }

    [[nodiscard]] Result<int> list() {
        for (const auto& suite : suites) {
            if (!selection_.has_suite(suite.name)) continue;
            if (auto listed = suite.built ? list_built(suite.name) : Result<void>(); !listed)
                return std::unexpected(listed.error());
            if (auto listed = suite.tables ? list_tables(suite.name) : Result<void>(); !listed)
                return std::unexpected(listed.error());
        }
        return 0;
    }

  private:
    void print_case(std::string_view suite, const std::string& name) {
        if (selection_.has_case(suite, name)) fmt::print("{}/{}\n", suite, name);
    }

    Result<void> list_built(std::string_view suite) {
        if (auto built = build_suite(session_, suite, lab_of(suite)); !built) return built;
        auto tests = built_tests(suite);
        if (!tests) return std::unexpected(tests.error());
        for (const auto& test : *tests) {
            for (const auto& name : list_cases(test)) print_case(suite, name);
        }
        return {};
    }

    Result<void> list_tables(std::string_view suite) {
        auto groups = groups_of(suite);
        if (!groups) return std::unexpected(groups.error());
        for (const auto& group : *groups) {
            for (const auto& one : group.cases) print_case(suite, one.name);
            if (group.check_capture) print_case(suite, capture_case_name(group));
        }
        return {};
    }

    Result<std::vector<BuiltTest>> built_tests(std::string_view suite) {
        auto tests = find_built_tests(session_.project().source, session_.project().build);
        if (!tests) return tests;
        std::erase_if(*tests, [&](const auto& test) { return test.suite != suite; });
        if (tests->empty()) return fail(ExitStatus::failure, "meson knows no {} tests", suite);
        return tests;
    }

    // What a person chose; the suite `debug` is of its own kernel.
    [[nodiscard]] LabOptions lab_of(std::string_view suite) const {
        LabOptions lab = options_.lab;
        if (suite == "debug") lab.kernel = "debug";
        return lab;
    }

    Result<std::vector<SystemGroup>> groups_of(std::string_view suite) {
        auto groups =
            load_system_groups(session_.project().source / "tests" / suite, lab_of(suite));
        if (groups && options_.words.empty()) leave_out_when_asked(*groups);
        return groups;
    }

    // What keeps a suite from running at all is a failed case; only an interrupt ends the run.
    Result<void> run_suites() {
        for (const auto& suite : suites) {
            const auto run = [&] {
                auto done = suite.built ? run_built_suite(suite.name) : Result<void>();
                return done && suite.tables ? run_vm_suite(suite.name) : done;
            };
            if (auto done = run_suite(suite.name, run); !done) return done;
        }
        return {};
    }

    template <typename Run>
    Result<void> run_suite(std::string_view suite, Run run) {
        if (!selection_.has_suite(suite)) return {};
        auto done = run();
        if (done || done.error().status == ExitStatus::interrupted) return done;
        report_.add({std::string(suite), "set-up", Outcome::failed, {}, done.error().message});
        return {};
    }

    Result<void> run_vm_suite(std::string_view suite) {
        auto groups = groups_of(suite);
        if (!groups) return std::unexpected(groups.error());
        return run_system_suite(session_, *groups, selection_, options_.keep, report_);
    }

    Result<void> run_built_suite(std::string_view suite) {
        if (auto built = build_suite(session_, suite, lab_of(suite)); !built) return built;
        auto tests = built_tests(suite);
        if (!tests) return std::unexpected(tests.error());
        const fs::path scratch = session_.project().build / "test-logs";
        for (const auto& test : *tests) {
            if (auto done = run_built_test(session_.loop(), test, selection_, scratch, report_);
                !done)
                return done;
        }
        return {};
    }

    Session& session_;
    const TestOptions& options_;
    Selection selection_;
    Report report_;
};

Result<int> test(Session& session, const TestOptions& options) {
    if (auto good = check_words(options.words); !good) return std::unexpected(good.error());
    auto skips = load_skips(session.project().source / "tests/skips.json");
    if (!skips) return std::unexpected(skips.error());
    TestRun run(session, options, Selection(options.words, std::move(*skips)));
    return options.list ? run.list() : run.run();
}

}  // namespace

void add_test_command(CLI::App& app, ChosenCommand& chosen) {
    auto options = std::make_shared<TestOptions>();
    CLI::App* command = app.add_subcommand("test", "run the project's tests");
    command->footer(
        "Suites: unit and sim (the device's engine alone), bench (its instructions), device (the\n"
        "device in a QEMU without a guest), runner (./vrnic run itself), system, verbs, interop\n"
        "(with rdma_rxe), faults, ulp (kernel consumers, rdma_cm), uapi and removal (in VMs; each\n"
        "in full when it is named, a short form of it otherwise). Only when asked for: soak (what\n"
        "takes long), debug (the debug kernel and what it finds).\n"
        "SUITE/TEXT runs the cases whose names have TEXT in them.\n"
        "The last line is \"N passed, N failed, N skipped\"; the exit status is 0 when none "
        "failed.");
    command->add_option("SUITE", options->words,
                        "suites or cases to run; all but soak and debug when none is given");
    command->add_flag("--list", options->list, "print the cases' names and end");
    command->add_option("--junit", options->junit, "write the results as JUnit XML to this file");
    command->add_option("--json", options->json, "write the results as JSON to this file");
    command->add_flag("--keep", options->keep, "keep the VMs' consoles and logs of successes, too");
    // For the cases that name none.
    add_kernel_flag(*command, options->lab);
    add_qemu_flag(*command, options->lab);
    add_accel_flag(*command, options->lab);
    command->callback([options, &chosen] {
        chosen = [options](Session& session) { return test(session, *options); };
    });
}

}  // namespace vrnic::runner
