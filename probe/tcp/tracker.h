// What the headers of a TCP connection tell about the network, seen from the middle of the path (docs/METRICS.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "probe/base/pool.h"
#include "probe/base/prefetch.h"
#include "probe/base/quality.h"
#include "probe/base/sequence.h"
#include "probe/packet/packet.h"
#include "probe/tcp/handshake.h"
#include "probe/tcp/outstanding.h"
#include "probe/tcp/recent_packets.h"
#include "probe/tcp/rtt.h"
#include "probe/tcp/sending.h"
#include "probe/tcp/troubles.h"

namespace probe::tcp {

// Which endpoint sent: 0 the lower one of the flow's key, 1 the higher one. Who is the initiator does not matter here.
using Sender = unsigned;

// The same with what has nothing to do with trouble.
struct SenderMeasures : SenderTroubles {
  std::uint32_t window_min = 0;  // least receive window announced, scaled
  bool window_known = false;     // a window was seen whose scale is known
  std::uint8_t flags = 0;        // control bits, or-ed
};

// The clock of what is measured here: wraps after 71 minutes.
inline std::uint32_t microseconds_of(const Packet& p) { return static_cast<std::uint32_t>(p.time / kMicrosecond); }

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

// How far a connection got; numbers as in element tcpConnectionState.
enum class ConnectionState : std::uint8_t {
  unanswered = 1,
  refused = 2,
  half_open = 3,
  established = 4,
  half_closed = 5,
  closed = 6,
  reset = 7,
  mid_stream = 8,
  simultaneous_open = 9,
};
enum class EcnNegotiation : std::uint8_t { not_seen, not_asked, refused, agreed };
enum class LossConfidence : std::uint8_t { low = 1, medium = 2, high = 3 };

class Tracker {
 public:
  // The pool has room for two of each tracker (TrackerPool), so it is never empty. `detailed`: it is that of a
  // DetailedTracker; else it has only the basics.
  explicit Tracker(TroublesPool& troubles, bool detailed = false) : troubles_(troubles) {
    sides_[0].detailed = detailed;
  }
  ~Tracker();
  Tracker(const Tracker&) = delete;
  Tracker& operator=(const Tracker&) = delete;

  Verdict on_segment(const Packet&, Sender);

  SenderMeasures measures(Sender s) const {
    const Side& side = sides_[s];
    return {side.troubles ? side.troubles->measures : SenderTroubles{}, side.window_min, side.window_known, side.flags};
  }
  const RttStatistics& rtt(Sender s) const { return sides_[s].rtt; }  // between the probe and endpoint s
  // Handshake round trips; kUnknown if not seen or not trustworthy.
  static constexpr Nanos kUnknown = Handshake::kUnknown;
  Nanos handshake_rtt(Sender s) const { return handshake_.rtt(s); }
  // Best estimate of the network round trip between the probe and endpoint s now: the least of recent samples and the
  // handshake's, if that is not ambiguous.
  Nanos network_rtt(Sender s) const;
  std::uint16_t maximum_segment(Sender s) const {
    return sides_[s].maximum_segment;
  }  // MSS option of its SYN, 0 if none

  // Beyond the basics; nullptr without.
  const Sending* detail(Sender s) const { return detailed() ? &sending(s) : nullptr; }
  bool seen(Sender s) const { return sides_[s].seen; }
  ConnectionState state() const;
  EcnNegotiation ecn() const;
  LossConfidence loss_confidence(Sender) const;

  // The sender of the SYN (or the receiver of a SYN-ACK), -1 if the start was not seen.
  int initiator() const { return handshake_.initiator(); }
  bool closed() const;            // both FINs seen and acknowledged, or a RST
  bool end_seen() const;          // a FIN of both sides, or a RST: the flow lingers and ends
  std::uint32_t quality() const;  // bits of probe/base/quality.h
  // A SYN that opens another connection between the same ports: this one has ended or was never answered.
  bool starts_another(const Packet& p, Sender s) const {
    constexpr std::uint8_t kTelling = tcp_flag::kSyn | tcp_flag::kAck | tcp_flag::kRst;
    return (p.tcp.flags & kTelling) == tcp_flag::kSyn && opens_another(p, s);
  }

  // Next sequence number that `s` has not sent yet, and highest one that its peer has acknowledged.
  std::uint32_t top(Sender s) const { return sides_[s].top; }
  std::uint32_t acknowledged(Sender s) const { return sides_[s].acknowledged; }
  bool acknowledged_known(Sender s) const { return sides_[s].acknowledged_known; }
  // Last time a repeated or late copy of `s`'s data passed; kNever before that.
  static constexpr Nanos kNever = -(Nanos{1} << 62);
  Nanos last_repeat(Sender s) const { return sides_[s].last_repeat; }

  // Fetches what this segment of `s` will touch if it is an ordinary one, some packets ahead: one with data waits for
  // its acknowledgement, one without is the acknowledgement of what waits. `with_detail`: what detailed() will tell,
  // which is not asked because the tracker may not be in the cache yet.
  void prefetch(const Packet& p, Sender s, bool with_detail) const {
    const Side &from = sides_[s], &to = sides_[s ^ 1];
    probe::prefetch(&from.top);
    probe::prefetch(&to.top);
    probe::prefetch(&from.packets);
    if (p.sequence_length() > 0) {
      probe::prefetch(from.outstanding.segments());
      if (with_detail) probe::prefetch(&sending(s));
    }
    if (p.payload_length == 0) {
      probe::prefetch(to.outstanding.segments());
      probe::prefetch(&from.rtt);
      if (with_detail) prefetch_octets(&sending(s ^ 1), 128);
    }
  }
  // Fetches all that a report reads.
  void prefetch_report(bool with_detail) const {
    probe::prefetch(&quality_);
    for (const Side& side : sides_) {
      probe::prefetch(&side.top);
      probe::prefetch(&side.rtt);
    }
    if (with_detail) prefetch_octets(&sending(0), 2 * sizeof(Sending));
  }
  // And then what that points to.
  void prefetch_troubles() const {
    for (Sender s : {0u, 1u}) {
      if (sides_[s].troubles) probe::prefetch(&sides_[s].troubles->measures);
      if (detailed() && sending(s).rarities) prefetch_object(&sending(s).rarities->counts);
    }
  }

  // Starts the next interval: measures and RTT statistics begin anew, the state of the connection stays.
  void start_interval();

 private:
  // What is known of one sender. An ordinary packet touches the first cache line of both senders, then those of the
  // segments outstanding and of `packets`; a sample that of `rtt`.
  struct alignas(64) Side {
    Troubles* troubles = nullptr;    // once there were any
    std::uint32_t top = 0;           // next sequence number
    std::uint32_t origin = 0;        // the first sequence number that can have been seen
    std::uint32_t acknowledged = 0;  // by the other side
    std::uint32_t top_us = 0;        // when `top` was set
    std::uint32_t sack = 0;          // mark of the last SACK block that it sent
    std::uint32_t fin_end = 0;
    std::uint32_t window_min = 0;  // SenderMeasures has this, window_known and flags
    std::uint32_t odd_ack = 0;     // an acknowledgement that it sent far beyond what was seen
    std::uint32_t origin_timestamp = 0;
    std::uint16_t window = 0;  // last one that it announced, as on the wire
    std::uint16_t ip_id = 0;   // the latest
    std::uint16_t maximum_segment = 0;
    bool window_known = false;
    std::uint8_t flags = 0;
    std::uint8_t remembered = 0;  // packets, modulo 256
    std::uint8_t window_shift = 0;
    std::uint8_t repeats : 7 = 0;  // remembered among its troubles
    bool detailed : 1 = false;     // of the first side: Tracker::detailed()
    std::uint8_t reactions = 0;    // answers still to come to copies known to be needless when they passed
    bool seen : 1 = false;         // `top` and `origin` are known
    bool provisional : 1 = false;  // but only from a segment without data, which can be a keep-alive
    bool acknowledged_known : 1 = false;
    bool window_seen : 1 = false, scale_offered : 1 = false, sack_offered : 1 = false, scale_known : 1 = false;
    bool ids_change : 1 = false;
    bool ids_jump : 1 = false;    // they do not count this sender's packets
    bool id_behind : 1 = false;   // of the packet at hand: one with a later number came first
    bool timestamps : 1 = false;  // all of its data has them
    bool syn : 1 = false, fin : 1 = false;
    bool odd_ack_seen : 1 = false;
    bool probed : 1 = false;  // it sent an octet against a closed window (RFC 9293 §3.8.6.1) which `top` does not count
    bool ends_handshake : 1 = false;  // its next acknowledgement may
    bool reset : 1 = false;           // by either side
    bool holes : 1 = false;           // there are some among its troubles
    bool more : 1 = false;            // segments wait in the backlog of its troubles
    bool met : 1 = false;             // its SYN-ACK of a simultaneous open has passed
    bool window_scaled : 1 = false;   // `window` is not that of its SYN
    std::uint8_t missing : 2 = 0;     // packets of this sender since `top` was set, by their numbers; 3 or more
    bool spare : 1 = false;           // so that a new one is written without being read
    std::uint8_t ids_taken : 6 = 0;   // by the latest packet beyond its own: offloading merges segments
    std::uint8_t ids_odd : 2 = 0;     // how often what was missing had no data: others share the count

    Outstanding outstanding;
    RecentPackets packets;
    RttStatistics rtt;
    RecentMinimum recent;
    Nanos origin_time = 0;
    Nanos last_repeat = kNever;

    Side() {}  // leaves alone what is only read after it has been written
    void identify(const Packet&, const Side& to);
    void skip(unsigned numbers);
    void found_odd();
    void found_late();
    unsigned taken_beyond(const Packet&, const Side& to) const;
    unsigned full_segment(const Packet&, const Side& to) const;
    bool ids_count(const Packet&, std::uint32_t segments) const;
    void found(std::uint32_t begin, std::uint32_t end);
    void grow_old();
    void not_lost(std::uint32_t octets);
    Holes::Fill fill_holes(std::uint32_t begin, std::uint32_t end, std::uint32_t known);
    void remember_repeat(const Packet&, bool known_needless);
    void forget_repeat(unsigned i) { troubles->repeated[i] = troubles->repeated[--repeats]; }
    std::uint32_t acknowledged_or_origin() const { return acknowledged_known ? acknowledged : origin; }
    bool has_acknowledged(std::uint32_t end) const;
    std::uint32_t reach() const;
  };
  // The first line has all up to the counts of `outstanding`.
  static_assert(offsetof(Side, outstanding) == 64 - alignof(Outstanding) && offsetof(Side, packets) == 64 * 3);
  static_assert(offsetof(Side, rtt) == 64 * 4 && sizeof(Side) == 64 * 5);

  bool opens_another(const Packet&, Sender) const;
  bool is_duplicate(const Packet&, Sender, std::uint32_t now_us);
  bool is_news(const Packet&, Sender) const;
  bool on_syn(const Packet&, Sender);
  void on_reset(const Packet&, Sender);
  void on_acknowledgement(const Packet&, Sender, std::uint32_t now_us);
  void on_needless(const Packet&, Sender);
  bool may_be_copied(const Troubles::Repeat&, const Packet&, Sender) const;
  void on_window(const Packet&, Side&);
  bool plausible(std::uint32_t acknowledged, Sender);
  void advance_acknowledged(const Packet&, Sender, std::uint32_t now_us);
  Verdict on_data(const Packet&, Sender, std::uint32_t now_us);
  void on_gap_told(const Packet&, Sender, std::uint32_t now_us);
  Verdict on_behind(const Packet&, Sender, std::uint32_t now_us);
  Verdict on_repeated(const Packet&, Sender, std::uint32_t again, std::uint32_t filled);
  Verdict on_hole_filled(const Packet&, Sender, const Holes::Fill&);
  Verdict on_before_origin(const Packet&, Sender);
  bool was_reordered(const Packet&, Sender, const Hole&) const;
  // No sender repeats anything sooner by itself: less than a tick of its timers.
  static constexpr std::uint32_t kLeastSilenceUs = 2000;
  std::uint32_t least_silence_us() const;
  void on_pause(const Packet&, Sender, std::uint32_t now_us);
  bool may_be_repeat(const Packet&, Sender, const Hole&) const;
  void start(Side&, const Packet&);
  void restart();
  void advance(Side&, const Packet&, std::uint32_t end, std::uint32_t now_us);
  void await(Side& side, std::uint32_t end, std::uint32_t now_us) {
    if (!side.more && !side.outstanding.full()) return side.outstanding.push(end, now_us);
    await_behind(side, end, now_us);
  }
  void await_behind(Side&, std::uint32_t end, std::uint32_t now_us);
  std::optional<std::uint32_t> acknowledge(Side&, std::uint32_t acknowledged);
  void forget_behind(Side&, std::uint32_t sequence);
  void drop_backlog(Side&);
  Troubles& troubles_of(Side&);
  void open_hole(Side&, const Hole&);
  SenderTroubles& repeat(const Packet&, Sender, std::uint32_t octets);
  void mark(Quality q) { quality_ |= bit_of(q); }

  bool detailed() const { return sides_[0].detailed; }
  const Sending& sending(Sender) const;
  Sending& sending(Sender s) { return const_cast<Sending&>(std::as_const(*this).sending(s)); }

  enum class Repeat { timeout, recovery, tail_probe };
  Rarities& rarities_of(Sender);
  std::uint32_t in_flight(Sender s) const {
    const std::int32_t octets = sequence_distance(sides_[s].acknowledged_or_origin(), sides_[s].top);
    return octets > 0 ? static_cast<std::uint32_t>(octets) : 0;
  }
  // What `s` may have in flight.
  std::uint32_t window_for(Sender s) const {
    const Side& to = sides_[s ^ 1];
    if (!to.window_seen || !to.scale_known) return Sending::kUnknownWindow;
    return std::uint32_t{to.window} << (to.window_scaled ? to.window_shift : 0);
  }
  bool is_open() const;
  std::uint32_t segments_of(Sender s) const { return detailed() ? sending(s).segments : 0; }
  void count(Sender s, std::uint32_t RareCounts::*what) {
    if (detailed()) ++(rarities_of(s).counts.*what);
  }
  void note_flags(const Packet&, Sender);
  void note_syn(const Packet&, Sender);
  void note_data(const Packet&, Sender, std::uint32_t now_us);
  void note_sample(Sender of, std::uint32_t sample_us);
  void note_more(Sender of, std::uint32_t sent_us, std::uint32_t now_us);
  bool waited_for_repeat(Sender, std::uint32_t now_us) const;
  void note_answer(const Packet&, Sender, std::uint32_t octets, std::uint32_t now_us);
  std::uint32_t newly_acknowledged(const Packet&, Sender, bool known, std::uint32_t before) const;
  void note_unseen(const Packet&, Sender, std::uint32_t now_us);
  void note_path(Sender, std::uint32_t now_us);
  void note_bound(Sender, std::uint32_t now_us);
  void count_sack(const Packet&, Sender, bool dsack);
  void note_sack(const Packet&, Sender, bool dsack, std::uint32_t now_us);
  void note_duplicate_ack(Sender of, std::uint32_t now_us);
  void note_repeat(const Packet&, Sender, std::uint32_t now_us);
  Repeat kind_of_repeat(const Packet&, Sender, std::uint32_t now_us) const;
  void note_two_copies(const Packet&, Sender);
  void note_needless(Sender);
  void settled(Sender, std::uint32_t end);
  void settle_repeat(const Packet&, Sender of, std::uint32_t now_us);
  void note_reordered(const Packet&, Sender, const Hole&);
  void note_reset(Sender);

  std::array<Side, 2> sides_;
  Handshake handshake_;  // the SYNs take a cache line; what a report asks shares the next one with `quality_`
  TroublesPool& troubles_;
  std::uint32_t quality_ = 0;
};

// A tracker that measures more than the basics, and right behind it, so that both are found by one address, what it
// needs for that of each sender.
struct DetailedTracker {
  explicit DetailedTracker(TroublesPool& troubles) : tracker(troubles, true) {}
  Tracker tracker;
  std::array<Sending, 2> sending;
};

inline const Sending& Tracker::sending(Sender s) const {
  static_assert(sizeof(DetailedTracker) == sizeof(Tracker) + 2 * sizeof(Sending));
  return reinterpret_cast<const Sending*>(this + 1)[s];
}

}  // namespace probe::tcp
