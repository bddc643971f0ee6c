#include "dissectors/kit/dns_name.h"

#include <array>

namespace probe::dns {

namespace {

constexpr std::size_t kMostOctets = 255;  // of a name, RFC 1035 §2.3.4
constexpr std::uint8_t kPointer = 0xc0;

// How an octet is written: itself (small), or 0 if it must be escaped.
constexpr std::array<char, 256> plain_octets() {
  std::array<char, 256> out{};
  for (int c = 0x21; c < 0x7f; ++c) out[static_cast<std::size_t>(c)] = static_cast<char>(c);
  for (int c = 'A'; c <= 'Z'; ++c) out[static_cast<std::size_t>(c)] = static_cast<char>(c | 0x20);
  for (const char c : {'.', '\\', ',', '"'}) out[static_cast<std::size_t>(c)] = 0;
  return out;
}
constexpr std::array<char, 256> kPlain = plain_octets();

void put_label(Bytes label, TextWriter& out) {
  for (const std::uint8_t c : label) {
    if (kPlain[c] != 0) {
      out.put(kPlain[c]);
    } else if (c > 0x20 && c < 0x7f) {
      out.put('\\');
      out.put(static_cast<char>(c));
    } else {
      out.decimal_escape(c);
    }
  }
}

}  // namespace

Read read_name(Bytes message, std::size_t& at, TextWriter& out) {
  std::size_t here = at;
  std::size_t limit = at;  // pointers go before it: every hop goes further back, so there is an end to them
  std::size_t behind = 0;  // the first pointer
  std::size_t octets = 0;
  while (here < message.size()) {
    const std::uint8_t length = message[here];
    if (length == 0) {
      if (octets == 0) out.put('.');
      at = behind != 0 ? behind : here + 1;
      return Read::good;
    }
    if ((length & kPointer) == kPointer) {
      if (here + 2 > message.size()) return Read::cut;
      const std::size_t target = static_cast<std::size_t>(length & ~kPointer) << 8 | message[here + 1];
      if (target >= limit) return Read::malformed;
      if (behind == 0) behind = here + 2;
      here = limit = target;
      continue;
    }
    octets += length + std::size_t{1};
    if (length >= 64 || octets > kMostOctets) return Read::malformed;
    if (here + 1 + length > message.size()) return Read::cut;
    if (octets > length + std::size_t{1}) out.put('.');
    put_label(message.subspan(here + 1, length), out);
    here += 1 + std::size_t{length};
  }
  return Read::cut;
}

Read skip_name(Bytes message, std::size_t& at) {
  std::size_t here = at;
  while (here < message.size()) {
    const std::uint8_t length = message[here];
    if ((length & kPointer) == kPointer) {
      if (here + 2 > message.size()) return Read::cut;
      at = here + 2;
      return Read::good;
    }
    if (length >= 64 || here - at > kMostOctets) return Read::malformed;
    here += 1 + std::size_t{length};
    if (length == 0) {
      at = here;
      return Read::good;
    }
  }
  return Read::cut;
}

}  // namespace probe::dns
