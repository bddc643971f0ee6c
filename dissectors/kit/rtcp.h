// RTCP datagrams: one or more packets, each with its length (RFC 3550 §6.1).
#pragma once

#include <cstdint>

#include "probe/base/bytes.h"

namespace probe::rtcp {

enum Type : std::uint8_t {
  kSenderReport = 200,
  kReceiverReport = 201,
  kDescription = 202,
  kBye = 203,
  kExtended = 207
};

struct Packet {
  std::uint8_t type = 0;
  std::uint8_t count = 0;  // report blocks, chunks or sources
  Bytes body;              // behind the first four octets, without padding
};

// Takes the next packet off the front; false if there is none, or if it is not one.
bool next(Bytes& datagram, Packet& out);

// Whether lengths and types fit to the last octet (RFC 3550 A.2; `reduced`: RFC 5506, any type may be first). SRTCP
// never does: behind the packets it has an index and a tag (RFC 3711 §3.4).
bool is_whole(Bytes datagram, bool reduced);

// RFC 3550 §6.4.1.
struct SenderInfo {
  std::uint32_t ssrc = 0;
  std::uint32_t middle = 0;  // of the NTP timestamp: what reception reports repeat
  std::uint32_t packets = 0, octets = 0;
};
struct ReportBlock {
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;
  std::int32_t lost = 0;  // 24 bits with sign
  std::uint32_t highest = 0;
  std::uint32_t jitter = 0;                  // in units of the timestamps
  std::uint32_t last_report = 0, delay = 0;  // 2^-16 s
};
ReportBlock read_block(Cursor&);
SenderInfo read_sender(Cursor&);

// RFC 3611 §4.7.
struct VoipMetrics {
  std::uint32_t ssrc = 0;
  std::uint8_t discard_rate = 0;
  std::uint8_t r_factor = 127, mos = 127;  // 127: not available
};
// Of the blocks of an extended report, `body` behind its SSRC.
bool find_voip(Bytes body, VoipMetrics& out);

}  // namespace probe::rtcp
