// SPDX-License-Identifier: GPL-2.0-or-later
// Keeps the engine as fast as it is: instructions can be counted on any machine, however busy.
#include <glib.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "unit/catch.h"

namespace {

constexpr double most_growth = 1.10;

struct Free {
    void operator()(char* text) const { g_free(text); }
};
using Text = std::unique_ptr<char, Free>;

std::uint64_t first_number(const std::string& text, const char* pattern) {
    std::smatch found;
    if (!std::regex_search(text, found, std::regex(pattern)))
        FAIL("no /" << pattern << "/ in\n" << text);
    return std::stoull(found[1].str());
}

struct Beside {
    const char* qps = "1";  // active
    const char* batch = "0";
    const char* idle_qps = "0";
    const char* idle_regions = "0";
};

// For one message, both engines together.
double count_instructions(const std::string& operation, std::uint32_t bytes, Beside beside = {}) {
    const std::string size = std::to_string(bytes), messages = bytes > 65536 ? "16" : "6400";
    const char* argv[] = {"valgrind",
                          "--tool=callgrind",
                          "--callgrind-out-file=/dev/null",
                          "--toggle-collect=*carry_measured*",
                          VRNIC_ENGINE_BENCH,
                          "--operations",
                          operation.c_str(),
                          "--sizes",
                          size.c_str(),
                          "--messages",
                          messages.c_str(),
                          "--qps",
                          beside.qps,
                          "--batch",
                          beside.batch,
                          "--idle-qps",
                          beside.idle_qps,
                          "--idle-regions",
                          beside.idle_regions,
                          nullptr};
    char* out = nullptr;
    char* err = nullptr;
    GError* error = nullptr;
    gint status = 0;
    g_spawn_sync(nullptr, const_cast<char**>(argv), nullptr, G_SPAWN_SEARCH_PATH, nullptr, nullptr,
                 &out, &err, &status, &error);
    const Text printed(out), told(err);
    if (error) FAIL(error->message);
    INFO(told.get());
    REQUIRE(status == 0);
    return static_cast<double>(first_number(told.get(), R"(Collected : (\d+))")) /
           static_cast<double>(first_number(printed.get(), R"((\d+) messages)"));
}

}  // namespace

TEST_CASE("no message takes more instructions than it did") {
    std::ifstream file(VRNIC_SOURCE_DIR "/tests/bench/engine/instructions.json");
    const auto table = nlohmann::json::parse(file);
    REQUIRE_FALSE(table.at("messages").empty());
    for (const auto& row : table.at("messages")) {
        const auto operation = row.at("operation").get<std::string>();
        const auto bytes = row.at("bytes").get<std::uint32_t>();
        const auto before = row.at("instructions").get<double>();
        const double now = count_instructions(operation, bytes);
        INFO(operation << " of " << bytes << " bytes: " << now << " instructions a message, "
                       << before << " in instructions.json");
        CHECK(now <= before * most_growth);
        CHECK(now > 100);  // something was counted
    }
}

TEST_CASE("idle queue pairs and regions cost a message nothing") {
    for (const char* operation : {"write", "send", "read"}) {
        const double alone = count_instructions(operation, 64);
        const double beside =
            count_instructions(operation, 64, {.idle_qps = "1000", .idle_regions = "10000"});
        INFO(operation << ": " << alone << " instructions alone, " << beside << " beside others");
        CHECK(beside <= alone * 1.05);
    }
}

// Most of them wait for the wire, which takes 64 packets at a time.
TEST_CASE("thousands of queue pairs that all have something to send cost no more each") {
    for (const char* operation : {"write", "send", "read"}) {
        const double alone = count_instructions(operation, 64, {.batch = "1"});
        const double many = count_instructions(operation, 64, {.qps = "3000", .batch = "1"});
        INFO(operation << ": " << alone << " instructions alone, " << many << " with 3000 others");
        CHECK(many <= alone * 1.25);
    }
}
