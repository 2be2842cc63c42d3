// SPDX-License-Identifier: GPL-2.0-or-later
#include "setup/decompress.h"

#include <array>

namespace vrnic::setup {
namespace {

struct Decompressor {
    std::string_view suffix;
    std::vector<std::string> command;
};

const std::array<Decompressor, 4>& decompressors() {
    static const std::array<Decompressor, 4> known = {{
        {".zst", {"zstd", "-d", "-q", "--rm"}},
        {".xz", {"xz", "-d"}},
        {".lz4", {"lz4", "-d", "-q", "-m", "--rm"}},
        {".gz", {"gzip", "-d"}},
    }};
    return known;
}

}  // namespace

Result<void> decompress_in_place(const Context& context,
                                 const std::vector<std::filesystem::path>& files) {
    for (const auto& tool : decompressors()) {
        auto argv = tool.command;
        for (const auto& file : files)
            if (file.string().ends_with(tool.suffix)) argv.push_back(file);
        if (argv.size() == tool.command.size()) continue;
        if (auto done = context.run(argv, "decompress"); !done) return done;
    }
    return {};
}

}  // namespace vrnic::setup
