// The fields of a record that leave the probe, in the order of the element table.
#pragma once

#include <array>
#include <cstdint>

#include "exporter/record/record.h"

namespace probe {

struct FieldOrder {
  std::array<std::uint8_t, schema::kMostPlaces> places{};
  std::size_t count = 0;
};
constexpr std::array<FieldOrder, schema::kKindCount> field_orders() {
  std::array<FieldOrder, schema::kKindCount> out{};
  for (std::size_t k = 0; k < schema::kKindCount; ++k) {
    const schema::Layout& l = schema::kLayouts[k];
    std::array<std::uint8_t, schema::kElementCount> place_of{};  // + 1
    for (std::size_t p = 0; p < l.count; ++p)
      if (!schema::is_internal(schema::kElements[l.places[p].element].group))
        place_of[l.places[p].element] = static_cast<std::uint8_t>(p + 1);
    for (const std::uint8_t place : place_of)
      if (place != 0) out[k].places[out[k].count++] = static_cast<std::uint8_t>(place - 1);
  }
  return out;
}
inline constexpr std::array<FieldOrder, schema::kKindCount> kFieldOrders = field_orders();

// Calls visit(place, element) for each field that is there.
template <class Visit>
void for_each_field(const Record& r, Visit&& visit) {
  const schema::Groups groups = r.groups();
  const FieldOrder& order = kFieldOrders[r.kind()];
  for (std::size_t i = 0; i < order.count; ++i) {
    const std::uint8_t place = order.places[i];
    const schema::Element& e = schema::kElements[r.layout().places[place].element];
    if (schema::has(groups, e.group) && r.has(place)) visit(std::size_t{place}, e);
  }
}

}  // namespace probe
