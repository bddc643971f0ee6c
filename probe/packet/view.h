// What one layer hands to the next while a frame is decoded, and how fields are read from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "probe/base/bytes.h"
#include "probe/base/counters.h"

namespace probe {

// What became of a packet: kFine, or the counter that says why it ends here.
inline constexpr Counter kFine = Counter::kCount;

// The octets of a layer that were captured, and how many there were on the wire.
struct View {
  Bytes octets;
  std::uint32_t wire = 0;  // never less than octets.size()

  bool has(std::size_t n) const { return octets.size() >= n; }

  // Ask has(n) first.
  void skip(std::size_t n) {
    octets = octets.subspan(n);
    wire -= static_cast<std::uint32_t>(n);
  }

  // A length field says where the layer ends: what stands behind is padding, what is missing was cut.
  void set_length(std::uint32_t n) {
    if (octets.size() > n) octets = octets.first(n);
    wire = n;
  }

  // The same for a length field which never reaches beyond the layer around it.
  void limit(std::uint32_t n) {
    if (n < wire) set_length(n);
  }
};

// A header that needs n octets is not there: did the snap length take it, or was it never on the wire?
inline Counter lacking(const View& v, std::size_t n, Counter if_cut, Counter if_short) {
  return v.wire >= n ? if_cut : if_short;
}

// Fields of a header whose size was asked for once: the compiler refuses a place outside of it.
template <std::size_t N>
using Header = std::span<const std::uint8_t, N>;

template <std::size_t At, std::size_t N>
std::uint16_t u16_at(Header<N> h) {
  static_assert(At + 2 <= N);
  return static_cast<std::uint16_t>(h[At] << 8 | h[At + 1]);
}

template <std::size_t At, std::size_t N>
std::uint32_t u32_at(Header<N> h) {
  static_assert(At + 4 <= N);
  return std::uint32_t{h[At]} << 24 | std::uint32_t{h[At + 1]} << 16 | std::uint32_t{h[At + 2]} << 8 | h[At + 3];
}

template <std::size_t At, std::size_t N>
std::uint64_t u64_at(Header<N> h) {
  return std::uint64_t{u32_at<At>(h)} << 32 | u32_at<At + 4>(h);
}

}  // namespace probe
