// What the headers of a TCP connection tell about the network, seen from the middle of the path (docs/METRICS.md).
#pragma once

#include <array>
#include <cstdint>

#include "probe/packet/packet.h"

namespace probe::tcp {

// Which endpoint sent: 0 the lower one of the flow's key, 1 the higher one. Who is the initiator does not matter here.
using Sender = unsigned;

// Round-trip times between the probe and one endpoint, since the last report.
struct RttStatistics {
  std::uint32_t count = 0;
  std::uint32_t min_us = 0, max_us = 0;
  double mean_us = 0, squares = 0;  // Welford: squares = sum of squared deviations from the mean
  void add(Nanos sample);
  std::uint32_t standard_deviation_us() const;
};

// What happened to the segments of one sender since the last report.
struct SenderMeasures {
  std::uint32_t retransmitted_packets = 0;   // all of them: seen twice, repeated SYN or FIN, holes filled by a retransmission
  std::uint64_t retransmitted_octets = 0;
  std::uint32_t before_probe_packets = 0;    // of these: the first copy never passed the probe
  std::uint32_t spurious_packets = 0;        // of these: the receiver had the octets already
  std::uint32_t out_of_order_packets = 0;
  std::uint32_t duplicate_acks = 0;          // sent by this sender (RFC 5681 §2)
  std::uint32_t zero_windows = 0;            // times this sender closed its receive window
  std::uint64_t capture_loss_octets = 0;     // acknowledged by the other side, never seen
  std::uint32_t window_min = 0;              // least receive window announced, scaled
  bool window_known = false;                 // a window was seen whose scale is known
  std::uint8_t flags = 0;                    // control bits, or-ed
};

// What a segment was, for those who follow the payload.
enum class Verdict : std::uint8_t {
  no_data,     // nothing that takes sequence space
  fresh,       // octets not seen before, behind all that was seen
  early,       // fresh, but octets before it are missing
  late,        // fills a hole: reordered, or a retransmission of what was lost before the probe
  repeated,    // all of its octets were seen before
  keep_alive,  // RFC 9293 §3.8.4
  duplicate,   // the same packet again, made by the network or the SPAN port
};

class Tracker {
 public:
  Verdict on_segment(const Packet&, Sender);

  const SenderMeasures& measures(Sender s) const;
  const RttStatistics& rtt(Sender s) const;  // between the probe and endpoint s
  // Handshake round trips (microseconds resolution of the caller's choice); kUnknown if not seen or not trustworthy.
  static constexpr Nanos kUnknown = -1;
  Nanos handshake_rtt(Sender s) const;
  // Best estimate of the network round trip between the probe and endpoint s now: the least recent sample, else the handshake's.
  Nanos network_rtt(Sender s) const;
  std::uint16_t maximum_segment(Sender s) const;  // MSS option of its SYN, 0 if none

  // The sender of the SYN (or the receiver of a SYN-ACK), -1 if the start was not seen.
  int initiator() const;
  bool closed() const;        // both FINs seen and acknowledged, or a RST
  bool end_seen() const;      // a FIN of both sides, or a RST: the flow lingers and ends
  std::uint32_t quality() const;  // bits of probe/base/quality.h

  // Next sequence number that `s` has not sent yet, and highest one that its peer has acknowledged.
  std::uint32_t top(Sender s) const;
  std::uint32_t acknowledged(Sender s) const;
  bool acknowledged_known(Sender s) const;
  // Last time a repeated or late copy of `s`'s data passed; kNever before that.
  static constexpr Nanos kNever = -(Nanos{1} << 62);
  Nanos last_repeat(Sender s) const;

  // Starts the next interval: measures and RTT statistics begin anew, the state of the connection stays.
  void start_interval();
};

}  // namespace probe::tcp
