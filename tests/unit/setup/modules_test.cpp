// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/modules.h"

#include "unit/catch.h"

namespace vrnic::setup {

using Names = std::vector<std::string>;

TEST_CASE("modules by name, by folder and with their dependencies first") {
    const ModuleTable table(
        "kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz\n"
        "kernel/net/9p/9pnet.ko.xz:\n"
        "kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz\n"
        "kernel/fs/netfs/netfs.ko.xz:\n"
        "kernel/drivers/misc/pvpanic/pvpanic-pci.ko.xz:\n");
    CHECK(table.named("9p") == "kernel/fs/9p/9p.ko.xz");
    CHECK(table.named("pvpanic_pci") == "kernel/drivers/misc/pvpanic/pvpanic-pci.ko.xz");
    CHECK(table.named("virtio_pci").empty());
    CHECK(table.below("net/9p/") ==
          Names{"kernel/net/9p/9pnet.ko.xz", "kernel/net/9p/9pnet_virtio.ko.xz"});
    CHECK(table.below("net/9p/9pnet") == Names{"kernel/net/9p/9pnet.ko.xz"});
    CHECK(table.below("sound/").empty());
    CHECK(table.with_dependencies({table.named("9p"), table.named("9pnet_virtio")}) ==
          Names{"kernel/net/9p/9pnet.ko.xz", "kernel/fs/netfs/netfs.ko.xz", "kernel/fs/9p/9p.ko.xz",
                "kernel/net/9p/9pnet_virtio.ko.xz"});
}

TEST_CASE("a module's name") {
    CHECK(module_name("kernel/a/b-c.ko.xz") == "b_c");
    CHECK(module_name("b_c.ko") == "b_c");
    CHECK(module_name("plain") == "plain");
}

}  // namespace vrnic::setup
