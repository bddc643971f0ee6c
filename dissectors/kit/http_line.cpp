#include "dissectors/kit/http_line.h"

#include <algorithm>
#include <cstring>

namespace probe::http {

namespace {

std::size_t find_feed(std::string_view s, std::size_t from) {
  if (from >= s.size()) return s.npos;
  const void* at = std::memchr(s.data() + from, '\n', s.size() - from);
  return at ? static_cast<std::size_t>(static_cast<const char*>(at) - s.data()) : s.npos;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// Where the line's LF stands; npos if that cannot be told yet.
std::size_t end_of_line(std::string_view data, bool folds, bool going_on, bool& folded) {
  std::size_t feed = find_feed(data, 0);
  if (!folds || feed == data.npos) return feed;
  const bool empty = !going_on && data.find_first_not_of('\r') == feed;
  if (empty) return feed;  // the end of the head: what comes after it is none of its lines
  while (feed != data.npos) {
    if (feed + 1 >= data.size()) return data.npos;
    if (!is_blank(data[feed + 1])) return feed;
    folded = true;
    feed = find_feed(data, feed + 1);
  }
  return feed;
}

}  // namespace

Line read_line(std::string_view data, bool folds, bool going_on) {
  Line line;
  const std::size_t feed = end_of_line(data, folds, going_on, line.folded);
  if (feed == data.npos) {
    const std::size_t enough = going_on ? kTailKept + 2 : kLineKept + kTailKept + 2;  // + 2: CR LF stay with the tail
    if (data.size() <= enough) return line;
    line.octets = data.size() - (kTailKept + 2);
    line.text = data.substr(0, kLineKept);
    line.cut = true;
    return line;
  }
  line.whole = true;
  line.octets = feed + 1;
  std::string_view text = data.substr(0, feed);
  while (text.ends_with('\r')) text.remove_suffix(1);
  line.text = text.substr(0, kLineKept);
  line.cut = text.size() > kLineKept;
  line.tail = text.substr(text.size() - std::min(text.size(), kTailKept));
  return line;
}

std::string_view unfold(std::string_view text, char* room) {
  const std::size_t n = std::min(text.size(), kLineKept);
  std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n), room,
                 [](char c) { return c == '\r' || c == '\n' ? ' ' : c; });
  return {room, n};
}

}  // namespace probe::http
