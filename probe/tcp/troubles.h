// What is kept of a sender only once something went wrong: most connections need none of it.
#pragma once

#include <array>
#include <cstdint>

#include "probe/tcp/holes.h"

namespace probe::tcp {

// What happened to the segments of one sender since the last report. Octets are payload: SYN and FIN are not counted.
struct SenderTroubles {
  std::uint32_t retransmitted_packets = 0;  // all of them: seen twice, repeated SYN or FIN, holes filled by a repeat
  std::uint64_t retransmitted_octets = 0;
  std::uint32_t before_probe_packets = 0;  // of these: the first copy never passed the probe
  std::uint32_t spurious_packets = 0;      // of these: the receiver had the octets already
  std::uint32_t out_of_order_packets = 0;
  std::uint32_t duplicate_acks = 0;       // sent by this sender (RFC 5681 §2)
  std::uint32_t zero_windows = 0;         // times this sender closed its receive window
  std::uint64_t capture_loss_octets = 0;  // acknowledged by the other side, never seen
};

struct Troubles {
  static constexpr unsigned kRepeats = 8;

  SenderTroubles measures;
  Holes holes;
  // Where retransmissions begin whose first copy passed the probe and which were not known to be needless when they
  // passed: a later DSACK (RFC 2883) may tell. A few are enough, since it comes a round trip later. The tracker counts
  // them.
  std::array<std::uint32_t, kRepeats> repeated;
  std::uint8_t next_repeat = 0;

  Troubles() {}  // leaves alone what is only read after it has been written
};

}  // namespace probe::tcp
