// QUIC (RFC 9000), as far as the path can see it: one record a connection, every five minutes and at its end.
#include <algorithm>
#include <array>
#include <optional>

#include "dissectors/dissector.h"
#include "dissectors/kit/quic_connections.h"
#include "dissectors/kit/quic_header.h"
#include "dissectors/kit/quic_spin.h"
#include "dissectors/kit/text_writer.h"
#include "probe/base/quality.h"

namespace probe {
namespace {

using namespace quic;

constexpr Nanos kInterval = 300 * kSecond;  // a longer connection is reported in pieces
// Datagrams of one flight follow each other within this. What comes later is sent again (RFC 9002 §6.2.2: after 1 s).
constexpr Nanos kFlight = 100 * kMillisecond;

// Bits of quicFlags.
enum Flag : std::uint8_t { kRetry = 1, kVersionNegotiation = 2, kZeroRtt = 4, kEstablished = 8, kOtherPath = 16 };

class Quic final : public Session {
 public:
  static Guess guess(Bytes first, Side from);
  static bool announces(Bytes payload) { return has_long_header(payload); }
  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_end(Scribe& scribe) override { report(scribe); }

 private:
  bool recall(Side from, Bytes data, Nanos now, Scribe&);
  void announce(Nanos now, Scribe&);
  void long_headers(Side from, Bytes data, Nanos now);
  void from_client(const LongHeader&, Nanos now);
  void from_server(const LongHeader&, Nanos now);
  void report(Scribe&);

  Spin spin_;
  ConnectionId original_, client_, server_;
  // Of the handshake: the first datagram of the client's flight that is to be answered, the last one of it, the
  // server's answer.
  Nanos asked_ = kNoTime, asked_last_ = kNoTime, answered_ = kNoTime;
  Nanos server_rtt_ = -1, client_rtt_ = -1;
  Nanos begun_ = kNoTime, last_ = kNoTime;  // of this interval
  std::array<std::uint64_t, 2> octets_{};
  std::array<bool, 2> short_seen_{};
  std::uint64_t first_flow_ = 0;  // if the connection began in another flow
  std::uint32_t version_ = 0;
  std::uint8_t flags_ = 0;
  bool known_ = false;  // it is QUIC: not on trial
  bool announced_ = false;
  bool start_seen_ = false;
  bool server_chosen_ = false;  // `server_` is the server's for good
  bool repeated_ = false;
};

// Whoever sends it has heard the other side: which one it is cannot be told, and the beginning has been missed.
bool holds_handshake(Bytes rest) {
  const std::optional<LongHeader> next = has_long_header(rest) ? read_long_header(rest) : std::nullopt;
  return next && next->type == PacketType::handshake;
}

Guess Quic::guess(Bytes first, Side from) {
  constexpr std::size_t kLeastShort = 21;  // RFC 9000 §10.3
  if (!has_long_header(first)) return has_fixed_bit(first) && first.size() >= kLeastShort ? Guess::trial : Guess::no;
  const std::optional<LongHeader> h = read_long_header(first);
  if (!h || (h->type != PacketType::version_negotiation && !has_fixed_bit(first))) return Guess::no;
  switch (h->type) {
    case PacketType::version_negotiation:
    case PacketType::retry:
      return Guess::from_server;
    case PacketType::zero_rtt:
      return Guess::from_client;
    case PacketType::initial:
      if (h->token) return Guess::from_client;
      if (h->destination.size() < kLeastOriginalOctets) return Guess::from_server;
      if (holds_handshake(h->rest)) return Guess::no;
      break;
    case PacketType::handshake:
      return Guess::no;
  }
  return from == Side::client ? Guess::from_client : Guess::from_server;
}

Step Quic::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  if (!known_ && !has_long_header(data) && !recall(from, data, at.first, scribe)) return Step::not_ours();
  known_ = true;
  if (begun_ != kNoTime && at.first - begun_ >= kInterval) {
    report(scribe);
    announced_ = false;
  }
  if (begun_ == kNoTime) begun_ = at.first;
  last_ = at.last;
  octets_[index_of(from)] += data.size();
  if (has_long_header(data)) {
    long_headers(from, data, at.first);
  } else if (!data.empty()) {
    short_seen_[index_of(from)] = true;
    spin_.on_packet(from, spin_bit(data), at.first);
    if (short_seen_[0] && short_seen_[1]) flags_ |= kEstablished;
  }
  if (server_chosen_ && !announced_) announce(at.first, scribe);
  return Step::used(data.size());
}

// A flow that begins with a short header may be another path of a connection that is known: a NAT has given the client
// another port. If it is, what is known of the connection is remembered.
bool Quic::recall(Side from, Bytes data, Nanos now, Scribe& scribe) {
  KnownConnection c;
  const FlowEnds ends = scribe.ends();
  const bool to_server = from == Side::client;
  if (!scribe.shared().connections.find(ends.side[index_of(Side::server)], to_server, data, now, c)) return false;
  original_ = c.original;
  client_ = c.client;
  server_ = c.server;
  server_chosen_ = true;
  version_ = c.version;
  first_flow_ = c.first_flow;
  flags_ |= kOtherPath;
  return true;
}

// For the flow that this connection goes on in if the client's address changes.
void Quic::announce(Nanos now, Scribe& scribe) {
  const FlowEnds ends = scribe.ends();
  KnownConnection c;
  c.announced = now;
  c.first_flow = first_flow_ != 0 ? first_flow_ : ends.flow_id;
  c.original = original_;
  c.client = client_;
  c.server = server_;
  c.version = version_;
  scribe.shared().connections.announce(c, ends.side[index_of(Side::server)]);
  announced_ = true;
}

// A datagram may hold several packets (RFC 9000 §12.2); what matters is in the first one of each type.
void Quic::long_headers(Side from, Bytes data, Nanos now) {
  constexpr int kMostPackets = 4;
  for (int n = 0; n < kMostPackets && has_long_header(data); ++n) {
    const std::optional<LongHeader> h = read_long_header(data);
    if (!h) return;
    if (from == Side::client)
      from_client(*h, now);
    else
      from_server(*h, now);
    data = h->rest;
  }
}

void Quic::from_client(const LongHeader& h, Nanos now) {
  if (h.type == PacketType::zero_rtt) flags_ |= kZeroRtt;
  client_.set(h.source);
  version_ = h.version;
  // RFC 9000 §7.2: what the client sends once it has heard the server has the server's connection ID. An Initial that
  // has another one was sent before, whenever it passes here.
  if (answered_ != kNoTime && server_.is(h.destination)) {
    if (client_rtt_ < 0 && now >= answered_) client_rtt_ = now - answered_;
    return;
  }
  if (h.type != PacketType::initial || answered_ != kNoTime) return;
  start_seen_ = true;
  if (asked_ == kNoTime) original_.set(h.destination);
  if (asked_ == kNoTime || now - asked_last_ > kFlight) {
    repeated_ = repeated_ || asked_ != kNoTime;
    asked_ = now;
  }
  asked_last_ = now;
}

// The first answer counts, a Retry or Version Negotiation too: those come without the server's work.
void Quic::from_server(const LongHeader& h, Nanos now) {
  if (answered_ == kNoTime && asked_ != kNoTime && server_rtt_ < 0 && now >= asked_) server_rtt_ = now - asked_;
  if (h.type == PacketType::version_negotiation) {
    flags_ |= kVersionNegotiation;
    asked_ = kNoTime;  // the client begins anew
    return;
  }
  version_ = h.version;
  server_.set(h.source);
  server_chosen_ = h.type != PacketType::retry;  // RFC 9000 §17.2.5: that of a Retry is for the next Initial only
  if (!server_chosen_) flags_ |= kRetry;
  if (answered_ == kNoTime) answered_ = now;
}

using IdText = TextBuffer<2 * kMostIdOctets>;

std::string_view hexadecimal(const ConnectionId& id, IdText& buffer) {
  TextWriter text(buffer);
  for (std::size_t i = 0; i < id.size; ++i) text.hex(id.octets[i]);
  return text.text();
}

std::uint32_t microseconds(Nanos n) { return static_cast<std::uint32_t>(n / kMicrosecond); }

template <schema::Name Least, schema::Name Mean, schema::Name Greatest, schema::Name Count>
void set_round_trips(Draft<"quic">& d, const RoundTrips& r) {
  if (r.count == 0) return;
  d.set<Least>(r.least);
  d.set<Mean>(r.mean());
  d.set<Greatest>(r.greatest);
  d.set<Count>(r.count);
}

void set_spin(Draft<"quic">& d, const Spin& spin) {
  set_round_trips<"quicSpinRttMinMicroseconds", "quicSpinRttMeanMicroseconds", "quicSpinRttMaxMicroseconds",
                  "quicSpinRttCount">(d, spin.path());
  set_round_trips<"quicServerSpinRttMinMicroseconds", "quicServerSpinRttMeanMicroseconds",
                  "quicServerSpinRttMaxMicroseconds", "quicServerSpinRttCount">(d, spin.beyond(Side::server));
  set_round_trips<"quicClientSpinRttMinMicroseconds", "quicClientSpinRttMeanMicroseconds",
                  "quicClientSpinRttMaxMicroseconds", "quicClientSpinRttCount">(d, spin.beyond(Side::client));
}

void Quic::report(Scribe& scribe) {
  if (begun_ == kNoTime) return;
  Draft<"quic"> d = scribe.open<"quic">();
  d.set<"quicVersion">(version_);
  d.set<"quicFlags">(flags_);
  d.set<"quicServerOctetCount">(octets_[index_of(Side::server)]);
  IdText text;
  d.set<"quicOriginalConnectionId">(hexadecimal(original_, text));
  d.set<"quicClientConnectionId">(hexadecimal(client_, text));
  if (server_chosen_) d.set<"quicServerConnectionId">(hexadecimal(server_, text));
  if (server_rtt_ >= 0) d.set<"quicServerHandshakeRttMicroseconds">(microseconds(server_rtt_));
  if (client_rtt_ >= 0) d.set<"quicClientHandshakeRttMicroseconds">(microseconds(client_rtt_));
  const SpinState state = spin_.state(server_rtt_ >= 0 && client_rtt_ >= 0 ? server_rtt_ + client_rtt_ : -1);
  if (state != SpinState::unknown) d.set<"quicSpinState">(static_cast<std::uint8_t>(state));
  if (state == SpinState::spins) set_spin(d, spin_);
  if (first_flow_ != 0) d.set<"quicFirstFlowId">(first_flow_);

  Exchange e;
  e.request_first = begun_;
  e.request_last = last_;
  e.request_octets = octets_[index_of(Side::client)];
  if (repeated_) e.quality |= bit_of(Quality::handshake_repeated);
  if ((flags_ & kEstablished) == 0) e.quality |= bit_of(Quality::half_transaction);
  if (!start_seen_ && first_flow_ == 0) e.quality |= bit_of(Quality::mid_stream);
  scribe.commit(d, e);
  begun_ = kNoTime;
  octets_ = {};
  spin_.start_interval();
}

constexpr std::uint16_t kPorts[] = {443, 853, 4433, 8443};

}  // namespace

extern const Dissector quic_dissector;
const Dissector quic_dissector = describe<Quic>("quic", Over::udp, kPorts);

}  // namespace probe
