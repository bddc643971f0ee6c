#include "tests/bench/trace/connection.h"

#include <algorithm>
#include <utility>

#include "tests/bench/trace/text.h"

namespace trace {
namespace {

using Segment = Passage::Segment;
using Fate = Segment::Fate;

constexpr std::uint16_t kSynWindow = 64240, kWindow = 502;
constexpr std::uint32_t kFirstFlight = 10, kLargestFlight = 80;  // segments

// The share of segments of long messages that meet each fate.
constexpr double kLostBehind = 0.004, kLostBefore = 0.002, kDelayed = 0.002;

std::uint32_t segment_size_of(const Flow& flow) { return (flow.ipv6 ? 1440 : 1460) - (flow.timestamps ? 12 : 0); }

// What the receiver has of a message, and what it answers.
class Receiver {
 public:
  // Every other segment is acknowledged, the last one, and at once each that leaves a hole (RFC 5681 §4.2).
  bool wants_acknowledgement(const Segment& s, bool last, bool acknowledge_end) {
    const bool in_order = take(s.offset, s.end());
    const bool due = !in_order || ++waiting_ >= 2 || last;
    if (due) waiting_ = 0;
    return due && (!in_order || !last || acknowledge_end);
  }
  std::uint32_t next() const { return next_; }

 private:
  bool take(std::uint32_t begin, std::uint32_t end) {
    if (begin > next_) {
      early_.push_back({begin, end});
      return false;
    }
    next_ = std::max(next_, end);
    for (bool more = true; more;) {
      more = false;
      for (const auto& [first, last] : early_)
        if (first <= next_ && last > next_) {
          next_ = last;
          more = true;
        }
    }
    return true;
  }

  std::uint32_t next_ = 0;
  int waiting_ = 0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> early_;
};

}  // namespace

Connection::Connection(Flow& f, Random& r, double to_server, double to_client)
    : flow(f), random(r), server_rtt(to_server), client_rtt(to_client), segment_size_(segment_size_of(f)) {
  for (std::uint32_t& s : sequence_) s = static_cast<std::uint32_t>(random.next());
}

void Connection::packet(Micros at, int way, int flags, std::uint32_t sequence, std::uint32_t acknowledgement) {
  Event e;
  e.time = at;
  e.way = way;
  e.flags = static_cast<std::uint8_t>(flags);
  e.sequence = sequence;
  e.acknowledgement = acknowledgement;
  e.window = flags & kSyn ? kSynWindow : kWindow;
  flow.events.push_back(std::move(e));
}

bool Connection::open() {
  Micros t = flow.start;
  if (random.chance(0.01)) {
    packet(t, kUp, kSyn, sequence_[kUp], 0);
    t += 1000000;  // RFC 6298 §2.1
    ++repeated_syns;
  }
  packet(t, kUp, kSyn, sequence_[kUp]++, 0);
  if (random.chance(0.01)) {
    refused = random.chance(0.5);
    unanswered = !refused;
    if (refused) packet(t + static_cast<Micros>(server_rtt), kDown, kRst | kAck, 0, sequence_[kUp]);
    return false;
  }
  t += static_cast<Micros>(server_rtt) + 5;
  packet(t, kDown, kSyn | kAck, sequence_[kDown]++, sequence_[kUp]);
  t += static_cast<Micros>(client_rtt);
  acknowledge(t, kUp);
  ready = t + 20 + random.below(200);
  return true;
}

void Connection::acknowledge(Micros at, int way) { packet(at, way, kAck, sequence_[way], sequence_[1 - way]); }

void Connection::close_by_client(Micros at, Micros server_hesitates) {
  packet(at, kUp, kFin | kAck, sequence_[kUp], sequence_[kDown]);
  ++sequence_[kUp];
  at += static_cast<Micros>(server_rtt) + server_hesitates;
  packet(at, kDown, kFin | kAck, sequence_[kDown], sequence_[kUp]);
  ++sequence_[kDown];
  acknowledge(at + static_cast<Micros>(client_rtt), kUp);
}

void Connection::reset_by_client(Micros at) {
  was_reset = true;
  packet(at, kUp, kRst | kAck, sequence_[kUp], sequence_[kDown]);
}

// When a segment that was lost comes again.
Micros Connection::repetition(Micros at) {
  return at + static_cast<Micros>((client_rtt + server_rtt) * (1.05 + random.unit() * 0.5)) + 300;
}

// Cuts a message into segments and rolls the dice over each: flights of 10, 20, 40 … segments, a round trip apart.
std::vector<Segment> Connection::plan(int way, Micros at, std::uint32_t total) {
  std::vector<Segment> segments;
  const bool impairable = total > 2 * segment_size_;
  std::uint32_t flight = kFirstFlight, in_flight = 0;
  Micros round = at;
  for (std::uint32_t offset = 0; offset < total;) {
    std::uint32_t length = std::min(segment_size_, total - offset);
    const double dice = impairable ? random.unit() : 1;
    if (dice < kLostBehind) {
      segments.push_back({at, offset, length, Fate::lost_behind});
      segments.push_back({repetition(at), offset, length, Fate::repeated});
    } else if (dice < kLostBehind + kLostBefore) {
      segments.push_back({repetition(at), offset, length, Fate::filling});
    } else if (dice < kLostBehind + kLostBefore + kDelayed && offset + length < total) {
      const std::uint32_t next = std::min(segment_size_, total - offset - length);
      segments.push_back({at + 14, offset, length, Fate::delayed});
      segments.push_back({at, offset + length, next, Fate::plain});
      const bool newer = flow.timestamps && at / 1000 != (at + 14) / 1000;
      impaired[way].reordered_newer += newer;
      length += next;
      at += 20;
    } else {
      segments.push_back({at, offset, length, Fate::plain});
    }
    offset += length;
    at += 12 + random.below(30);
    if (++in_flight < flight || offset >= total) continue;
    in_flight = 0;
    if (flight < kLargestFlight) flight *= 2;
    round += static_cast<Micros>(client_rtt + server_rtt) + 50;
    at = std::max(at, round);
  }
  std::stable_sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  return segments;
}

void Connection::account(int way, const std::vector<Segment>& segments) {
  Impairments& i = impaired[way];
  std::uint32_t top = 0;
  for (const Segment& s : segments) {
    const bool behind = s.offset < top;
    i.seen_twice += s.fate == Fate::repeated;
    i.filled += s.fate == Fate::filling;
    i.filled_unseen += s.fate == Fate::filling && !behind;
    i.reordered += s.fate == Fate::delayed;
    if (s.fate == Fate::repeated || (s.fate == Fate::filling && behind)) i.repeated_octets += s.length;
    top = std::max(top, s.end());
  }
}

void Connection::put_data(int way, const std::string& text, std::uint32_t total, const Segment& s) {
  const std::uint32_t base = sequence_[way];
  packet(s.time, way, s.end() == total ? kAck | kPsh : kAck, base + s.offset, sequence_[1 - way]);
  Event& e = flow.events.back();
  if (s.offset < text.size()) e.text = text.substr(s.offset, s.length);
  e.fill = s.length - static_cast<std::uint32_t>(e.text.size());
  if (e.fill > 0) e.fill_from = (base * 2654435761u + s.offset) % static_cast<std::uint32_t>(filler().size() - 2000);
}

Passage Connection::send(int way, Micros at, const std::string& text, std::uint32_t fill, bool acknowledge_end) {
  const std::uint32_t total = static_cast<std::uint32_t>(text.size()) + fill;
  Passage p{plan(way, at, total), at};
  account(way, p.segments);
  Receiver receiver;
  for (const Segment& s : p.segments) {
    const bool last = &s == &p.segments.back();
    p.last = std::max(p.last, s.time);
    put_data(way, text, total, s);
    if (s.fate == Fate::lost_behind || !receiver.wants_acknowledgement(s, last, acknowledge_end)) continue;
    const double distance = way == kDown ? client_rtt : server_rtt;
    packet(s.time + static_cast<Micros>(distance) + 3, 1 - way, kAck, sequence_[1 - way],
           sequence_[way] + receiver.next());
  }
  sequence_[way] += total;
  return p;
}

}  // namespace trace
