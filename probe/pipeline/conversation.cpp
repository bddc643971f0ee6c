#include "probe/pipeline/conversation.h"

#include <algorithm>
#include <cassert>

namespace probe {

using tcp::Piece;
using tcp::Segment;
using tcp::Stream;
using tcp::StreamReader;

static_assert(kMostNeeded == tcp::StreamPool::kMostKept);
static_assert(kToTheEnd == Stream::kToTheEnd);

void Conversation::on_payload(const Packet& p, const FlowFacts& facts, Scribe& scribe) {
  if (!begun_) begin(p, facts);
  if (state_ == State::dead) return;
  const unsigned sender = p.from_high;
  if (!p.is_tcp()) return on_datagram(p, sender, scribe);
  if (p.tcp.has(tcp_flag::kAck) && streams_[1 - sender].minds(p.tcp.acknowledgement))
    acknowledge(1 - sender, p.tcp.acknowledgement, p.time, p.payload_length > 0, scribe);
  if (state_ == State::dead) return;
  if (p.tcp.has(tcp_flag::kRst)) return on_reset(p, sender, scribe);
  on_segment(p, sender, facts, scribe);
}

void Conversation::begin(const Packet& p, const FlowFacts& facts) {
  begun_ = true;
  client_ = static_cast<std::uint8_t>(facts.client);
  from_start_ = facts.start_seen && p.is_tcp();
  candidates_ = p.is_tcp() ? home_->over_tcp_ : home_->over_udp_;
  preferred_ = home_->at_port(p.key.low_port) | home_->at_port(p.key.high_port);
  if (candidates_ == 0) state_ = State::dead;
}

void Conversation::on_segment(const Packet& p, unsigned sender, const FlowFacts& facts, Scribe& scribe) {
  // RFC 9293 §3.4: a SYN takes the sequence number before its data (RFC 7413: there can be some).
  const std::uint32_t first = p.tcp.sequence + (p.tcp.has(tcp_flag::kSyn) ? 1 : 0);
  const Segment segment{first, p.payload_length, p.payload, p.time, p.tcp.has(tcp_flag::kFin)};
  Stream& stream = streams_[sender];
  if (stream.pass(segment)) return;
  if (exhausted(sender)) return home_->counters_.add(Counter::dissection_segments_untried);
  for (unsigned i = 0; i < 2; ++i)
    if (!streams_[i].started() && facts.first_known[i] && tries_[i] < kMostTries)
      streams_[i].start(facts.first_sequence[i]);
  StreamReader reader(stream, home_->streams_, home_->counters_);
  reader.segment(segment);
  read(sender, reader, scribe);
  if (!exhausted(sender)) return;
  // Costs nothing from here on; should the other side tell the protocol, this one begins anew.
  stream.release(home_->streams_);
  stream = {};
}

// RFC 5961 §3.2: only a RST at the exact position is to be believed; behind a hole the position is not known exactly.
void Conversation::on_reset(const Packet& p, unsigned sender, Scribe& scribe) {
  Stream& stream = streams_[sender];
  const std::int32_t ahead = sequence_distance(stream.position(), p.tcp.sequence);
  if (stream.started() && (ahead < -1 || (ahead > 1 && !stream.has_hole())))
    return home_->counters_.add(Counter::stream_resets_astray);
  StreamReader reader(stream, home_->streams_, home_->counters_);
  reader.finish(true);
  read(sender, reader, scribe);
  if (state_ == State::open) finish(scribe);  // RFC 9293 §3.5.3: neither side sends any more
}

void Conversation::acknowledge(unsigned data_sender, std::uint32_t sequence, Nanos now, bool answer, Scribe& scribe) {
  StreamReader reader(streams_[data_sender], home_->streams_, home_->counters_);
  reader.acknowledged(sequence, now, answer);
  read(data_sender, reader, scribe);
}

void Conversation::on_datagram(const Packet& p, unsigned sender, Scribe& scribe) {
  if (p.payload.empty()) return;
  if (state_ == State::guessing && !guess_datagram(p, sender)) return;
  const Step step = session_->on_data(side_of(sender), p.payload, {p.time, p.time}, scribe);
  if (on_trial_) return judge(step, p, sender, scribe);
  if (step.what == Step::What::not_ours) return leave(scribe);
  if (step.what == Step::What::need || step.octets < p.payload.size())
    home_->counters_.add(Counter::dissection_datagram_rest);
}

// False: no session.
bool Conversation::guess_datagram(const Packet& p, unsigned sender) {
  constexpr std::uint8_t kMostDatagrams = 4;
  if (tries_[sender] >= kMostDatagrams) {
    home_->counters_.add(Counter::dissection_segments_untried);
    return false;
  }
  const Verdict v = ask(sender, p.payload, true);
  if (v.guess == Guess::no) count_try(sender, kMostDatagrams);
  return v.guess != Guess::no && open(v, sender);
}

// What a session on trial says of a datagram. A protocol that was wrong once is not asked again.
void Conversation::judge(Step step, const Packet& p, unsigned sender, Scribe& scribe) {
  if (step.what == Step::What::unsure) return;
  if (step.what != Step::What::not_ours) {
    on_trial_ = false;
    ++home_->by_dissector_[protocol_].flows;
    return;
  }
  close_session(scribe);
  candidates_ &= ~(std::uint64_t{1} << protocol_);
  protocol_ = kNone;
  on_trial_ = false;
  state_ = State::guessing;
  on_datagram(p, sender, scribe);
}

// Every turn takes octets out of the stream, ends, or is counted by answer(): no dissector can make it endless.
void Conversation::read(unsigned sender, StreamReader& reader, Scribe& scribe) {
  Piece p;
  while (state_ != State::dead && reader.next(p)) {
    if (state_ == State::guessing) guess(sender, reader, p, scribe);
    if (state_ == State::open && !dissect(sender, reader, p, scribe)) give_up(scribe);
  }
  if (state_ == State::open && streams_[0].ended() && streams_[1].ended()) die(scribe);
}

bool Conversation::dissect(unsigned sender, StreamReader& reader, const Piece& p, Scribe& scribe) {
  const Side from = side_of(sender);
  switch (p.what) {
    case Piece::What::gap:
      gap_ = true;
      ++home_->by_dissector_[protocol_].gaps;
      session_->on_gap(from, p.gap, scribe);
      return true;
    case Piece::What::end:
      session_->on_side_end(from, {p.first, p.last}, scribe);
      return true;
    case Piece::What::data:
    case Piece::What::passed:
      break;
  }
  // Octets are there when all before them are: those that waited behind a hole arrived with its filling.
  const Nanos last = std::max(p.last, streams_[sender].last());
  const Step step = session_->on_data(from, p.data, {p.first, last}, scribe);
  if (step.what != Step::What::not_ours) return answer(reader, p, step);
  leave(scribe);
  return true;
}

// False: the dissector gets nowhere.
bool Conversation::answer(StreamReader& reader, const Piece& p, Step step) {
  constexpr std::uint8_t kMostIdle = 3;
  const std::uint64_t n = step.octets;
  switch (step.what) {
    case Step::What::used:
      if (n > p.data.size() || (n == 0 && !p.data.empty())) return false;
      reader.used(n);
      break;
    case Step::What::need:
      if (!p.final && (n <= p.data.size() || n > kMostNeeded)) return false;
      reader.need(n);
      return true;
    case Step::What::skip:
      reader.skip(n);
      break;
    case Step::What::not_ours:
    case Step::What::unsure:
      return false;
  }
  idle_ = n == 0 ? static_cast<std::uint8_t>(idle_ + 1) : std::uint8_t{0};
  return idle_ <= kMostIdle;
}

void Conversation::finish(Scribe& scribe) {
  const bool unsure = state_ == State::open && on_trial_;
  for (unsigned i = 0; i < 2; ++i) {
    const unsigned sender = i ^ client_;  // requests first
    StreamReader reader(streams_[sender], home_->streams_, home_->counters_);
    reader.finish(false);
    read(sender, reader, scribe);
  }
  if (unsure || (state_ == State::guessing && begun_)) home_->counters_.add(Counter::dissection_unknown);
  die(scribe);
}

void Conversation::give_up(Scribe& scribe) {
  home_->counters_.add(Counter::dissection_given_up);
  ++home_->by_dissector_[protocol_].given_up;
  die(scribe);
}

void Conversation::leave(Scribe& scribe) {
  home_->counters_.add(Counter::dissection_not_ours);
  ++home_->by_dissector_[protocol_].not_ours;
  die(scribe);
}

void Conversation::die(Scribe& scribe) {
  state_ = State::dead;
  close_session(scribe);
  for (Stream& s : streams_) s.release(home_->streams_);
}

void Conversation::close_session(Scribe& scribe) {
  if (!session_) return;
  session_->on_end(scribe);
  session_->~Session();
  home_->sessions_[protocol_]->give(session_);
  session_ = nullptr;
}

}  // namespace probe
