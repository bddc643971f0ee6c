#include "dissectors/kit/rtp_header.h"

#include <algorithm>
#include <iterator>

namespace probe::rtp {
namespace {

constexpr std::size_t kFixedOctets = 12;

// RFC 8489 §5: the length is that of the message, and the cookie is always the same.
bool is_stun(Bytes d) {
  Cursor c(d);
  c.skip(2);
  const std::size_t length = c.u16();
  return c.u32() == 0x2112a442 && c.ok() && length + 20 == d.size();
}

// RFC 6347 §4.1, RFC 9147 §4: versions 0xfeff and 0xfefd; of 1.3 only the handshake is in such records.
bool is_dtls(Bytes d) {
  Cursor c(d);
  c.skip(1);
  const std::uint16_t version = c.u16();
  c.skip(8);
  const std::size_t length = c.u16();
  return (version == 0xfeff || version == 0xfefd) && c.ok() && length <= c.left();
}

// RFC 6189 §5: the cookie "ZRTP".
bool is_zrtp(Bytes d) {
  Cursor c(d);
  c.skip(4);
  return c.u32() == 0x5a525450;
}

// RFC 8656 §12.4: may be padded to a multiple of four.
bool is_turn_channel(Bytes d) {
  Cursor c(d);
  c.skip(2);
  const std::size_t length = c.u16();
  return c.ok() && length <= c.left() && c.left() < length + 4;
}

constexpr StaticType kStatic[] = {
    {0, "PCMU", 8000},   {3, "GSM", 8000},   {4, "G723", 8000},   {5, "DVI4", 8000},   {6, "DVI4", 16000},
    {7, "LPC", 8000},    {8, "PCMA", 8000},  {9, "G722", 8000},   {10, "L16", 44100},  {11, "L16", 44100},
    {12, "QCELP", 8000}, {13, "CN", 8000},   {14, "MPA", 90000},  {15, "G728", 8000},  {16, "DVI4", 11025},
    {17, "DVI4", 22050}, {18, "G729", 8000}, {25, "CelB", 90000}, {26, "JPEG", 90000}, {28, "nv", 90000},
    {31, "H261", 90000}, {32, "MPV", 90000}, {33, "MP2T", 90000}, {34, "H263", 90000},
};

}  // namespace

// RFC 7983 §7, RFC 5761 §4.
Content content_of(Bytes d) {
  if (d.size() < 2) return Content::other;
  const std::uint8_t first = d[0];
  if (first >= 128 && first < 192) return d[1] >= 192 && d[1] < 224 ? Content::rtcp : Content::rtp;
  if (first < 4 && is_stun(d)) return Content::stun;
  if (first >= 16 && first < 20 && is_zrtp(d)) return Content::zrtp;
  if (first >= 20 && first < 64 && is_dtls(d)) return Content::dtls;
  if (first >= 64 && first < 80 && is_turn_channel(d)) return Content::turn_channel;
  return Content::other;
}

std::optional<Header> read_header(Bytes d) {
  Cursor c(d);
  const std::uint8_t first = c.u8(), second = c.u8();
  Header h;
  h.sequence = c.u16();
  h.timestamp = c.u32();
  h.ssrc = c.u32();
  h.contributors = first & 0x0f;
  c.skip(4u * h.contributors);
  h.extension = (first & 0x10) != 0;
  if (h.extension) {
    c.skip(2);
    c.skip(std::size_t{4} * c.u16());
  }
  if (!c.ok() || first >> 6 != 2 || d.size() < kFixedOctets) return std::nullopt;
  h.marker = (second & 0x80) != 0;
  h.payload_type = second & 0x7f;
  h.payload = c.rest();
  // Its last octet tells the padding; of SRTP it is encrypted, and what cannot be is not taken for it.
  if ((first & 0x20) != 0 && !h.payload.empty() && h.payload.back() > 0 && h.payload.back() <= h.payload.size())
    h.payload = h.payload.first(h.payload.size() - h.payload.back());
  return h;
}

const StaticType* static_type(std::uint8_t payload_type) {
  const auto at = std::ranges::find(kStatic, payload_type, &StaticType::payload_type);
  return at == std::end(kStatic) ? nullptr : at;
}

bool is_likely_type(std::uint8_t payload_type) { return payload_type >= kFirstDynamic || static_type(payload_type); }

}  // namespace probe::rtp
