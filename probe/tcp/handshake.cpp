#include "probe/tcp/handshake.h"

#include <algorithm>

#include "probe/base/sequence.h"

namespace probe::tcp {

using namespace tcp_flag;

void Handshake::Opening::start(const Packet& p) {
  first = last = p.time;
  first_timestamp = last_timestamp = p.tcp.timestamp_value;
  sequence = p.tcp.sequence;
  repeated = false;
  timestamps = p.tcp.has_timestamps;
}

void Handshake::Opening::repeat(const Packet& p) {
  last = p.time;
  last_timestamp = p.tcp.timestamp_value;
  repeated = true;
  timestamps = timestamps && p.tcp.has_timestamps;
}

// Karn: without timestamps, or with a clock too slow to differ, any copy may have been answered. The last one is the
// likely one, since a retransmission waits longer than a round trip (RFC 6298 §2.1: 1 s at first).
Nanos Handshake::Opening::answered_by(const Packet& answer, bool& ambiguous) const {
  ambiguous = false;
  if (!repeated) return last;
  if (timestamps && answer.tcp.has_timestamps && first_timestamp != last_timestamp) {
    if (answer.tcp.timestamp_echo == last_timestamp) return last;
    if (answer.tcp.timestamp_echo == first_timestamp) return first;
  }
  ambiguous = true;
  return last;
}

void Handshake::on_syn(const Packet& p, unsigned sender) {
  if (simultaneous_ || stage_ == Stage::done) return;
  if (p.tcp.has(kAck)) {
    on_syn_ack(p, sender);
  } else {
    on_plain_syn(p, sender);
  }
}

void Handshake::on_plain_syn(const Packet& p, unsigned sender) {
  const int side = static_cast<int>(sender);
  if (stage_ == Stage::none) {
    initiator_ = static_cast<std::int8_t>(sender);
    syn_.start(p);
    stage_ = Stage::asked;
  } else if (side != initiator_) {
    simultaneous_ = stage_ == Stage::asked;
  } else if (stage_ == Stage::asked) {
    syn_.repeat(p);  // once answered, the answer stands, whatever is repeated
  }
}

void Handshake::on_syn_ack(const Packet& p, unsigned sender) {
  const unsigned client = sender ^ 1;
  if (stage_ == Stage::answered && static_cast<int>(client) == initiator_) {
    if (p.tcp.sequence == syn_ack_.sequence)
      syn_ack_.repeat(p);
    else
      syn_ack_.start(p);  // a server without memory of its first answer, as with SYN cookies
    return;
  }
  if (stage_ == Stage::asked) {
    if (static_cast<int>(sender) == initiator_) {
      simultaneous_ = true;  // answers a SYN that was not captured
      return;
    }
    // RFC 7413 §3: more than the SYN is acknowledged if its data was taken.
    if (!sequence_before(syn_.sequence, p.tcp.acknowledgement)) return;
    measure(sender, syn_, p);
  } else if (stage_ != Stage::none) {
    return;
  }
  initiator_ = static_cast<std::int8_t>(client);
  syn_ack_.start(p);
  stage_ = Stage::answered;
}

void Handshake::finish(const Packet& p, unsigned sender, std::uint32_t next) {
  if (static_cast<int>(sender) != initiator_) return;
  const std::int32_t beyond = sequence_distance(syn_ack_.sequence + 1, p.tcp.acknowledgement);
  if (beyond < 0) return;
  stage_ = Stage::done;
  if (beyond > 0) return;  // acknowledges data of the server as well: the handshake's own ACK has not been seen
  measure(sender, syn_ack_, p);
  ack_late_ = p.sequence_length() != 0 || p.tcp.sequence != next;
}

void Handshake::measure(unsigned side, const Opening& question, const Packet& answer) {
  const Nanos rtt = answer.time - question.answered_by(answer, ambiguous_[side]);
  if (rtt < 0) {
    disorder_ = true;
    return;
  }
  rtt_[side] = rtt;
  since_last_[side] = std::max<Nanos>(answer.time - question.last, 0);
}

}  // namespace probe::tcp
