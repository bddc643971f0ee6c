#include "probe/tcp/fingerprint.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <utility>

namespace probe::tcp {
namespace {

// In the order of TcpOption.
constexpr std::array<std::string_view, 12> kNames = {"",     "eol", "nop", "mss", "ws",  "sok",
                                                     "sack", "ts",  "tfo", "mpt", "sig", "?"};
constexpr unsigned kMostOptions = 16, kLongestName = 4;

class Writer {
 public:
  explicit Writer(std::span<char, kLongestFingerprint> room) : begin_(room.data()), at_(begin_) {}
  void text(std::string_view s) { at_ = std::copy(s.begin(), s.end(), at_); }
  void number(unsigned n) { at_ = std::to_chars(at_, begin_ + kLongestFingerprint, n).ptr; }
  std::string_view written() const { return {begin_, static_cast<std::size_t>(at_ - begin_)}; }

 private:
  char* const begin_;
  char* at_;
};

// Systems begin with one of these (p0f); fewer than 32 hops lie between.
unsigned first_ttl(unsigned ttl) {
  for (const unsigned first : {32u, 64u, 128u})
    if (ttl <= first) return first;
  return 255;
}

void write_order(std::uint64_t order, Writer& w) {
  bool first = true;
  if (order != 0) order <<= std::countl_zero(order) / 4 * 4;
  for (; order != 0; order <<= 4) {
    const auto option = static_cast<std::size_t>(order >> 60);
    if (!first) w.text(",");
    w.text(kNames[std::min(option, kNames.size() - 1)]);
    first = false;
  }
}

void write_quirks(const SynSeen& s, Writer& w) {
  const bool answers = (s.flags & tcp_flag::kAck) != 0;
  const std::uint8_t ecn = s.flags & (tcp_flag::kEce | tcp_flag::kCwr);
  const std::pair<bool, std::string_view> quirks[] = {
      {ecn != 0, "ecn"}, {s.own_timestamp_zero, "ts1-"}, {s.echo_set && !answers, "ts2+"}};
  bool first = true;
  for (const auto& [present, name] : quirks) {
    if (!present) continue;
    if (!first) w.text(",");
    w.text(name);
    first = false;
  }
}

}  // namespace

std::string_view fingerprint(const SynSeen& s, bool ipv6, std::span<char, kLongestFingerprint> room) {
  static_assert(sizeof("6:255+255:65535:65535,255::ecn,ts1-,ts2+:+") + kMostOptions * (kLongestName + 1) <=
                kLongestFingerprint);
  Writer w(room);
  w.text(ipv6 ? "6:" : "4:");
  const unsigned initial = first_ttl(s.ttl);
  w.number(initial);
  w.text("+");
  w.number(initial - s.ttl);
  w.text(":");
  if (s.maximum_segment != 0)
    w.number(s.maximum_segment);
  else
    w.text("*");
  w.text(":");
  w.number(s.window);
  w.text(",");
  if (s.has_window_scale)
    w.number(s.window_scale);
  else
    w.text("*");
  w.text(":");
  write_order(s.option_order, w);
  w.text(":");
  write_quirks(s, w);
  w.text(s.has_data ? ":+" : ":0");
  return w.written();
}

}  // namespace probe::tcp
