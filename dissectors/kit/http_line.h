// Lines of an HTTP/1 message head as they come in: folded, very long, or not there yet.
#pragma once

#include <cstddef>
#include <string_view>

namespace probe::http {

// Of a line, what is looked at; the rest of a longer one goes by unread, so no line has to be buffered whole.
inline constexpr std::size_t kLineKept = 2048;
// Of a start line that is longer, its end too: there stands the version.
inline constexpr std::size_t kTailKept = 16;

struct Line {
  bool whole = false;      // its end is there
  std::size_t octets = 0;  // of the line with its end; if not whole: how many may go, 0 while more must be seen
  bool folded = false;
  bool cut = false;       // `text` is not all of it
  std::string_view text;  // its first octets, at most kLineKept, without the end
  std::string_view tail;  // its last octets, at most kTailKept (whole lines only)
};

// The line at the front of `data`. LF alone ends it too (RFC 9112 §2.2). `folds`: a line that begins with a blank
// belongs to the one before it (obs-fold, §5.2), so the octet behind the end must be there. `going_on`: the front of
// this line was here before and has gone.
Line read_line(std::string_view data, bool folds, bool going_on);

// `text` with its folds as blanks, in `room`, which has kLineKept octets.
std::string_view unfold(std::string_view text, char* room);

}  // namespace probe::http
