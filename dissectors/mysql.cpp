// MySQL and MariaDB: one record for every command that is answered, and for a login that fails.
#include <algorithm>
#include <array>

#include "dissectors/dissector.h"
#include "dissectors/kit/mysql_command.h"
#include "dissectors/kit/mysql_guess.h"
#include "dissectors/kit/mysql_identity.h"
#include "dissectors/kit/mysql_packet.h"
#include "dissectors/kit/mysql_pending.h"
#include "dissectors/kit/mysql_request.h"
#include "dissectors/kit/mysql_result.h"
#include "probe/base/quality.h"

namespace probe {
namespace {

using namespace mysql;

class Mysql final : public Session {
 public:
  static Guess guess(Bytes first, Side) { return mysql::guess(first); }

  Step on_data(Side from, Bytes data, Arrival at, Scribe&) override;
  void on_gap(Side from, std::uint64_t octets, Scribe&) override;
  void on_end(Scribe&) override;

 private:
  struct Lane {
    bool lost = true;        // where the next packet begins is not known
    bool continued = false;  // the next packet goes on with the payload of the last
  };
  Lane& lane(Side s) { return lanes_[index_of(s)]; }
  bool answering() { return !pending_.empty() && pending_.front().begun; }

  // Framing
  std::size_t pass_rows(Bytes rest, Arrival at);
  std::size_t needed_of(Side from, Bytes rest);
  bool is_found(Side from, Bytes rest);
  void take(Side from, Bytes rest, Arrival at, Scribe&);
  void pass(Side from, std::uint64_t octets, Arrival at);
  Step lose(Side from, Bytes data, std::size_t at_octet, Arrival at);

  // The client
  void foresee(Bytes rest, Arrival at, Scribe&);
  void client_packet(Header, Bytes body, Arrival at, Scribe&);
  void login(Header, Bytes body, Arrival at, Scribe&);
  void login_into_the_dark(Scribe&);
  void command(Header, Bytes body, Arrival at, Scribe&);

  // The server
  void server_packet(Header, Bytes body, Arrival at, Scribe&);
  void unasked(Header, Bytes body, Arrival at, Scribe&);
  void succeed(Scribe&);
  void fail(Bytes body, Scribe&);
  void finish(Scribe&);
  void give_up_pending(Scribe&);
  void commit(Pending&, Scribe&);

  // Whether the commands that are pending are really the ones that will be answered next.
  enum class Doubt : std::uint8_t { none, fresh, some };

  PendingQueue pending_;
  Result result_;  // of the first of them
  Identity who_;
  Requests requests_;
  std::uint32_t beyond_ = 0;  // commands for which the queue had no place
  std::array<Lane, 2> lanes_;
  Doubt doubt_ = Doubt::none;
  bool foreseen_ = false;      // the last that is pending is but the front of it
  bool infile_ = false;        // the client sends a file
  bool request_open_ = false;  // the client's last packet belongs to the last that is pending
  bool opaque_ = false;
};

// ---- Framing ----

Step Mysql::on_data(Side from, Bytes data, Arrival at, Scribe& scribe) {
  if (opaque_) return Step::skip(kToTheEnd);
  if (data.empty()) pass(from, 0, at);
  std::size_t done = 0;
  while (done < data.size()) {
    const Bytes rest = data.subspan(done);
    if (const std::size_t rows = from == Side::server ? pass_rows(rest, at) : 0; rows > 0) {
      done += rows;
      continue;
    }
    const bool lost = lane(from).lost;
    const std::size_t needed = lost ? needed_to_find(from, rest, who_.login_seen) : needed_of(from, rest);
    if (needed > rest.size()) {
      if (done > 0) return Step::used(done);
      if (from == Side::client && !lost) foresee(rest, at, scribe);
      return Step::need(needed);
    }
    if (done > 0 && at.first != at.last) return Step::used(done);  // the rest has its own times
    if (lost) {
      if (!is_found(from, rest)) return lose(from, data, done, at);
      lane(from).lost = false;
      continue;
    }
    const Header h = header_of(rest);
    take(from, rest, at, scribe);
    if (opaque_) return Step::skip(kToTheEnd);
    if (lane(from).lost) return lose(from, data, done, at);
    lane(from).continued = h.length == kLongest;
    done += kHeaderOctets + h.length;
    if (done > data.size()) return Step::skip(done);
  }
  return Step::used(done);
}

// The short way: rows, of which nothing is of interest but their number.
std::size_t Mysql::pass_rows(Bytes rest, Arrival at) {
  if (!answering() || lane(Side::server).lost || lane(Side::server).continued) return 0;
  const std::size_t octets = result_.pass_rows(rest);
  if (octets > 0) pass(Side::server, octets, at);
  return octets;
}

// How many octets at the front of `rest` are to be seen at once.
std::size_t Mysql::needed_of(Side from, Bytes rest) {
  constexpr std::size_t kMostOfAny = kMostNeeded - kHeaderOctets, kGreeting = 400, kLogin = 2048;
  if (rest.size() < kHeaderOctets) return kHeaderOctets;
  const Header h = header_of(rest);
  if (lane(from).continued || h.length == 0) return kHeaderOctets;
  if (rest.size() == kHeaderOctets) return kHeaderOctets + 1;
  const std::uint8_t first = rest[kHeaderOctets];
  std::size_t wanted = 1;
  if (from == Side::server)
    wanted = !who_.login_seen && h.sequence == 0 ? kGreeting : result_.wanted(answering(), first);
  else if (!infile_)
    wanted = h.sequence == 0 ? octets_of_interest(first) : kLogin;
  return kHeaderOctets + std::min({wanted, std::size_t{h.length}, kMostOfAny});
}

// Does a packet begin here? For a start in the midst of a stream, and behind gaps.
bool Mysql::is_found(Side from, Bytes rest) {
  const Header h = header_of(rest);
  if (from == Side::client) {
    if (h.sequence == 0) doubt_ = Doubt::fresh;
    return (h.sequence == 1 && who_.greeted && !who_.login_seen) || may_be_login(rest) || may_be_command(rest);
  }
  if (!who_.login_seen && h.sequence == 0 && mysql::guess(rest) == Guess::from_server) return true;
  if (pending_.empty() || answering()) return false;
  const Pending& p = pending_.front();
  return h.sequence == static_cast<std::uint8_t>(p.sequence + 1) && may_be_answer(rest, p.answer);
}

Step Mysql::lose(Side from, Bytes data, std::size_t at_octet, Arrival at) {
  lane(from) = Lane();
  pass(from, data.size() - at_octet, at);
  return Step::used(data.size());
}

// Octets of a side that only count.
void Mysql::pass(Side from, std::uint64_t octets, Arrival at) {
  if (from == Side::server) {
    if (!answering()) return;
    Exchange& e = pending_.front().exchange;
    e.response_octets += octets;
    if (e.response_first != kNoTime) e.response_last = at.last;
  } else if (request_open_ && !pending_.empty()) {
    Exchange& e = pending_.back().exchange;
    e.request_octets += octets;
    e.request_last = at.last;
  }
}

void Mysql::take(Side from, Bytes rest, Arrival at, Scribe& scribe) {
  const Header h = header_of(rest);
  const Bytes body = rest.subspan(kHeaderOctets, std::min<std::size_t>(h.length, rest.size() - kHeaderOctets));
  if (lane(from).continued) {
    if (from == Side::client && request_open_ && !pending_.empty()) pending_.back().sequence = h.sequence;
    return pass(from, kHeaderOctets + h.length, at);
  }
  if (from == Side::client) return client_packet(h, body, at, scribe);
  server_packet(h, body, at, scribe);
}

void Mysql::on_gap(Side from, std::uint64_t octets, Scribe&) {
  if (opaque_) return;
  lane(from) = Lane();
  if (from == Side::client) {
    if (request_open_ && !pending_.empty()) pending_.back().exchange.quality |= bit_of(Quality::stream_gap);
    infile_ = request_open_ = foreseen_ = false;
    return;
  }
  for (std::size_t i = 0; i < pending_.size(); ++i) pending_.at(i).exchange.quality |= bit_of(Quality::stream_gap);
  if (answering()) pending_.front().exchange.response_octets += octets;
}

// ---- The client ----

// The front of a statement is kept, for the case that the rest is lost.
void Mysql::foresee(Bytes rest, Arrival at, Scribe& scribe) {
  constexpr std::size_t kLeast = 16;
  if (foreseen_ || infile_ || rest.size() < kHeaderOctets + kLeast || !is_statement(rest[kHeaderOctets])) return;
  const Header h = header_of(rest);
  const std::size_t before = pending_.size();
  const Doubt doubt = doubt_;
  if (h.sequence == 0) command(h, rest.subspan(kHeaderOctets), at, scribe);
  foreseen_ = pending_.size() > before;
  doubt_ = doubt;
}

void Mysql::client_packet(Header h, Bytes body, Arrival at, Scribe& scribe) {
  if (std::exchange(foreseen_, false) && !pending_.empty()) {  // now it is whole
    scribe.notes().drop(pending_.back().note);
    pending_.pop_back();
  }
  if (infile_) {
    pending_.front().sequence = h.sequence;
    infile_ = h.length > 0;
    return pass(Side::client, kHeaderOctets + h.length, at);
  }
  request_open_ = false;
  if (h.sequence == 0 && !body.empty()) return command(h, body, at, scribe);
  if (answering() && pending_.front().answer == Answer::login) {  // what the server asked for
    pending_.front().sequence = h.sequence;
  } else if (!who_.login_seen) {
    login(h, body, at, scribe);
  } else {
    lane(Side::client).lost = true;
  }
}

void Mysql::login(Header h, Bytes body, Arrival at, Scribe& scribe) {
  const auto l = read_login(body, h.length);
  if (!l) {
    lane(Side::client).lost = true;
    return;
  }
  who_.take(*l);
  opaque_ = l->tls;
  Pending& p = pending_.push(at, kHeaderOctets + h.length);
  p.answer = Answer::login;
  p.sequence = h.sequence;
  p.login = request_open_ = true;
  if (opaque_) login_into_the_dark(scribe);
}

// The one record of a session of which nothing more can be read.
void Mysql::login_into_the_dark(Scribe& scribe) {
  Pending& p = pending_.front();
  p.draft = scribe.open<"sql">();
  p.draft.set<"databaseOperation">("LOGIN");
  p.exchange.quality |= bit_of(Quality::opaque);
  finish(scribe);
}

void Mysql::command(Header h, Bytes body, Arrival at, Scribe& scribe) {
  const CommandInfo* info = find_command(body[0]);
  if (!info) {
    lane(Side::client).lost = true;
    return;
  }
  who_.login_seen = true;
  if (info->answer == Answer::none) return requests_.unanswered(body, scribe.notes());
  // What the server said has been lost: the next that is found of it answers this command. Or what was taken for a
  // command behind a gap was none: clients wait for the answer, with few exceptions.
  if (lane(Side::server).lost || doubt_ == Doubt::some) give_up_pending(scribe);
  doubt_ = doubt_ == Doubt::fresh ? Doubt::some : Doubt::none;
  if (pending_.full() || beyond_ > 0) {
    ++beyond_;
    return;
  }
  Pending& p = pending_.push(at, kHeaderOctets + h.length);
  if (pending_.size() > 1) p.exchange.quality |= bit_of(Quality::pipelined);
  p.command = info->command;
  p.answer = info->answer;
  p.draft = scribe.open<"sql">();
  request_open_ = true;
  requests_.describe(pending_, body, body.size() == h.length, who_, scribe.notes());
}

// ---- The server ----

void Mysql::server_packet(Header h, Bytes body, Arrival at, Scribe& scribe) {
  if (pending_.empty()) {
    if (beyond_ == 0 || h.sequence != 1) return unasked(h, body, at, scribe);
    --beyond_;
    pending_.push().answer = Answer::result;
  }
  Pending& p = pending_.front();
  if (!p.begun) {
    if (h.sequence != static_cast<std::uint8_t>(p.sequence + 1)) return;  // the end of what was taken for ended
    result_.expect(p.answer);
    p.begun = true;
  }
  const Result::Progress progress = result_.take(h.length, body, who_.terms);
  const bool interim = progress == Result::Progress::interim || progress == Result::Progress::infile;
  if (!interim && p.exchange.response_first == kNoTime) p.exchange.response_first = at.first;
  if (progress != Result::Progress::lost) pass(Side::server, kHeaderOctets + h.length, at);
  switch (progress) {
    case Result::Progress::done:
      return succeed(scribe);
    case Result::Progress::failed:
      return fail(body, scribe);
    case Result::Progress::infile:
      infile_ = request_open_ = true;
      return;
    case Result::Progress::lost:
      lane(Side::server).lost = true;
      return;
    default:
      if (p.answer != Answer::stream) return;
      p.exchange.quality |= bit_of(Quality::opaque);
      p.exchange.response_last = kNoTime;
      opaque_ = true;
      return finish(scribe);
  }
}

// Packets that answer nothing: the greeting, or the end of a server's patience.
void Mysql::unasked(Header h, Bytes body, Arrival at, Scribe& scribe) {
  if (who_.login_seen || who_.greeted || h.sequence != 0 || body.empty()) return;
  if (const auto g = read_greeting(body)) {
    who_.take(*g);
  } else if (body[0] == kError) {
    who_.greeted = true;
    Pending& p = pending_.push();
    p.login = p.begun = true;
    result_.expect(Answer::login);
    p.exchange.response_first = at.first;
    pass(Side::server, kHeaderOctets + h.length, at);
    fail(body, scribe);
  }
}

void Mysql::succeed(Scribe& scribe) {
  Pending& p = pending_.front();
  if (p.login) {
    opaque_ = who_.terms.capabilities & (kCompress | kZstd);
    return opaque_ ? login_into_the_dark(scribe) : pending_.pop();
  }
  if (p.answer == Answer::prepared) {
    requests_.prepared(result_.statement(), std::exchange(p.note, nullptr), scribe.notes());
  }
  if (p.changes_schema) who_.database.set(Notebook::read(p.note));
  result_.write_counts(p.draft, p.command);
  finish(scribe);
}

void Mysql::fail(Bytes body, Scribe& scribe) {
  Pending& p = pending_.front();
  if (p.login) {
    p.draft = scribe.open<"sql">();
    p.draft.set<"databaseOperation">("LOGIN");
  }
  result_.write_counts(p.draft, p.command);  // of what went before the error
  if (const auto e = read_error(body)) {
    p.draft.set<"databaseErrorCode">(std::uint32_t{e->code});
    p.draft.set<"databaseSqlState">(e->state);
    p.draft.set<"databaseErrorMessage">(e->message);
  }
  finish(scribe);
}

void Mysql::finish(Scribe& scribe) {
  scribe.notes().drop(pending_.front().note);
  commit(pending_.front(), scribe);
  pending_.pop();
  infile_ = false;
}

// Their answers, or the ends of them, have not been seen and will not be.
void Mysql::give_up_pending(Scribe& scribe) {
  while (!pending_.empty()) {
    Pending& p = pending_.front();
    p.exchange.quality |= bit_of(Quality::half_transaction);
    if (p.changes_schema) who_.database.set("");  // or it is still the one of before
    finish(scribe);
  }
  beyond_ = 0;
}

void Mysql::commit(Pending& p, Scribe& scribe) {
  if (!who_.greeted) p.exchange.quality |= bit_of(Quality::mid_stream);
  who_.write(p.draft);
  scribe.commit(p.draft, p.exchange);
}

void Mysql::on_end(Scribe& scribe) {
  give_up_pending(scribe);
  requests_.forget(scribe.notes());
}

constexpr std::uint16_t kPorts[] = {3306};

}  // namespace

extern const Dissector mysql_dissector;
const Dissector mysql_dissector = describe<Mysql>("mysql", Over::tcp, kPorts);

}  // namespace probe
