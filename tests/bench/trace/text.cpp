#include "tests/bench/trace/text.h"

#include <array>

namespace trace {
namespace {

constexpr std::array<std::string_view, 26> kWords = {
    "alpha",    "orders",  "static",  "img",    "api",   "v1",      "v2",   "user",   "cart",
    "checkout", "search",  "assets",  "report", "login", "profile", "feed", "media",  "video",
    "item",     "catalog", "metrics", "news",   "blog",  "edge",    "data", "session"};

constexpr std::array<std::string_view, 8> kUserAgents = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
    "curl/7.88.1",
    "okhttp/4.12.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15",
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "Apache-HttpClient/4.5.14 (Java/17.0.9)"};

std::string make_filler() {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz    \n0123456789";
  Random random(7);
  std::string s(1 << 20, ' ');
  for (char& c : s) c = kLetters[random.below(kLetters.size())];
  return s;
}

}  // namespace

const std::string& filler() {
  static const std::string made = make_filler();
  return made;
}

std::string hex(Random& random, unsigned digits) {
  std::string s;
  for (unsigned i = 0; i < digits; ++i) s += "0123456789abcdef"[random.below(16)];
  return s;
}

std::string word(Random& random) { return std::string(kWords[random.below(kWords.size())]); }

std::string host_name(Random& random) {
  const std::uint32_t h = random.below(5000);
  std::string name(kWords[h % kWords.size()]);
  name += std::to_string(h % 97) + ".";
  name += kWords[h / kWords.size() % kWords.size()];
  return name + ".example." + (h & 1 ? "com" : "net");
}

std::string_view user_agent(Random& random) { return kUserAgents[random.below(kUserAgents.size())]; }

std::string big_endian(std::uint32_t value, unsigned octets) {
  std::string s;
  while (octets-- > 0) s += static_cast<char>(value >> 8 * octets);
  return s;
}

}  // namespace trace
