// What was sent before although nothing shows its first copy: told by silences and by IPv4 identifications
// (docs/METRICS.md, mark repeat_hidden).
#include <algorithm>
#include <cstdint>

#include "probe/base/sequence.h"
#include "probe/tcp/tracker.h"

namespace probe::tcp {

namespace {

constexpr std::uint16_t kUsualSegment = 1460;
constexpr std::uint8_t kIdsShared = 3;  // of ids_odd: too often for lost acknowledgements

}  // namespace

// The shortest silence before a sender sends something again: nearly a round trip, as far as that is known.
std::uint32_t Tracker::least_silence_us() const {
  constexpr Nanos kMost = 1'000'000'000;
  Nanos path = 0;
  for (const Sender side : {0u, 1u})
    if (const Nanos rtt = network_rtt(side); rtt != kUnknown) path += rtt;
  return std::max(kLeastSilenceUs, static_cast<std::uint32_t>(std::min(path / kMicrosecond / 8 * 7, kMost)));
}

// New data after a silence, or after packets of its sender that have not been seen: it may have been sent before, if
// its first copy was lost before the probe and nothing was sent between the two.
void Tracker::on_pause(const Packet& p, Sender s, std::uint32_t now_us) {
  Side& from = sides_[s];
  if (from.missing) {
    if (now_us - from.top_us < least_silence_us()) return from.found_odd();  // nothing was sent again so soon
    if (from.ids_count(p, segments_of(s))) return mark(Quality::repeat_hidden);
  }
  if (detailed() && !from.ids_count(p, segments_of(s)) && waited_for_repeat(s, now_us)) mark(Quality::repeat_hidden);
}

// Whether the segment that opens this hole, or one that fills it and counts as overtaken, may have been sent before: it
// came after a silence, and more packets of its sender are missing than the hole has segments.
bool Tracker::may_be_repeat(const Packet& p, Sender s, const Hole& hole) const {
  if (hole.opened_us - hole.before_us < least_silence_us()) return false;
  const Side &from = sides_[s], &to = sides_[s ^ 1];
  const unsigned segment = from.full_segment(p, to), segments = (hole.end - hole.begin + segment - 1) / segment;
  return !from.ids_count(p, segments_of(s)) || hole.numbers_missing > std::min(segments, 2u);
}

// Where a sender counts its packets in the IPv4 identification, a retransmission has a number of its own, and only the
// network brings one number behind another. RFC 6864 §4.1 lets a sender do otherwise.
void Tracker::Side::identify(const Packet& p, const Side& to) {
  constexpr std::int16_t kNear = 1024;  // further apart they are random, or count the packets of others too
  const std::uint16_t id = p.ip_id;
  const auto step = static_cast<std::int16_t>(id - ip_id);
  id_behind = false;
  const bool wrapped = id == 0 && ip_id == 0xffff;
  if (step == 0 || (id == 0 && !wrapped)) return;
  if (ip_id != 0) {
    ids_change = true;
    ids_jump = ids_jump || step > kNear || step < -kNear;
    id_behind = step < 0;
    if (step > 1 && !ids_jump) skip(static_cast<unsigned>(step) - 1);
  }
  if (id_behind && !ids_jump) return found_late();
  ip_id = id;
  ids_taken = p.payload_length > kUsualSegment ? taken_beyond(p, to) & 63u : 0;
}

// Whether a number that is missing is most likely of this connection. Windows, which begins with a TTL of 128, counts
// those of all connections together, and so do small devices, which have no timestamps.
bool Tracker::Side::ids_count(const Packet& p, std::uint32_t segments) const {
  constexpr std::uint8_t kLeastTtlOfWindows = 65;
  if (p.ip_id == 0 || !ids_change || ids_jump || !timestamps || p.ttl >= kLeastTtlOfWindows) return false;
  const bool loses = troubles && troubles->measures.before_probe_packets != 0;  // so acknowledgements get lost as well
  constexpr std::uint32_t kMany = 100;
  return ids_odd <= 1 || ((loses || segments >= kMany) && ids_odd != kIdsShared);
}

// What had been taken for missing was only late.
void Tracker::Side::found_late() {
  if (missing != 0)
    --missing;
  else if (ids_odd != 0 && ids_odd != kIdsShared)
    --ids_odd;
}

// A packet without data was missing, or one of another connection.
void Tracker::Side::found_odd() {
  missing = 0;
  if (ids_odd != kIdsShared) ++ids_odd;
}

// So many numbers were not seen.
void Tracker::Side::skip(unsigned numbers) {
  constexpr unsigned kMostLost = 16;
  const unsigned lost = numbers - std::min<unsigned>(numbers, ids_taken);
  missing = std::min(missing + lost, 3u) & 3u;
  if (lost > kMostLost) ids_odd = kIdsShared;
}

// Segmentation offload counts what it will make of a packet.
unsigned Tracker::Side::taken_beyond(const Packet& p, const Side& to) const {
  constexpr std::uint32_t kMost = 63;  // of ids_taken
  return std::min((p.payload_length - 1) / full_segment(p, to), kMost);
}

unsigned Tracker::Side::full_segment(const Packet& p, const Side& to) const {
  constexpr unsigned kTimestamps = 12;
  const unsigned segment = std::min(maximum_segment, to.maximum_segment);
  return (segment <= kTimestamps ? kUsualSegment : segment) - (p.tcp.has_timestamps ? kTimestamps : 0);
}

}  // namespace probe::tcp
