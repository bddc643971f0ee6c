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

// sip:anna@example.org becomes sip:example.org, and tel:+49301234 becomes tel: (RFC 3261 §19.1, RFC 3966).
template <schema::Name Field>
void erase_user(Record& r) {
  const std::uint8_t place = place_of<Field>(r);
  if (place == schema::kNoPlace || !r.has(place)) return;
  const std::string_view uri = r.text(place);
  const std::size_t colon = uri.find(':');
  const std::size_t begin = colon == uri.npos ? 0 : colon + 1;
  const std::size_t at = uri.rfind('@');
  const bool has_host = uri.starts_with("sip:") || uri.starts_with("sips:");
  const std::size_t end = at != uri.npos ? at + 1 : has_host ? begin : uri.size();
  if (end > begin) r.erase_text(place, begin, end - begin);
}

// rtsp://anna:secret@example.org/ becomes rtsp://example.org/ (RFC 3986 §3.2).
template <schema::Name Field>
void erase_user_of_authority(Record& r) {
  const std::uint8_t place = place_of<Field>(r);
  if (place == schema::kNoPlace || !r.has(place)) return;
  const std::string_view url = r.text(place);
  const std::size_t slashes = url.find("//");
  if (slashes == url.npos) return;
  const std::size_t begin = slashes + 2;
  const std::size_t at = url.substr(0, url.find('/', begin)).rfind('@');
  if (at != url.npos && at >= begin) r.erase_text(place, begin, at + 1 - begin);
}

}  // namespace

void redact(Record& r, const Redaction& what) {
  if (what.url_queries) {
    cut_query<"httpRequestTarget">(r);
    cut_query<"httpReferer">(r);
    cut_query<"rtspURL">(r);
    cut_query<"rtspLocation">(r);
  }
  if (what.literals) {
    remove<"databaseStatement">(r);
    remove<"databaseErrorMessage">(r);  // servers quote the statement in it
  }
  if (!what.user_names) return;
  remove<"databaseUser">(r);
  erase_user<"sipFrom">(r);
  erase_user<"sipTo">(r);
  erase_user<"sipRequestUri">(r);
  erase_user_of_authority<"rtspURL">(r);
  erase_user_of_authority<"rtspLocation">(r);
}

}  // namespace probe
