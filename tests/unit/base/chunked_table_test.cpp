// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/chunked_table.h"

#include "unit/catch.h"

using vrnic::ChunkedTable;

namespace {

struct Entry {
    int value = 7;
};

}  // namespace

TEST_CASE("ChunkedTable has what was made, where it was made") {
    ChunkedTable<Entry> table(1000);
    CHECK(table.size() == 1000);
    CHECK(table.find(0) == nullptr);
    Entry& last = table.make(999);
    CHECK(last.value == 7);
    last.value = 1;
    table.make(0).value = 2;
    table.make(300).value = 3;
    CHECK(table.find(999) == &last);
    CHECK(table.find(999)->value == 1);
    CHECK(table.find(0)->value == 2);
    CHECK(&table.make(999) == &last);
    CHECK(table.find(1000) == nullptr);  // in the last chunk's memory, but past the end
    CHECK(table.find(~0u) == nullptr);
}

TEST_CASE("ChunkedTable visits in order and forgets all") {
    ChunkedTable<Entry> table(1000);
    table.make(600).value = 2;
    table.make(5).value = 1;
    std::vector<int> seen;
    table.for_each([&](const Entry& entry) {
        if (entry.value != 7) seen.push_back(entry.value);
    });
    CHECK(seen == std::vector<int>{1, 2});
    table.clear();
    CHECK(table.find(5) == nullptr);
    CHECK(table.make(5).value == 7);
}
