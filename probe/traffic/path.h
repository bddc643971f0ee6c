// What ICMP tells of a flow: errors about its packets, and its own echoes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "probe/packet/quote.h"
#include "probe/traffic/black_hole.h"
#include "probe/traffic/echo.h"

namespace probe::traffic {

// About the packets of one sender.
struct IcmpErrors {
  std::array<std::uint32_t, kIcmpErrors> counts{};  // by IcmpError
  std::uint16_t type_code = 0;                      // of the first
  bool any = false;
  std::uint32_t mtu = 0;  // least that was told; 0: none was

  std::uint32_t count(IcmpError e) const { return counts[static_cast<std::size_t>(e)]; }
  void add(const Quote& q) {
    if (!any) type_code = q.type_code;
    any = true;
    ++counts[static_cast<std::size_t>(q.error)];
    if (q.mtu > 0) mtu = mtu == 0 ? q.mtu : std::min(mtu, q.mtu);
  }
};

// Made for flows that need it: ICMP flows with echoes, and others that there was an error about.
struct PathMeasures {
  std::array<IcmpErrors, 2> errors;  // by who sent the packets
  std::array<Echoes, 2> echoes;      // by who sent the requests
  std::array<BlackHole, 2> black_holes;

  // What is suspicious of a path stays so.
  void start_interval() {
    errors = {};
    for (Echoes& e : echoes) e.start_interval();
  }
};

}  // namespace probe::traffic
