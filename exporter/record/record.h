// A row on its way to the exporter. Its body is what exporter/ipfix packs: fixed fields, then the octets of texts.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "exporter/schema/schema.h"
#include "probe/base/nanos.h"
#include "probe/base/pool.h"

namespace probe {

class RecordPools;

// Lives in a slot of a pool, never moves, and is handed on by pointer: texts point into the record's own body.
class Record {
 public:
  std::size_t kind() const { return kind_; }
  const schema::Layout& layout() const { return schema::kLayouts[kind_]; }
  const schema::Presence& present() const { return present_; }
  bool has(std::size_t place) const { return present_.has(place); }
  schema::Groups groups() const {
    return parts_ ? schema::groups_of(kind_, present_) : schema::complete_groups(kind_, present_);
  }
  // For records of other exporters, which know nothing of our groups: one is there as soon as one of its fields is.
  void accept_parts_of_groups() { parts_ = true; }
  bool accepts_parts_of_groups() const { return parts_; }

  // Values by place (an index into layout().places); meaningful only if has(place).
  std::uint64_t number(std::size_t place) const;  // any numeric type; times as they are encoded
  std::string_view text(std::size_t place) const;
  const std::uint8_t* octets(std::size_t place) const {
    return reinterpret_cast<const std::uint8_t*>(body()) + offset(place);
  }

  void set_octets(std::size_t place, const std::uint8_t* value);  // width() of its type
  // The same where place, offset and width are known: numbers least significant octet first.
  template <std::size_t Width>
  void store(std::size_t place, std::size_t offset, const void* value) {
    std::memcpy(body() + offset, value, Width);
    present_.set(place);
  }
  // Copies as valid UTF-8 (what is not becomes U+FFFD), cut at the element's limit between characters. Set once: a
  // second time leaves the octets of the first unused. An empty text is the same as none.
  void set_text(std::size_t place, std::string_view value) {
    store_text(place, offset(place), schema::kElements[layout().places[place].element].shape.limit, value);
  }
  void store_text(std::size_t place, std::size_t offset, std::size_t limit, std::string_view value);
  // Keeps the first `octets` of a text that is there; to be cut between characters.
  void shorten_text(std::size_t place, std::size_t octets);
  // Takes `octets` at `from` out of a text that is there; both to be cut between characters.
  void erase_text(std::size_t place, std::size_t from, std::size_t octets);
  void clear(std::size_t place);

  std::byte* body() { return reinterpret_cast<std::byte*>(this + 1); }
  const std::byte* body() const { return reinterpret_cast<const std::byte*>(this + 1); }
  RecordPools& home() const { return *home_; }

 private:
  friend class RecordPools;
  Record(RecordPools& home, std::size_t kind);
  std::size_t offset(std::size_t place) const { return layout().places[place].offset; }

  RecordPools* home_;
  schema::Presence present_;
  std::uint16_t kind_;
  std::uint16_t text_used_ = 0;
  bool parts_ = false;
};
static_assert(sizeof(Record) % 8 == 0, "the body starts on its alignment");

// Slots for records, a pool a kind. Belongs to one thread; records that left it come back to that thread first.
class RecordPools {
 public:
  // `slots`: how many of each kind.
  explicit RecordPools(const std::array<std::size_t, schema::kKindCount>& slots);
  Record* take(std::size_t kind);  // nullptr if empty
  void give(Record* r) { pools_[r->kind()]->give(r); }
  std::size_t in_use(std::size_t kind) const { return pools_[kind]->in_use(); }
  std::size_t octets() const;

 private:
  std::array<std::unique_ptr<SlotPool>, schema::kKindCount> pools_;
};

// dateTimeMicroseconds: NTP seconds and fraction (RFC 7011 §6.1.9). Good from 1970 to 2106.
std::uint64_t ntp_of(Nanos time);
Nanos nanos_of_ntp(std::uint64_t ntp);  // to the microsecond

namespace record_detail {

// Writes a value in the type that the element table gives it.
template <std::size_t E, class V>
void put(Record& r, std::size_t place, std::size_t offset, V&& value) {
  constexpr const schema::Element& e = schema::kElements[E];
  constexpr std::size_t width = schema::width(e.shape.type);
  using T = std::remove_cvref_t<V>;
  if constexpr (e.shape.type == schema::Type::text) {
    static_assert(std::is_convertible_v<V, std::string_view>, "this element is a text");
    r.store_text(place, offset, e.shape.limit, value);
  } else if constexpr (width > 8 || e.shape.type == schema::Type::mac || e.shape.type == schema::Type::octets3) {
    static_assert(std::tuple_size<T>::value == width, "this element is an array of octets");
    r.store<width>(place, offset, value.data());
  } else if constexpr (e.shape.type == schema::Type::milliseconds || e.shape.type == schema::Type::microseconds) {
    static_assert(std::is_same_v<T, Nanos>, "this element is a time");
    const bool milli = e.shape.type == schema::Type::milliseconds;
    const std::uint64_t encoded =
        milli ? static_cast<std::uint64_t>(value < 0 ? 0 : value / kMillisecond) : ntp_of(value);
    r.store<width>(place, offset, &encoded);
  } else if constexpr (e.shape.type == schema::Type::f64) {
    static_assert(std::is_same_v<T, double>, "this element is a fraction");
    r.store<width>(place, offset, &value);
  } else {
    static_assert(std::is_unsigned_v<T> && sizeof(T) <= width,
                  "this element is an unsigned number, and not a wider one than the table says");
    const std::uint64_t encoded = value;
    r.store<width>(place, offset, &encoded);
  }
}

}  // namespace record_detail

// Sets an element of a record whose kind is known only at run time; nothing happens if that kind has no such element.
template <schema::Name Field, class V>
void set_in(Record& r, V&& value) {
  constexpr std::size_t element = schema::find_element(Field.view());
  static_assert(element != schema::kNone, "no such element in the table");
  static constexpr schema::PlaceByKind kPlaces = schema::places_of(element);
  static constexpr schema::OffsetByKind kOffsets = schema::offsets_of(element);
  if (const std::uint8_t place = kPlaces[r.kind()]; place != schema::kNoPlace)
    record_detail::put<element>(r, place, kOffsets[r.kind()], std::forward<V>(value));
}

// The number of an element, as it is encoded; 0 if the record does not have it.
template <schema::Name Field>
std::uint64_t number_in(const Record& r) {
  constexpr std::size_t element = schema::find_element(Field.view());
  static_assert(element != schema::kNone, "no such element in the table");
  constexpr std::size_t width = schema::width(schema::kElements[element].shape.type);
  static_assert(width <= 8 && std::has_single_bit(width), "this element is not a number");
  static constexpr schema::PlaceByKind kPlaces = schema::places_of(element);
  static constexpr schema::OffsetByKind kOffsets = schema::offsets_of(element);
  std::uint64_t value = 0;  // as is the memory of what was not set
  if (kPlaces[r.kind()] != schema::kNoPlace) std::memcpy(&value, r.body() + kOffsets[r.kind()], width);
  return value;
}

// Place of an element in a kind of record, both by name.
template <schema::Name Kind, schema::Name Field>
constexpr std::size_t place_in() {
  constexpr std::size_t kind = schema::find_kind(Kind.view());
  static_assert(kind != schema::kNone, "no such record in kKinds");
  constexpr std::size_t element = schema::find_element(Field.view());
  static_assert(element != schema::kNone, "no such element in the table");
  constexpr std::uint8_t place = schema::places_of(element)[kind];
  static_assert(place != schema::kNoPlace, "this kind of record has no such element: is its group listed in kKinds?");
  return place;
}

// Writes one record. A draft without memory swallows what it is told: the pool was empty, and that has been counted.
// Dropping a draft gives its memory back.
template <schema::Name Kind>
class Draft {
  static constexpr std::size_t kIndex = schema::find_kind(Kind.view());
  static_assert(kIndex != schema::kNone, "no such record in kKinds");

 public:
  Draft() = default;
  explicit Draft(Record* r) : record_(r) { assert(!r || r->kind() == kIndex); }
  Draft(Draft&& other) noexcept : record_(other.release()) {}
  Draft& operator=(Draft&& other) noexcept {
    std::swap(record_, other.record_);
    return *this;
  }
  ~Draft() { drop(); }

  template <schema::Name Field, class V>
  void set(V&& value) {
    constexpr std::size_t element = schema::find_element(Field.view());
    constexpr std::size_t place = place_in<Kind, Field>(), offset = schema::offsets_of(element)[kIndex];
    if (record_) record_detail::put<element>(*record_, place, offset, std::forward<V>(value));
  }
  template <schema::Name Field>
  bool has() const {
    return record_ && record_->has(place_in<Kind, Field>());
  }
  template <schema::Name Field>
  std::string_view text() const {
    return has<Field>() ? record_->text(place_in<Kind, Field>()) : std::string_view();
  }

  explicit operator bool() const { return record_ != nullptr; }
  Record* release() { return std::exchange(record_, nullptr); }
  void drop() {
    if (Record* r = release()) r->home().give(r);
  }

 private:
  Record* record_ = nullptr;
};

}  // namespace probe
