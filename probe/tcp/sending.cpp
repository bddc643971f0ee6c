#include "probe/tcp/sending.h"

#include <memory>

namespace probe::tcp {

void SynSeen::remember(const Packet& p) {
  const TcpHeader& t = p.tcp;
  option_order = t.option_order;
  time_us = static_cast<std::uint32_t>(p.time / kMicrosecond);
  window = t.window;
  maximum_segment = t.maximum_segment;
  ttl = p.ttl;
  window_scale = t.window_scale;
  flags = t.flags;
  fast_open = t.fast_open;
  has_window_scale = t.has_window_scale;
  has_data = p.payload_length != 0;
  own_timestamp_zero = t.has_timestamps && t.timestamp_value == 0;
  echo_set = t.has_timestamps && t.timestamp_echo != 0;
  seen = true;
}

void Sending::start_interval() {
  limited_us = {};
  in_flight_most = in_flight_sum = 0;
  window_most = window_sum = windows = 0;
  acknowledged = 0;
  carried = {};
  interval_segments = segments;
  interrupted = true;
  syn.repeats = 0;
  round_trips.clear();
  if (!rarities) return;
  rarities->counts = {};
  rarities->round_trips.clear();
}

// Another connection: what was counted of the one before it stays.
void Sending::begin_again() {
  limit = Limit::pause;
  started = drained = repeat_open = interrupted = false;
  smoothed_us_8 = variation_us_4 = 0;
  full_segment = kUsualSegment;
  syn = {};
  reset_phase = ResetPhase::none;
  path_rtt_us = 0;
  if (rarities) rarities->duplicate_ack_seen = rarities->sacked_known = false;
}

}  // namespace probe::tcp
