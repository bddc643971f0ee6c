// A second opinion about IPFIX messages: takes them apart with nothing but the RFC in mind.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "exporter/record/view.h"
#include "probe/base/bytes.h"

namespace probe::wire {

struct Set {
  std::uint16_t id = 0;
  Bytes octets;  // without the header
};
struct Message {
  std::uint32_t time = 0, sequence = 0, domain = 0;
  std::vector<Set> sets;
};
struct Template {
  std::uint16_t id = 0;
  std::vector<Field> fields;
};

inline bool take_apart(Bytes octets, Message& out) {
  Cursor c(octets);
  const std::uint16_t version = c.u16(), length = c.u16();
  out.time = c.u32();
  out.sequence = c.u32();
  out.domain = c.u32();
  out.sets.clear();
  while (c.ok() && c.left() > 0) {
    const std::uint16_t id = c.u16(), size = c.u16();
    out.sets.push_back({id, c.take(size < 4 ? 0xffff : size - 4u)});
  }
  return c.ok() && version == 10 && length == octets.size();
}

inline std::vector<Template> templates_of(const Set& set) {
  std::vector<Template> out;
  Cursor c(set.octets);
  while (c.ok() && c.left() >= 4) {
    Template t;
    t.id = c.u16();
    const std::uint16_t count = c.u16();
    if (set.id == 3) c.skip(2);
    for (std::uint16_t i = 0; i < count; ++i) {
      Field f;
      f.id = c.u16();
      f.octets = c.u16();
      if ((f.id & 0x8000) != 0) {
        f.id &= 0x7fff;
        f.pen = c.u32();
      }
      t.fields.push_back(f);
    }
    out.push_back(t);
  }
  return out;
}

}  // namespace probe::wire
