// Round trips by the spin bit (RFC 9000 §17.4, RFC 9312 §3.8): client and server together make a square wave whose half
// period is a round trip.
#pragma once

#include <array>
#include <cstdint>

#include "dissectors/dissector.h"

namespace probe::quic {

// Of an interval, in microseconds.
struct RoundTrips {
  std::uint32_t count = 0, least = 0, greatest = 0;
  std::uint64_t sum = 0;
  void add(Nanos);
  std::uint32_t mean() const { return static_cast<std::uint32_t>(sum / count); }
};

// What is to be thought of a connection's spin bit. One in sixteen connections or more must not use it, and may set it
// at random.
enum class SpinState : std::uint8_t { unknown = 0, spins = 1, silent = 2, rejected = 3 };

class Spin {
 public:
  // A packet with a short header.
  void on_packet(Side from, bool value, Nanos now);
  // `handshake`: round trip of the whole path, if it is known, else negative.
  SpinState state(Nanos handshake) const;

  const RoundTrips& path() const { return path_; }                         // there and back
  const RoundTrips& beyond(Side s) const { return beyond_[index_of(s)]; }  // between the probe and that endpoint
  void start_interval();

 private:
  // One direction.
  struct Wave {
    Nanos edge = kNoTime;  // the last one that was believed
    std::uint32_t packets = 0;
    bool value = false;
    bool answered = true;  // by an edge of the other direction
  };
  Nanos guard() const;
  void on_edge(Side from, Nanos now);

  std::array<Wave, 2> waves_;
  RoundTrips path_;
  std::array<RoundTrips, 2> beyond_;
  std::uint32_t least_path_ = 0;  // of the whole connection; 0: none yet
  std::uint32_t edges_ = 0;       // believed
  std::uint32_t too_soon_ = 0;    // not believed: reordered packets, or no wave at all
  std::uint32_t unanswered_ = 0;  // a second edge in one direction before the other had any
};

}  // namespace probe::quic
