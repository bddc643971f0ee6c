// DNS over UDP and TCP (RFC 1035, 6891), mDNS (6762) and LLMNR (4795): one record a question.
#include <algorithm>
#include <array>
#include <utility>

#include "dissectors/dissector.h"
#include "dissectors/kit/dns_guess.h"
#include "dissectors/kit/dns_message.h"
#include "dissectors/kit/few.h"
#include "probe/base/quality.h"

namespace probe {
namespace {

using namespace dns;

// Queries that got no answer for so long are given up when the next message comes; answers are known as repeated ones
// for as long.
constexpr Nanos kPatience = 10 * kSecond;
constexpr std::size_t kMostPending = 24;
constexpr std::size_t kPrefixOctets = 2;
// A side of a stream that is out of step looks for a message in at most so many octets at a time: room for any
// question.
constexpr std::size_t kEnoughToTell = 300;

// A query, waiting for its answer or answered.
struct Query {
  Draft<"dns"> draft;
  Nanos first = kNoTime;
  Nanos last = kNoTime;
  std::uint16_t id = 0, type = 0, klass = 0;
  std::uint16_t octets = 0;
  std::uint16_t sent = 0;
  Side from = Side::client;
  bool answered = false;
  bool cut = false;    // its name
  bool whole = false;  // it was seen
};

class Dns final : public Session {
 public:
  static Guess guess(Bytes first, Side) { return guess_dns(first); }
  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_gap(Side from, std::uint64_t, Scribe&) override { lost_[index_of(from)] = true; }
  void on_end(Scribe&) override;

 private:
  Step stream(Side, Bytes data, Arrival, Scribe&);
  static Step find_message(Bytes data);
  // False if this is no DNS message.
  bool message(Side, Bytes data, Arrival, Scribe&);
  void query(Side, const Message&, std::size_t octets, Arrival, Scribe&);
  void response(Side, const Message&, std::size_t octets, Arrival, Scribe&);

  Query* find_asked(Side from, const Message&);
  Query* find_answered(Side from, const Message&, bool answered);
  void give_up_before(Nanos, Scribe&);
  Query& make_room(Scribe&);
  void commit_unanswered(Query&, Scribe&);
  void erase(std::size_t i);

  Few<Query, 2, kMostPending> queries_;  // the first count_, in the order of their first copies
  std::uint8_t count_ = 0;
  Frame frame_ = Frame::unknown;
  bool begun_ = false;
  std::array<bool, 2> lost_{};
};

Step Dns::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  if (data.empty()) return Step::used(0);
  if (frame_ == Frame::unknown) {
    const Finding f = find_dns(data);
    if (f.frame == Frame::neither) return Step::not_ours();
    if (f.frame == Frame::unknown) return Step::need(data.size() + 1);
    frame_ = f.frame;
  }
  if (frame_ == Frame::stream) return stream(from, data, at, scribe);
  const bool good = message(from, data, at, scribe);
  if (!good && !begun_) return Step::not_ours();
  begun_ = true;
  return Step::used(data.size());
}

Step Dns::stream(Side from, Bytes data, Arrival at, Scribe& scribe) {
  bool& lost = lost_[index_of(from)];
  if (lost) {
    if (const Step step = find_message(data); step.what != Step::What::used || step.octets > 0) return step;
    lost = false;
  }
  Cursor c(data);
  const std::size_t length = c.u16();
  if (!c.ok()) return Step::need(kPrefixOctets);
  const std::size_t octets = kPrefixOctets + length;
  // Of a message that cannot be held the front is read.
  const std::size_t wanted = std::min(octets, kMostNeeded);
  if (data.size() < wanted) return Step::need(wanted);
  const bool good = message(from, c.rest().first(std::min(length, c.left())), at, scribe);
  if (!good && !begun_) return Step::not_ours();
  begun_ = true;
  if (good) return octets <= data.size() ? Step::used(octets) : Step::skip(octets);
  lost = true;
  return Step::used(kPrefixOctets);
}

// After a gap: how many octets stand before the next message.
Step Dns::find_message(Bytes data) {
  for (std::size_t at = 0; at < data.size(); ++at) {
    const Frame here = find_framed(data.subspan(at)).frame;
    if (here == Frame::stream) return Step::used(at);
    if (here == Frame::unknown && data.size() - at < kEnoughToTell)
      return at > 0 ? Step::used(at) : Step::need(data.size() + 1);
  }
  return Step::used(data.size());
}

bool Dns::message(Side from, Bytes data, Arrival at, Scribe& scribe) {
  Message m;
  if (parse_message(data, m) != Read::good) return false;
  give_up_before(at.last - kPatience, scribe);
  if (m.is_response())
    response(from, m, data.size(), at, scribe);
  else if (m.has_subject)
    query(from, m, data.size(), at, scribe);
  return true;
}

void set_subject(Draft<"dns">& d, const Message& m) {
  d.set<"dnsQueryName">(m.name.text());
  d.set<"dnsQueryType">(m.type);
  d.set<"dnsQueryClass">(m.klass);
  d.set<"dnsId">(m.id);
  d.set<"dnsFlags">(m.flags);
  if (m.has_edns) d.set<"dnsEdnsUdpSize">(m.edns_size);
}

constexpr std::size_t kNameLimit = schema::kElements[schema::find_element("dnsQueryName")].shape.limit;

void Dns::query(Side from, const Message& m, std::size_t octets, Arrival at, Scribe& scribe) {
  if (Query* again = find_asked(from, m)) {
    again->last = at.last;
    again->octets = static_cast<std::uint16_t>(octets);
    if (again->sent < 0xffff) ++again->sent;
    return;
  }
  Query& q = make_room(scribe);
  q = Query{scribe.open<"dns">(),
            at.first,
            at.last,
            m.id,
            m.type,
            m.klass,
            static_cast<std::uint16_t>(octets),
            1,
            from,
            false,
            m.name.size() > kNameLimit,
            m.whole};
  set_subject(q.draft, m);
}

void Dns::response(Side from, const Message& m, std::size_t octets, Arrival at, Scribe& scribe) {
  Query* q = find_answered(from, m, false);
  if (Query* known = q ? nullptr : find_answered(from, m, true)) {  // the first answer counts
    known->last = at.last;
    return;
  }
  if (!q && !m.has_subject) return;
  Exchange e;
  Draft<"dns"> d;
  bool cut = m.text_cut, half = !m.whole;
  std::uint32_t sent = 0;
  if (q) {
    d = std::move(q->draft);
    e.request_first = q->first;
    e.request_last = q->last;
    e.request_octets = q->octets;
    sent = q->sent;
    cut = cut || q->cut;
    half = half || !q->whole;
    q->answered = true;
    q->last = at.last;
    d.set<"dnsFlags">(m.flags);
  } else {
    d = scribe.open<"dns">();
    set_subject(d, m);
    cut = cut || m.name.size() > kNameLimit;
    half = true;
  }
  d.set<"dnsQueryCount">(sent);
  d.set<"dnsResponseCode">(m.code());
  d.set<"dnsAnswerCount">(m.answers);
  d.set<"dnsAnswer">(m.data.text());
  d.set<"dnsAnswerTtl">(m.ttl.text());
  e.response_first = at.first;
  e.response_last = at.last;
  e.response_octets = octets;
  if (sent > 1) e.quality |= bit_of(Quality::request_repeated);
  if (half) e.quality |= bit_of(Quality::half_transaction);
  if (cut) e.quality |= bit_of(Quality::text_cut);
  scribe.commit(d, e);
}

bool same_name(const Query& q, const Message& m) {
  return !q.draft || q.draft.text<"dnsQueryName">() == m.name.text().substr(0, kNameLimit);
}

Query* Dns::find_asked(Side from, const Message& m) {
  for (std::size_t i = 0; i < count_; ++i) {
    Query& q = queries_[i];
    if (q.id == m.id && !q.answered && q.from == from && q.type == m.type && q.klass == m.klass && same_name(q, m))
      return &q;
  }
  return nullptr;
}

// The query of the other side that this is the answer to. An answer may leave the question out (RFC 5936 §2.2, errors):
// then its first record must be about the same name.
Query* Dns::find_answered(Side from, const Message& m, bool answered) {
  for (std::size_t i = 0; i < count_; ++i) {
    Query& q = queries_[i];
    if (q.id != m.id || q.answered != answered || q.from == from) continue;
    const bool same = m.questions > 0 ? q.type == m.type && q.klass == m.klass && same_name(q, m)
                                      : answered || !m.has_subject || same_name(q, m);
    if (same) return &q;
  }
  return nullptr;
}

void Dns::give_up_before(Nanos time, Scribe& scribe) {
  for (std::size_t i = 0; i < count_;) {
    if (queries_[i].last >= time) {
      ++i;
      continue;
    }
    if (!queries_[i].answered) commit_unanswered(queries_[i], scribe);
    erase(i);
  }
}

// The place of a new query, behind the others. If there is none the oldest goes, an answered one first.
Query& Dns::make_room(Scribe& scribe) {
  if (count_ == kMostPending || !queries_.reach(count_, scribe.notes())) {
    std::size_t i = 0;
    while (i < count_ && !queries_[i].answered) ++i;
    if (i == count_) i = 0;
    if (!queries_[i].answered) commit_unanswered(queries_[i], scribe);
    erase(i);
  }
  return queries_[count_++];
}

void Dns::commit_unanswered(Query& q, Scribe& scribe) {
  Exchange e;
  e.request_first = q.first;
  e.request_last = q.last;
  e.request_octets = q.octets;
  e.quality = bit_of(Quality::half_transaction);
  if (q.sent > 1) e.quality |= bit_of(Quality::request_repeated);
  if (q.cut) e.quality |= bit_of(Quality::text_cut);
  q.draft.set<"dnsQueryCount">(std::uint32_t{q.sent});
  scribe.commit(q.draft, e);
}

void Dns::erase(std::size_t i) {
  for (; i + 1 < count_; ++i) queries_[i] = std::move(queries_[i + 1]);
  --count_;
}

void Dns::on_end(Scribe& scribe) {
  for (std::size_t i = 0; i < count_; ++i)
    if (!queries_[i].answered) commit_unanswered(queries_[i], scribe);
  count_ = 0;
  queries_.release(scribe.notes());
}

constexpr std::uint16_t kPorts[] = {53, 5353, 5355};

}  // namespace

extern const Dissector dns_dissector;
const Dissector dns_dissector = describe<Dns>("dns", Over::both, kPorts);

}  // namespace probe
