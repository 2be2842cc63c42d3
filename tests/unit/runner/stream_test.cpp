// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/stream.h"

#include <vector>

#include "base/socket_pair.h"
#include "unit/catch.h"

namespace vrnic::runner {

TEST_CASE("lines are cut wherever their bytes were cut") {
    std::vector<std::string> lines;
    LineCutter cutter([&](std::string_view line) { lines.emplace_back(line); }, 8);
    for (const char* part : {"on", "e\n\ntwo\nth", "ree"}) cutter.take(part);
    CHECK(lines == std::vector<std::string>{"one", "", "two"});
    cutter.finish();
    CHECK(lines.back() == "three");
    cutter.finish();
    CHECK(lines.size() == 4);
    cutter.take("123456789\n");
    CHECK(lines[4] == "12345678");
    CHECK(lines[5] == "9");
}

TEST_CASE("a stream sends more than a socket holds, and sees its end") {
    EventLoop loop;
    auto pair = make_socket_pair();
    REQUIRE(pair);
    std::size_t received = 0;
    Stream reader(std::move(pair->second),
                  [&](std::string_view bytes) { received += bytes.size(); });
    const std::string much(3'000'000, 'x');
    {
        Stream writer(std::move(pair->first), [](std::string_view) {});
        writer.send(much);
        CHECK(writer.unsent() > 0);
        const auto deadline = Clock::now() + std::chrono::seconds(10);
        CHECK(loop.wait([&] { return received == much.size(); }, deadline) ==
              EventLoop::Woken::condition);
    }
    const auto deadline = Clock::now() + std::chrono::seconds(10);
    CHECK(loop.wait([&] { return reader.closed(); }, deadline) == EventLoop::Woken::condition);
}

TEST_CASE("waiting ends at its deadline") {
    EventLoop loop;
    const auto begin = Clock::now();
    CHECK(loop.wait([] { return false; }, begin + std::chrono::milliseconds(50)) ==
          EventLoop::Woken::deadline);
    CHECK(Clock::now() - begin >= std::chrono::milliseconds(50));
}

}  // namespace vrnic::runner
