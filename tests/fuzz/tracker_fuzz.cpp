// Segments with any headers: what is counted stays consistent, and no number or time leads astray.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "probe/tcp/tracker.h"

namespace {

using namespace probe;
using tcp::Sender;

void check(bool holds) {
  if (!holds) std::abort();
}

// Small steps around where the connection stands reach more than any number would.
std::uint32_t near(std::uint32_t base, std::uint8_t step, Cursor& c) {
  if (step == 0xff) return c.u32();
  return base + static_cast<std::uint32_t>((static_cast<int>(step) - 96) * 10);
}

// A segment is an octet of sender and options, flags, steps of sequence number, acknowledgement and time, a length in
// units of 10 octets, and what the options ask for.
bool next(Cursor& c, Packet& p, Sender& s, const tcp::Tracker& t) {
  const std::uint8_t options = c.u8(), flags = c.u8(), sequence = c.u8(), acknowledgement = c.u8(), step = c.u8(),
                     length = c.u8();
  s = options & 1;
  p.key.protocol = ip_protocol::kTcp;
  p.tcp = {};
  p.tcp.flags = flags;
  p.tcp.sequence = near(t.top(s), sequence, c);
  p.tcp.acknowledgement = near(t.top(s ^ 1), acknowledgement, c);
  p.payload_length = length == 0xff ? 1 : length * 10u;
  p.time += (step == 0xff ? -1 : Nanos{1} << std::min(step % 48, 45)) * kMicrosecond;
  p.time = std::clamp<Nanos>(p.time, 0, Nanos{1} << 62);
  if (options & 2) p.ip_id = c.u8();
  if (options & 4) {
    p.tcp.has_timestamps = true;
    p.tcp.timestamp_value = c.u8();
    p.tcp.timestamp_echo = c.u8();
  }
  p.tcp.window = options & 8 ? c.u8() : 1000;
  if (options & 16) p.tcp.has_window_scale = true, p.tcp.window_scale = c.u8();
  p.tcp.sack_blocks = static_cast<std::uint8_t>(options >> 5 & 3);
  for (unsigned i = 0; i < p.tcp.sack_blocks; ++i) {
    p.tcp.sack[i].left = near(t.acknowledged(s ^ 1), c.u8(), c);
    p.tcp.sack[i].right = near(p.tcp.sack[i].left, c.u8(), c);
  }
  return c.ok();
}

void check_rtt(const tcp::RttStatistics& r) {
  if (r.count == 0) return;
  check(r.min_us <= r.max_us);
  check(r.mean_us >= r.min_us && r.mean_us <= r.max_us + 1.0);
  check(r.squares >= 0 && r.standard_deviation_us() <= r.max_us);
}

void check_side(const tcp::Tracker& t, Sender s, std::uint32_t packets) {
  const tcp::SenderMeasures& m = t.measures(s);
  check(m.before_probe_packets <= m.retransmitted_packets);
  check(m.spurious_packets <= m.retransmitted_packets);
  check(m.before_probe_packets + m.spurious_packets <= m.retransmitted_packets);
  check(m.retransmitted_packets + m.out_of_order_packets <= packets);
  check(m.retransmitted_octets <= std::uint64_t{m.retransmitted_packets} * 2550);
  check(m.duplicate_acks <= packets && m.zero_windows <= packets);
  check_rtt(t.rtt(s));
  check(t.handshake_rtt(s) >= tcp::Tracker::kUnknown && t.network_rtt(s) >= tcp::Tracker::kUnknown);
  check(!t.closed() || t.end_seen());
}

// What goes beyond the basics agrees with them.
void check_detail(const tcp::Tracker& t, Sender s, std::uint32_t packets) {
  const tcp::Sending& d = *t.detail(s);
  const tcp::SenderMeasures m = t.measures(s);
  const tcp::RareCounts n = d.rarities ? d.rarities->counts : tcp::RareCounts{};
  check(n.timeouts + n.recoveries + n.tail_probes == m.retransmitted_packets);
  check(n.reordered == m.out_of_order_packets && n.reordered_by_timestamp <= n.reordered);
  check(n.spurious_by_ack + n.spurious_by_dsack <= m.spurious_packets);
  check(n.keep_alives + n.window_probes + n.network_duplicates <= packets);
  check(d.segments <= packets && n.window_full <= d.segments);
  const auto us = d.round_trips.percentiles({50, 95, 99}, d.rarities ? &d.rarities->round_trips : nullptr);
  check(us[0] <= us[1] && us[1] <= us[2]);
  check(d.round_trips.empty() == (t.rtt(s ^ 1).count + n.more_samples == 0));
  check(t.state() >= tcp::ConnectionState::unanswered && t.state() <= tcp::ConnectionState::simultaneous_open);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Cursor c(Bytes(data, size));
  tcp::TroublesPool troubles(2, true);
  tcp::DetailedTracker detailed(troubles);
  tcp::Tracker& t = detailed.tracker;
  Packet p;
  p.time = kSecond;
  std::uint32_t packets[2] = {};
  for (Sender s = 0; next(c, p, s, t);) {
    t.on_segment(p, s);
    ++packets[s];
    check_side(t, 0, packets[0]);
    check_side(t, 1, packets[1]);
    check_detail(t, 0, packets[0]);
    check_detail(t, 1, packets[1]);
  }
  return 0;
}
