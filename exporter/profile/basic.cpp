#include "exporter/profile/basic.h"

#include <algorithm>
#include <cstring>

#include "exporter/record/groups.h"

namespace probe {
namespace {

using schema::bit_of;
using schema::Group;

constexpr std::size_t kForward = 0, kReverse = 1;
constexpr Field kIpVersion{schema::kIana, 60, 1};
constexpr schema::Groups kNeeded =
    bit_of(Group::identity, Group::interval, Group::flow, Group::reverse_counts);  // in every flow record

// A field of the wire and the groups that must be there for it, seen from either side.
struct Row {
  std::uint16_t id, octets;
  schema::Groups forward, reverse;
};
constexpr Row same(std::uint16_t id, std::uint16_t octets, Group g) { return {id, octets, bit_of(g), bit_of(g)}; }
constexpr schema::Groups kNotThere = schema::kAllGroups;

// The order in which collectors were seen to read it right; IANA's numbers.
constexpr Row kRows[] = {
    same(152, 8, Group::interval),                              // flowStartMilliseconds
    same(153, 8, Group::interval),                              // flowEndMilliseconds
    same(1, 8, Group::flow),                                    // octetDeltaCount
    same(2, 8, Group::flow),                                    // packetDeltaCount
    same(8, 4, Group::ipv4),                                    // sourceIPv4Address
    same(12, 4, Group::ipv4),                                   // destinationIPv4Address
    same(27, 16, Group::ipv6),                                  // sourceIPv6Address
    same(28, 16, Group::ipv6),                                  // destinationIPv6Address
    same(7, 2, Group::ports),                                   // sourceTransportPort
    same(11, 2, Group::ports),                                  // destinationTransportPort
    {32, 2, bit_of(Group::icmpv4), kNotThere},                  // icmpTypeCodeIPv4: that of the initiator
    {139, 2, bit_of(Group::icmpv6), kNotThere},                 // icmpTypeCodeIPv6
    same(4, 1, Group::identity),                                // protocolIdentifier
    {6, 1, bit_of(Group::tcp), bit_of(Group::reverse_tcp)},     // tcpControlBits
    {5, 1, bit_of(Group::ip), kNotThere},                       // ipClassOfService: only the initiator's is kept
    same(60, 1, Group::identity),                               // ipVersion
    {52, 1, bit_of(Group::ip), bit_of(Group::reverse_ip)},      // minimumTTL
    {53, 1, bit_of(Group::path), bit_of(Group::reverse_path)},  // maximumTTL
    same(58, 2, Group::vlan),                                   // vlanId
    same(56, 6, Group::mac),                                    // sourceMacAddress
    same(80, 6, Group::mac),                                    // destinationMacAddress
    same(136, 1, Group::flow),                                  // flowEndReason
    same(239, 1, Group::flow),                                  // biflowDirection
    same(148, 8, Group::identity),                              // flowId
    same(311, 8, Group::sampling),                              // samplingProbability
};

// Groups that make a difference to the template of a side.
constexpr schema::Groups carried(std::size_t side) {
  schema::Groups out;
  for (const Row& r : kRows) {
    const schema::Groups needed = side == kForward ? r.forward : r.reverse;
    if (needed != kNotThere) out |= needed;
  }
  return out;
}

// The same memory seen by the responder: what came back is forward, and source and destination change places.
Field turned(const Field& f) {
  constexpr std::uint16_t kPairs[][2] = {{8, 12}, {27, 28}, {7, 11}, {56, 80}};
  if (f.pen == schema::kReversePen) return {schema::kIana, f.id, f.octets};
  if (f.pen != schema::kIana) return f;  // ours are not exported here
  for (const auto& p : kPairs)
    if (f.id == p[0] || f.id == p[1]) return {f.pen, f.id == p[0] ? p[1] : p[0], f.octets};
  for (const schema::Element& e : schema::kElements)
    if (e.pen == schema::kReversePen && e.id == f.id) return {schema::kReversePen, f.id, f.octets};
  return f;
}

template <schema::Name Name>
constexpr std::size_t offset_of() {
  return schema::kLayouts[schema::find_kind("flow")].places[place_in<"flow", Name>()].offset;
}

}  // namespace

Basic::Basic() : Profile("basic", false) {
  std::vector<Field> forward = memory_fields(kFlow), reverse;
  for (const Field& f : forward) reverse.push_back(turned(f));
  forward.push_back(kIpVersion);
  reverse.push_back(kIpVersion);
  layouts_ = {forward, reverse};
}

Shape Basic::shape(std::size_t layout, schema::Groups groups, bool /*core_only*/) const {
  Shape out;
  out.groups = groups;
  for (const Row& r : kRows) {
    const schema::Groups needed = layout == kForward ? r.forward : r.reverse;
    const Field field{schema::kIana, r.id, r.octets};
    // libfixbuf would fill in zeros for what the record does not have.
    const auto& memory = layouts_[layout];
    const bool there = std::find(memory.begin(), memory.end(), field) != memory.end();
    if (there && groups.contains(needed)) out.fields.push_back(field);
  }
  return out;
}

void Basic::fill(std::size_t side, const Record& r) {
  std::byte* body = bodies_[side].data();
  std::memcpy(body, r.body(), kOctets - 1);
  body[kOctets - 1] = std::byte{has(r.groups(), Group::ipv6) ? std::uint8_t{6} : std::uint8_t{4}};
  if (side == kForward) return;

  // RFC 5103 §6.3: 1 says that the source is the initiator, 2 that the destination is.
  std::byte& direction = body[offset_of<"biflowDirection">()];
  if (direction == std::byte{1}) direction = std::byte{2};
  if (has(r.groups(), Group::reverse_times)) return;
  std::memcpy(body + offset_of<"reverseFlowStartMilliseconds">(), body + offset_of<"flowStartMilliseconds">(), 8);
  std::memcpy(body + offset_of<"reverseFlowEndMilliseconds">(), body + offset_of<"flowEndMilliseconds">(), 8);
}

std::span<const RecordView> Basic::views(const Record& r) {
  const schema::Groups groups = r.groups();
  if (r.kind() != kFlow || !groups.contains(kNeeded)) return {};
  const bool came_back = number_in<"reversePacketDeltaCount">(r) > 0;
  const bool went = number_in<"packetDeltaCount">(r) > 0 || !came_back;
  std::size_t n = 0;
  for (const std::size_t side : {kForward, kReverse}) {
    if (!(side == kForward ? went : came_back)) continue;
    fill(side, r);
    views_[n++] = {side, groups & carried(side), bodies_[side].data()};
  }
  return {views_.data(), n};
}

}  // namespace probe
