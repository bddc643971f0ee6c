#include "dissectors/kit/ip_text.h"

#include <array>
#include <cstddef>

namespace probe {

namespace {

struct Run {
  std::size_t begin = 0, length = 0;
};

// RFC 5952 §4.2: the longest run of zero groups, the first of equals, and not a single one.
Run longest_zeros(const std::array<std::uint16_t, 8>& groups) {
  Run best;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Run r{i, 0};
    while (i < groups.size() && groups[i] == 0) ++i, ++r.length;
    if (r.length > best.length) best = r;
  }
  return best.length > 1 ? best : Run{groups.size(), 0};
}

}  // namespace

void write_ipv4(std::span<const std::uint8_t, 4> address, TextWriter& out) {
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (i > 0) out.put('.');
    out.number(address[i]);
  }
}

void write_ipv6(std::span<const std::uint8_t, 16> address, TextWriter& out) {
  std::array<std::uint16_t, 8> groups;
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = static_cast<std::uint16_t>(address[2 * i] << 8 | address[2 * i + 1]);
  const Run zeros = longest_zeros(groups);
  // RFC 5952 §5: an address known to embed an IPv4 one shows it.
  const bool mapped = zeros.begin == 0 && zeros.length == 5 && groups[5] == 0xffff;
  for (std::size_t i = 0; i < (mapped ? 6 : groups.size()); ++i) {
    if (i == zeros.begin) {
      out.put("::");
      i += zeros.length - 1;
      continue;
    }
    if (i > 0 && i != zeros.begin + zeros.length) out.put(':');
    out.number(groups[i], 16);
  }
  if (!mapped) return;
  out.put(':');
  write_ipv4(address.last<4>(), out);
}

}  // namespace probe
