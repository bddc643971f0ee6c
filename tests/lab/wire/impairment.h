// What a link does to frames: by chance, and to exactly the frame that a rule names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "probe/base/nanos.h"
#include "tests/lab/wire/frame.h"

namespace probe::lab {

// One direction of one link: delay=20ms,jitter=1ms,loss=0.5%,burst=0.2%:30%,dup=0.1%,reorder=1%:5ms,ce=2%,rate=100mbit,
// queue=200
struct Impairment {
  Nanos delay = 0;
  Nanos jitter = 0;  // uniform in [-jitter, +jitter], order preserved
  double loss = 0;   // independent
  // Gilbert's model: a good link turns bad with the first probability at each frame, a bad one, which loses everything,
  // good again with the second one.
  double burst = 0, burst_end = 1;
  double congestion = 0;  // probability that a frame that may carry the mark (RFC 3168 §5: ECT) gets CE
  double duplicate = 0;
  double reorder = 0;  // probability that a frame is held back for reorder_hold
  Nanos reorder_hold = 0;
  double rate = 0;           // bit/s, 0 = unlimited
  std::size_t queue = 1000;  // frames waiting for the rate limiter
};
Impairment parse_impairment(std::string_view text);

enum class Action : std::uint8_t { drop, duplicate, hold };
enum class Match : std::uint8_t { any, udp, syn, synack, data, fin, rst, ack };

// Acts on the nth matching frame (to the last-th, if given):
// link=a,dir=a2b,match=data,nth=5[,last=7][,octet=3000][,perflow=1|,flow=2][,action=drop|dup|hold][,hold=50ms]
struct Rule {
  char link = 'a';
  Direction direction = Direction::a2b;
  Match match = Match::any;
  unsigned nth = 1;
  unsigned last = 0;                   // 0: only the nth
  bool per_flow = false;               // count in each flow
  unsigned flow = 0;                   // and act in the flow-th that matched only; 0: in all
  std::optional<std::uint32_t> octet;  // match only what carries this octet of the payload, counted from 0
  Action action = Action::drop;
  Nanos hold = 0;
  struct Seen {
    std::size_t flow = 0;  // in the order of their first match, from 1
    unsigned matches = 0;
    std::optional<std::uint32_t> first;  // sequence number of octet 0
  };
  std::map<std::string, Seen> seen;  // by flow if per_flow

  bool fires(char on_link, Direction d, const Summary& s);

 private:
  bool carries(Seen& flow, const Summary& s) const;
};
Rule parse_rule(std::string_view text);

}  // namespace probe::lab
