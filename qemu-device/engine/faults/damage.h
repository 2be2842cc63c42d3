// SPDX-License-Identifier: GPL-2.0-or-later
// What a bad wire, or a bad memory behind it, does to a RoCE packet.
#pragma once

#include <cstddef>
#include <span>

#include "base/random.h"
#include "faults/rule.h"
#include "roce/parse.h"

namespace vrnic {

// Changes a run of octets, each of them, chosen by chance. packet was made of this frame.
// Not sealed: behind the opcode, headers or payload; the ICRC is then wrong for certain. Sealed: in
// the payload only, and the ICRC is made right again: nothing on the way sees it. False: there is
// nothing that could be changed like that.
bool damage(std::span<std::byte> frame, const roce::Packet& packet, const FaultRule& rule,
            Random& random);

}  // namespace vrnic
