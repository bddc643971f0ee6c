// Tells DNS from the first octets of a side, and whether they are a datagram or a stream.
#pragma once

#include "dissectors/dissector.h"

namespace probe::dns {

// How messages are put: by themselves in datagrams, or in a stream, each behind its length (RFC 1035 §4.2).
enum class Frame : std::uint8_t { neither, unknown, datagram, stream };

struct Finding {
  Frame frame = Frame::neither;
  bool response = false;
};
Finding find_dns(Bytes first);
// A message stands at the front of `data`, behind its length. unknown: more must be seen.
Finding find_framed(Bytes data);

Guess guess_dns(Bytes first);

}  // namespace probe::dns
