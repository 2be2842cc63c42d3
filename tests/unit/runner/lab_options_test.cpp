// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/lab_options.h"

#include "unit/catch.h"
#include "vm/qemu_command.h"

namespace vrnic::runner {

TEST_CASE("faults are every VM's, or one VM's") {
    const std::vector<std::string> faults = {"drop,nth=1", "vm2:corrupt,nth=2", "vm1:link-down"};
    CHECK(faults_of(faults, "vm1") == "drop,nth=1;link-down");
    CHECK(faults_of(faults, "vm2") == "drop,nth=1;corrupt,nth=2");
    CHECK(faults_of(faults, "vm3") == "drop,nth=1");
    CHECK(faults_of({}, "vm1").empty());
}

TEST_CASE("the device is given its faults, with QEMU's commas, when it is plugged again, too") {
    LabOptions options;
    options.faults = {"vm2:drop,opcode=send"};
    options.rxe = {"vm3"};
    options.vms = 3;
    const auto specs = make_specs(options, {}, "tcg", "/tmp");
    CHECK(device_text(nic_device(specs[0], 0)).find("faults") == std::string::npos);
    CHECK(device_text(nic_device(specs[1], 0)).ends_with(",faults=drop,,opcode=send"));
    options.faults = {"drop"};
    CHECK(device_text(nic_device(make_specs(options, {}, "tcg", "/tmp")[2], 0)).find("faults") ==
          std::string::npos);
}

}  // namespace vrnic::runner
