// SIP (RFC 3261) over UDP and TCP: one record a transaction. An INVITE is over with its ACK.
#include <algorithm>
#include <array>
#include <utility>

#include "dissectors/dissector.h"
#include "dissectors/kit/growing.h"
#include "dissectors/kit/http_line.h"
#include "dissectors/kit/keep_text.h"
#include "dissectors/kit/sdp.h"
#include "dissectors/kit/sip_message.h"
#include "probe/base/quality.h"

namespace probe {
namespace {

using namespace sip;

constexpr Nanos kPatience = 32 * kSecond;  // RFC 3261 §17.1: timers B, F, H, J are 64 * T1
constexpr Nanos kRinging = 300 * kSecond;  // §16.6 step 11: timer C is more than three minutes
constexpr Nanos kSweep = kSecond;          // how often it is looked who has waited for too long
constexpr std::size_t kMostPending = 256;
constexpr std::size_t kMostTags = 4;

enum class State : std::uint8_t {
  trying,    // no final response yet
  answered,  // INVITE: waits for its ACK
  done       // its record has gone; known for as long as copies of its messages may come
};

struct Transaction {
  std::uint64_t id = 0, request = 0;  // Message::transaction, Message::request
  Draft<"sip"> draft;
  Nanos touched = kNoTime;  // by its last message
  State state = State::trying;
  Side from = Side::client;  // who asks
  bool invite = false;
  bool rings = false;     // a response said that somebody was found
  bool accepted = false;  // the final response is a 2xx
  std::uint16_t sent = 0;
  std::uint16_t provisional = 0, provisional_status = 0;
  std::uint16_t finals = 0;
  std::uint8_t tag_count = 0;
  std::array<std::uint32_t, kMostTags> tags{};  // hashes of those of To
  Exchange exchange;
};

template <schema::Name Field>
void keep(Transaction& t, std::string_view value) {
  if (value.empty()) return;
  char room[http::kLineKept];
  if (value.find('\n') != value.npos) value = http::unfold(value, room);
  if (!keep_text<Field>(t.draft, value)) t.exchange.quality |= bit_of(Quality::text_cut);
}

class Sip final : public Session {
 public:
  static bool announces(Bytes) { return true; }
  static Guess guess(Bytes first, Side) { return text_message::guess(as_text(first), kProtocol); }
  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_gap(Side from, std::uint64_t, Scribe&) override { readers_[index_of(from)].lose(); }
  void on_end(Scribe&) override;
  Nanos waits_until() const override;

 private:
  void message(Side, const Message&, Arrival, Scribe&);
  void request(Side, const Message&, Arrival, Scribe&);
  void acknowledge(Side, const Message&, Arrival, Scribe&);
  void response(Side, const Message&, Arrival, Scribe&);
  static void provisional(Transaction&, const Message&, Arrival);
  static void count_branch(Transaction&, std::string_view to_tag);
  static void announce(const Message&, Nanos now, Scribe&);

  Transaction* find(Side asker, const Message&);
  Transaction* find_acknowledged(Side asker, const Message&);
  Transaction& begin(Side asker, const Message&, Arrival, Scribe&);
  Transaction& make_room(Scribe&);
  void sweep(Nanos now, Scribe&);
  static Nanos patience(const Transaction&);
  static void commit(Transaction&, Scribe&);
  void erase(std::size_t i);

  std::array<text_message::Reader, 2> readers_;
  std::uint16_t count_ = 0;
  Nanos swept_ = kNoTime;
  Growing<Transaction, 3, kMostPending> pending_;  // the first count_, in no order
};

Step Sip::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  if (data.empty()) return Step::used(0);
  text_message::Message read;
  Step answer = Step::used(data.size());
  switch (readers_[index_of(from)].read(data, scribe.ends().datagrams, kProtocol, read, answer)) {
    case text_message::Reader::What::not_ours:
      return Step::not_ours();
    case text_message::Reader::What::nothing:
      return answer;
    case text_message::Reader::What::message:
      break;
  }
  Message m;
  if (parse(read, m)) message(from, m, at, scribe);
  return answer;
}

void Sip::message(Side from, const Message& m, Arrival at, Scribe& scribe) {
  if (swept_ == kNoTime || at.last - swept_ >= kSweep) sweep(at.last, scribe);
  if (!m.is_request())
    response(from, m, at, scribe);
  else if (m.method == "ACK")
    acknowledge(from, m, at, scribe);
  else
    request(from, m, at, scribe);
  if (!m.body.empty()) announce(m, at.last, scribe);
}

void Sip::request(Side from, const Message& m, Arrival at, Scribe& scribe) {
  if (Transaction* again = find(from, m)) {  // RFC 3261 §17.1: timers A and E
    again->touched = at.last;
    if (again->state != State::trying) return;
    if (again->sent < 0xffff) ++again->sent;
    if (again->exchange.response_first == kNoTime) again->exchange.request_last = at.last;
    return;
  }
  Transaction& t = begin(from, m, at, scribe);
  t.sent = 1;
  t.exchange.request_first = at.first;
  t.exchange.request_last = at.last;
  t.exchange.request_octets = m.octets;
  keep<"sipRequestUri">(t, m.start.target);
  keep<"sipUserAgent">(t, m.user_agent);
}

void Sip::acknowledge(Side from, const Message& m, Arrival at, Scribe& scribe) {
  Transaction* const t = find_acknowledged(from, m);
  if (!t) return;
  t->draft.set<"sipAckTimeMicroseconds">(
      static_cast<std::uint64_t>(std::max<Nanos>(at.first - t->exchange.response_last, 0) / kMicrosecond));
  t->draft.set<"sipFinalResponseCount">(std::uint32_t{t->finals});
  t->touched = at.last;
  commit(*t, scribe);
}

void Sip::response(Side from, const Message& m, Arrival at, Scribe& scribe) {
  Transaction* known = find(other(from), m);
  Transaction& t = known ? *known : begin(other(from), m, at, scribe);
  t.touched = at.last;
  if (t.state == State::done) return;
  if (t.exchange.response_first == kNoTime) t.exchange.response_first = at.first;
  if (m.start.status < 200) return provisional(t, m, at);
  if (t.finals < 0xffff) ++t.finals;
  if (t.state == State::answered) return;  // RFC 3261 §13.3.1.4, timer G; or another branch of a forked request
  t.state = State::answered;
  t.exchange.response_last = at.last;
  t.exchange.response_octets = m.octets;
  if (!m.whole) t.exchange.quality |= bit_of(Quality::half_transaction);
  t.accepted = m.start.status < 300;
  t.draft.set<"sipStatusCode">(m.start.status);
  keep<"sipReasonPhrase">(t, m.start.reason);
  keep<"sipServer">(t, m.server.empty() ? m.user_agent : m.server);
  if (!t.invite) commit(t, scribe);
}

void Sip::provisional(Transaction& t, const Message& m, Arrival at) {
  if (t.state != State::trying) return;
  if (t.provisional < 0xffff) ++t.provisional;
  if (m.start.status > 100 || t.provisional_status == 0) t.provisional_status = m.start.status;
  if (m.start.status == 100) return;
  count_branch(t, m.to_tag);
  if (t.rings) return;
  t.rings = true;
  if (t.exchange.request_first == kNoTime) return;
  t.draft.set<"sipRingingTimeMicroseconds">(
      static_cast<std::uint64_t>(std::max<Nanos>(at.first - t.exchange.request_first, 0) / kMicrosecond));
}

// RFC 3261 §12.1.1: each that a forked request reached answers with a tag of its own.
void Sip::count_branch(Transaction& t, std::string_view to_tag) {
  const auto tag = static_cast<std::uint32_t>(schema::hash(to_tag));
  const auto end = t.tags.begin() + t.tag_count;
  if (t.tag_count == kMostTags || std::find(t.tags.begin(), end, tag) != end) return;
  t.tags[t.tag_count++] = tag;
}

// RFC 3264: what is offered or answered in a message's description is where its sender wants to receive.
void Sip::announce(const Message& m, Nanos now, Scribe& scribe) {
  if (m.content_type.find("sdp") == m.content_type.npos &&
      !text_message::same_word(m.content_type.substr(0, 10), "multipart/"))
    return;
  sdp::Description d;
  if (!sdp::parse(m.body, d)) return;
  const std::uint64_t flow = scribe.ends().flow_id;
  for (std::size_t i = 0; i < d.count; ++i) {
    Media& media = d.lines[i].media;
    if (media.at.port == 0 || (media.at.high == 0 && media.at.low == 0)) continue;
    media.signalling_flow = flow;
    media.announced = now;
    media.call.set(m.call_id);
    scribe.media().announce(media);
  }
}

Transaction* Sip::find(Side asker, const Message& m) {
  for (std::size_t i = 0; i < count_; ++i)
    if (pending_[i].id == m.transaction && pending_[i].from == asker) return &pending_[i];
  return nullptr;
}

// RFC 3261 §17.1.1.3: the ACK of a refusal has the branch of its INVITE. §13.2.2.4: that of a 2xx has another one; a
// forked INVITE can have several branches here.
Transaction* Sip::find_acknowledged(Side asker, const Message& m) {
  Transaction* const same = find(asker, m);
  if (same) return same->state == State::answered ? same : nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    Transaction& t = pending_[i];
    if (t.invite && t.from == asker && t.request == m.request && t.state == State::answered && t.accepted) return &t;
  }
  return nullptr;
}

Transaction& Sip::begin(Side asker, const Message& m, Arrival at, Scribe& scribe) {
  Transaction& t = make_room(scribe);
  t = Transaction{};
  t.id = m.transaction;
  t.request = m.request;
  t.draft = scribe.open<"sip">();
  t.from = asker;
  t.invite = m.is_invite();
  t.touched = at.last;
  t.exchange.about_server = asker == Side::server;
  if (!m.whole) t.exchange.quality |= bit_of(Quality::half_transaction);
  keep<"sipCommand">(t, m.method);
  keep<"sipCallId">(t, m.call_id);
  t.draft.set<"sipCSeq">(m.number);
  keep<"sipVia">(t, m.via);
  keep<"sipFrom">(t, m.from);
  keep<"sipTo">(t, m.to);
  return t;
}

// The place of a new transaction. If there is none, the one goes that has been silent for longest: one of which all is
// told, if there is one.
Transaction& Sip::make_room(Scribe& scribe) {
  if (count_ < kMostPending && pending_.reach(count_, scribe.notes())) return pending_[count_++];
  const auto better = [](const Transaction& a, const Transaction& b) {
    const bool a_done = a.state == State::done, b_done = b.state == State::done;
    return a_done != b_done ? a_done : a.touched < b.touched;
  };
  std::size_t out = 0;
  for (std::size_t i = 1; i < count_; ++i)
    if (better(pending_[i], pending_[out])) out = i;
  if (pending_[out].state != State::done) commit(pending_[out], scribe);
  erase(out);
  return pending_[count_++];
}

void Sip::sweep(Nanos now, Scribe& scribe) {
  swept_ = now;
  for (std::size_t i = 0; i < count_;) {
    Transaction& t = pending_[i];
    if (now - t.touched < patience(t)) {
      ++i;
      continue;
    }
    if (t.state != State::done) commit(t, scribe);
    erase(i);
  }
}

Nanos Sip::patience(const Transaction& t) {
  return t.invite && t.state == State::trying && t.provisional > 0 ? kRinging : kPatience;
}

// A phone may ring for longer than a flow lasts without packets.
Nanos Sip::waits_until() const {
  Nanos last = kNoTime;
  for (std::size_t i = 0; i < count_; ++i)
    if (pending_[i].state != State::done) last = std::max(last, pending_[i].touched + patience(pending_[i]));
  return last;
}

// Its record goes.
void Sip::commit(Transaction& t, Scribe& scribe) {
  t.draft.set<"sipRequestCount">(std::uint32_t{t.sent});
  if (t.provisional > 0) {
    t.draft.set<"sipProvisionalCount">(std::uint32_t{t.provisional});
    t.draft.set<"sipProvisionalStatusCode">(t.provisional_status);
  }
  if (t.rings) t.draft.set<"sipEarlyDialogCount">(t.tag_count);
  if (t.sent == 0 || t.state == State::trying) t.exchange.quality |= bit_of(Quality::half_transaction);
  if (t.sent > 1) t.exchange.quality |= bit_of(Quality::request_repeated);
  scribe.commit(t.draft, t.exchange);
  t.state = State::done;
}

void Sip::erase(std::size_t i) {
  --count_;
  if (i != count_) std::swap(pending_[i], pending_[count_]);
}

void Sip::on_end(Scribe& scribe) {
  for (std::size_t i = 0; i < count_; ++i)
    if (pending_[i].state != State::done) commit(pending_[i], scribe);
  count_ = 0;
  pending_.release(scribe.notes());
}

constexpr std::uint16_t kPorts[] = {5060};

}  // namespace

extern const Dissector sip_dissector;
const Dissector sip_dissector = describe<Sip>("sip", Over::both, kPorts);

}  // namespace probe
