// The fixed header of RTP (RFC 3550 §5.1), and what else comes in the same flow (RFC 7983, RFC 5761).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "probe/base/bytes.h"

namespace probe::rtp {

enum class Content : std::uint8_t { other, rtp, rtcp, stun, dtls, zrtp, turn_channel };

// By the first octets alone: what it claims to be.
Content content_of(Bytes datagram);

struct Header {
  std::uint32_t timestamp = 0, ssrc = 0;
  std::uint16_t sequence = 0;
  std::uint8_t payload_type = 0;
  std::uint8_t contributors = 0;  // CSRC
  bool marker = false;
  bool extension = false;
  Bytes payload;  // without padding
};

std::optional<Header> read_header(Bytes datagram);

// RFC 3551 §6, table 4 and 5.
struct StaticType {
  std::uint8_t payload_type;
  std::string_view encoding;
  std::uint32_t clock_rate;
};
// nullptr: none, or a dynamic one.
const StaticType* static_type(std::uint8_t payload_type);
// One that may be met without an announcement: a static one that was given out, or a dynamic one.
bool is_likely_type(std::uint8_t payload_type);
inline constexpr std::uint8_t kComfortNoise = 13;  // RFC 3389
inline constexpr std::uint8_t kFirstDynamic = 96;

}  // namespace probe::rtp
