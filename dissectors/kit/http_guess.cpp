#include "dissectors/kit/http_guess.h"

#include <algorithm>
#include <string_view>

#include "dissectors/kit/http_head.h"
#include "dissectors/kit/http_line.h"

namespace probe::http {

namespace {

constexpr std::size_t kMostEmptyLines = 8;  // octets of them
constexpr std::size_t kStatusLine = std::string_view("HTTP/1.1 200").size();
constexpr std::size_t kLongMethodless =
    256;                                   // a line without a known method and a usual target must have ended by then
constexpr std::size_t kLongTarget = 1024;  // a line with both is believed from there on

Guess guess_request(std::string_view s) {
  if (!may_become_request(s)) return Guess::no;
  if (const std::size_t feed = s.find('\n'); feed != s.npos) {
    const std::string_view line = s.substr(0, feed);
    const RequestLine r = line.size() <= kLineKept ? parse_request_line(line)
                                                   : parse_request_line(line, line.substr(line.size() - kTailKept));
    return r.method.empty() ? Guess::no : Guess::from_client;
  }
  if (std::any_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\r'; }))
    return Guess::no;
  if (s.size() < kLongMethodless) return Guess::maybe;
  // SIP, RTSP and ICAP have schemes of their own.
  const RequestLine front = parse_request_front(s);
  if (!is_known_method(front.method) || !(front.target.starts_with('/') || front.target.starts_with("http")))
    return Guess::no;
  return s.size() < kLongTarget ? Guess::maybe : Guess::from_client;
}

}  // namespace

Guess guess_http(Bytes first) {
  std::string_view s = as_text(first);
  const std::size_t empty = std::min(s.find_first_not_of("\r\n"), s.size());
  if (empty > kMostEmptyLines) return Guess::no;
  s.remove_prefix(empty);
  if (s.empty()) return Guess::maybe;
  if (!may_become_status(s)) return guess_request(s);
  if (s.size() < kStatusLine) return Guess::maybe;
  return parse_status_line(s.substr(0, kStatusLine)).version.starts_with("HTTP/1.") ? Guess::from_server : Guess::no;
}

}  // namespace probe::http
