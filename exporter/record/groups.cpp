#include "exporter/record/groups.h"

#include <array>
#include <bit>

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
  const auto count = [](const schema::Presence& p) { return std::popcount(p.words[0]) + std::popcount(p.words[1]); };
  schema::Groups out = 0;
  int fields = 0;
  for (std::size_t g = 0; g < schema::kGroupCount; ++g) {
    const schema::Groups bit = schema::Groups{1} << g;
    const int more = count(masks.fixed[g]) + count(masks.texts[g]);
    if ((groups & bit) == 0 || fields + more > static_cast<int>(schema::kMostFields)) continue;
    out |= bit;
    fields += more;
  }
  return out;
}

schema::Groups groups_of_one_kind(std::size_t kind) {
  schema::Groups out = 0;
  for (std::size_t g = 0; g < schema::kGroupCount; ++g) {
    std::size_t kinds = 0;
    for (const schema::Kind& k : schema::kKinds) kinds += schema::belongs(static_cast<schema::Group>(g), k);
    if (kinds == 1 && schema::belongs(static_cast<schema::Group>(g), schema::kKinds[kind]))
      out |= schema::Groups{1} << g;
  }
  return out;
}

}  // namespace probe
