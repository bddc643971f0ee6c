// Sizes and times of the packets of a flow.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "probe/packet/packet.h"
#include "probe/traffic/first_packets.h"

namespace probe::traffic {

// Of those of one sender, in one interval. A datagram in fragments counts as one packet here, with the time at which it
// was whole; its size is left out of the sizes of IP packets.
class alignas(64) SideMeasures {
 public:
  static constexpr std::uint32_t kSmallBelow = 60, kLargeAbove = 225;  // octets of payload, as yaf has them
  static constexpr Nanos kIdle = kSecond;                              // a longer gap is idle time
  static constexpr Nanos kWindow = kSecond;                            // of the peak rate
  // Upper bounds of the classes of IP packets, the last but one a full Ethernet frame; larger ones are the last class.
  static constexpr std::array<std::uint32_t, 5> kClasses = {128, 256, 512, 1024, 1514};

  void add(const Packet& p) {
    if (arrivals_++ == 0)
      newest_ = window_begin_ = p.time, first_flags_ = flags_of(p);
    else
      add_again(p);
    add_octets(p);
    if (!p.fragmented) add_length(p.ip_octets);
    if (p.payload_length > 0) add_payload(p.payload_length);
  }

  std::uint64_t payload() const { return payload_; }
  std::uint32_t non_empty() const { return non_empty_; }
  std::uint32_t small() const { return small_; }
  std::uint32_t large() const { return large_; }
  // If there was any payload.
  std::uint32_t first_payload() const { return first_payload_; }
  std::uint32_t most_payload() const { return most_payload_; }
  std::uint32_t payload_deviation() const;
  // If there are any.
  bool has_lengths() const { return least_length_ > 0; }
  std::uint32_t least_length() const { return least_length_; }
  std::uint32_t greatest_length() const { return greatest_length_; }
  const std::array<std::uint32_t, 6>& classes() const { return classes_; }

  std::uint8_t first_flags() const { return first_flags_; }
  std::uint8_t further_flags() const { return further_flags_; }

  // Times between packets that came in order; if there are any.
  std::uint32_t gaps() const { return gaps_; }
  Nanos least_gap() const { return least_gap_; }
  Nanos greatest_gap() const { return greatest_gap_; }
  Nanos mean_gap() const { return gap_sum_ / gaps_; }
  Nanos gap_deviation() const;
  Nanos idle() const { return idle_; }
  // If there are two.
  Nanos jitter() const { return static_cast<Nanos>(jitter_ >> 4); }

  // Octets in the best of the seconds since the first packet.
  std::uint64_t peak() const { return std::max(peak_, window_octets_); }

 private:
  static std::uint8_t flags_of(const Packet& p) { return p.is_tcp() ? p.tcp.flags : std::uint8_t{0}; }
  void add_again(const Packet& p) {
    further_flags_ |= flags_of(p);
    if (p.time < newest_) return;  // out of order: between which it belongs is not known any more
    add_gap(p.time - newest_);
    newest_ = p.time;
  }
  void add_gap(Nanos gap);
  void add_octets(const Packet& p) {
    if (p.time - window_begin_ >= kWindow) {
      peak_ = std::max(peak_, window_octets_);
      window_octets_ = 0;
      window_begin_ += (p.time - window_begin_) / kWindow * kWindow;
    }
    window_octets_ += p.ip_octets;
  }
  void add_length(std::uint32_t n);
  void add_payload(std::uint32_t n);

  Nanos newest_ = 0, window_begin_ = 0;
  std::uint64_t window_octets_ = 0, peak_ = 0;
  Nanos gap_sum_ = 0, last_gap_ = 0;
  std::uint64_t jitter_ = 0;  // sixteen times of it
  double gap_squares_ = 0;    // of microseconds

  Nanos least_gap_ = 0, greatest_gap_ = 0, idle_ = 0;
  std::uint64_t payload_ = 0;
  double payload_squares_ = 0;
  std::uint32_t arrivals_ = 0, gaps_ = 0;
  std::uint32_t non_empty_ = 0, small_ = 0, large_ = 0, most_payload_ = 0;

  std::uint32_t first_payload_ = 0, least_length_ = 0, greatest_length_ = 0;
  std::array<std::uint32_t, 6> classes_{};
  std::uint8_t first_flags_ = 0, further_flags_ = 0;
};

struct PacketMeasures {
  std::array<SideMeasures, 2> sides;  // by sender
  FirstPackets first;                 // of the flow's first interval
  std::uint32_t entropy;              // slot of its PayloadOctets, or kNoSlot

  explicit PacketMeasures(std::uint32_t entropy_slot) : entropy(entropy_slot) {}
  void add(const Packet& p) {
    SideMeasures& side = sides[p.from_high];
    side.add(p);
    // Asked in this order `first` stays out of the cache once it is full.
    if (p.payload_length > 0 && side.non_empty() <= FirstPackets::kMost && first.wants_more()) first.add(p);
  }
  void start_interval() {
    sides = {};
    first.close();
  }
};

}  // namespace probe::traffic
