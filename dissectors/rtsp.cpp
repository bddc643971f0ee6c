// RTSP 1.0 and 2.0 (RFC 2326, 7826) over TCP: one record a request and its response. Interleaved frames go by, counted.
#include <algorithm>
#include <array>
#include <utility>

#include "dissectors/dissector.h"
#include "dissectors/kit/few.h"
#include "dissectors/kit/keep_text.h"
#include "dissectors/kit/rtsp_tracks.h"
#include "dissectors/kit/text_message.h"
#include "probe/base/quality.h"

namespace probe {
namespace {

using namespace rtsp;
using text_message::FieldReader;
using text_message::Message;
using text_message::same_word;

constexpr std::size_t kMostPending = 12;
constexpr std::size_t kFrameHead = 4;

// RFC 2326 §10, RFC 7826 §13.
constexpr std::string_view kMethods[] = {"OPTIONS",  "DESCRIBE", "SETUP",         "PLAY",
                                         "PAUSE",    "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER",
                                         "ANNOUNCE", "RECORD",   "PLAY_NOTIFY",   "REDIRECT"};
constexpr text_message::Protocol kProtocol{"RTSP", kMethods};

struct Fields {
  std::uint32_t number = 0;
  bool numbered = false;
  std::string_view session, user_agent, server, content_type, transport, location;
};

Fields fields_of(const Message& m) {
  struct Known {
    std::string_view name;
    std::string_view Fields::*value;
  };
  static constexpr Known kFields[] = {{"session", &Fields::session},     {"user-agent", &Fields::user_agent},
                                      {"server", &Fields::server},       {"content-type", &Fields::content_type},
                                      {"transport", &Fields::transport}, {"location", &Fields::location}};
  Fields out;
  FieldReader f(m.fields);
  while (f.next()) {
    std::uint64_t n = 0;
    if (!out.numbered && same_word(f.name(), "cseq") && text_message::parse_number(f.value(), n) && n <= 0xffffffff) {
      out.number = static_cast<std::uint32_t>(n);
      out.numbered = true;
    }
    for (const Known& k : kFields)
      if ((out.*k.value).empty() && same_word(f.name(), k.name)) out.*k.value = f.value();
  }
  out.session = text_message::trim(out.session.substr(0, out.session.find(';')));
  return out;
}

// A request on its way to its response.
struct Request {
  Draft<"rtsp"> draft;
  Exchange exchange;
  std::uint32_t number = 0;
  Side from = Side::client;
  std::uint8_t track = Tracks::kNone;
  bool setup = false;
};

template <schema::Name Field>
void keep(Request& r, std::string_view value) {
  if (!value.empty() && !keep_text<Field>(r.draft, value)) r.exchange.quality |= bit_of(Quality::text_cut);
}

class Rtsp final : public Session {
 public:
  static bool announces(Bytes) { return true; }
  static Guess guess(Bytes first, Side) { return text_message::guess(as_text(first), kProtocol); }
  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_gap(Side from, std::uint64_t, Scribe&) override { readers_[index_of(from)].lose(); }
  void on_end(Scribe&) override;

 private:
  bool stands_frame(Side from, Bytes data) const;
  Step frames(Side from, Bytes data);
  void request(Side, const Message&, Arrival, Scribe&);
  void response(Side, const Message&, Arrival, Scribe&);
  void announce(const Request&, const Fields&, Nanos now, Scribe&) const;
  void describe(const Message&, const Fields&, Scribe&);
  Request begin(Side asker, const Message&, const Fields&, Scribe&) const;
  bool take(Side asker, std::uint32_t number, Request& to);
  void commit(Request&, Scribe&);
  void commit_half(Request&, Scribe&);

  std::array<text_message::Reader, 2> readers_;
  std::uint8_t count_ = 0;
  Few<Request, 1, kMostPending> pending_;  // the first count_, in order
  Tracks tracks_;
  std::uint32_t frames_ = 0;  // since the last record
  std::uint64_t frame_octets_ = 0;
};

// Behind a gap a dollar sign is a frame's only if RTP or RTCP of version 2 follows.
bool Rtsp::stands_frame(Side from, Bytes data) const {
  if (data[0] != '$') return false;
  if (!readers_[index_of(from)].lost()) return true;
  constexpr std::size_t kLeast = 8;  // of RTCP, RFC 3550 §6.4
  return data.size() > kFrameHead && data[4] >> 6 == 2 && (data[2] << 8 | data[3]) >= static_cast<int>(kLeast);
}

// RFC 2326 §10.12: '$', channel, length, and as many octets. Of those that stand at the front.
Step Rtsp::frames(Side from, Bytes data) {
  readers_[index_of(from)].found();
  std::size_t used = 0;
  while (used < data.size() && data[used] == '$') {
    Cursor c(data.subspan(used));
    c.skip(2);
    const std::size_t length = c.u16();
    if (!c.ok()) return used > 0 ? Step::used(used) : Step::need(kFrameHead);
    ++frames_;
    frame_octets_ += length;
    used += kFrameHead + length;
  }
  return used > data.size() ? Step::skip(used) : Step::used(used);
}

Step Rtsp::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  if (data.empty()) return Step::used(0);
  if (stands_frame(from, data)) return frames(from, data);
  Message m;
  Step answer = Step::used(data.size());
  const auto what = readers_[index_of(from)].read(data, false, kProtocol, m, answer);
  if (what == text_message::Reader::What::not_ours) return Step::not_ours();
  if (what != text_message::Reader::What::message) return answer;
  if (m.start.is_request())
    request(from, m, at, scribe);
  else
    response(from, m, at, scribe);
  return answer;
}

// A request that is to be filled in, or a response's if that was not seen.
Request Rtsp::begin(Side asker, const Message& m, const Fields& f, Scribe& scribe) const {
  Request r;
  r.draft = scribe.open<"rtsp">();
  r.number = f.number;
  r.from = asker;
  r.exchange.about_server = asker == Side::server;
  r.draft.set<"rtspCSeq">(f.number);
  keep<"rtspVersion">(r, m.start.version);
  return r;
}

void Rtsp::request(Side from, const Message& m, Arrival at, Scribe& scribe) {
  const Fields f = fields_of(m);
  if (!f.numbered) return;
  if (count_ == kMostPending || !pending_.reach(count_, scribe.notes())) {  // the oldest goes
    Request oldest;
    take(pending_[0].from, pending_[0].number, oldest);
    commit_half(oldest, scribe);
  }
  Request& r = pending_[count_++];
  r = begin(from, m, f, scribe);
  r.setup = m.start.method == "SETUP";
  if (r.setup) r.track = tracks_.find(m.start.target);
  r.exchange.request_first = at.first;
  r.exchange.request_last = at.last;
  r.exchange.request_octets = m.octets;
  if (!m.whole) r.exchange.quality |= bit_of(Quality::half_transaction);
  keep<"rtspCommand">(r, m.start.method);
  keep<"rtspURL">(r, m.start.target);
  keep<"rtspUserAgent">(r, f.user_agent);
  keep<"rtspSession">(r, f.session);
  describe(m, f, scribe);
}

void Rtsp::response(Side from, const Message& m, Arrival at, Scribe& scribe) {
  // RFC 2326 §11: a 1xx comes before the final response.
  if (m.start.status < 200) return;
  const Fields f = fields_of(m);
  if (!f.numbered) return;
  Request r;
  if (!take(other(from), f.number, r)) {
    r = begin(other(from), m, f, scribe);
    r.exchange.quality |= bit_of(Quality::half_transaction);
  }
  r.exchange.response_first = at.first;
  r.exchange.response_last = at.last;
  r.exchange.response_octets = m.octets;
  if (!m.whole) r.exchange.quality |= bit_of(Quality::half_transaction);
  keep<"rtspSession">(r, f.session);
  r.draft.set<"rtspReturnCode">(m.start.status);
  keep<"rtspReasonPhrase">(r, m.start.reason);
  keep<"rtspServer">(r, f.server);
  keep<"rtspContentType">(r, f.content_type);
  keep<"rtspTransport">(r, f.transport);
  keep<"rtspLocation">(r, f.location);
  describe(m, f, scribe);
  if (r.setup && m.start.status < 300) announce(r, f, at.last, scribe);
  commit(r, scribe);
}

void Rtsp::describe(const Message& m, const Fields& f, Scribe& scribe) {
  if (f.content_type.find("sdp") != f.content_type.npos) tracks_.describe(m.body, scribe.notes());
}

// Media goes to the client's port, or, if it is recorded, to the server's; reports of its receiver go the other way.
void Rtsp::announce(const Request& r, const Fields& f, Nanos now, Scribe& scribe) const {
  const Transport t = parse_transport(f.transport);
  if (!t.over_udp) return;
  const FlowEnds ends = scribe.ends();
  Media media = tracks_.media(r.track);
  media.secure = media.secure || t.secure;
  media.signalling_flow = ends.flow_id;
  media.announced = now;
  media.call.set(f.session);
  const auto tell = [&](FlowEnd at, Side side, std::uint16_t port, std::uint16_t rtcp) {
    if (port == 0) return;
    if (at.high == 0 && at.low == 0) at = ends.side[index_of(side)];
    at.port = port;
    media.at = at;
    media.rtcp_port = rtcp;
    scribe.media().announce(media);
  };
  tell(t.destination, r.from, t.client_port, t.client_rtcp);
  tell(t.source, other(r.from), t.server_port, t.server_rtcp);
}

// The oldest with this number (RFC 2326 §12.17).
bool Rtsp::take(Side asker, std::uint32_t number, Request& to) {
  std::size_t i = 0;
  while (i < count_ && (pending_[i].from != asker || pending_[i].number != number)) ++i;
  if (i == count_) return false;
  to = std::move(pending_[i]);
  for (--count_; i < count_; ++i) pending_[i] = std::move(pending_[i + 1]);
  return true;
}

void Rtsp::commit(Request& r, Scribe& scribe) {
  if (frames_ > 0) {
    r.draft.set<"rtspInterleavedFrameCount">(frames_);
    r.draft.set<"rtspInterleavedOctetCount">(frame_octets_);
  }
  frames_ = 0;
  frame_octets_ = 0;
  scribe.commit(r.draft, r.exchange);
}

void Rtsp::commit_half(Request& r, Scribe& scribe) {
  r.exchange.quality |= bit_of(Quality::half_transaction);
  commit(r, scribe);
}

void Rtsp::on_end(Scribe& scribe) {
  for (std::size_t i = 0; i < count_; ++i) commit_half(pending_[i], scribe);
  count_ = 0;
  pending_.release(scribe.notes());
  tracks_.release(scribe.notes());
}

constexpr std::uint16_t kPorts[] = {554, 8554};

}  // namespace

extern const Dissector rtsp_dissector;
const Dissector rtsp_dissector = describe<Rtsp>("rtsp", Over::tcp, kPorts);

}  // namespace probe
