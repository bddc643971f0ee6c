// Texts of messages whose fields may come twice.
#pragma once

#include <string_view>

#include "exporter/schema/schema.h"

namespace probe {

// Sets a text once: of a field that comes twice the first counts. False: it was cut (Quality::text_cut).
template <schema::Name Field, class Draft>
[[nodiscard]] bool keep_text(Draft& draft, std::string_view value) {
  constexpr std::size_t kLimit = schema::kElements[schema::find_element(Field.view())].shape.limit;
  if (draft.template has<Field>()) return true;
  draft.template set<Field>(value);
  const std::size_t kept = draft.template text<Field>().size();
  // Invalid octets become three (U+FFFD), so a text can also be cut that was no longer than the limit.
  return value.size() <= kLimit && (kept == value.size() || kept + 3 <= kLimit);
}

}  // namespace probe
