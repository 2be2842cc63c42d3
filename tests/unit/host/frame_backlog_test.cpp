// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/frame_backlog.h"

#include "unit/catch.h"

using vrnic::FrameBacklog;

namespace {
std::vector<std::byte> frame(std::size_t size, int fill) {
    return std::vector<std::byte>(size, static_cast<std::byte>(fill));
}
}  // namespace

TEST_CASE("FrameBacklog keeps frames in order, around its end") {
    FrameBacklog backlog(2, 100);
    CHECK(backlog.empty());
    for (int i = 0; i < 5; ++i) {
        backlog.push(frame(60 + i, i));
        backlog.push(frame(70 + i, i + 100));
        CHECK(backlog.full());
        CHECK(std::ranges::equal(backlog.front(), frame(60 + i, i)));
        backlog.pop();
        CHECK(std::ranges::equal(backlog.front(), frame(70 + i, i + 100)));
        backlog.pop();
        CHECK(backlog.empty());
    }
}

TEST_CASE("FrameBacklog lets a long frame be seen to be too long") {
    FrameBacklog backlog(1, 100);
    backlog.push(frame(5000, 1));
    CHECK(backlog.front().size() == 101);
    backlog.clear();
    CHECK(backlog.empty());
    backlog.push(frame(100, 1));
    CHECK(backlog.front().size() == 100);
}
