// What is kept of a sender only once something happened that most connections never see (option metrics.tcp_detail).
#pragma once

#include <cstdint>

#include "probe/tcp/rtt_sketch.h"

namespace probe::tcp {

// Since the last report.
struct RareCounts {
  std::uint32_t keep_alives = 0, window_probes = 0, network_duplicates = 0;
  std::uint32_t congestion_experienced = 0, ece = 0, cwr = 0;
  std::uint32_t sack_blocks = 0, dsacks = 0;                    // sent by this sender
  std::uint32_t timeouts = 0, recoveries = 0, tail_probes = 0;  // kinds of its retransmissions
  std::uint32_t spurious_by_ack = 0, spurious_by_dsack = 0, spurious_by_timestamp = 0;
  std::uint32_t window_full = 0;  // times it filled the window that its peer announced
  std::uint32_t reordered = 0, reordered_by_timestamp = 0, reordered_most_packets = 0, reordered_most_us = 0;
  std::uint64_t reordered_us = 0;
  std::uint32_t more_samples = 0;      // of round trips, beyond those in RttStatistics
  std::uint32_t unseen_responses = 0;  // of the other side, which is not seen
  std::uint64_t unseen_responses_us = 0;
};

struct Rarities {
  RareCounts counts;

  // The last octets that were sent again with a timestamp of their own, while no acknowledgement has told which copy
  // arrived (Sending::repeat_open).
  std::uint32_t repeat_end = 0, repeat_us = 0, repeat_timestamp = 0;
  bool repeat_can_be_spurious = false;

  std::uint32_t duplicate_ack_us = 0;  // when the last one for its data passed
  std::uint32_t sacked = 0;            // highest octet of its data that a SACK block covered
  bool duplicate_ack_seen = false, sacked_known = false;
  std::uint32_t asked_us = 0;  // when it sent what the last of these answered

  RttCounts round_trips;

  Rarities() {}  // leaves alone what is only read after it has been written
};

}  // namespace probe::tcp
