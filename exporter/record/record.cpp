#include "exporter/record/record.h"

#include <algorithm>

#include "exporter/record/utf8.h"

namespace probe {

namespace {
struct TextSlot {  // libfixbuf's fbVarfield_t, whose layout exporter/ipfix checks
  std::size_t length;
  const std::uint8_t* octets;
};
static_assert(sizeof(TextSlot) == schema::width(schema::Type::text));

constexpr std::uint64_t kNtpToUnix = 2'208'988'800;  // seconds from 1900 to 1970
}  // namespace

Record::Record(RecordPools& home, std::size_t kind) : home_(&home), kind_(static_cast<std::uint16_t>(kind)) {
  std::memset(body(), 0, layout().fixed_octets);
}

std::uint64_t Record::number(std::size_t place) const {
  const auto* from = body() + offset(place);
  switch (schema::width(schema::kElements[layout().places[place].element].shape.type)) {
    case 1:
      return std::to_integer<std::uint64_t>(*from);
    case 2: {
      std::uint16_t v;
      std::memcpy(&v, from, sizeof v);
      return v;
    }
    case 4: {
      std::uint32_t v;
      std::memcpy(&v, from, sizeof v);
      return v;
    }
    case 8: {
      std::uint64_t v;
      std::memcpy(&v, from, sizeof v);
      return v;
    }
    default:
      return 0;
  }
}

void Record::set_octets(std::size_t place, const std::uint8_t* value) {
  std::memcpy(body() + offset(place), value,
              schema::width(schema::kElements[layout().places[place].element].shape.type));
  present_.set(place);
}

std::string_view Record::text(std::size_t place) const {
  TextSlot slot;
  std::memcpy(&slot, body() + offset(place), sizeof slot);
  return {reinterpret_cast<const char*>(slot.octets), slot.length};
}

void Record::store_text(std::size_t place, std::size_t offset, std::size_t limit, std::string_view value) {
  const schema::Layout& l = layout();
  auto* octets = reinterpret_cast<std::uint8_t*>(body()) + l.fixed_octets + text_used_;
  const TextSlot slot{copy_utf8(octets, std::min<std::size_t>(limit, l.text_octets - text_used_), value), octets};
  if (slot.length == 0) return;
  std::memcpy(body() + offset, &slot, sizeof slot);
  text_used_ = static_cast<std::uint16_t>(text_used_ + slot.length);
  present_.set(place);
}

void Record::shorten_text(std::size_t place, std::size_t octets) {
  assert(octets <= text(place).size());
  if (octets == 0) return clear(place);
  std::memcpy(body() + offset(place), &octets, sizeof octets);  // TextSlot::length
}

void Record::erase_text(std::size_t place, std::size_t from, std::size_t octets) {
  TextSlot slot;
  std::memcpy(&slot, body() + offset(place), sizeof slot);
  assert(from + octets <= slot.length);
  std::uint8_t* const at = const_cast<std::uint8_t*>(slot.octets) + from;  // in this record's own body
  std::memmove(at, at + octets, slot.length - from - octets);
  shorten_text(place, slot.length - octets);
}

void Record::clear(std::size_t place) {
  std::memset(body() + offset(place), 0, schema::width(schema::kElements[layout().places[place].element].shape.type));
  present_.clear(place);
}

RecordPools::RecordPools(const std::array<std::size_t, schema::kKindCount>& slots) {
  for (std::size_t k = 0; k < schema::kKindCount; ++k) {
    const schema::Layout& l = schema::kLayouts[k];
    pools_[k] = std::make_unique<SlotPool>(slots[k], sizeof(Record) + l.fixed_octets + l.text_octets);
  }
}

Record* RecordPools::take(std::size_t kind) {
  void* slot = pools_[kind]->take();
  return slot ? new (slot) Record(*this, kind) : nullptr;
}

std::size_t RecordPools::octets() const {
  std::size_t n = 0;
  for (const auto& p : pools_) n += p->octets();
  return n;
}

std::uint64_t ntp_of(Nanos time) {
  const auto t = static_cast<std::uint64_t>(time < 0 ? 0 : time);
  const std::uint64_t seconds = t / kSecond + kNtpToUnix;
  const std::uint64_t micros = t % kSecond / kMicrosecond;
  return (seconds & 0xffffffff) << 32 | ((micros << 32) + 999'999) / 1'000'000;  // rounded up: comes back exact
}

Nanos nanos_of_ntp(std::uint64_t ntp) {
  std::uint64_t seconds = ntp >> 32;
  if (seconds < kNtpToUnix) seconds += std::uint64_t{1} << 32;  // the era that begins in 2036
  const std::uint64_t micros = ((ntp & 0xffffffff) * 1'000'000) >> 32;
  return static_cast<Nanos>((seconds - kNtpToUnix) * kSecond + micros * kMicrosecond);
}

}  // namespace probe
