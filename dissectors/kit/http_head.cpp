#include "dissectors/kit/http_head.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace probe::http {

namespace {

constexpr std::size_t kLongestMethod = 32;
constexpr std::string_view kProtocol = "HTTP/";
constexpr std::string_view kVersionFront = "HTTP/1.";

// RFC 9110 §9.3, 5789, 4918, 3253, 5842, 5323, 3744, 4791, 3648.
constexpr std::string_view kMethods[] = {"GET",         "HEAD",
                                         "POST",        "PUT",
                                         "DELETE",      "CONNECT",
                                         "OPTIONS",     "TRACE",
                                         "PATCH",       "PROPFIND",
                                         "PROPPATCH",   "MKCOL",
                                         "COPY",        "MOVE",
                                         "LOCK",        "UNLOCK",
                                         "REPORT",      "CHECKOUT",
                                         "CHECKIN",     "UNCHECKOUT",
                                         "MERGE",       "VERSION-CONTROL",
                                         "UPDATE",      "LABEL",
                                         "MKACTIVITY",  "BASELINE-CONTROL",
                                         "MKWORKSPACE", "BIND",
                                         "UNBIND",      "REBIND",
                                         "SEARCH",      "ACL",
                                         "MKCALENDAR",  "ORDERPATCH"};

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// tchar without digits and symbols that no method uses (RFC 9110 §5.6.2).
bool is_method_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || is_digit(c);
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && (is_blank(s.back()) || s.back() == '\r')) s.remove_suffix(1);
  return s;
}

bool is_version(std::string_view s) {
  return s.size() == kVersionFront.size() + 1 && s.starts_with(kVersionFront) && is_digit(s.back());
}

// Servers write odd ones, and clients do not mind.
bool is_any_version(std::string_view s) {
  constexpr std::size_t kLongest = 10;
  return s.size() > kProtocol.size() && s.size() <= kLongest && s.starts_with(kProtocol) &&
         std::all_of(s.begin() + kProtocol.size(), s.end(), [](char c) { return is_digit(c) || c == '.'; });
}

// `lower` holds only lower-case letters and '-'.
bool same_name(std::string_view name, std::string_view lower) {
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = name[i];
    const char folded = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    if (folded != lower[i]) return false;
  }
  return true;
}

bool same_word(std::string_view a, std::string_view lower) { return a.size() == lower.size() && same_name(a, lower); }

std::size_t method_length(std::string_view s) {
  std::size_t n = 0;
  while (n < s.size() && n <= kLongestMethod && is_method_char(s[n])) ++n;
  return n;
}

}  // namespace

RequestLine parse_request_front(std::string_view front) {
  RequestLine r;
  const std::size_t n = method_length(front);
  if (n == 0 || n > kLongestMethod || n >= front.size() || front[n] != ' ') return r;
  const std::string_view target = trim(front.substr(n + 1));
  if (target.empty()) return r;
  r.method = front.substr(0, n);
  r.target = target;
  return r;
}

RequestLine parse_request_line(std::string_view line, std::string_view tail) {
  RequestLine r = parse_request_front(line);
  if (r.method.empty()) return r;
  const std::string_view end = trim(tail.empty() ? r.target : tail);
  const std::size_t blank = end.find_last_of(" \t");
  if (blank == end.npos || !is_version(end.substr(blank + 1))) return {};
  r.version = end.substr(blank + 1);
  if (tail.empty()) r.target = trim(end.substr(0, blank));
  return r.target.empty() ? RequestLine{} : r;
}

StatusLine parse_status_line(std::string_view line) {
  StatusLine s;
  const std::size_t n = std::min(line.find_first_of(" \t"), line.size());
  const std::string_view version = line.substr(0, n);
  if (!is_any_version(version)) return s;
  const std::string_view rest = line.substr(std::min(line.find_first_not_of(" \t", n), line.size()));
  if (rest.size() < 3 || !is_digit(rest[0]) || !is_digit(rest[1]) || !is_digit(rest[2])) return s;
  if (rest.size() > 3 && is_digit(rest[3])) return s;
  s.status = static_cast<std::uint16_t>((rest[0] - '0') * 100 + (rest[1] - '0') * 10 + (rest[2] - '0'));
  if (s.status >= 100) s.version = version;
  return s;
}

bool may_become_request(std::string_view front) {
  const std::size_t n = method_length(front);
  if (n > kLongestMethod) return false;
  return n == front.size() || (n > 0 && front[n] == ' ');
}

bool may_become_status(std::string_view front) {
  const std::size_t n = std::min(front.size(), kProtocol.size());
  return front.substr(0, n) == kProtocol.substr(0, n);
}

bool may_become_known_request(std::string_view front) {
  const std::size_t n = method_length(front);
  if (n < front.size()) return front[n] == ' ' && is_known_method(front.substr(0, n));
  return std::any_of(std::begin(kMethods), std::end(kMethods),
                     [front](std::string_view m) { return m.starts_with(front); });
}

bool is_known_method(std::string_view method) {
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

std::string_view authority_of(std::string_view target) {
  const std::size_t colon = target.substr(0, 8).find("://");
  if (colon == target.npos || colon == 0) return {};
  const std::string_view rest = target.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = authority.rfind('@');
  return at == authority.npos ? authority : authority.substr(at + 1);
}

FieldLine parse_field(std::string_view line) {
  struct Known {
    std::string_view name;
    Field field;
  };
  // By first letter, so that most lines are passed over at a glance.
  static constexpr Known kHost[] = {{"host", Field::host}};
  static constexpr Known kUserAgent[] = {{"user-agent", Field::user_agent}};
  static constexpr Known kReferer[] = {{"referer", Field::referer}};
  static constexpr Known kForwarded[] = {{"forwarded", Field::forwarded_for}};
  static constexpr Known kXForwardedFor[] = {{"x-forwarded-for", Field::forwarded_for}};
  static constexpr Known kContent[] = {{"content-length", Field::content_length},
                                       {"content-type", Field::content_type}};
  static constexpr Known kTransfer[] = {{"transfer-encoding", Field::transfer_encoding}};
  const auto match = [line](auto& known) {
    for (const Known& k : known) {
      if (line.size() <= k.name.size() || !same_name(line, k.name)) continue;
      // RFC 9112 §5.1: no blank before the colon; where one is, receivers differ, and most overlook it.
      std::size_t colon = k.name.size();
      while (colon < line.size() && is_blank(line[colon])) ++colon;
      if (colon < line.size() && line[colon] == ':') return FieldLine{k.field, trim(line.substr(colon + 1))};
    }
    return FieldLine{};
  };
  switch (line.empty() ? '\0' : static_cast<char>(line[0] | 0x20)) {
    case 'h':
      return match(kHost);
    case 'u':
      return match(kUserAgent);
    case 'r':
      return match(kReferer);
    case 'f':
      return match(kForwarded);
    case 'x':
      return match(kXForwardedFor);
    case 'c':
      return match(kContent);
    case 't':
      return match(kTransfer);
    default:
      return {};
  }
}

void Framing::add_content_length(std::string_view value) {
  // A list of equal numbers is that number (RFC 9110 §8.6); all else that is no number spoils the field.
  do {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view one = trim(value.substr(0, comma));
    value = value.substr(std::min(comma + 1, value.size()));
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), n);
    if (error != std::errc() || end != one.data() + one.size() || (has_length_ && n != length_)) bad_length_ = true;
    length_ = n;
    has_length_ = true;
  } while (!value.empty());
}

void Framing::add_transfer_encoding(std::string_view value) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    const std::string_view coding = trim(value.substr(0, std::min(comma, value.find(';'))));
    value = value.substr(std::min(comma + 1, value.size()));
    if (coding.empty() || same_word(coding, "identity")) continue;  // identity: RFC 2616 §3.6, no coding at all
    encoded_ = true;
    chunked_ = same_word(coding, "chunked");
  }
}

Body Framing::of_request() const {
  if (encoded_) return chunked_ ? Body::chunked : Body::unknown;
  if (bad_length_) return Body::unknown;
  return has_length_ && length_ > 0 ? Body::sized : Body::none;
}

Body Framing::of_response(std::uint16_t status, bool to_head) const {
  if (to_head || status < 200 || status == 204 || status == 304) return Body::none;
  if (encoded_) return chunked_ ? Body::chunked : Body::to_close;
  if (!has_length_ || bad_length_) return Body::to_close;
  return length_ > 0 ? Body::sized : Body::none;
}

bool parse_chunk_size(std::string_view line, std::uint64_t& size) {
  std::string_view digits = line.substr(0, line.find(';'));
  const auto is_space = [](char c) { return c >= 0 && c <= ' '; };  // more than the grammar allows, as receivers do
  while (!digits.empty() && is_space(digits.front())) digits.remove_prefix(1);
  while (!digits.empty() && is_space(digits.back())) digits.remove_suffix(1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace probe::http
