// The data of one sender and how its receiver takes it: what is in flight, the window, what the sender waits for, and
// the round trips of it (option metrics.tcp_detail).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "probe/packet/packet.h"
#include "probe/tcp/rarities.h"
#include "probe/tcp/rtt_sketch.h"

namespace probe::tcp {

// What a sender waits for (docs/METRICS.md). `pause`: all is acknowledged; only the next data tells whether there was
// more to send.
enum class Limit : std::uint8_t { congestion, application, receiver, pause };

// The SYN or SYN-ACK of a sender, as it came first.
struct SynSeen {
  std::uint64_t option_order = 0;  // as in TcpHeader
  std::uint32_t time_us = 0;
  std::uint16_t window = 0, maximum_segment = 0;
  std::uint16_t repeats = 0;
  std::uint8_t ttl = 0, window_scale = 0, flags = 0;
  TcpHeader::FastOpen fast_open = TcpHeader::FastOpen::none;
  bool seen : 1 = false, has_window_scale : 1 = false, has_data : 1 = false;
  bool own_timestamp_zero : 1 = false, echo_set : 1 = false;  // if it has timestamps
  unsigned char spare : 3 = 0;                                // so that a new one is written without being read

  void remember(const Packet&);
};

// When a sender reset the connection.
enum class ResetPhase : std::uint8_t { none, handshake, before_data, after_data, after_fin };

// An ordinary segment with data touches the first cache line of its sender, its acknowledgement the first two.
struct alignas(64) Sending {
  static constexpr std::uint32_t kUnknownWindow = UINT32_MAX;
  static constexpr std::uint16_t kUsualSegment = 1460;

  // Sums of this interval: what they pass on is counted in `carried`.
  enum Carry { kCongestion, kApplication, kReceiver, kInFlight, kWindow, kAcknowledged, kCarries };

  std::uint32_t event_us = 0;  // last segment or acknowledgement of new data
  std::array<std::uint32_t, 3> limited_us{};
  std::uint32_t in_flight_most = 0, in_flight_sum = 0;
  std::uint32_t segments = 0;  // with new data, ever
  std::uint32_t window_most = 0, window_sum = 0, windows = 0;
  std::uint32_t acknowledged = 0;
  std::uint32_t smoothed_us_8 = 0, variation_us_4 = 0;  // RFC 6298, eighths and quarters
  std::uint16_t full_segment = kUsualSegment;
  std::uint16_t last_timestamp = 0;  // lower half of the latest TSval, if it sends any
  Limit limit = Limit::pause;
  bool started : 1 = false;      // there was data
  bool drained : 1 = false;      // its last segment says that there was no more
  bool repeat_open : 1 = false;  // see Rarities
  bool pushed : 1 = false;       // its last segment was
  bool interrupted : 1 = false;  // an interval ended since `event_us`
  unsigned char spare : 3 = 0;   // so that a new one is written without being read
  RttSketch round_trips;

  std::array<std::uint16_t, kCarries> carried{};
  std::uint32_t interval_segments = 0;  // `segments` when the interval began
  Rarities* rarities = nullptr;
  SynSeen syn;
  std::uint32_t path_rtt_us = 0;  // SYN of its peer to the next segment of that, 0: not known
  ResetPhase reset_phase = ResetPhase::none;

  // New data has passed, and now this much is in flight. `own_rtt_us`: between the probe and the sender.
  template <class Rtt>
  void sent(std::uint32_t octets, bool push, std::uint32_t in_flight, std::uint32_t window, std::uint32_t now_us,
            Rtt own_rtt_us) {
    ++segments;
    charge(now_us, own_rtt_us);
    started = true;
    drained = push && is_short(octets);
    pushed = push;
    add(kInFlight, in_flight_sum, in_flight);
    if (in_flight > in_flight_most) in_flight_most = in_flight;
    limit = limit_with(in_flight, window);
  }

  // New data was acknowledged, and this much is still in flight. `tells`: by what announces a window, not by a SYN.
  void answered(std::uint32_t octets, std::uint32_t in_flight, std::uint32_t window, bool tells, std::uint32_t now_us) {
    add(kAcknowledged, acknowledged, octets);
    if (window != kUnknownWindow && tells) {
      add(kWindow, window_sum, window);
      ++windows;
    }
    window_changed(in_flight, window, now_us);
  }

  void window_changed(std::uint32_t in_flight, std::uint32_t window, std::uint32_t now_us) {
    if (window != kUnknownWindow && window > window_most) window_most = window;
    if (!started) return;
    const Limit next = limit_with(in_flight, window);
    if (limit != Limit::pause || next != Limit::pause) charge(now_us, [] { return 0u; });
    limit = next;
  }

  // Waiting for what is sent again is waiting for the network.
  void repeated(std::uint32_t now_us) {
    if (!started) return;
    limit = Limit::congestion;
    charge(now_us, [] { return 0u; });
  }

  // It will send no more.
  void finished(std::uint32_t now_us) {
    if (!started) return;
    charge(now_us, [] { return 0u; });
    drained = true;
  }

  // RFC 6298 §2.2, §2.3.
  void smooth(std::uint32_t us) {
    if (us > kMostSmoothed) us = kMostSmoothed;
    if (smoothed_us_8 == 0) {
      smoothed_us_8 = us << 3;
      variation_us_4 = us << 1;
      return;
    }
    const std::uint32_t smoothed = smoothed_us_8 >> 3, deviation = us > smoothed ? us - smoothed : smoothed - us;
    variation_us_4 += deviation - (variation_us_4 >> 2);
    smoothed_us_8 += us - smoothed;
  }

  std::uint64_t sum(Carry c, std::uint32_t low) const { return std::uint64_t{carried[c]} << 32 | low; }
  void start_interval();
  void begin_again();

 private:
  static constexpr std::uint32_t kMostSmoothed = UINT32_MAX >> 4;

  void add(Carry c, std::uint32_t& low, std::uint32_t more) {
    low += more;
    if (low < more) ++carried[c];
  }
  // Not a whole number of full segments, as offloading may have merged them.
  bool is_short(std::uint32_t octets) const {
    return octets < full_segment || (octets > full_segment && octets % full_segment != 0);
  }
  Limit limit_with(std::uint32_t in_flight, std::uint32_t window) const {
    if (window != kUnknownWindow && in_flight + full_segment > window) return Limit::receiver;
    if (drained) return Limit::application;
    return in_flight == 0 ? Limit::pause : Limit::congestion;
  }

  // The time since the last event goes to what was waited for. After a pause what came now had been waiting at the
  // sender only for as long as the acknowledgement took to get there and the data back.
  template <class Rtt>
  void charge(std::uint32_t now_us, Rtt own_rtt_us) {
    const std::uint32_t passed = now_us - event_us;
    if (started && static_cast<std::int32_t>(passed) < 0) return;  // out of order in the capture
    event_us = now_us;
    if (!started) return;
    if (interrupted) {  // no record has the time between the last packet of one and the first of the next
      interrupted = false;
      return;
    }
    if (limit != Limit::pause) return charge_to(limit, passed);
    const std::uint32_t way = own_rtt_us(), waited = passed < way ? passed : way;
    charge_to(Limit::congestion, waited);
    charge_to(Limit::application, passed - waited);
  }
  void charge_to(Limit l, std::uint32_t us) {
    const auto i = static_cast<std::size_t>(l);
    add(static_cast<Carry>(i), limited_us[i], us);
  }
};

static_assert(offsetof(Sending, round_trips) == 58 && sizeof(Sending) == 64 * 3);

}  // namespace probe::tcp
