// A TCP connection told segment by segment to a tracker. Sequence and acknowledgement numbers are relative to the
// initial ones, so that each story can be told again where the numbers wrap around.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "probe/tcp/tracker.h"

namespace probe::tcp {

using namespace std::chrono_literals;

inline constexpr Sender kClient = 0, kServer = 1;

// What is told of one segment; by default it acknowledges all that the other side has sent.
struct Told {
  explicit Told(Sender s) : sender(s) { packet.tcp.flags = tcp_flag::kAck; }

  Told& seq(std::uint32_t n) { return number = n, *this; }
  Told& ack(std::uint32_t n) { return acknowledged = n, acknowledges = true, *this; }
  Told& data(std::uint32_t n) { return packet.payload_length = n, *this; }
  Told& flags(int f) { return packet.tcp.flags = static_cast<std::uint8_t>(f), *this; }
  Told& fin() { return packet.tcp.flags |= tcp_flag::kFin, *this; }
  Told& window(std::uint16_t w) { return packet.tcp.window = w, own_window = true, *this; }
  Told& id(std::uint16_t n) { return packet.ip_id = n, has_id = true, *this; }
  Told& no_id() { return id(0); }
  Told& time(std::uint32_t value, std::uint32_t echo) {
    packet.tcp.timestamp_value = value;
    packet.tcp.timestamp_echo = echo;
    packet.tcp.has_timestamps = own_time = true;
    return *this;
  }
  Told& echo(std::uint32_t e) { return packet.tcp.timestamp_echo = e, own_echo = true, *this; }
  Told& sack(std::uint32_t left, std::uint32_t right) {
    packet.tcp.sack[packet.tcp.sack_blocks++] = {left, right};
    return *this;
  }
  Told& sack_permitted() { return packet.tcp.sack_permitted = true, *this; }
  Told& scale(std::uint8_t shift) {
    packet.tcp.has_window_scale = true;
    packet.tcp.window_scale = shift;
    return *this;
  }
  Told& ttl(std::uint8_t n) { return packet.ttl = n, *this; }
  Told& ecn(std::uint8_t codepoint) { return packet.traffic_class = codepoint, *this; }
  Told& push() { return packet.tcp.flags |= tcp_flag::kPsh, *this; }
  Told& maximum(std::uint16_t mss) { return packet.tcp.maximum_segment = mss, *this; }

  Sender sender;
  Packet packet;
  std::uint32_t number = 1, acknowledged = 0;
  bool acknowledges = false, has_id = false, own_time = false, own_echo = false, own_window = false;
};

inline Told client() { return Told(kClient); }
inline Told server() { return Told(kServer); }

class Talk {
 public:
  explicit Talk(std::uint32_t client_start = 1000, std::uint32_t server_start = 500'000'000)
      : start_{client_start, server_start} {}

  bool timestamps = false;  // milliseconds of the talk's clock
  TroublesPool troubles{2, true};
  DetailedTracker detailed{troubles};
  Tracker& tracker = detailed.tracker;
  std::array<Sending, 2>& sending = detailed.sending;

  Talk& after(std::chrono::nanoseconds d) { return now_ += d.count(), *this; }
  Nanos now() const { return now_; }
  std::uint32_t clock() const { return static_cast<std::uint32_t>(now_ / kMillisecond); }
  std::uint32_t sequence(Sender s, std::uint32_t relative) const { return start_[s] + relative; }

  Packet packet(Told t) {
    Packet& p = t.packet;
    const Sender s = t.sender, other = s ^ 1;
    p.key.protocol = ip_protocol::kTcp;
    p.from_high = s == kServer;
    p.time = now_;
    p.tcp.sequence = start_[s] + t.number;
    if (p.tcp.has(tcp_flag::kAck))
      p.tcp.acknowledgement = start_[other] + (t.acknowledges ? t.acknowledged : sent_[other]);
    if (!t.own_window) p.tcp.window = 1000;
    for (unsigned i = 0; i < p.tcp.sack_blocks; ++i) {
      p.tcp.sack[i].left += start_[other];
      p.tcp.sack[i].right += start_[other];
    }
    if (!t.has_id) p.ip_id = ++id_[s];
    if (timestamps && !t.own_time) {
      p.tcp.has_timestamps = true;
      p.tcp.timestamp_value = clock();
      if (!t.own_echo) p.tcp.timestamp_echo = last_time_[other];
    }
    return p;
  }
  Verdict send(const Told& t) {
    const Packet p = packet(t);
    const std::uint32_t end = t.number + p.sequence_length();
    if (!p.tcp.has(tcp_flag::kRst) && static_cast<std::int32_t>(end - sent_[t.sender]) > 0) sent_[t.sender] = end;
    if (p.tcp.has_timestamps) last_time_[t.sender] = p.tcp.timestamp_value;
    return tracker.on_segment(p, t.sender);
  }
  Verdict again(const Packet& p, Sender s) { return tracker.on_segment(p, s); }  // the very same packet

  // SYN, SYN-ACK 20 ms and ACK 10 ms later: the client is 5 ms away, the server 10 ms.
  Talk& open(std::uint8_t shift = 7) {
    send(client().seq(0).flags(tcp_flag::kSyn).scale(shift).maximum(1460));
    after(20ms).send(server().seq(0).flags(tcp_flag::kSyn | tcp_flag::kAck).scale(shift).maximum(1400));
    after(10ms).send(client());
    return *this;
  }

  SenderMeasures of(Sender s) const { return tracker.measures(s); }
  // Beyond the basics.
  RareCounts rare(Sender s) const { return sending[s].rarities ? sending[s].rarities->counts : RareCounts{}; }
  std::uint32_t percentile(Sender endpoint, unsigned percent) const {
    const Sending& d = sending[endpoint ^ 1];
    return d.round_trips.percentiles({percent, 100, 100}, d.rarities ? &d.rarities->round_trips : nullptr)[0];
  }
  std::uint64_t limited(Sender s, Limit l) const {
    const auto i = static_cast<std::size_t>(l);
    return sending[s].sum(static_cast<Sending::Carry>(i), sending[s].limited_us[i]);
  }

  bool marked(Quality q) const { return (tracker.quality() & bit_of(q)) != 0; }

 private:
  std::array<std::uint32_t, 2> start_, sent_{}, last_time_{};
  std::array<std::uint16_t, 2> id_{100, 200};
  Nanos now_ = 1'700'000'000 * kSecond;
};

}  // namespace probe::tcp
