// Bytes that somebody else owns, and a cursor that cannot leave them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace probe {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view as_text(Bytes b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }
inline Bytes as_bytes(std::string_view s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }

// Reads numbers in network byte order (the *_le variants: little endian). Reading past the end yields 0 and makes
// ok() false for good, so a parser reads all that it needs and asks once.
class Cursor {
 public:
  explicit Cursor(Bytes b) : rest_(b) {}

  std::size_t left() const { return rest_.size(); }
  bool ok() const { return ok_; }
  Bytes rest() const { return rest_; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian<1>()); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian<2>()); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(big_endian<3>()); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian<4>()); }
  std::uint64_t u64() { return big_endian<8>(); }

  std::uint16_t u16_le() { return static_cast<std::uint16_t>(little_endian<2>()); }
  std::uint32_t u24_le() { return static_cast<std::uint32_t>(little_endian<3>()); }
  std::uint32_t u32_le() { return static_cast<std::uint32_t>(little_endian<4>()); }
  std::uint64_t u64_le() { return little_endian<8>(); }

  Bytes take(std::size_t n) {
    if (n > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const Bytes out = rest_.first(n);
    rest_ = rest_.subspan(n);
    return out;
  }
  void skip(std::size_t n) { take(n); }

  // A cursor over the next n bytes, which this one leaves behind; empty and not ok if they are not there.
  Cursor sub(std::size_t n) {
    Cursor c(take(n));
    c.ok_ = ok_;
    return c;
  }

 private:
  // Without a loop, so that the compiler sees one load (and a byte swap) in it.
  template <std::size_t N>
  std::uint64_t big_endian() {
    const Bytes b = take(N);
    if (b.empty()) return 0;
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return ((std::uint64_t{b[I]} << 8 * (N - 1 - I)) | ...); }
    (std::make_index_sequence<N>());
  }
  template <std::size_t N>
  std::uint64_t little_endian() {
    const Bytes b = take(N);
    if (b.empty()) return 0;
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return ((std::uint64_t{b[I]} << 8 * I) | ...); }
    (std::make_index_sequence<N>());
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace probe
