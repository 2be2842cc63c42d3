// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/qmp.h"

namespace vrnic::runner {

Qmp::Qmp(UniqueFd fd, OnEvent on_event)
    : on_event_(std::move(on_event)),
      lines_([this](std::string_view line) { on_line(line); }, 1024 * 1024),
      stream_(std::move(fd), [this](std::string_view bytes) { lines_.take(bytes); }) {
    stream_.send(R"({"execute":"qmp_capabilities"})"
                 "\n");
}

void Qmp::on_line(std::string_view line) {
    const Json message = Json::parse(line, nullptr, false);
    if (!message.is_object()) return;
    if (message.contains("event"))
        on_event_(message["event"].get<std::string>(), message.value("data", Json::object()));
    if (message.contains("id")) answers_[message["id"].get<std::uint64_t>()] = message;
}

Result<Qmp::Json> Qmp::execute(EventLoop& loop, const std::string& command, const Json& arguments,
                               Deadline deadline) {
    const std::uint64_t id = next_id_++;
    stream_.send(Json{{"execute", command}, {"arguments", arguments}, {"id", id}}.dump() + "\n");
    const auto woken =
        loop.wait([&] { return answers_.contains(id) || stream_.closed(); }, deadline);
    if (woken == EventLoop::Woken::interrupted) return fail(ExitStatus::interrupted, "interrupted");
    if (woken == EventLoop::Woken::deadline)
        return fail(ExitStatus::timeout, "QEMU did not answer {}", command);
    if (!answers_.contains(id))
        return fail(ExitStatus::qemu_died, "QEMU ended before it answered {}", command);
    const Json answer = std::move(answers_.extract(id).mapped());
    if (answer.contains("return")) return answer["return"];
    return fail(ExitStatus::failure, "QEMU refused {}: {}", command,
                answer.value("error", Json::object()).value("desc", "no reason given"));
}

}  // namespace vrnic::runner
