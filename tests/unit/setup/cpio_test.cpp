// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/cpio.h"

#include "unit/catch.h"

namespace vrnic::setup {

TEST_CASE("an archive is laid out as the kernel reads it") {
    Cpio archive;
    archive.folder("dev");
    archive.character_device("dev/console", 5, 1, 0600);
    archive.file("a", "hello", 0755);
    const std::string bytes = archive.finish();
    CHECK(bytes.size() % 4 == 0);

    // magic, then ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor
    // namesize check, eight hexadecimal digits each; name with its zero; both parts padded to 4.
    CHECK(bytes.substr(0, 6) == "070701");
    CHECK(bytes.substr(14, 8) == "000041ED");  // folder, 0755
    CHECK(bytes.substr(94, 8) == "00000004");  // "dev" and its zero
    CHECK(bytes.substr(110, 4) == std::string("dev\0", 4));

    const auto device = bytes.find("070701", 110);
    CHECK(device == 116);                               // 110 + 4, padded
    CHECK(bytes.substr(device + 14, 8) == "00002180");  // character device, 0600
    CHECK(bytes.substr(device + 78, 8) == "00000005");
    CHECK(bytes.substr(device + 86, 8) == "00000001");

    const auto file = bytes.find("070701", device + 110);
    CHECK(bytes.substr(file + 54, 8) == "00000005");
    CHECK(bytes.substr(file + 110, 2) == std::string("a\0", 2));
    CHECK(bytes.substr(file + 112, 8) == std::string("hello\0\0\0", 8));
    CHECK(bytes.find("TRAILER!!!") != std::string::npos);
}

}  // namespace vrnic::setup
