#include "dissectors/kit/text_message.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "dissectors/kit/http_head.h"
#include "dissectors/kit/http_line.h"

namespace probe::text_message {

namespace {

constexpr std::size_t kMostEmpty = 8;  // octets of empty lines before a message that is to be told

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool is_printable(std::string_view s) {
  return std::none_of(s.begin(), s.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\r'; });
}

// NAME/digit.digit
bool is_version(std::string_view s, const Protocol& p) {
  const std::size_t n = p.name.size();
  return s.size() == n + 4 && s.starts_with(p.name) && s[n] == '/' && is_digit(s[n + 1]) && s[n + 2] == '.' &&
         is_digit(s[n + 3]);
}

std::string_view line_at_front(std::string_view s, std::size_t feed) {
  std::string_view line = s.substr(0, feed);
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The front of a line could become a start line when more of it has come.
bool may_become_start(std::string_view front, const Protocol& p) {
  const std::size_t n = std::min(front.size(), p.name.size());
  if (front.substr(0, n) == p.name.substr(0, n) && (front.size() <= n || front[n] == '/')) return true;
  const std::size_t blank = front.find(' ');
  const std::string_view method = front.substr(0, blank);
  return std::any_of(p.methods.begin(), p.methods.end(),
                     [&](std::string_view m) { return blank == front.npos ? m.starts_with(method) : m == method; });
}

// Octets of the head at the front of `s`, its empty line included; 0 if its end is not there.
std::size_t head_octets(std::string_view s) {
  for (std::size_t at = 0; at < s.size();) {
    const std::size_t feed = s.find('\n', at);
    if (feed == s.npos) return 0;
    if (feed == at || (feed == at + 1 && s[at] == '\r')) return feed + 1;
    at = feed + 1;
  }
  return 0;
}

// False: there is one that makes no sense. Twice the same is the same (RFC 9110 §8.6).
bool find_length(std::string_view fields, std::uint64_t& length, bool& found) {
  FieldReader f(fields);
  while (f.next()) {
    if (!same_word(f.name(), "content-length") && !same_word(f.name(), "l")) continue;
    std::uint64_t n = 0;
    if (!parse_number(f.value(), n) || (found && n != length)) return false;
    length = n;
    found = true;
  }
  return true;
}

}  // namespace

bool same_word(std::string_view a, std::string_view lower_word) {
  return a.size() == lower_word.size() &&
         std::equal(a.begin(), a.end(), lower_word.begin(), [](char x, char y) { return lower(x) == y; });
}

std::string_view trim(std::string_view s) {
  while (!s.empty() && is_blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && is_blank(s.back())) s.remove_suffix(1);
  return s;
}

bool parse_number(std::string_view s, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
  return error == std::errc() && end == s.data() + s.size();
}

std::string_view parameter(std::string_view s, std::string_view lower_name) {
  while (!s.empty()) {
    const std::size_t semicolon = std::min(s.find(';'), s.size());
    const std::string_view one = s.substr(0, semicolon);
    s.remove_prefix(std::min(semicolon + 1, s.size()));
    const std::size_t equal = one.find('=');
    if (equal == one.npos || !same_word(trim(one.substr(0, equal)), lower_name)) continue;
    std::string_view value = trim(one.substr(equal + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

Start parse_start(std::string_view line, const Protocol& p) {
  Start s;
  const std::size_t n = p.name.size() + 4;  // of a version
  if (line.size() >= n + 4 && is_version(line.substr(0, n), p)) {
    const std::string_view code = line.substr(n + 1, 3);
    if (line[n] != ' ' || !std::all_of(code.begin(), code.end(), is_digit) || code[0] < '1' || code[0] > '6') return s;
    if (line.size() > n + 4 && line[n + 4] != ' ') return s;
    s.version = line.substr(0, n);
    s.status = static_cast<std::uint16_t>((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
    s.reason = trim(line.substr(n + 4));
    return s;
  }
  const http::RequestLine front = http::parse_request_front(line);
  const std::size_t blank = front.target.rfind(' ');
  if (front.method.empty() || blank == front.target.npos || !is_version(front.target.substr(blank + 1), p)) return s;
  s.target = trim(front.target.substr(0, blank));
  if (s.target.empty()) return s;
  s.version = front.target.substr(blank + 1);
  s.method = front.method;
  return s;
}

Guess guess(std::string_view s, const Protocol& p) {
  const std::size_t empty = std::min(s.find_first_not_of("\r\n"), s.size());
  if (empty > kMostEmpty) return Guess::no;
  s.remove_prefix(empty);
  if (s.empty()) return Guess::maybe;
  const std::size_t feed = s.find('\n');
  const std::string_view line = line_at_front(s, feed);
  if (feed != s.npos) {
    const Start start = parse_start(line, p);
    return start.version.empty() ? Guess::no : start.is_request() ? Guess::from_client : Guess::from_server;
  }
  return may_become_start(s, p) && is_printable(s) ? Guess::maybe : Guess::no;
}

bool FieldReader::next() {
  while (!rest_.empty()) {
    const http::Line line = http::read_line(rest_, true, false);
    if (!line.whole || line.text.empty()) break;
    rest_.remove_prefix(line.octets);
    const std::size_t colon = line.text.find(':');
    if (colon == line.text.npos) continue;
    name_ = trim(line.text.substr(0, colon));
    value_ = trim(line.text.substr(colon + 1));
    return true;
  }
  rest_ = {};
  return false;
}

// Looks through lines for one that starts a message. What stands at the front of the data counts as a line: that is
// mostly the front of a segment, where messages like to begin.
Step Reader::find(std::string_view s, const Protocol& p) {
  std::size_t at = 0;
  while (at < s.size()) {
    const std::string_view rest = s.substr(at);
    const std::size_t feed = rest.find('\n');
    if (feed == rest.npos) {
      if (!may_become_start(rest, p) || rest.size() >= http::kLineKept) break;
      return at > 0 ? Step::used(at) : Step::need(s.size() + 1);
    }
    if (!parse_start(line_at_front(rest, feed), p).version.empty()) {
      lost_ = false;
      return Step::used(at);
    }
    at += feed + 1;
  }
  return Step::used(s.size());
}

Reader::What Reader::read(Bytes data, bool datagram, const Protocol& p, Message& out, Step& answer) {
  std::string_view s = as_text(data);
  if (lost_ && !datagram) {
    answer = find(s, p);
    if (lost_ || answer.octets > 0) return What::nothing;
  }
  // Empty lines keep connections open (RFC 5626 §4.4.1); some do it with zeros.
  const std::size_t empty = std::min(s.find_first_not_of(std::string_view("\r\n\0", 3)), s.size());
  answer = Step::used(datagram ? s.size() : empty);
  if (empty == s.size() || (empty > 0 && !datagram)) return What::nothing;
  s.remove_prefix(empty);

  std::size_t head = head_octets(s.substr(0, kMostHead));
  const std::size_t feed = s.find('\n');
  const Start start = feed == s.npos ? Start{} : parse_start(line_at_front(s, feed), p);
  const bool possible = feed == s.npos ? is_printable(s) : !start.version.empty();
  if (head == 0 && !datagram && s.size() < kMostHead && possible) {
    answer = Step::need(s.size() + 1);
    return What::nothing;
  }
  if (head == 0 && datagram) head = s.size();
  std::uint64_t length = 0;
  bool told = false;
  const std::string_view fields = head > feed ? s.substr(feed + 1, head - feed - 1) : std::string_view();
  if (start.version.empty() || head == 0 || !find_length(fields, length, told)) {
    lost_ = begun_;
    if (!datagram) answer = Step::used(feed == s.npos ? s.size() : feed + 1);
    return begun_ ? What::nothing : What::not_ours;
  }
  const std::size_t rest = s.size() - head;
  // RFC 3261 §18.3: in a datagram the body may go without a length.
  if (!told && datagram) length = rest;
  const std::uint64_t total = length < kToTheEnd - head ? head + length : kToTheEnd;
  if (total > s.size() && total <= kMostNeeded && !datagram) {
    answer = Step::need(total);
    return What::nothing;
  }
  begun_ = true;
  out.start = start;
  out.fields = fields;
  out.body = s.substr(head, static_cast<std::size_t>(std::min<std::uint64_t>(length, rest)));
  out.octets = total;
  out.whole = total <= s.size();
  if (!datagram) answer = out.whole ? Step::used(total) : Step::skip(total);
  return What::message;
}

}  // namespace probe::text_message
