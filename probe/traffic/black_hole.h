// A path that swallows large packets and does not say so (RFC 2923 §2.1).
#pragma once

#include <cstdint>

#include "probe/base/nanos.h"
#include "probe/base/sequence.h"
#include "probe/packet/packet.h"

namespace probe::traffic {

// Of one sender of TCP segments: the large one with DF that is being sent again and again. It is suspicious once that
// has happened kSuspicious times and either the receiver is there but does not acknowledge it, or it does so as soon as
// the octets come in smaller segments (RFC 4821, RFC 8899).
class BlackHole {
 public:
  static constexpr std::uint32_t kLarge = 1200;  // octets of an IP packet that pass nearly everywhere (RFC 8899 §5.1.2)
  static constexpr unsigned kSuspicious = 3;

  static bool concerns(const Packet& p) { return p.ip_octets > kLarge && (p.dont_fragment || p.key.ip_version == 6); }

  // A segment passed that had passed before. `acknowledged`: up to where the receiver has it all, if that is known.
  void on_repeated(const Packet& p) {
    if (p.tcp.sequence == sequence_ && p.ip_octets == octets_) {
      if (times_ < 255) ++times_;
    } else if (p.tcp.sequence == sequence_ && times_ >= kSuspicious && p.ip_octets < octets_) {
      smaller_ = true;
    } else if (concerns(p) && !suspicious_) {
      sequence_ = p.tcp.sequence;
      octets_ = p.ip_octets;
      since_ = p.time;
      times_ = 1;
      smaller_ = false;
    }
  }
  // Asked whenever it may have changed and before it is told. `heard`: when the receiver sent something last.
  void judge(bool acknowledged_known, std::uint32_t acknowledged, Nanos heard) {
    if (suspicious_ || times_ < kSuspicious || !acknowledged_known) return;
    const bool arrived = sequence_before(sequence_, acknowledged);
    suspicious_ = arrived ? smaller_ : heard > since_;
  }

  std::uint32_t octets() const { return suspicious_ ? octets_ : 0; }  // 0: nothing is suspicious

 private:
  Nanos since_ = 0;
  std::uint32_t sequence_ = 0, octets_ = 0;
  std::uint8_t times_ = 0;
  bool smaller_ = false, suspicious_ = false;
};

}  // namespace probe::traffic
