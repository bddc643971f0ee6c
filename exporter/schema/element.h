// The shape of a row in the element table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "exporter/schema/bits.h"

namespace probe::schema {

// Elements that come and go together. The wire template of a record is chosen by the groups that are complete, so what
// was not measured is not on the wire. No template has more than kMostFields fields: a record that has more goes on in
// continuations, and the order of the groups says which come first.
enum class Group : std::uint8_t {
#define GROUP(name, meaning) name,
#include "exporter/schema/groups.inc"
#undef GROUP
  kCount
};
inline constexpr std::size_t kGroupCount = static_cast<std::size_t>(Group::kCount);

struct GroupInfo {
  std::string_view name, meaning;
};
inline constexpr std::array<GroupInfo, kGroupCount> kGroups = {{
#define GROUP(name, meaning) {#name, meaning},
#include "exporter/schema/groups.inc"
#undef GROUP
}};

// A set of groups.
using Groups = Bits<192>;
static_assert(kGroupCount <= 192);
template <class... More>
constexpr Groups bit_of(Group g, More... more) {
  Groups out;
  out.set(static_cast<std::size_t>(g));
  (out.set(static_cast<std::size_t>(more)), ...);
  return out;
}

constexpr bool has(const Groups& groups, Group g) { return groups.has(static_cast<std::size_t>(g)); }
inline constexpr Groups kAllGroups = [] {
  Groups out;
  for (std::size_t g = 0; g < kGroupCount; ++g) out.set(g);
  return out;
}();

inline constexpr std::size_t kMostFields = 60;  // Wireshark drops templates with more (preference default)

// How a value is kept in a record. Also how libfixbuf lays it out, so what it decodes needs no conversion.
enum class Type : std::uint8_t {
  u8,
  u16,
  u32,
  u64,
  ipv4,          // u32 in host order
  ipv6,          // 16 octets
  mac,           // 6 octets
  octets3,       // 3 octets
  f64,           // IEEE 754, 64 bits
  milliseconds,  // dateTimeMilliseconds: u64 since 1970
  microseconds,  // dateTimeMicroseconds: NTP format, 2^-32 s since 1900 (RFC 7011 §6.1.9)
  text,          // UTF-8, variable length
};
enum class Units : std::uint8_t { none, octets, packets, microseconds, milliseconds, hops };
// RFC 7012 §3.2; decides how a collector may add values up, and the tolerance of `replay --expect`.
enum class Semantics : std::uint8_t { plain, identifier, delta_counter, flags };

struct Shape {
  Type type;
  Units units = Units::none;
  Semantics semantics = Semantics::plain;
  std::uint16_t limit = 0;  // text only: octets kept
};

constexpr std::uint64_t hash(std::string_view s) {
  std::uint64_t h = 0xcbf29ce484222325;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return h;
}

inline constexpr std::uint32_t kIana = 0;
inline constexpr std::uint32_t kReversePen = 29305;        // RFC 5103 §6.1: reverse of IANA's elements
inline constexpr std::uint16_t kReverseBit = 0x4000;       // RFC 5103 §6.2: reverse of an enterprise's own
inline constexpr std::uint32_t kDocumentationPen = 32473;  // RFC 5612: stands for ours until a number is configured

enum class Directions : std::uint8_t { one, both };

// A row as it is written in the table.
struct Row {
  Group group;
  std::uint32_t pen;
  std::uint16_t id;
  Shape shape;
  std::string_view name;
  std::string_view meaning;
  Directions directions = Directions::one;
  Group reverse_group = Group::kCount;
};

// An element as it is used: a row, or the reverse twin of one.
struct Element {
  Group group = Group::kCount;
  std::uint32_t pen = 0;
  std::uint16_t id = 0;
  Shape shape{};
  std::array<char, 64> letters{};
  std::uint8_t length = 0;
  bool reverse = false;
  std::string_view meaning;
  std::uint64_t key = 0;

  constexpr std::string_view name() const { return {letters.data(), length}; }
  constexpr bool is_text() const { return shape.type == Type::text; }
  constexpr bool ours() const { return pen == kDocumentationPen; }
};

}  // namespace probe::schema
