#include "dissectors/kit/rtcp.h"

namespace probe::rtcp {

bool next(Bytes& d, Packet& out) {
  Cursor c(d);
  const std::uint8_t first = c.u8();
  out.type = c.u8();
  const std::size_t octets = std::size_t{4} * c.u16();
  out.count = first & 0x1f;
  if (!c.ok() || first >> 6 != 2 || out.type < 192 || out.type >= 224 || octets > c.left()) return false;
  out.body = c.take(octets);
  if ((first & 0x20) != 0) {
    const std::size_t padding = out.body.empty() ? 0 : out.body.back();
    if (padding == 0 || padding > out.body.size()) return false;
    out.body = out.body.first(out.body.size() - padding);
  }
  d = c.rest();
  return true;
}

bool is_whole(Bytes d, bool reduced) {
  Packet p;
  bool first = true;
  while (!d.empty()) {
    if (!next(d, p)) return false;
    if (first && !reduced && p.type != kSenderReport && p.type != kReceiverReport) return false;
    first = false;
  }
  return !first;
}

SenderInfo read_sender(Cursor& c) {
  SenderInfo s;
  s.ssrc = c.u32();
  s.middle = static_cast<std::uint32_t>(c.u64() >> 16);
  c.skip(4);
  s.packets = c.u32();
  s.octets = c.u32();
  return s;
}

ReportBlock read_block(Cursor& c) {
  ReportBlock b;
  b.ssrc = c.u32();
  b.fraction_lost = c.u8();
  b.lost = static_cast<std::int32_t>(c.u24() << 8) >> 8;
  b.highest = c.u32();
  b.jitter = c.u32();
  b.last_report = c.u32();
  b.delay = c.u32();
  return b;
}

bool find_voip(Bytes body, VoipMetrics& out) {
  constexpr std::uint8_t kVoip = 7;
  constexpr std::size_t kVoipOctets = 32;
  Cursor c(body);
  while (c.left() >= 4) {
    const std::uint8_t type = c.u8();
    c.skip(1);
    Cursor block = c.sub(std::size_t{4} * c.u16());
    if (!c.ok()) return false;
    if (type != kVoip || block.left() != kVoipOctets) continue;
    out.ssrc = block.u32();
    block.skip(1);
    out.discard_rate = block.u8();
    block.skip(14);
    out.r_factor = block.u8();
    block.skip(2);  // the other one, MOS for listening
    out.mos = block.u8();
    return block.ok();
  }
  return false;
}

}  // namespace probe::rtcp
