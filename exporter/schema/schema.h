// What follows from the element table at compile time: the elements, their look-up, and the layout of each record kind.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include "exporter/schema/elements.h"

namespace probe::schema {

// A string literal as a template argument, so that a name is resolved at compile time.
template <std::size_t N>
struct Name {
  char chars[N]{};
  constexpr Name(const char (&s)[N]) { std::copy_n(s, N, chars); }
  constexpr std::string_view view() const { return {chars, N - 1}; }
};

constexpr Element element_of(const Row& r, bool reverse) {
  Element e;
  e.group = reverse ? r.reverse_group : r.group;
  e.pen = reverse && r.pen == kIana ? kReversePen : r.pen;
  e.id = static_cast<std::uint16_t>(reverse && r.pen != kIana ? r.id | kReverseBit : r.id);
  e.shape = r.shape;
  e.reverse = reverse;
  e.meaning = r.meaning;
  for (const char c : std::string_view(reverse ? "reverse" : "")) e.letters[e.length++] = c;
  for (const char c : r.name) {  // RFC 5103 §6.1: reverse + the name with a capital
    const bool capital = reverse && e.length == 7 && c >= 'a' && c <= 'z';
    e.letters[e.length++] = static_cast<char>(capital ? c - 'a' + 'A' : c);
  }
  e.key = hash(e.name());
  return e;
}

constexpr std::size_t count_elements() {
  std::size_t n = 0;
  for (const Row& r : table::kRows) n += r.directions == Directions::both ? 2 : 1;
  return n;
}
inline constexpr std::size_t kElementCount = count_elements();

constexpr std::array<Element, kElementCount> expand() {
  std::array<Element, kElementCount> out;
  std::size_t n = 0;
  for (const Row& r : table::kRows) {
    out[n++] = element_of(r, false);
    if (r.directions == Directions::both) out[n++] = element_of(r, true);
  }
  return out;
}
inline constexpr std::array<Element, kElementCount> kElements = expand();

inline constexpr std::size_t kNone = ~std::size_t{0};

constexpr std::size_t find_element(std::string_view name) {
  const std::uint64_t key = hash(name);
  for (std::size_t i = 0; i < kElementCount; ++i)
    if (kElements[i].key == key && kElements[i].name() == name) return i;
  return kNone;
}
constexpr std::size_t find_kind(std::string_view name) {
  for (std::size_t i = 0; i < kKindCount; ++i)
    if (kKinds[i].name == name) return i;
  return kNone;
}

constexpr std::size_t width(Type t) {
  switch (t) {
    case Type::u8:
      return 1;
    case Type::u16:
      return 2;
    case Type::octets3:
      return 3;
    case Type::u32:
    case Type::ipv4:
      return 4;
    case Type::mac:
      return 6;
    case Type::u64:
    case Type::f64:
    case Type::milliseconds:
    case Type::microseconds:
      return 8;
    case Type::ipv6:
    case Type::text:
      return 16;  // libfixbuf keeps a text as a length and a pointer (fbVarfield_t)
  }
  return 0;
}

constexpr bool belongs(Group g, const Kind& k) { return has(k.groups, g); }

struct Place {
  std::uint16_t element = 0;  // index into kElements
  std::uint16_t offset = 0;   // in the record's body
};

inline constexpr std::size_t kMostPlaces = 255;  // of a kind: a place is an octet, and kNoPlace is none

struct Layout {
  std::array<Place, kMostPlaces> places{};
  std::size_t count = 0;
  std::size_t fixed_octets = 0;  // what libfixbuf reads
  std::size_t text_octets = 0;   // room behind it for the octets of texts
};

// Widest first: values fall on their natural alignment as long as possible, and nothing is padded.
constexpr Layout layout_of(const Kind& k) {
  Layout l;
  for (const std::size_t w : {16, 8, 4, 2, 6, 3, 1}) {
    for (std::size_t i = 0; i < kElementCount; ++i) {
      const Element& e = kElements[i];
      if (width(e.shape.type) != w || !belongs(e.group, k)) continue;
      l.places[l.count++] = {static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(l.fixed_octets)};
      l.fixed_octets += w;
      l.text_octets += e.shape.limit;
    }
  }
  return l;
}

constexpr std::array<Layout, kKindCount> layouts() {
  std::array<Layout, kKindCount> out;
  for (std::size_t k = 0; k < kKindCount; ++k) out[k] = layout_of(kKinds[k]);
  return out;
}
inline constexpr std::array<Layout, kKindCount> kLayouts = layouts();

// Where an element stands in each kind of record: index into that layout's places, or kNoPlace.
inline constexpr std::uint8_t kNoPlace = 0xff;
using PlaceByKind = std::array<std::uint8_t, kKindCount>;
constexpr PlaceByKind places_of(std::size_t element) {
  PlaceByKind out{};
  for (std::size_t k = 0; k < kKindCount; ++k) {
    out[k] = kNoPlace;
    for (std::size_t p = 0; p < kLayouts[k].count; ++p)
      if (kLayouts[k].places[p].element == element) out[k] = static_cast<std::uint8_t>(p);
  }
  return out;
}

// And at which offset of its body; meaningful only where it has a place.
using OffsetByKind = std::array<std::uint16_t, kKindCount>;
constexpr OffsetByKind offsets_of(std::size_t element) {
  const PlaceByKind places = places_of(element);
  OffsetByKind out{};
  for (std::size_t k = 0; k < kKindCount; ++k)
    if (places[k] != kNoPlace) out[k] = kLayouts[k].places[places[k]].offset;
  return out;
}

// Which places of a layout are taken.
using Presence = Bits<256>;

// What of a kind's layout belongs to each group: its fixed fields, which must all be there for the group to be, and its
// texts, of which any may be empty (an empty text and none are the same on the wire).
struct GroupMasks {
  std::array<Presence, kGroupCount> fixed{}, texts{};
};
constexpr std::array<GroupMasks, kKindCount> group_masks() {
  std::array<GroupMasks, kKindCount> out{};
  for (std::size_t k = 0; k < kKindCount; ++k)
    for (std::size_t p = 0; p < kLayouts[k].count; ++p) {
      const Element& e = kElements[kLayouts[k].places[p].element];
      auto& masks = e.is_text() ? out[k].texts : out[k].fixed;
      masks[static_cast<std::size_t>(e.group)].set(p);
    }
  return out;
}
inline constexpr std::array<GroupMasks, kKindCount> kGroupMasks = group_masks();

// The group of each place of a kind and back, and the places whose group is complete only with them, or with any of
// them.
struct GroupPlan {
  std::array<std::uint8_t, kMostPlaces> group_of{};
  std::array<std::uint8_t, kGroupCount> fields{};  // how many a group has
  Presence needed, sufficient;                     // fixed fields; texts of groups that have nothing else
  Groups with_fixed;                               // groups that have fixed fields
};
constexpr std::array<GroupPlan, kKindCount> group_plans() {
  std::array<GroupPlan, kKindCount> out{};
  for (std::size_t k = 0; k < kKindCount; ++k)
    for (std::size_t p = 0; p < kLayouts[k].count; ++p) {
      const Element& e = kElements[kLayouts[k].places[p].element];
      const bool only_texts = kGroupMasks[k].fixed[static_cast<std::size_t>(e.group)] == Presence{};
      out[k].group_of[p] = static_cast<std::uint8_t>(e.group);
      ++out[k].fields[static_cast<std::size_t>(e.group)];
      if (!e.is_text()) out[k].needed.set(p);
      if (only_texts) out[k].sufficient.set(p);
      if (!only_texts) out[k].with_fixed |= bit_of(e.group);
    }
  return out;
}
inline constexpr std::array<GroupPlan, kKindCount> kGroupPlans = group_plans();

// The groups that these places belong to.
constexpr Groups groups_of(std::size_t kind, const Presence& places) {
  Groups out;
  places.for_each([&](std::size_t p) { out.set(kGroupPlans[kind].group_of[p]); });
  return out;
}

// The groups of a record that are there: all fixed fields set, or (for a group of texts alone) any text set.
constexpr Groups complete_groups(std::size_t kind, const Presence& present) {
  const GroupPlan& plan = kGroupPlans[kind];
  return (plan.with_fixed - groups_of(kind, plan.needed - present)) | groups_of(kind, plan.sufficient & present);
}

// Not exported by itself: what only the basic profile uses.
constexpr bool is_internal(Group g) { return g == Group::reverse_times; }

}  // namespace probe::schema
