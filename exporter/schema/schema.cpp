// Checks of the tables that need no other file; kept here so that they are made once.
#include "exporter/schema/schema.h"

namespace probe::schema {
namespace {

constexpr bool well_formed() {
  for (std::size_t i = 0; i < kElementCount; ++i) {
    const Element& a = kElements[i];
    if (a.id == 0 || a.group == Group::kCount || a.meaning.empty()) return false;
    if (a.ours() && ((a.id & ~kReverseBit) < 1000 || (a.id & ~kReverseBit) >= kReverseBit)) return false;
    if (a.is_text() != (a.shape.limit > 0)) return false;
    for (std::size_t j = i + 1; j < kElementCount; ++j) {
      const Element& b = kElements[j];
      if (a.key == b.key || (a.pen == b.pen && a.id == b.id)) return false;
    }
  }
  return true;
}
static_assert(well_formed(),
              "ids and names are unique, ours are 1000 to 16383, every row has a meaning, only texts a limit");

constexpr bool every_group_is_used() {
  for (std::size_t g = 0; g < kGroupCount; ++g) {
    bool used = false;
    for (const Kind& k : kKinds) used = used || belongs(static_cast<Group>(g), k);
    if (!used) return false;
  }
  return true;
}
static_assert(every_group_is_used());

constexpr bool layouts_fit() {
  for (const Layout& l : kLayouts)
    if (l.count > kMostPlaces || l.fixed_octets + l.text_octets > 0xffff) return false;
  return true;
}
static_assert(layouts_fit());

}  // namespace
}  // namespace probe::schema
