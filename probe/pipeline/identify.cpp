// Which protocol a conversation is: dissectors are asked about the first octets of either side.
#include <bit>

#include "probe/pipeline/conversation.h"

namespace probe {

using tcp::Piece;
using tcp::StreamReader;

namespace {
constexpr std::size_t kMostGuessed = 2048;  // octets; whoever is not sure by then is not asked again
}  // namespace

void Conversation::guess(unsigned sender, StreamReader& reader, const Piece& p, Scribe& scribe) {
  if (p.what == Piece::What::gap) {
    gap_ = true;
    from_start_ = false;  // what follows is no beginning of anything
  }
  if (p.what != Piece::What::data) return;
  if (exhausted(sender)) return reader.used(p.data.size());
  const bool last_chance = p.final || p.data.size() >= kMostGuessed;
  const Verdict v = ask(sender, p.data, last_chance);
  if (v.guess == Guess::maybe) return reader.need(p.data.size() + 1);
  if (v.guess == Guess::no) {
    reader.used(p.data.size());
    if (from_start_) tries_[sender] = kMostTries;  // the beginning is the best chance
    return count_try(sender, kMostTries);
  }
  if (open(v, sender)) catch_up(1 - sender, scribe);
}

// Either side may be the one that is understood: what a client got wrong the server may still answer.
void Conversation::count_try(unsigned sender, std::uint8_t most) {
  if (tries_[sender] < most) ++tries_[sender];
  if (tries_[0] < most || tries_[1] < most) return;
  home_->counters_.add(Counter::dissection_unknown);
  state_ = State::dead;
  for (tcp::Stream& s : streams_) s.release(home_->streams_);
}

// The dissectors of the flow's ports first: as long as one of them may be right, the others are not asked, so that the
// answer does not depend on how the octets are cut into segments.
Conversation::Verdict Conversation::ask(unsigned sender, Bytes first, bool last_chance) {
  const Side from = side_of(sender);
  const Verdict v = ask_these(candidates_ & preferred_, from, first, last_chance);
  if (v.guess != Guess::no && v.guess != Guess::trial) return v;
  const Verdict other = ask_these(candidates_ & ~preferred_, from, first, last_chance);
  return v.guess == Guess::trial && (other.guess == Guess::no || other.guess == Guess::trial) ? v : other;
}

Conversation::Verdict Conversation::ask_these(std::uint64_t dissectors, Side from, Bytes first, bool last_chance) {
  bool maybe = false;
  Verdict trial;
  for (; dissectors != 0; dissectors &= dissectors - 1) {
    const auto i = static_cast<std::uint8_t>(std::countr_zero(dissectors));
    const Guess g = home_->all_[i]->guess(first, from);
    if (g == Guess::from_client || g == Guess::from_server) return {g, i};
    if (g == Guess::trial && trial.guess == Guess::no) trial = {g, i};
    maybe = maybe || (g == Guess::maybe && !last_chance);
  }
  return maybe ? Verdict{Guess::maybe, 0} : trial;
}

bool Conversation::open(const Verdict& v, unsigned sender) {
  protocol_ = v.dissector;
  on_trial_ = v.guess == Guess::trial;
  client_told_ = !on_trial_;
  if (client_told_) client_ = static_cast<std::uint8_t>(v.guess == Guess::from_client ? sender : 1 - sender);
  SlotPool& sessions = *home_->sessions_[protocol_];
  void* slot = sessions.take();
  if (!slot) {
    home_->counters_.add(Counter::dissection_sessions_full);
    no_session_ = true;
    state_ = State::dead;
    for (tcp::Stream& s : streams_) s.release(home_->streams_);
    return false;
  }
  sessions.prefetch_next();
  if (!on_trial_) ++home_->by_dissector_[protocol_].flows;
  session_ = home_->all_[protocol_]->open(slot);
  state_ = State::open;
  return true;
}

// What the other side had said until its protocol was known came before this side's octets.
void Conversation::catch_up(unsigned sender, Scribe& scribe) {
  tcp::Stream& stream = streams_[sender];
  if (stream.ended()) {
    session_->on_side_end(side_of(sender), {stream.last(), stream.last()}, scribe);
    return;
  }
  StreamReader reader(stream, home_->streams_, home_->counters_);
  reader.again();
  read(sender, reader, scribe);
}

}  // namespace probe
