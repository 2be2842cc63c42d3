// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/kallsyms.h"

#include "unit/catch.h"

namespace vrnic::runner {

TEST_CASE("a kernel's functions are found among all its symbols") {
    const auto found = kernel_functions(
        "0000000000000000 A fixed_percpu_data\n"
        "ffffffff81000040 T start_kernel\n"
        "ffffffff81000000 T _stext\n"
        "ffffffff81000080 t helper\n"
        "ffffffff81000090 t helper\n"
        "ffffffff82000000 D some_data\n"
        "ffffffffc0001000 t helper_of_module\t[vrnic]\n"
        "ffffffff810000a0 W weak.part.0\n"
        "nonsense\n");
    REQUIRE(found.size() == 4);
    CHECK(found[0].name == "_stext");
    CHECK(found[1].name == "start_kernel");
    CHECK(found[2].address == 0xffffffff81000080);
    CHECK(found[3].name == "weak.part.0");
}

TEST_CASE("symbols keep their distances") {
    const auto text =
        symbols_assembly({{0xffffffff81000000, "_stext"}, {0xffffffff81000040, "go"}});
    CHECK(text.find(".set go, .Lfirst + 0x40\n") != std::string::npos);
    CHECK(text.find(".skip 0x41\n") != std::string::npos);
    CHECK(symbols_assembly({}).empty());
}

}  // namespace vrnic::runner
