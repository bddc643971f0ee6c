#include "exporter/record/groups.h"

#include <array>

namespace probe {

Field field_of(const schema::Element& e) {
  return {e.pen, e.id, e.is_text() ? kVariableLength : static_cast<std::uint16_t>(schema::width(e.shape.type))};
}

std::vector<Field> memory_fields(std::size_t kind) {
  const schema::Layout& l = schema::kLayouts[kind];
  std::vector<Field> out;
  for (std::size_t p = 0; p < l.count; ++p) out.push_back(field_of(schema::kElements[l.places[p].element]));
  return out;
}

std::size_t count_fields(std::size_t kind, const schema::Groups& groups) {
  std::size_t fields = 0;
  groups.for_each([&](std::size_t g) { fields += schema::kGroupPlans[kind].fields[g]; });
  return fields;
}

namespace {

std::vector<schema::Groups> deal_out(std::size_t kind) {
  using schema::Group;
  // One address family; ports or what ICMP has instead.
  constexpr schema::Groups kNotBoth = schema::bit_of(Group::ipv6, Group::icmpv4, Group::icmpv6);
  const std::size_t key = count_fields(kind, kKey - kNotBoth);
  std::vector<schema::Groups> out{kKey};
  std::size_t used = key;
  (schema::kKinds[kind].groups - kKey).for_each([&](std::size_t g) {
    const auto group = static_cast<Group>(g);
    if (schema::is_internal(group)) return;
    const std::size_t more = count_fields(kind, schema::bit_of(group));
    if (used + more > schema::kMostFields) {
      out.push_back(kKey);
      used = key;
    }
    out.back() |= schema::bit_of(group);
    used += more;
  });
  return out;
}

}  // namespace

const std::vector<schema::Groups>& parts_of(std::size_t kind) {
  static const auto kParts = [] {
    std::array<std::vector<schema::Groups>, schema::kKindCount> out;
    for (std::size_t k = 0; k < out.size(); ++k) out[k] = deal_out(k);
    return out;
  }();
  return kParts[kind];
}

schema::Groups groups_of_one_kind(std::size_t kind) {
  schema::Groups out = schema::kKinds[kind].groups;
  for (std::size_t other = 0; other < schema::kKindCount; ++other)
    if (other != kind) out -= schema::kKinds[other].groups;
  return out;
}

}  // namespace probe
