// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vrnic::runner {

struct CatchCase {
    std::string name;
    bool passed = false;
    std::chrono::duration<double> time{};
    std::string message;
};

// Reads what Catch2's xml reporter writes, while it is written.
class CatchXml {
  public:
    explicit CatchXml(std::function<void(CatchCase)> on_case);

    // Takes what was added to the file since the last call.
    void read_more(const std::filesystem::path& file);

    // The case that has begun and not ended; empty between cases.
    [[nodiscard]] const std::string& running() const { return case_.name; }
    [[nodiscard]] std::size_t count() const { return count_; }
    [[nodiscard]] std::size_t failures() const { return failures_; }
    // The reporter wrote its end: the process did not break down under way.
    [[nodiscard]] bool finished() const { return finished_; }

  private:
    void begin_element(const std::string& name, const char** keys, const char** values);
    void end_element(const std::string& name);
    void text(std::string_view text);
    void add_message(std::string line);

    std::function<void(CatchCase)> on_case_;
    std::unique_ptr<GMarkupParseContext, decltype(&g_markup_parse_context_unref)> parser_;
    std::uintmax_t position_ = 0;
    CatchCase case_;
    std::string where_;  // "file:line" of the failing expression
    std::string text_;   // of the innermost element
    std::size_t count_ = 0;
    std::size_t failures_ = 0;
    bool finished_ = false;
};

}  // namespace vrnic::runner
