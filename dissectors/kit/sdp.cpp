#include "dissectors/kit/sdp.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "probe/base/bytes.h"

namespace probe::sdp {

namespace {

constexpr std::size_t kMostTextLines = 512;
constexpr std::size_t kNone = std::string_view::npos;

// The next line of `rest`, which loses it.
std::string_view next_line(std::string_view& rest) {
  const std::size_t feed = std::min(rest.find_first_of("\r\n"), rest.size());
  const std::string_view line = rest.substr(0, feed);
  rest.remove_prefix(feed);
  if (rest.starts_with('\r')) rest.remove_prefix(1);
  if (rest.starts_with('\n')) rest.remove_prefix(1);
  return line;
}

// The next word of `rest`, which loses it and the blanks around it.
std::string_view next_word(std::string_view& rest, std::string_view ends = " ") {
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  const std::size_t end = std::min(rest.find_first_of(ends), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

template <class T>
bool parse_number(std::string_view s, T& out) {
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), out);
  return error == std::errc() && end == s.data() + s.size();
}

// "IN IP4 192.0.2.1", with a TTL and a number of addresses behind it if it is a multicast one (RFC 8866 §5.7).
bool parse_connection(std::string_view s, FlowEnd& out) {
  if (next_word(s) != "IN") return false;
  next_word(s);
  return parse_address(next_word(s, "/ "), out);
}

MediaKind kind_of(std::string_view s) {
  if (s == "audio") return MediaKind::audio;
  if (s == "video") return MediaKind::video;
  return s == "text" ? MediaKind::text : MediaKind::other;
}

// "audio 49170/2 RTP/AVP 0 8": false if it is not about RTP.
bool parse_media(std::string_view s, Media& out) {
  out.kind = kind_of(next_word(s));
  std::string_view ports = next_word(s);
  if (!parse_number(next_word(ports, "/"), out.at.port)) return false;
  const std::string_view protocol = next_word(s);
  if (protocol.find("RTP/") == kNone) return false;
  out.secure = protocol.find("SAVP") != kNone;
  while (!s.empty()) {
    MediaFormat f;
    if (parse_number(next_word(s), f.payload_type) && f.payload_type < 128 && !out.add(f)) break;
  }
  return true;
}

// "96 opus/48000/2"
void parse_rtpmap(std::string_view s, Media& out) {
  std::uint8_t type = 0;
  if (!parse_number(next_word(s), type)) return;
  for (std::size_t i = 0; i < out.format_count; ++i) {
    MediaFormat& f = out.formats[i];
    if (f.payload_type != type) continue;
    f.encoding.set(next_word(s, "/"));
    if (!parse_number(next_word(s, "/"), f.clock_rate)) f.clock_rate = 0;
    if (!parse_number(next_word(s), f.channels)) f.channels = 0;
    return;
  }
}

void parse_attribute(std::string_view s, Line& out) {
  const std::string_view name = next_word(s, ":");
  if (name == "rtpmap") parse_rtpmap(s, out.media);
  // RFC 3605 §2.1: the address behind the port is only told if it is another one; nobody looks for it there.
  if (name == "rtcp" && !parse_number(next_word(s), out.media.rtcp_port)) out.media.rtcp_port = 0;
  if (name == "control") out.control = s;
}

// Where the description begins: its version is its first line (RFC 8866 §5.1).
std::size_t find_begin(std::string_view text) {
  if (text.starts_with("v=0")) return 0;
  const std::size_t at = text.find("\nv=0");
  return at == kNone ? kNone : at + 1;
}

}  // namespace

bool parse_address(std::string_view text, FlowEnd& out) {
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.empty() || text.size() >= sizeof copy) return false;
  std::copy(text.begin(), text.end(), copy);
  std::array<std::uint8_t, 16> octets{};
  const bool six = text.find(':') != kNone;
  if (inet_pton(six ? AF_INET6 : AF_INET, copy, octets.data()) != 1) return false;
  Cursor c(octets);
  out.high = six ? c.u64() : 0;
  out.low = six ? c.u64() : c.u32();
  // RFC 3264 §8.4: 0.0.0.0 puts a call on hold.
  return out.high != 0 || out.low != 0;
}

bool parse(std::string_view text, Description& out) {
  out.count = 0;
  const std::size_t begin = find_begin(text);
  if (begin == kNone) return false;
  std::string_view rest = text.substr(begin);
  FlowEnd session;  // its c= line holds for every media that has none
  bool in_session = true;
  Line* line = nullptr;  // nullptr: this media is none of ours
  for (std::size_t n = 0; n < kMostTextLines && !rest.empty(); ++n) {
    std::string_view s = next_line(rest);
    if (s.size() < 2 || s[1] != '=') break;
    const char type = s[0];
    s.remove_prefix(2);
    if (type == 'm') {
      if (out.count == kMostLines) break;
      in_session = false;
      line = &out.lines[out.count];
      *line = Line{};
      line->media.at = session;
      line->media.at.port = 0;
      if (parse_media(s, line->media))
        ++out.count;
      else
        line = nullptr;
    } else if (type == 'c') {
      FlowEnd told;
      if (!parse_connection(s, told)) told = {};
      if (in_session) session = told;
      if (line) {
        told.port = line->media.at.port;
        line->media.at = told;
      }
    } else if (type == 'a' && line) {
      parse_attribute(s, *line);
    }
  }
  return true;
}

}  // namespace probe::sdp
