// SPDX-License-Identifier: GPL-2.0-or-later
#include "vm/switch.h"

#include <memory>
#include <vector>

#include "base/socket_pair.h"
#include "unit/catch.h"

namespace vrnic::runner {
namespace {

// Machines on the switch: what each one received.
class Network {
  public:
    explicit Network(std::size_t machines) : received_(machines) {
        for (std::size_t i = 0; i < machines; ++i) {
            auto pair = make_socket_pair();
            switch_.add_port(std::move(pair->first));
            ends_.push_back(std::make_unique<Stream>(
                std::move(pair->second), [this, i](std::string_view b) { received_[i] += b; }));
        }
    }

    // A frame between machines by their numbers; 0xff is everybody. `cut` splits the sending.
    void send(std::size_t from, int to, std::size_t cut = 1) {
        std::string frame(60, 'p');
        const auto address = [](int machine) {
            return machine == 0xff ? std::string(6, '\xff')
                                   : std::string("\x52\x54\0\0\0", 5) + static_cast<char>(machine);
        };
        frame.replace(0, 6, address(to));
        frame.replace(6, 6, address(static_cast<int>(from)));
        const std::string bytes = std::string("\0\0\0\x3c", 4) + frame;
        ends_[from]->send(bytes.substr(0, cut));
        settle();
        ends_[from]->send(bytes.substr(cut));
        settle();
    }

    std::vector<std::size_t> frames() const {
        std::vector<std::size_t> counts;
        for (const auto& bytes : received_) counts.push_back(bytes.size() / 64);
        return counts;
    }

  private:
    void settle() {
        (void)loop_.wait([] { return false; }, Clock::now() + std::chrono::milliseconds(20));
    }

    EventLoop loop_;
    Switch switch_;
    std::vector<std::string> received_;
    std::vector<std::unique_ptr<Stream>> ends_;
};

using Counts = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a switch floods what it does not know, and learns") {
    Network network(3);
    network.send(0, 1);
    CHECK(network.frames() == Counts{0, 1, 1});
    network.send(1, 0, 3);  // the length itself comes in two parts
    CHECK(network.frames() == Counts{1, 1, 1});
    network.send(0, 1, 40);
    CHECK(network.frames() == Counts{1, 2, 1});
    network.send(2, 0xff);
    CHECK(network.frames() == Counts{2, 3, 1});
}

}  // namespace vrnic::runner
