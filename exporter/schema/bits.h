// A set of small numbers, usable at compile time.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace probe::schema {

template <std::size_t N>
class Bits {
 public:
  static_assert(N % 64 == 0);

  constexpr void set(std::size_t i) { words_[i / 64] |= std::uint64_t{1} << (i % 64); }
  constexpr void clear(std::size_t i) { words_[i / 64] &= ~(std::uint64_t{1} << (i % 64)); }
  constexpr bool has(std::size_t i) const { return (words_[i / 64] >> (i % 64) & 1) != 0; }
  constexpr bool any() const { return *this != Bits(); }
  constexpr std::size_t count() const {
    std::size_t n = 0;
    for (const std::uint64_t w : words_) n += static_cast<std::size_t>(std::popcount(w));
    return n;
  }
  constexpr bool contains(const Bits& all) const { return (*this & all) == all; }

  // In ascending order.
  template <class Visit>
  constexpr void for_each(Visit&& visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t left = words_[w]; left != 0; left &= left - 1)
        visit(64 * w + static_cast<std::size_t>(std::countr_zero(left)));
  }

  constexpr Bits& operator|=(const Bits& o) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= o.words_[w];
    return *this;
  }
  constexpr Bits& operator&=(const Bits& o) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= o.words_[w];
    return *this;
  }
  // What of this is not in the other.
  constexpr Bits& operator-=(const Bits& o) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= ~o.words_[w];
    return *this;
  }
  friend constexpr Bits operator|(Bits a, const Bits& b) { return a |= b; }
  friend constexpr Bits operator&(Bits a, const Bits& b) { return a &= b; }
  friend constexpr Bits operator-(Bits a, const Bits& b) { return a -= b; }
  constexpr auto operator<=>(const Bits&) const = default;

  // Well mixed in its upper bits.
  constexpr std::uint64_t hash() const {
    std::uint64_t h = 0;
    for (const std::uint64_t w : words_) h = ((h ^ (h >> 32)) + w) * 0x9e3779b97f4a7c15;
    return h;
  }

 private:
  std::array<std::uint64_t, N / 64> words_{};
};

}  // namespace probe::schema
