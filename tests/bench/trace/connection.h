// Writes the packets of one TCP connection as a tap between client and server sees them, and keeps the truth about
// them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/trace/flow.h"
#include "tests/bench/trace/random.h"

namespace trace {

// What became of the data of one direction.
struct Impairments {
  std::uint32_t seen_twice = 0;     // lost behind the tap: both copies were seen
  std::uint32_t filled = 0;         // lost before the tap: a hole, then its filling
  std::uint32_t filled_unseen = 0;  // of these: nothing was sent behind it, so that nobody can see that it was repeated
  std::uint32_t reordered = 0;
  std::uint32_t reordered_newer = 0;  // of these: its timestamp says that it was sent after its successor
  std::uint64_t repeated_octets = 0;  // of seen_twice and of filled, less filled_unseen
};

// How a message passed the tap.
struct Passage {
  struct Segment {
    Micros time;
    std::uint32_t offset, length;
    enum class Fate : std::uint8_t { plain, lost_behind, repeated, filling, delayed } fate;
    std::uint32_t end() const { return offset + length; }
  };
  std::vector<Segment> segments;  // in the order of time
  Micros last = 0;                // last segment, be it a repetition
};

class Connection {
 public:
  Connection(Flow& flow, Random& random, double server_rtt, double client_rtt);

  // False if the connection did not come about.
  bool open();
  void close_by_client(Micros at, Micros server_hesitates);
  void reset_by_client(Micros at);
  // An answer to a segment that carries nothing else.
  void acknowledge(Micros at, int way);

  // A message of `text` and `fill` octets of filler whose first octet should pass the tap at `at`.
  Passage send(int way, Micros at, const std::string& text, std::uint32_t fill, bool acknowledge_end);

  Flow& flow;
  Random& random;
  const double server_rtt, client_rtt;  // µs, tap to side and back
  Micros ready = 0;                     // end of the handshake
  Impairments impaired[2];
  std::uint32_t repeated_syns = 0;
  bool refused = false, unanswered = false, was_reset = false;

 private:
  void packet(Micros at, int way, int flags, std::uint32_t sequence, std::uint32_t acknowledgement);
  std::vector<Passage::Segment> plan(int way, Micros at, std::uint32_t total);
  Micros repetition(Micros at);
  void account(int way, const std::vector<Passage::Segment>& segments);
  void put_data(int way, const std::string& text, std::uint32_t total, const Passage::Segment& segment);

  std::uint32_t sequence_[2];
  const std::uint32_t segment_size_;
};

inline Micros milliseconds(double ms) { return static_cast<Micros>(ms * 1000); }

}  // namespace trace
