// The opening of a connection: who began it, and how long SYN, SYN-ACK and ACK took between the probe and each side.
#pragma once

#include <array>
#include <cstdint>

#include "probe/packet/packet.h"

namespace probe::tcp {

class Handshake {
 public:
  static constexpr Nanos kUnknown = -1;

  // A segment with the SYN bit. What it tells must be asked before: a SYN with another number starts another handshake.
  // Whether it proves that the first SYN had arrived although that was repeated.
  bool on_syn(const Packet&, unsigned sender);
  // An acknowledgement without SYN and RST. `next`: the sequence number that its sender has not used yet.
  void on_ack(const Packet& p, unsigned sender, std::uint32_t next) {
    if (stage_ == Stage::answered) finish(p, sender, next);
  }

  int initiator() const { return initiator_; }
  // SYN without ACK of both sides (RFC 9293 §3.5): nobody answers, so nothing can be measured.
  bool simultaneous() const { return simultaneous_; }
  bool answered() const { return stage_ == Stage::answered || stage_ == Stage::done; }
  bool done() const { return stage_ == Stage::done; }
  // The next acknowledgement of `side` may be the last step.
  bool awaits(unsigned side) const { return stage_ == Stage::answered && static_cast<int>(side) == initiator_; }
  Nanos rtt(unsigned side) const { return rtt_[side]; }
  // More than one copy could have been answered, so rtt() can be wrong.
  bool ambiguous(unsigned side) const { return ambiguous_[side]; }
  bool ack_late() const { return ack_late_; }
  bool disorder() const { return disorder_; }
  // The SYN-ACK came so late that an earlier one may have been lost before the probe.
  bool answer_late() const { return answer_late_; }

 private:
  // A SYN or SYN-ACK, repeated or not.
  struct Opening {
    Nanos first = 0, last = 0;
    std::uint32_t first_timestamp = 0, last_timestamp = 0;
    std::uint32_t sequence = 0;
    bool repeated = false, timestamps = false;

    void start(const Packet&);
    void repeat(const Packet&);
    bool told_apart_by(const Packet& answer) const;
  };
  enum class Stage : std::uint8_t { none, asked, answered, done };

  void on_plain_syn(const Packet&, unsigned sender);
  bool on_syn_ack(const Packet&, unsigned sender);
  void finish(const Packet&, unsigned sender, std::uint32_t next);
  void measure(unsigned side, const Opening& question, const Packet& answer);
  void set(unsigned side, Nanos rtt);

  Opening syn_, syn_ack_;
  std::array<Nanos, 2> rtt_{kUnknown, kUnknown};  // what follows is all that is asked when the handshake is done
  std::int8_t initiator_ = -1;
  Stage stage_ = Stage::none;
  bool syn_seen_ = false, simultaneous_ = false, ack_late_ = false, disorder_ = false, answer_late_ = false;
  std::array<bool, 2> ambiguous_{};
};

}  // namespace probe::tcp
