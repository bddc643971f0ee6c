#include "tests/exporter/samples.h"

#include "exporter/record/groups.h"

namespace probe::samples {

using schema::bit_of;
using schema::Group;

std::array<std::size_t, schema::kKindCount> slots(std::size_t n) {
  std::array<std::size_t, schema::kKindCount> out;
  out.fill(n);
  return out;
}

schema::Groups random_groups(std::mt19937_64& random, std::size_t kind) {
  const schema::Groups all = schema::kKinds[kind].groups;
  schema::Groups out =
      all & bit_of(Group::identity, Group::interval, Group::flow, Group::reverse_counts, Group::transaction);
  all.for_each([&](std::size_t g) {
    if (random() % 4 != 0) out.set(g);
  });
  out -= random() % 3 != 0 ? bit_of(Group::ipv6, Group::icmpv6) : bit_of(Group::ipv4, Group::icmpv4);
  if (!has(out, Group::ipv6)) out |= bit_of(Group::ipv4);
  if (has(out, Group::ports)) out -= bit_of(Group::icmpv4, Group::icmpv6);
  return out;
}

void set_number(Record& r, std::size_t place, std::uint64_t value) {
  std::uint8_t octets[8];
  for (std::size_t i = 0; i < sizeof octets; ++i) octets[i] = static_cast<std::uint8_t>(value >> (8 * i));
  r.set_octets(place, octets);
}

namespace {

std::string random_text(std::mt19937_64& random, std::size_t most) {
  constexpr std::size_t kLengths[] = {1, 7, 100, 253, 254, 255, 256, 1000};
  std::string out;
  const std::size_t length = std::min(most, kLengths[random() % std::size(kLengths)]);
  while (out.size() < length) {
    if (random() % 50 == 0 && out.size() + 2 <= length)
      out += "\xc3\xa4";
    else
      out += static_cast<char>(' ' + random() % 95);
  }
  return out;
}

void set_random(Record& r, std::mt19937_64& random, std::size_t place) {
  const schema::Element& e = schema::kElements[r.layout().places[place].element];
  std::uint8_t octets[16];
  for (auto& o : octets) o = static_cast<std::uint8_t>(random());
  switch (e.shape.type) {
    case schema::Type::text:
      return r.set_text(place, random_text(random, e.shape.limit));
    case schema::Type::ipv6:
    case schema::Type::mac:
    case schema::Type::octets3:
      return r.set_octets(place, octets);
    case schema::Type::milliseconds:
      return set_number(r, place, 1'700'000'000'000 + random() % 1'000'000);
    case schema::Type::microseconds:
      return set_number(r, place, ntp_of(1'700'000'000 * kSecond + static_cast<Nanos>(random() % 1'000'000) * 1000));
    default:
      return set_number(r, place, random() % 4 == 0 ? random() : random() % 1000);
  }
}

}  // namespace

Record* make(RecordPools& pools, std::mt19937_64& random, std::size_t kind, schema::Groups groups) {
  Record* r = pools.take(kind);
  if (!r) return nullptr;
  for (const schema::Groups want : {groups}) {
    for (std::size_t p = 0; p < r->layout().count; ++p) {
      const schema::Element& e = schema::kElements[r->layout().places[p].element];
      if (has(want, e.group) && (!e.is_text() || random() % 8 != 0)) set_random(*r, random, p);
    }
  }
  for (std::size_t p = 0; p < r->layout().count; ++p) {  // a group of texts needs one to be there
    const schema::Element& e = schema::kElements[r->layout().places[p].element];
    if (e.is_text() && has(groups - r->groups(), e.group)) set_random(*r, random, p);
  }
  return r;
}

Values values_of(const Record& r, const schema::Groups& groups) {
  Values out;
  for (std::size_t p = 0; p < r.layout().count; ++p) {
    const schema::Element& e = schema::kElements[r.layout().places[p].element];
    if (!r.has(p) || !has(groups, e.group)) continue;
    std::string value;
    if (e.is_text()) {
      value = r.text(p);
    } else if (schema::width(e.shape.type) > 8 || e.shape.type == schema::Type::mac ||
               e.shape.type == schema::Type::octets3) {
      for (std::size_t i = 0; i < schema::width(e.shape.type); ++i) value += std::to_string(r.octets(p)[i]) + ".";
    } else {
      value = std::to_string(r.number(p));
    }
    out[std::string(e.name())] = value;
  }
  return out;
}

schema::Groups native_groups(const Record& r) { return r.groups() - bit_of(Group::reverse_times); }

}  // namespace probe::samples
