// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/switch.h"

#include <algorithm>

namespace vrnic::runner {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t ethernet_header = 14;
constexpr std::size_t longest_frame = 68 * 1024;  // QEMU's own limit (NET_BUFSIZE)
constexpr std::size_t most_unsent = 4 * 1024 * 1024;
constexpr std::size_t most_learned = 1024;

std::uint32_t big_endian_length(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

}  // namespace

void Switch::add_port(UniqueFd fd) {
    const std::size_t number = ports_.size();
    ports_.push_back(std::make_unique<Port>());
    ports_.back()->stream = std::make_unique<Stream>(
        std::move(fd), [this, number](std::string_view bytes) { receive(number, bytes); });
}

void Switch::receive(std::size_t from, std::string_view bytes) {
    std::string& received = ports_[from]->received;
    received += bytes;
    std::size_t used = 0;
    while (received.size() - used >= length_bytes) {
        const std::string_view rest = std::string_view(received).substr(used);
        const std::size_t whole = length_bytes + big_endian_length(rest);
        if (whole > longest_frame) {
            // Framing is lost: nothing after this can be understood.
            ports_[from]->stream.reset();
            return;
        }
        if (rest.size() < whole) break;
        forward(from, rest.substr(0, whole));
        used += whole;
    }
    received.erase(0, used);
}

void Switch::forward(std::size_t from, std::string_view frame_with_length) {
    const std::string_view frame = frame_with_length.substr(length_bytes);
    if (frame.size() < ethernet_header) return;
    Mac destination;
    Mac source;
    std::ranges::copy(frame.substr(0, 6), destination.begin());
    std::ranges::copy(frame.substr(6, 6), source.begin());
    if (learned_.size() < most_learned || learned_.contains(source)) learned_[source] = from;

    const bool group = destination[0] & 1;
    const auto known = learned_.find(destination);
    if (!group && known != learned_.end()) {
        if (known->second != from) send(known->second, frame_with_length);
        return;
    }
    for (std::size_t to = 0; to < ports_.size(); ++to) {
        if (to != from) send(to, frame_with_length);
    }
}

void Switch::send(std::size_t to, std::string_view frame_with_length) {
    Stream* stream = ports_[to]->stream.get();
    if (stream == nullptr || stream->unsent() > most_unsent) {
        ++dropped_;
        return;
    }
    stream->send(frame_with_length);
}

}  // namespace vrnic::runner
