#include "exporter/record/groups.h"

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

schema::Groups groups_that_fit(std::size_t kind, schema::Groups groups) {
  const schema::GroupMasks& masks = schema::kGroupMasks[kind];
  schema::Groups out;
  std::size_t fields = 0;
  groups.for_each([&](std::size_t g) {
    const std::size_t more = masks.fixed[g].count() + masks.texts[g].count();
    if (fields + more > schema::kMostFields) return;
    out.set(g);
    fields += more;
  });
  return out;
}

schema::Groups groups_of_one_kind(std::size_t kind) {
  schema::Groups out = schema::kKinds[kind].groups;
  for (std::size_t other = 0; other < schema::kKindCount; ++other)
    if (other != kind) out -= schema::kKinds[other].groups;
  return out;
}

}  // namespace probe
