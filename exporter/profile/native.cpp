#include "exporter/profile/native.h"

#include <algorithm>

#include "exporter/record/groups.h"

namespace probe {
namespace {

using schema::bit_of;
using schema::Group;

// Without these a record does not say what it is about: the endpoints, and how much of a flow or which transaction.
schema::Groups core_of(std::size_t kind) {
  const schema::Groups ends =
      bit_of(Group::identity, Group::ipv4, Group::ipv6, Group::ports, Group::icmpv4, Group::icmpv6);
  if (!schema::belongs(Group::transaction, schema::kKinds[kind]))
    return ends | bit_of(Group::interval, Group::flow, Group::reverse_counts);
  return ends | bit_of(Group::transaction) | groups_of_one_kind(kind);
}
// An RFC 5103 record has one pair of times for both directions.
constexpr schema::Groups kNever = bit_of(Group::reverse_times);

// Where a field stands on the wire. nfcapd takes every reverse element but the counters for its forward twin, and the
// last one wins: so they come before it. Variable-length fields last, so that all others stand at fixed offsets.
int rank(const schema::Element& e) {
  const bool counter = e.id == 1 || e.id == 2;
  if (e.is_text()) return e.pen == schema::kIana ? 5 : 6;
  if (e.pen == schema::kReversePen) return counter ? 3 : 0;
  if (e.pen == schema::kIana) return counter ? 2 : 1;
  return 4;
}

// A kind is known by the elements that only it has. A record that has none of them (a response that told nothing)
// carries an empty text of its kind.
std::size_t mark_of(std::size_t kind) {
  const schema::Groups own = groups_of_one_kind(kind);
  for (std::size_t i = 0; i < schema::kElementCount; ++i)
    if (schema::kElements[i].is_text() && has(own, schema::kElements[i].group)) return i;
  return schema::kNone;
}

}  // namespace

Native::Native() : Profile("native", true), recent_(std::size_t{1} << kRecentBits) {
  for (std::size_t k = 0; k < schema::kKindCount; ++k) {
    layouts_.push_back(memory_fields(k));
    marks_[k] = mark_of(k);
    own_groups_[k] = groups_of_one_kind(k);
  }
}

Shape Native::shape(std::size_t kind, schema::Groups groups, bool core_only) const {
  Shape out;
  out.groups = core_only ? groups & core_of(kind) : groups;
  out.left_out = static_cast<std::uint32_t>((groups - out.groups).count());

  const schema::Layout& l = schema::kLayouts[kind];
  std::vector<std::size_t> elements;
  for (std::size_t p = 0; p < l.count; ++p)
    if (has(out.groups, schema::kElements[l.places[p].element].group)) elements.push_back(l.places[p].element);
  if (!(out.groups & own_groups_[kind]).any() && marks_[kind] != schema::kNone) elements.push_back(marks_[kind]);

  std::sort(elements.begin(), elements.end(), [](std::size_t a, std::size_t b) {
    const int ra = rank(schema::kElements[a]), rb = rank(schema::kElements[b]);
    return ra != rb ? ra < rb : a < b;
  });
  for (const std::size_t e : elements) out.fields.push_back(field_of(schema::kElements[e]));
  return out;
}

std::span<const RecordView> Native::views(const Record& r) {
  views_.clear();
  for (const schema::Groups& part : dealt(r).parts) views_.push_back({r.kind(), part, r.body()});
  return views_;
}

const Native::Dealt& Native::dealt(const Record& r) {
  const std::size_t at = (r.present().hash() + r.kind()) >> (64 - kRecentBits);
  Dealt& d = r.accepts_parts_of_groups() ? odd_ : recent_[at];
  if (&d != &odd_ && d.kind == r.kind() && d.present == r.present()) return d;
  d.kind = r.kind();
  d.present = r.present();
  d.parts.clear();
  const schema::Groups groups = r.groups() - kNever;
  if (count_fields(d.kind, groups) <= schema::kMostFields) {
    d.parts.push_back(groups);
    return d;
  }
  for (const schema::Groups& part : parts_of(d.kind))
    if ((groups & (part - kKey)).any()) d.parts.push_back(groups & part);
  return d;
}

}  // namespace probe
