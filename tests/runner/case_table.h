// SPDX-License-Identifier: GPL-2.0-or-later
// A table whose rows are cases: each is told, timed and chosen by its name.
#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "unit/catch.h"

namespace vrnic::runner_test {

template <const auto& rows, auto judge>
class CaseTable {
  public:
    // prefix: of the cases' names; a row has its own in `name`.
    explicit CaseTable(const std::string& prefix) {
        add(prefix, std::make_index_sequence<rows.size()>());
    }

  private:
    template <std::size_t row>
    static void judge_row() {
        judge(rows[row]);
    }
    template <std::size_t... row>
    static void add(const std::string& prefix, std::index_sequence<row...>) {
        (Catch::AutoReg(Catch::makeTestInvoker(&judge_row<row>), CATCH_INTERNAL_LINEINFO,
                        Catch::StringRef(), Catch::NameAndTags{prefix + rows[row].name, ""}),
         ...);
    }
};

}  // namespace vrnic::runner_test
