// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/qmp.h"

#include <stdexcept>

namespace vrnic::device_test {

void Qmp::greet() {
    socket_.line();
    command("qmp_capabilities");
}

Json Qmp::answer(const std::string& name, const Json& arguments) {
    socket_.send(Json{{"execute", name}, {"arguments", arguments}}.dump() + "\n");
    for (;;) {
        Json message = Json::parse(socket_.line());
        if (!message.contains("event")) return message;
        events_.push_back(std::move(message));
    }
}

Json Qmp::command(const std::string& name, const Json& arguments) {
    const Json message = answer(name, arguments);
    if (message.contains("error"))
        throw std::runtime_error(name + ": " + message["error"]["desc"].get<std::string>());
    return message.at("return");
}

std::string Qmp::error_of(const std::string& name, const Json& arguments) {
    const Json message = answer(name, arguments);
    return message.contains("error") ? message["error"]["desc"].get<std::string>() : std::string{};
}

Json Qmp::event(const std::string& name) {
    for (;;) {
        while (!events_.empty()) {
            Json next = std::move(events_.front());
            events_.pop_front();
            if (next.at("event") == name) return next;
        }
        events_.push_back(Json::parse(socket_.line()));
    }
}

}  // namespace vrnic::device_test
