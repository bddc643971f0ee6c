#include "probe/pipeline/redact.h"

#include <string_view>

#include "probe/pipeline/flow_scribe.h"

namespace probe {
namespace {

template <schema::Name Field>
std::uint8_t place_of(const Record& r) {
  static constexpr schema::PlaceByKind kPlaces = schema::places_of(schema::find_element(Field.view()));
  return kPlaces[r.kind()];
}

template <schema::Name Field>
void remove(Record& r) {
  if (const std::uint8_t place = place_of<Field>(r); place != schema::kNoPlace) r.clear(place);
}

// Keeps a text up to the first '?'. Shorter than what stands there, so it is cut where it is.
template <schema::Name Field>
void cut_query(Record& r) {
  const std::uint8_t place = place_of<Field>(r);
  if (place == schema::kNoPlace || !r.has(place)) return;
  if (const std::size_t query = r.text(place).find('?'); query != std::string_view::npos) r.shorten_text(place, query);
}

}  // namespace

void redact(Record& r, const Redaction& what) {
  if (what.url_queries) {
    cut_query<"httpRequestTarget">(r);
    cut_query<"httpReferer">(r);
  }
  if (what.literals) {
    remove<"databaseStatement">(r);
    remove<"databaseErrorMessage">(r);  // servers quote the statement in it
  }
  if (what.user_names) remove<"databaseUser">(r);
}

}  // namespace probe
