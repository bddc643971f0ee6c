// What every packet adds to its flow.
#pragma once

#include <algorithm>
#include <limits>

#include "probe/base/quality.h"
#include "probe/flow/flow.h"
#include "probe/tcp/tracker.h"

namespace probe {

// First packet of its side in this interval.
inline void begin_headers(const Packet& p, Flow& f, unsigned from) {
  f.ttl[from] = f.headers.ttl_min[from] = f.headers.ttl_max[from] = p.ttl;
  f.headers.ttl_changes[from] = 0;
  f.headers.fragments[from] = 0;
  f.dont_fragment &= static_cast<std::uint8_t>(~(1u << from));
}

template <class Number>
inline void add_up_to_most(Number& sum, unsigned n) {
  sum = static_cast<Number>(std::min<unsigned>(sum + n, std::numeric_limits<Number>::max()));
}

// A packet whose headers are not like those of the one before.
inline void note_headers(const Packet& p, Flow& f, unsigned from) {
  PathHeaders& h = f.headers;
  if (p.fragmented) add_up_to_most(h.fragments[from], p.packet_count);
  if (p.ttl == f.ttl[from]) return;
  f.ttl[from] = p.ttl;
  h.ttl_min[from] = std::min(h.ttl_min[from], p.ttl);
  h.ttl_max[from] = std::max(h.ttl_max[from], p.ttl);
  add_up_to_most(h.ttl_changes[from], 1);
}

inline void count(const Packet& p, Flow& f, unsigned from) {
  SideCounts& side = f.sides[from];
  if (f.packets() == 0) f.interval_start = p.time;
  if (side.packets == 0) {
    f.first[from] = side.last = p.time;
    f.traffic_class[from] = p.traffic_class;
    begin_headers(p, f, from);
    if (p.polled) f.quality |= bit_of(Quality::polled_time);
  }
  side.packets += p.packet_count;
  side.octets += p.ip_octets;
  f.dont_fragment |= static_cast<std::uint8_t>(p.dont_fragment << from);
  if (p.ttl != f.ttl[from] || p.fragmented) note_headers(p, f, from);
  if (p.cut) f.quality |= bit_of(Quality::packets_cut);
  if (p.time >= f.last) {
    side.last = f.last = p.time;
    return;
  }
  f.quality |= bit_of(Quality::time_disorder);
  f.interval_start = std::min(f.interval_start, p.time);
  f.first[from] = std::min(f.first[from], p.time);
  side.last = std::max(side.last, p.time);
}

inline void answer(const Packet& p, Flow& f) {
  const Nanos took = f.turns.on_responder(p.time);
  if (took < 0 || p.is_tcp()) return;
  const auto us = static_cast<std::uint32_t>(std::min<Nanos>(took / kMicrosecond, 0xffffffff));
  if (f.turns.count == 1) f.response = {us, us};
  f.response.least = std::min(f.response.least, us);
  f.response.greatest = std::max(f.response.greatest, us);
}

inline void take_turns(const Packet& p, Flow& f, unsigned from, tcp::Verdict verdict) {
  if (p.payload_length == 0 || verdict == tcp::Verdict::keep_alive || verdict == tcp::Verdict::duplicate) return;
  if (from == f.initiator)
    f.turns.on_initiator(p.time);
  else if (verdict != tcp::Verdict::repeated)
    answer(p, f);
}

}  // namespace probe
