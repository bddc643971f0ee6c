#include <algorithm>

#include "tests/bench/trace/scripts.h"
#include "tests/bench/trace/text.h"

namespace trace {
namespace {

constexpr std::uint32_t kA = 1, kAaaa = 28, kInternet = 1;

std::string labels(const std::string& name) {
  std::string s;
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    s += static_cast<char>(end - begin) + name.substr(begin, end - begin);
    begin = end + 1;
  }
  return s + '\0';
}

std::string header(std::uint32_t id, std::uint32_t flags, std::uint32_t answers) {
  return big_endian(id, 2) + big_endian(flags, 2) + big_endian(1, 2) + big_endian(answers, 2) + big_endian(0, 4);
}

// Addresses of a random kind; in `shown` as hexadecimal digits.
std::string addresses(Random& random, std::uint32_t type, unsigned count, std::string& shown) {
  const unsigned length = type == kA ? 4 : 16;
  std::string s;
  for (unsigned i = 0; i < count; ++i) {
    s += big_endian(0xc00c, 2) + big_endian(type, 2) + big_endian(kInternet, 2) + big_endian(300, 4) +
         big_endian(length, 2);
    if (i > 0) shown += ' ';
    for (unsigned j = 0; j < length; ++j) {
      const std::uint32_t octet = random.below(256);
      s += static_cast<char>(octet);
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", octet);
      shown += digits;
    }
  }
  return s;
}

MessageTimes datagram(Flow& flow, int way, Micros at, std::string text) {
  const MessageTimes times{at, at, at, at, at, at, text.size()};
  Event e;
  e.time = at;
  e.way = way;
  e.text = std::move(text);
  flow.events.push_back(std::move(e));
  return times;
}

}  // namespace

void script_dns(Flow& flow, Random& random, Truth& truth) {
  const std::string host = host_name(random);
  const std::uint32_t id = random.below(65536);
  const std::uint32_t type = random.chance(0.7) ? kA : kAaaa;
  const std::string question = labels(host) + big_endian(type, 2) + big_endian(kInternet, 2);
  Transaction t;
  t.subject = std::to_string(type);
  t.place = host;
  t.asked = flow.start;
  t.request = datagram(flow, kUp, flow.start, header(id, 0x0100, 0) + question);
  ++truth.totals.dns_queries;
  if (random.chance(0.01)) {
    ++truth.totals.dns_unanswered;
    t.status = -1;
  } else {
    const double dice = random.unit();
    t.status = dice < 0.92 ? 0 : dice < 0.98 ? 3 : 2;
    const unsigned answers = t.status != 0 ? 0 : 1 + random.below(4);
    std::string reply = header(id, 0x8180 | static_cast<std::uint32_t>(t.status), answers) + question;
    reply += addresses(random, type, answers, t.outcome);
    t.to_first = t.to_last = milliseconds(0.3) + milliseconds(std::min(2000.0, random.lognormal(8, 1.2)));
    t.response = datagram(flow, kDown, flow.start + t.to_first, std::move(reply));
    ++truth.totals.dns_replies;
  }
  truth.transaction(flow, t);
  truth.datagrams(flow);
}

}  // namespace trace
