// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/cache.h"

#include <sys/wait.h>
#include <unistd.h>

#include "unit/catch.h"
#include "unit/setup/scratch.h"

namespace vrnic::setup {
namespace {

namespace fs = std::filesystem;
using testing::Scratch;

CacheKey key(std::string_view input) {
    return CacheKey("thing").add(input);
}

Result<void> make_file(const Cache::Place& place) {
    return write_text(place.making / "file", place.final.string());
}

}  // namespace

TEST_CASE("a cache key depends on each input and on where one ends") {
    CHECK(key("a").name() == key("a").name());
    CHECK(key("a").name() != key("b").name());
    CHECK(CacheKey("k").add("ab").add("c").name() != CacheKey("k").add("a").add("bc").name());
    CHECK(key("a").name().starts_with("thing-"));
}

TEST_CASE("an entry is made once and then found") {
    Scratch scratch;
    const auto cache = Cache::open();
    REQUIRE(cache);
    int made = 0;
    const auto make = [&](const Cache::Place& place) {
        ++made;
        return make_file(place);
    };
    for (int i = 0; i < 3; ++i) {
        const auto entry = cache->entry(scratch.loop, scratch.progress, key("a"), 1, make);
        REQUIRE(entry);
        CHECK(fs::exists(*entry / "file"));
        CHECK(*read_text(*entry / "file") == entry->string());
    }
    CHECK(made == 1);
}

TEST_CASE("an entry whose making failed is not there, and is made by the next call") {
    Scratch scratch;
    const auto cache = Cache::open();
    REQUIRE(cache);
    const auto failed = cache->entry(scratch.loop, scratch.progress, key("a"), 1,
                                     [](const Cache::Place& place) -> Result<void> {
                                         if (auto done = make_file(place); !done) return done;
                                         return setup_error("no luck");
                                     });
    REQUIRE_FALSE(failed);
    CHECK(failed.error().message == "no luck");
    CHECK(failed.error().status == ExitStatus::setup);
    CHECK_FALSE(fs::exists(cache->root() / key("a").name()));
    CHECK(cache->entry(scratch.loop, scratch.progress, key("a"), 1, make_file));
}

TEST_CASE("what a killed run left is not taken for whole") {
    Scratch scratch;
    const auto cache = Cache::open();
    REQUIRE(cache);
    const pid_t child = ::fork();
    if (child == 0) {
        (void)cache->entry(scratch.loop, scratch.progress, key("a"), 1,
                           [](const Cache::Place& place) -> Result<void> {
                               (void)write_text(place.making / "half", "half");
                               ::kill(::getpid(), SIGKILL);
                               return {};
                           });
        ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    CHECK_FALSE(fs::exists(cache->root() / key("a").name()));

    const auto entry = cache->entry(scratch.loop, scratch.progress, key("a"), 1, make_file);
    REQUIRE(entry);
    CHECK_FALSE(fs::exists(*entry / "half"));
    CHECK(fs::exists(*entry / "file"));
}

TEST_CASE("two processes that want one entry make it once") {
    Scratch scratch;
    const auto cache = Cache::open();
    REQUIRE(cache);
    const fs::path count = scratch.folder() / "count";
    const auto make = [&](const Cache::Place& place) -> Result<void> {
        const auto before = read_text(count);
        ::usleep(300'000);
        if (auto done = write_text(count, (before ? *before : "") + "x"); !done) return done;
        return make_file(place);
    };
    const pid_t child = ::fork();
    if (child == 0) {
        EventLoop loop;
        ::_exit(cache->entry(loop, scratch.progress, key("a"), 1, make) ? 0 : 1);
    }
    CHECK(cache->entry(scratch.loop, scratch.progress, key("a"), 1, make));
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(*read_text(count) == "x");
}

TEST_CASE("too little space is refused before anything is started") {
    Scratch scratch;
    const auto cache = Cache::open();
    REQUIRE(cache);
    bool started = false;
    const auto entry =
        cache->entry(scratch.loop, scratch.progress, key("a"), cache->free_bytes() * 2,
                     [&](const Cache::Place&) -> Result<void> {
                         started = true;
                         return {};
                     });
    REQUIRE_FALSE(entry);
    CHECK_FALSE(started);
    CHECK(entry.error().message.find("VRNIC_CACHE=DIR") != std::string::npos);
}

TEST_CASE("a cache that cannot be written says what to do") {
    Scratch scratch;
    REQUIRE(write_text(scratch.folder() / "file", ""));
    g_setenv("VRNIC_CACHE", (scratch.folder() / "file/below").c_str(), TRUE);
    const auto cache = Cache::open();
    REQUIRE_FALSE(cache);
    CHECK(cache.error().message.find("VRNIC_CACHE=DIR") != std::string::npos);
}

}  // namespace vrnic::setup
