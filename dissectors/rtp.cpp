// RTP and RTCP (RFC 3550): one record a stream, every five minutes and at the end of the flow. A stream is what one
// SSRC sends; RTP is found by packets that follow each other, or by an announcement in SDP.
#include <algorithm>

#include "dissectors/dissector.h"
#include "dissectors/kit/rtcp.h"
#include "dissectors/kit/rtp_header.h"
#include "dissectors/kit/rtp_streams.h"

namespace probe {
namespace {

using namespace rtp;

constexpr Nanos kInterval = 300 * kSecond;  // a longer stream is reported in pieces
constexpr unsigned kNeeded = 4;             // packets in a row, if nothing else speaks for RTP
constexpr unsigned kNeededBeside = 2;       // beside a stream that is known (RFC 3550 A.1: MIN_SEQUENTIAL)
// A stream without packets for so long may make room for another: one that is known, and one that is yet to be.
constexpr Nanos kSilent = 5 * kSecond, kSilentUnproven = 200 * kMillisecond;

class Rtp final : public Session {
 public:
  static Guess guess(Bytes first, Side from);
  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_end(Scribe&) override;

 private:
  static constexpr std::size_t kMostCandidates = 8;
  static constexpr std::uint8_t kMostStrange = 3, kMostBeside = 64;  // before RTP is found

  // What SDP or RFC 3551 says of a payload type. True: SDP did.
  bool look_up(Stream&, std::uint8_t type, Nanos now, Scribe&);
  bool find_call(Side receiver, Nanos now, Scribe&, Media& out);
  void on_rtp(Side from, Bytes data, Nanos now, Scribe&);
  void on_rtcp(Side from, Bytes data, Nanos now, Scribe&);
  void on_opaque(Side from, Bytes data, Nanos now);
  void on_rtcp_packet(Side from, const rtcp::Packet&, Nanos now, Scribe&);
  void on_reports(Side from, Cursor&, unsigned count, Nanos now, Scribe&);
  void on_descriptions(Side from, Cursor&, unsigned count);
  void on_byes(Side from, Cursor&, unsigned count);
  Stream* stream(std::uint32_t ssrc, Side from, Nanos now, Scribe&);
  Stream* make_room(std::uint32_t ssrc, Side from, Nanos now, Scribe&);
  void report_all(Scribe&, bool final);
  void report(Stream&, Scribe&, bool final);
  const Stream* predecessor_of(const Stream&);

  Streams streams_;
  Call call_;
  std::array<RoundTrips, 2> beyond_;  // between the probe and that side
  Nanos begun_ = kNoTime;             // of this interval
  std::uint8_t strange_ = 0, beside_ = 0, rtcp_seen_ = 0;
  bool sure_ = false;
  bool left_out_ = false;
};

Guess Rtp::guess(Bytes first, Side) {
  switch (content_of(first)) {
    case Content::rtp: {
      const std::optional<Header> h = read_header(first);
      return h && (h->payload_type < 64 || is_likely_type(h->payload_type)) ? Guess::trial : Guess::no;
    }
    case Content::rtcp:
      return rtcp::is_whole(first, false) ? Guess::trial : Guess::no;
    case Content::stun:  // ICE and keys come before the media, in the same flow
    case Content::dtls:
    case Content::zrtp:
    case Content::turn_channel:
      return Guess::trial;
    case Content::other:
      return Guess::no;
  }
  return Guess::no;
}

Step Rtp::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  if (begun_ == kNoTime) begun_ = at.first;
  if (sure_ && at.first - begun_ >= kInterval) {
    report_all(scribe, false);
    begun_ = at.first;
  }
  switch (content_of(data)) {
    case Content::rtp:
      on_rtp(from, data, at.first, scribe);
      break;
    case Content::rtcp:
      on_rtcp(from, data, at.first, scribe);
      break;
    case Content::other:
      strange_ = static_cast<std::uint8_t>(std::min(strange_ + 1, 255));
      break;
    default:
      beside_ = static_cast<std::uint8_t>(std::min(beside_ + 1, 255));
  }
  if (sure_) return Step::used(data.size());
  return strange_ > kMostStrange || beside_ > kMostBeside ? Step::not_ours() : Step::unsure();
}

void Rtp::on_rtp(Side from, Bytes data, Nanos now, Scribe& scribe) {
  const std::optional<Header> h = read_header(data);
  Stream* s = h ? stream(h->ssrc, from, now, scribe) : nullptr;
  if (!s) {
    strange_ = static_cast<std::uint8_t>(std::min(strange_ + 1, 255));
    return;
  }
  bool announced = false;
  if (s->wants_format(h->payload_type)) announced = look_up(*s, h->payload_type, now, scribe);
  s->on_packet(*h, now);
  if (s->proven()) return;
  // Four packets that agree in 32 bits of SSRC and step by little in 16 bits of number and in 32 of timestamp: what is
  // random does so once in 2^150, and what counts packets at this place has no reason for the rest.
  const unsigned needed = announced ? 1 : sure_ ? kNeededBeside : kNeeded;
  const bool likely = announced || sure_ || (h->ssrc != 0 && is_likely_type(h->payload_type));
  if (!likely || (s->evidence() < needed && !announced)) return;
  s->set_proven();
  sure_ = true;
}

bool Rtp::find_call(Side receiver, Nanos now, Scribe& scribe, Media& out) {
  const FlowEnds ends = scribe.ends();
  // The receiver has said what it wants to get; where its address was translated, the sender has said what it sends.
  if (!scribe.media().find(ends.side[index_of(receiver)], now, out) &&
      !scribe.media().find(ends.side[index_of(other(receiver))], now, out))
    return false;
  call_.announced = true;
  call_.secure = out.secure;
  call_.signalling_flow = out.signalling_flow;
  call_.id = out.call;
  return true;
}

bool Rtp::look_up(Stream& s, std::uint8_t type, Nanos now, Scribe& scribe) {
  Media media;
  const bool called = find_call(other(s.from()), now, scribe, media);
  const MediaFormat* told = called ? media.format(type) : nullptr;
  MediaFormat f = told ? *told : MediaFormat{};
  f.payload_type = type;
  if (const StaticType* known = static_type(type)) {
    if (f.encoding.view().empty()) f.encoding.set(known->encoding);
    if (f.clock_rate == 0) f.clock_rate = known->clock_rate;
  }
  if (f.clock_rate != 0) s.set_format(f);
  return told != nullptr;
}

Stream* Rtp::stream(std::uint32_t ssrc, Side from, Nanos now, Scribe& scribe) {
  if (Stream* s = streams_.find(ssrc, from)) return s;
  if (!sure_ && streams_.size() >= kMostCandidates) return nullptr;
  Stream* other_way = streams_.find(ssrc, other(from));
  Stream* s = streams_.add(ssrc, from, scribe.notes());
  if (!s) s = make_room(ssrc, from, now, scribe);
  if (!s || !other_way) return s;
  s->on_collision();  // RFC 3550 §8.2, or a reflector
  other_way->on_collision();
  return s;
}

// Of the streams that are not proven the one that was silent for the longest time; else one that has ended.
Stream* Rtp::make_room(std::uint32_t ssrc, Side from, Nanos now, Scribe& scribe) {
  Stream* oldest = nullptr;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    Stream& s = streams_[i];
    const bool better = !oldest || (oldest->proven() != s.proven() ? !s.proven() : s.last() < oldest->last());
    if (better) oldest = &s;
  }
  if (!oldest || now - oldest->last() < (oldest->proven() ? kSilent : kSilentUnproven)) {
    left_out_ = true;
    return nullptr;
  }
  report(*oldest, scribe, true);
  return streams_.replace(*oldest, ssrc, from);
}

void Rtp::on_rtcp(Side from, Bytes data, Nanos now, Scribe& scribe) {
  if (call_.secure || !rtcp::is_whole(data, sure_)) return on_opaque(from, data, now);
  if (!sure_) {
    // RTCP beside a port of its own: the announced one is the one below (RFC 3550 §11).
    const FlowEnds ends = scribe.ends();
    Media media;
    for (FlowEnd a : ends.side) {
      --a.port;
      if (!call_.announced && scribe.media().find(a, now, media))
        call_ = {media.signalling_flow, media.call, true, media.secure};
    }
    if (call_.secure) return;
  }
  rtcp::Packet p;
  bool described = false;
  while (rtcp::next(data, p)) {
    described = described || p.type == rtcp::kDescription;
    on_rtcp_packet(from, p, now, scribe);
  }
  // A report and a description in lengths that fit to the octet are no accident, nor are two such datagrams.
  if (++rtcp_seen_ >= 2 || described || call_.announced) sure_ = true;
  if (rtcp_seen_ == 255) rtcp_seen_ = 2;
}

// SRTCP shows its sender only (RFC 3711 §3.4).
void Rtp::on_opaque(Side from, Bytes data, Nanos now) {
  Cursor c(data);
  c.skip(4);
  Stream* s = streams_.find(c.u32(), from);
  if (!s) {
    strange_ = static_cast<std::uint8_t>(std::min(strange_ + 1, 255));
    return;
  }
  s->on_rtcp(now);
  s->on_opaque();
}

void Rtp::on_rtcp_packet(Side from, const rtcp::Packet& p, Nanos now, Scribe& scribe) {
  Cursor c(p.body);
  switch (p.type) {
    case rtcp::kSenderReport: {
      const rtcp::SenderInfo info = rtcp::read_sender(c);
      Stream* s = c.ok() ? stream(info.ssrc, from, now, scribe) : nullptr;
      if (s) {
        s->on_rtcp(now);
        s->on_sender_report(info, now);
      }
      return on_reports(from, c, p.count, now, scribe);
    }
    case rtcp::kReceiverReport:
      c.skip(4);
      return on_reports(from, c, p.count, now, scribe);
    case rtcp::kDescription:
      return on_descriptions(from, c, p.count);
    case rtcp::kBye:
      return on_byes(from, c, p.count);
    case rtcp::kExtended: {
      rtcp::VoipMetrics v;
      c.skip(4);
      if (!rtcp::find_voip(c.rest(), v)) return;
      if (Stream* s = streams_.find(v.ssrc, other(from))) s->on_voip(v);
      return;
    }
    default:
      return;
  }
}

void Rtp::on_reports(Side from, Cursor& c, unsigned count, Nanos now, Scribe& scribe) {
  for (unsigned i = 0; i < count; ++i) {  // at most 31
    const rtcp::ReportBlock b = rtcp::read_block(c);
    if (!c.ok()) return;
    Stream* s = stream(b.ssrc, other(from), now, scribe);
    if (!s) continue;
    s->on_rtcp(now);
    s->on_block(b);
    if (const Nanos rtt = s->round_trip(b, now); rtt >= 0) beyond_[index_of(from)].add(rtt);
  }
}

// RFC 3550 §6.5: chunks of items; the first is enough to know a sender.
void Rtp::on_descriptions(Side from, Cursor& c, unsigned count) {
  constexpr std::uint8_t kCname = 1;
  for (unsigned i = 0; i < count; ++i) {  // at most 31
    Stream* s = streams_.find(c.u32(), from);
    std::size_t octets = 0;
    while (const std::uint8_t item = c.u8()) {
      const std::uint8_t length = c.u8();
      const Bytes text = c.take(length);
      octets += 2u + length;
      if (s && item == kCname && c.ok()) s->on_cname(as_text(text));
    }
    c.skip(3 - octets % 4);  // the item that ends the chunk pads it
    if (!c.ok()) return;
  }
}

void Rtp::on_byes(Side from, Cursor& c, unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    Stream* s = streams_.find(c.u32(), from);
    if (s && c.ok()) s->on_bye();
  }
}

void Rtp::on_end(Scribe& scribe) {
  if (sure_) report_all(scribe, true);
  streams_.release(scribe.notes());
}

void Rtp::report_all(Scribe& scribe, bool final) {
  for (std::size_t i = 0; i < streams_.size(); ++i) report(streams_[i], scribe, final);
  beyond_ = {};
}

void Rtp::report(Stream& s, Scribe& scribe, bool final) {
  if ((s.has_media() && s.proven()) || s.has_reports()) {
    // What was announced on another worker may have been late.
    if (!call_.announced && s.has_media()) look_up(s, s.payload_type(), s.last(), scribe);
    const Stream* before = predecessor_of(s);
    s.report(scribe, {call_, beyond_[index_of(other(s.from()))], beyond_[index_of(s.from())],
                      before ? before->ssrc() : 0, before != nullptr, left_out_, final});
  }
  s.start_interval();
}

// A sender that chooses another SSRC goes on at once (RFC 3550 §8.2).
const Stream* Rtp::predecessor_of(const Stream& s) {
  constexpr Nanos kPause = 2 * kSecond;
  for (std::size_t i = 0; s.has_media() && i < streams_.size(); ++i) {
    const Stream& o = streams_[i];
    if (o.from() == s.from() && o.ssrc() != s.ssrc() && o.proven() && o.payload_type() == s.payload_type() &&
        o.last() <= s.first() && s.first() - o.last() < kPause)
      return &o;
  }
  return nullptr;
}

}  // namespace

extern const Dissector rtp_dissector;
const Dissector rtp_dissector = describe<Rtp>("rtp", Over::udp, {});

}  // namespace probe
