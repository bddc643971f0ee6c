#include "exporter/ipfix/packing.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace probe::ipfix {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers in memory are turned round for the wire");

constexpr bool is_number(std::size_t width) { return std::has_single_bit(width) && width <= 8; }

constexpr bool widths_tell_numbers() {
  for (const schema::Element& e : schema::kElements) {
    const schema::Type t = e.shape.type;
    const bool octets = t == schema::Type::ipv6 || t == schema::Type::mac || t == schema::Type::octets3;
    if (!e.is_text() && is_number(schema::width(t)) == octets) return false;
  }
  return true;
}
static_assert(widths_tell_numbers());

std::uint16_t turned(std::uint16_t v) { return __builtin_bswap16(v); }
std::uint32_t turned(std::uint32_t v) { return __builtin_bswap32(v); }
std::uint64_t turned(std::uint64_t v) { return __builtin_bswap64(v); }

template <class Number>
void put_number(const std::byte* from, std::byte* to) {
  Number v;
  std::memcpy(&v, from, sizeof v);
  v = turned(v);
  std::memcpy(to, &v, sizeof v);
}

// RFC 7011 §6.1.1: a number has its highest octet first. Addresses and other octets are in their order already.
template <std::size_t Width>
void put(const std::byte* from, std::byte* to) {
  if constexpr (Width == 8)
    put_number<std::uint64_t>(from, to);
  else if constexpr (Width == 4)
    put_number<std::uint32_t>(from, to);
  else if constexpr (Width == 2)
    put_number<std::uint16_t>(from, to);
  else
    std::memcpy(to, from, Width);
}

std::size_t memory_octets(const Field& f) {
  return f.octets == kVariableLength ? schema::width(schema::Type::text) : f.octets;
}

std::uint16_t offset_of(std::span<const Field> memory, const Field& f) {
  std::size_t at = 0;
  for (const Field& m : memory) {
    if (m == f) return static_cast<std::uint16_t>(at);
    at += memory_octets(m);
  }
  throw std::logic_error("element " + std::to_string(f.pen) + "/" + std::to_string(f.id) + " is not in memory");
}

// An octetArray; which one does not matter.
constexpr std::uint16_t kDataLinkFrameSection = 315;

}  // namespace

Packing::Packing(std::span<const Field> memory, std::span<const Field> wire) {
  std::array<std::vector<Move>, kWidths.size()> by_width;
  for (const Field& f : wire) {
    const std::uint16_t from = offset_of(memory, f);
    if (f.octets == kVariableLength) {
      texts_.push_back(from);
      text_fields_.push_back(f);
      continue;
    }
    const auto width = std::find(kWidths.begin(), kWidths.end(), f.octets);
    if (width == kWidths.end() || !texts_.empty())
      throw std::logic_error("element " + std::to_string(f.pen) + "/" + std::to_string(f.id) + " cannot be packed");
    by_width[static_cast<std::size_t>(width - kWidths.begin())].push_back({from, octets_});
    octets_ = static_cast<std::uint16_t>(octets_ + f.octets);
  }
  for (std::size_t w = 0; w < kWidths.size(); ++w) {
    moves_.insert(moves_.end(), by_width[w].begin(), by_width[w].end());
    ends_[w] = static_cast<std::uint16_t>(moves_.size());
  }
}

std::size_t Packing::pack(const std::byte* body, std::byte* block) const {
  std::size_t octets = octets_;
  for (const std::uint16_t from : texts_) {
    std::size_t length;  // a text in memory begins with it
    std::memcpy(&length, body + from, sizeof length);
    octets += length + (length < 255 ? 1 : 3);  // RFC 7011 §7
    std::memcpy(block, body + from, kTextSlot);
    block += kTextSlot;
  }
  const Move* m = moves_.data();
  const auto put_all = [&]<std::size_t W>() {
    for (const Move* end = moves_.data() + ends_[W]; m != end; ++m) put<kWidths[W]>(body + m->from, block + m->to);
  };
  [&]<std::size_t... W>(std::index_sequence<W...>) { (put_all.template operator()<W>(), ...); }
  (std::make_index_sequence<kWidths.size()>());
  return octets;
}

std::vector<Field> Packing::message_fields() const {
  std::vector<Field> out = text_fields_;
  if (octets_ > 0) out.insert(out.begin(), {schema::kIana, kDataLinkFrameSection, octets_});
  return out;
}

// Texts first, since they want the alignment of a pointer.
std::vector<Field> Packing::block_fields() const {
  std::vector<Field> out = text_fields_;
  if (octets_ > 0) out.push_back({schema::kIana, kDataLinkFrameSection, octets_});
  return out;
}

}  // namespace probe::ipfix
