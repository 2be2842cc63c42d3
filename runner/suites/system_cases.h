// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "suites/expected_skips.h"
#include "vm/lab_options.h"

namespace vrnic::runner {

// One thing to do in a system test. tests/system/README.md describes the tables for people.
struct Action {
    enum class Kind {
        serve,             // start the command in a VM, go on when it listens on a TCP port
        start,             // start it, go on at once
        run,               // start it, go on when it has ended with status 0
        finish,            // wait for the VM's command to end with status 0
        end,               // end the VM's command, whatever its status
        unplug,            // take the VM's NIC out
        plug,              // and put it back
        link,              // set the VM's cable `text`: "up" or "down"
        faults,            // what goes wrong at the VM's NIC is now `text`
        surprise_removed,  // `text` is "on": the VM's NIC answers no more; "off": again
        sleep,             // `seconds`
    };
    Kind kind;
    int vm = 0;        // from 0
    std::string text;  // the command, or what the kind says
    double seconds = 0;
};

struct Expectation {
    int vm;               // from 0
    std::string pattern;  // ECMAScript regular expression, found in what the VM printed
};

struct SystemCase {
    std::string name;            // with its group's before it
    std::vector<Action> before;  // done once
    std::vector<Action> actions;
    int repeat = 1;  // times the actions are done
    std::vector<Expectation> expect;
    std::optional<int> ktap;  // the VM, from 0, whose output is KTAP; each result becomes a case
    std::vector<ExpectedSkip> skips;  // which of these results may be skipped
    int time_s = 60;                  // in all
    bool when_asked = false;          // not when no suite was named
};

// Cases that share VMs: these are booted once for all of them.
struct SystemGroup {
    std::string suite;
    std::string name;
    LabOptions lab;
    bool check_capture = false;  // capture the link; the capture is judged as a last case
    std::string modules;         // a folder of tests/SUITE/ with kernel modules for /share
    std::vector<SystemCase> cases;
};

// What runs when no suite was named: the short form of the suites.
void leave_out_when_asked(std::vector<SystemGroup>& groups);

// All groups of a folder's *.json, in order of file names. The suite has the folder's name. `base`
// gives what a table leaves out.
[[nodiscard]] Result<std::vector<SystemGroup>> load_system_groups(
    const std::filesystem::path& folder, const LabOptions& base);

}  // namespace vrnic::runner
