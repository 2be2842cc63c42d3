// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/capture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "unit/fake_host.h"

using namespace vrnic;

namespace {

namespace fs = std::filesystem;

struct Scratch {
    Scratch() {
        std::string name = fs::temp_directory_path() / "vrnic-capture-XXXXXX";
        REQUIRE(mkdtemp(name.data()));
        folder = name;
    }
    ~Scratch() { fs::remove_all(folder); }
    std::string file() const { return folder / "file"; }
    std::vector<std::uint8_t> content() const {
        std::ifstream in(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    fs::path folder;
};

std::unique_ptr<Capture> open(test::FakeHost& host, const std::string& file) {
    auto capture = Capture::open(host, file, "nic0");
    REQUIRE(capture);
    return std::move(*capture);
}

const std::vector<std::byte> kFrame(61, std::byte{0xab});

// Section header and interface description, with their options, octet by octet.
const std::vector<std::uint8_t>
    kHeader = {0x0a, 0x0d, 0x0d, 0x0a, 44,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a,
               1,    0,    0,    0,                             // version 1.0
               0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,  // length unknown
               4,    0,    5,    0,    'v',  'r',  'n',  'i',  'c',  0,    0,    0,
               0,    0,    0,    0,    44,   0,    0,    0,  // application
               1,    0,    0,    0,    40,   0,    0,    0,    1,    0,    0,    0,
               0,    0,    0,    0,  // Ethernet
               2,    0,    4,    0,    'n',  'i',  'c',  '0',  9,    0,    1,    0,
               9,    0,    0,    0,    0,    0,    0,    0,    40,   0,    0,    0};

}  // namespace

TEST_CASE("a capture's octets") {
    Scratch scratch;
    test::FakeHost host;
    host.time = 0x1122334455667788;
    open(host, scratch.file())->add(Direction::out, kFrame);
    auto expected = kHeader;
    const std::vector<std::uint8_t> packet = {6,  0, 0,    0,    108,  0,    0,    0,    0,    0,
                                              0,  0, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55,
                                              61, 0, 0,    0,    61,   0,    0,    0};
    expected.insert(expected.end(), packet.begin(), packet.end());
    expected.insert(expected.end(), 61, 0xab);
    expected.insert(expected.end(), {0, 0, 0, 2, 0, 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 108, 0, 0, 0});
    CHECK(scratch.content() == expected);
}

TEST_CASE("frames reach the file when it is flushed, and when many came") {
    Scratch scratch;
    test::FakeHost host;
    const auto capture = open(host, scratch.file());
    capture->add(Direction::in, kFrame);
    CHECK(scratch.content().empty());
    capture->flush();
    CHECK(scratch.content().size() == kHeader.size() + 108);
    for (int i = 0; i < 10'000; ++i) capture->add(Direction::in, kFrame);
    CHECK(scratch.content().size() > 700'000);
}

TEST_CASE("a full disk ends a capture, with a line that names the file") {
    test::FakeHost host;
    const auto capture = open(host, "/dev/full");
    capture->add(Direction::in, kFrame);
    CHECK_FALSE(capture->ended());
    capture->flush();
    CHECK(capture->ended());
    CHECK(host.logged("capture: /dev/full cannot be written (No space left on device)"));
    capture->add(Direction::in, kFrame);
    capture->flush();
    CHECK(host.lines.size() == 1);
}

TEST_CASE("a pipe that nobody empties ends a capture; the machine does not wait for it") {
    Scratch scratch;
    test::FakeHost host;
    REQUIRE(mkfifo(scratch.file().c_str(), 0600) == 0);
    CHECK_FALSE(Capture::open(host, scratch.file(), "nic0"));  // no reader at all
    const int reader = ::open(scratch.file().c_str(), O_RDONLY | O_NONBLOCK);
    const auto capture = open(host, scratch.file());
    for (int i = 0; i < 10'000 && !capture->ended(); ++i) capture->add(Direction::in, kFrame);
    CHECK(capture->ended());
    ::close(reader);
}

TEST_CASE("a file that cannot be made is one line") {
    test::FakeHost host;
    const auto capture = Capture::open(host, "/no/such/folder", "nic0");
    REQUIRE_FALSE(capture);
    CHECK(capture.error() == "capture=/no/such/folder: No such file or directory");
}
