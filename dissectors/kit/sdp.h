// Session descriptions (RFC 8866), as far as they tell where which media is received. Candidates of ICE (RFC 8839) and
// grouping are left aside: what counts is the address of the m= and c= lines, which is the default candidate.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "dissectors/kit/media_table.h"

namespace probe::sdp {

struct Line {
  Media media;               // at.port 0: refused, or, in RTSP, to be told by SETUP
  std::string_view control;  // a=control of RTSP (RFC 2326 §C.1.1)
};

inline constexpr std::size_t kMostLines = 8;

struct Description {
  std::array<Line, kMostLines> lines;  // those about RTP, the first `count`
  std::size_t count = 0;
};

// `text` may have something before the description and after it, as one part of several (RFC 2046). Views of `out`
// are into it. False: there is no description.
bool parse(std::string_view text, Description& out);

// An address as text; false if it is none (a name), or no particular one.
bool parse_address(std::string_view text, FlowEnd& out);

}  // namespace probe::sdp
