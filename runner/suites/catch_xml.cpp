// SPDX-License-Identifier: GPL-2.0-or-later
#include "suites/catch_xml.h"

#include <cstdlib>
#include <fstream>
#include <string_view>
#include <utility>

namespace vrnic::runner {
namespace {

std::string attribute(const char** keys, const char** values, std::string_view wanted) {
    for (; *keys != nullptr; ++keys, ++values) {
        if (*keys == wanted) return *values;
    }
    return {};
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \n\t");
    if (first == std::string::npos) return {};
    return text.substr(first, text.find_last_not_of(" \n\t") - first + 1);
}

}  // namespace

CatchXml::CatchXml(std::function<void(CatchCase)> on_case)
    : on_case_(std::move(on_case)), parser_(nullptr, g_markup_parse_context_unref) {
    static constexpr GMarkupParser callbacks{
        .start_element =
            [](GMarkupParseContext*, const char* name, const char** keys, const char** values,
               void* self,
               GError**) { static_cast<CatchXml*>(self)->begin_element(name, keys, values); },
        .end_element = [](GMarkupParseContext*, const char* name, void* self,
                          GError**) { static_cast<CatchXml*>(self)->end_element(name); },
        .text =
            [](GMarkupParseContext*, const char* text, gsize size, void* self, GError**) {
                static_cast<CatchXml*>(self)->text({text, size});
            },
        .passthrough = nullptr,
        .error = nullptr,
    };
    parser_.reset(g_markup_parse_context_new(&callbacks, GMarkupParseFlags(0), this, nullptr));
}

void CatchXml::read_more(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    in.seekg(static_cast<std::streamoff>(position_));
    std::string bytes(std::istreambuf_iterator<char>(in), {});
    position_ += bytes.size();
    // Broken XML ends the reading; the missing end tells.
    g_markup_parse_context_parse(parser_.get(), bytes.data(), static_cast<gssize>(bytes.size()),
                                 nullptr);
}

void CatchXml::begin_element(const std::string& name, const char** keys, const char** values) {
    text_.clear();
    const std::string line = attribute(keys, values, "line");
    if (!line.empty()) where_ = attribute(keys, values, "filename") + ":" + line;
    if (name == "TestCase") case_ = {.name = attribute(keys, values, "name")};
    if (name == "OverallResult") {
        case_.passed = attribute(keys, values, "success") == "true";
        case_.time = std::chrono::duration<double>(
            std::strtod(attribute(keys, values, "durationInSeconds").c_str(), nullptr));
    }
}

void CatchXml::end_element(const std::string& name) {
    if (name == "Original") add_message(where_ + ": " + trimmed(text_));
    if (name == "Expanded") add_message("  with " + trimmed(text_));
    if (name == "Info" || name == "Warning") add_message("  " + trimmed(text_));
    if (name == "Failure" || name == "Exception" || name == "FatalErrorCondition")
        add_message(where_ + ": " + trimmed(text_));
    if (name == "TestCase") {
        ++count_;
        if (!case_.passed) ++failures_;
        if (case_.passed) case_.message.clear();
        on_case_(std::exchange(case_, {}));
    }
    if (name == "Catch" || name == "Catch2TestRun") finished_ = true;
    text_.clear();
}

void CatchXml::text(std::string_view text) {
    text_ += text;
}

void CatchXml::add_message(std::string line) {
    constexpr std::size_t enough = 4096;
    if (case_.message.size() > enough) return;
    case_.message += (case_.message.empty() ? "" : "\n") + line;
}

}  // namespace vrnic::runner
