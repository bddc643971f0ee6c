#include "tests/lab/wire/impairment.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <utility>

#include "tests/lab/wire/text.h"

namespace probe::lab {
namespace {

template <typename T, std::size_t N>
T parse_name(std::string_view text, const std::array<std::pair<std::string_view, T>, N>& names) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.first == text; });
  if (found == names.end()) fail("unknown name '" + std::string(text) + "'");
  return found->second;
}

constexpr std::array<std::pair<std::string_view, Match>, 8> kMatches = {{{"any", Match::any},
                                                                         {"udp", Match::udp},
                                                                         {"syn", Match::syn},
                                                                         {"synack", Match::synack},
                                                                         {"data", Match::data},
                                                                         {"fin", Match::fin},
                                                                         {"rst", Match::rst},
                                                                         {"ack", Match::ack}}};
constexpr std::array<std::pair<std::string_view, Action>, 3> kActions = {
    {{"drop", Action::drop}, {"dup", Action::duplicate}, {"hold", Action::hold}}};
constexpr std::array<std::pair<std::string_view, Direction>, 2> kDirectionNames = {
    {{"a2b", Direction::a2b}, {"b2a", Direction::b2a}}};
constexpr std::array<std::pair<std::string_view, char>, 2> kLinks = {{{"a", 'a'}, {"b", 'b'}}};

bool matches(Match match, const Summary& s) {
  switch (match) {
    case Match::any:
      return s.traffic;
    case Match::udp:
      return s.protocol == IPPROTO_UDP;
    case Match::syn:
      return s.tcp && s.has(kSyn) && !s.has(kAck);
    case Match::synack:
      return s.tcp && s.has(kSyn) && s.has(kAck);
    case Match::data:
      return s.tcp && s.payload > 0;
    case Match::fin:
      return s.tcp && s.has(kFin);
    case Match::rst:
      return s.tcp && s.has(kRst);
    case Match::ack:
      return s.tcp && (s.flags & (kSyn | kFin | kRst | kAck)) == kAck && s.payload == 0;
  }
  return false;
}

}  // namespace

Impairment parse_impairment(std::string_view text) {
  Impairment i;
  for (const auto& [key, value] : parse_key_values(text)) {
    if (key == "delay") {
      i.delay = parse_time(value);
    } else if (key == "jitter") {
      i.jitter = parse_time(value);
    } else if (key == "loss") {
      i.loss = parse_probability(value);
    } else if (key == "dup") {
      i.duplicate = parse_probability(value);
    } else if (key == "ce") {
      i.congestion = parse_probability(value);
    } else if (key == "burst") {
      const auto halves = split(value, ':');
      if (halves.size() != 2) fail("burst needs two probabilities, of its begin and of its end");
      i.burst = parse_probability(halves[0]);
      i.burst_end = parse_probability(halves[1]);
    } else if (key == "rate") {
      i.rate = parse_rate(value);
    } else if (key == "queue") {
      i.queue = static_cast<std::size_t>(parse_number(value));
    } else if (key == "reorder") {
      const auto halves = split(value, ':');
      if (halves.size() != 2) fail("reorder needs probability:time");
      i.reorder = parse_probability(halves[0]);
      i.reorder_hold = parse_time(halves[1]);
    } else {
      fail("unknown impairment '" + std::string(key) + "'");
    }
  }
  return i;
}

// Whether the octet that the rule names is in the payload; needs the SYN's number, which is told even if it gets lost.
bool Rule::carries(Seen& known, const Summary& s) const {
  if (s.tcp && s.has(kSyn)) known.first = s.sequence + 1;
  if (!known.first) return false;
  const std::uint32_t begin = s.sequence + (s.has(kSyn) ? 1 : 0) - *known.first;
  return *octet - begin < s.payload;
}

bool Rule::fires(char on_link, Direction d, const Summary& s) {
  if (on_link != link || d != direction) return false;
  const bool matching = matches(match, s);
  if (!matching && !(octet && s.tcp && s.has(kSyn))) return false;
  std::string key;
  if (per_flow)
    key =
        s.source + '/' + std::to_string(s.source_port) + '/' + s.destination + '/' + std::to_string(s.destination_port);
  const std::size_t next = seen.size() + 1;
  Seen& known = seen.try_emplace(key, Seen{next, 0, {}}).first->second;
  if ((octet && !carries(known, s)) || !matching) return false;
  ++known.matches;
  return known.matches >= nth && known.matches <= std::max(nth, last) && (flow == 0 || known.flow == flow);
}

Rule parse_rule(std::string_view text) {
  Rule r;
  for (const auto& [key, value] : parse_key_values(text)) {
    if (key == "link") {
      r.link = parse_name(value, kLinks);
    } else if (key == "dir") {
      r.direction = parse_name(value, kDirectionNames);
    } else if (key == "match") {
      r.match = parse_name(value, kMatches);
    } else if (key == "nth") {
      r.nth = static_cast<unsigned>(parse_number(value));
    } else if (key == "last") {
      r.last = static_cast<unsigned>(parse_number(value));
    } else if (key == "octet") {
      r.octet = static_cast<std::uint32_t>(parse_number(value));
      r.per_flow = true;
    } else if (key == "perflow") {
      r.per_flow = value == "1";
    } else if (key == "flow") {
      r.flow = static_cast<unsigned>(parse_number(value));
      r.per_flow = true;
    } else if (key == "action") {
      r.action = parse_name(value, kActions);
    } else if (key == "hold") {
      r.hold = parse_time(value);
    } else {
      fail("unknown rule part '" + std::string(key) + "'");
    }
  }
  return r;
}

}  // namespace probe::lab
