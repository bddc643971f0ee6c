#include "dissectors/kit/mysql_guess.h"

#include <algorithm>

#include "dissectors/kit/mysql_command.h"
#include "dissectors/kit/mysql_packet.h"

namespace probe::mysql {
namespace {

constexpr std::uint32_t kLongestGreeting = 400;

bool is_text(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return static_cast<std::uint8_t>(c) >= ' '; });
}

Guess guess_greeting(Bytes body, std::uint32_t length) {
  if (length > kLongestGreeting || body.size() > length) return Guess::no;
  if (const std::string_view version = version_of(body); !version.empty()) {
    // The filler behind the first 8 octets of the salt.
    const std::size_t filler = 1 + version.size() + 1 + 4 + 8;
    if (body.size() > filler + 2) return body[filler] == 0 ? Guess::from_server : Guess::no;
    return body.size() < length ? Guess::maybe : Guess::no;
  }
  const bool whole = std::find(body.begin(), body.end(), std::uint8_t{0}) != body.end();
  return whole || body.size() == length || !is_text(as_text(body.subspan(1))) ? Guess::no : Guess::maybe;
}

// Also what a server says instead of a greeting: too many connections, host not allowed.
Guess guess_error(Bytes body, Header h) {
  constexpr std::uint16_t kFirst = 1000, kLast = 5999;
  const auto e = read_error(body);
  if (!e || e->code < kFirst || e->code > kLast || body.size() != h.length || e->message.empty()) return Guess::no;
  return is_text(e->message) && (h.sequence == 0 || !e->state.empty()) ? Guess::from_server : Guess::no;
}

// The number of columns, then descriptions, whose catalogue is always "def".
bool is_result_set(Bytes first, Header h) {
  constexpr std::uint32_t kMostOctets = 4;
  constexpr std::string_view kCatalogue = "\3def";
  if (h.length == 0 || h.length > kMostOctets) return false;
  const Bytes next = first.subspan(std::min<std::size_t>(first.size(), kHeaderOctets + h.length));
  if (next.size() < kHeaderOctets + kCatalogue.size()) return false;
  return header_of(next).sequence == 2 && as_text(next.subspan(kHeaderOctets)).starts_with(kCatalogue);
}

}  // namespace

bool may_be_login(Bytes front) {
  constexpr std::size_t kFillerAt = kHeaderOctets + 4 + 4 + 1, kFiller = 19, kUserAt = kFillerAt + kFiller + 4;
  if (front.size() < kUserAt) return false;
  const Header h = header_of(front);
  if (h.sequence != 1 || h.length + kHeaderOctets != front.size()) return false;
  const Bytes filler = front.subspan(kFillerAt, kFiller);
  return (front[kHeaderOctets + 1] & kProtocol41 >> 8) && front[kHeaderOctets + 7] < 0x80 &&
         std::all_of(filler.begin(), filler.end(), [](std::uint8_t octet) { return octet == 0; });
}

std::size_t needed_to_find(Side from, Bytes front, bool login_seen) {
  constexpr std::uint32_t kLeastLogin = 32, kLongestLogin = 4096;
  if (front.size() <= kHeaderOctets) return kHeaderOctets + 1;
  const Header h = header_of(front);
  if (from == Side::client) {
    const bool login = !login_seen && h.sequence == 1 && h.length >= kLeastLogin && h.length <= kLongestLogin;
    if (login) return kHeaderOctets + h.length;
    return may_become_command(front) ? front.size() + 1 : kHeaderOctets + 1;
  }
  const bool greeting = !login_seen && h.sequence == 0 && h.length <= kLongestGreeting;
  return kHeaderOctets + (greeting ? h.length : 1);
}

bool may_be_answer(Bytes front, Answer answer) {
  constexpr std::uint32_t kLeastOk = 7, kMostColumnCount = 4;
  const Header h = header_of(front);
  if (h.length == 0) return false;
  const std::size_t next = kHeaderOctets + h.length;
  if (front.size() >= next + kHeaderOctets && front[next + 3] != static_cast<std::uint8_t>(h.sequence + 1))
    return false;
  if (answer != Answer::result) return true;
  switch (front[kHeaderOctets]) {
    case kOk:
      return h.length >= kLeastOk;
    case kError:
    case kInfile:
    case kEof:
      return true;
    default:
      return h.length <= kMostColumnCount;
  }
}

Guess guess(Bytes first) {
  if (first.size() <= kHeaderOctets) return first.size() < kHeaderOctets || first[3] <= 1 ? Guess::maybe : Guess::no;
  const Header h = header_of(first);
  const Bytes body = first.subspan(kHeaderOctets);
  if (h.sequence > 1 || h.length == 0) return Guess::no;
  if (body[0] == kError) return guess_error(body, h);
  if (h.sequence == 1) {
    if (is_result_set(first, h)) return Guess::from_server;
    return may_be_login(first) ? Guess::from_client : Guess::no;
  }
  if (body[0] == kProtocolVersion) {
    const Guess g = guess_greeting(body, h.length);
    if (g != Guess::no) return g;
  }
  if (is_surely_command(first)) return Guess::from_client;
  return may_become_command(first) || may_be_command(first) ? Guess::maybe : Guess::no;
}

}  // namespace probe::mysql
