#include "exporter/record/utf8.h"

#include <algorithm>
#include <cstring>

namespace probe {
namespace {

// Copies the octets at the front that are plain ASCII, eight at a time; returns how many.
std::size_t copy_ascii(std::uint8_t* to, const char* from, std::size_t size) {
  const auto copied_eight = [&](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, from + at, sizeof word);
    if ((word & 0x8080808080808080ULL) != 0) return false;
    std::memcpy(to + at, &word, sizeof word);
    return true;
  };
  std::size_t n = 0;
  while (n + 8 <= size && copied_eight(n)) n += 8;
  if (n + 8 > size && size >= 8 && copied_eight(size - 8)) return size;  // the last of them again, with what is left
  for (; n < size && static_cast<std::uint8_t>(from[n]) < 0x80; ++n) to[n] = static_cast<std::uint8_t>(from[n]);
  return n;
}

// Length of the valid character at the front, 0 if there is none (RFC 3629 §4: no overlong forms, no surrogates).
std::size_t character(std::string_view s) {
  const auto octet = [s](std::size_t i) { return i < s.size() ? static_cast<std::uint8_t>(s[i]) : std::uint8_t{0}; };
  const auto tail = [&](std::size_t i) { return (octet(i) & 0xc0) == 0x80; };
  const std::uint8_t a = octet(0), b = octet(1);
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return tail(1) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    const bool second = a == 0xe0 ? b >= 0xa0 && b <= 0xbf : a == 0xed ? b >= 0x80 && b <= 0x9f : tail(1);
    return second && tail(2) ? 3 : 0;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    const bool second = a == 0xf0 ? b >= 0x90 && b <= 0xbf : a == 0xf4 ? b >= 0x80 && b <= 0x8f : tail(1);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::size_t copy_utf8(std::uint8_t* to, std::size_t room, std::string_view from) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::size_t written = 0;
  while (!from.empty()) {
    const std::size_t plain = copy_ascii(to + written, from.data(), std::min(from.size(), room - written));
    written += plain;
    from.remove_prefix(plain);
    if (from.empty() || written == room) break;
    const std::size_t n = character(from);
    const std::string_view what = n > 0 ? from.substr(0, n) : kReplacement;
    if (what.size() > room - written) break;
    std::memcpy(to + written, what.data(), what.size());
    written += what.size();
    from.remove_prefix(n > 0 ? n : 1);
  }
  return written;
}

}  // namespace probe
