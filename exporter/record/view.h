// What an export profile tells an encoder: how a record looks in memory and which of its fields go on the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exporter/schema/schema.h"

namespace probe {

inline constexpr std::uint16_t kVariableLength = 65535;  // RFC 7011 §7

// A field of a template. Our own elements stand under schema::kDocumentationPen here, whatever is configured.
struct Field {
  std::uint32_t pen = 0;
  std::uint16_t id = 0;
  std::uint16_t octets = 0;  // or kVariableLength: in memory a length and a pointer (libfixbuf's fbVarfield_t)
  bool operator==(const Field&) const = default;
};

// A record as one data record on the wire.
struct RecordView {
  std::size_t layout = 0;  // how the body is laid out: index into Shapes::layouts()
  schema::Groups groups;   // what of it is there
  const std::byte* body = nullptr;
};

// The wire template for a layout and a set of groups.
struct Shape {
  std::vector<Field> fields;   // in their order on the wire
  schema::Groups groups;       // those that are in it
  std::uint32_t left_out = 0;  // how many of those asked for are not
};

class Shapes {
 public:
  virtual ~Shapes() = default;
  virtual std::span<const std::vector<Field>> layouts() const = 0;
  // `core_only`: just the groups without which a record means nothing; asked for when there are too many templates.
  virtual Shape shape(std::size_t layout, schema::Groups groups, bool core_only) const = 0;
};

}  // namespace probe
