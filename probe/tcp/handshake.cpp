#include "probe/tcp/handshake.h"

#include "probe/base/sequence.h"

namespace probe::tcp {

using namespace tcp_flag;

namespace {

// RFC 6298 §2.1: a SYN-ACK is not repeated before 1 s, less what a busy machine may be early.
constexpr Nanos kRepeatedAfter = 950 * kMillisecond;

}  // namespace

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

// Whether the answer says which of the copies had come first.
bool Handshake::Opening::told_apart_by(const Packet& answer) const {
  return timestamps && answer.tcp.has_timestamps && first_timestamp != last_timestamp;
}

bool Handshake::on_syn(const Packet& p, unsigned sender) {
  if (simultaneous_ || stage_ == Stage::done) return false;
  if (p.tcp.has(kAck)) return on_syn_ack(p, sender);
  on_plain_syn(p, sender);
  return false;
}

void Handshake::on_plain_syn(const Packet& p, unsigned sender) {
  const int side = static_cast<int>(sender);
  if (stage_ == Stage::none) {
    initiator_ = static_cast<std::int8_t>(sender);
    syn_.start(p);
    stage_ = Stage::asked;
  } else if (side != initiator_) {
    simultaneous_ = stage_ == Stage::asked;
    return;
  } else if (stage_ == Stage::asked) {
    syn_.repeat(p);  // once answered, the answer stands, whatever is repeated
  } else if (!syn_seen_) {
    set(sender ^ 1, syn_ack_.first - p.time);  // overtaken by its answer in the capture
  }
  syn_seen_ = true;
}

bool Handshake::on_syn_ack(const Packet& p, unsigned sender) {
  const unsigned client = sender ^ 1;
  bool first_arrived = false;
  if (stage_ == Stage::answered && static_cast<int>(client) == initiator_) {
    if (p.tcp.sequence == syn_ack_.sequence)
      syn_ack_.repeat(p);
    else
      syn_ack_.start(p);  // a server without memory of its first answer, as with SYN cookies
    return false;
  }
  if (stage_ == Stage::asked) {
    if (static_cast<int>(sender) == initiator_) {
      simultaneous_ = true;  // answers a SYN that was not captured
      return false;
    }
    // RFC 7413 §3: more than the SYN is acknowledged if its data was taken.
    if (!sequence_before(syn_.sequence, p.tcp.acknowledgement)) return false;
    measure(sender, syn_, p);
    answer_late_ = p.time - syn_.first >= kRepeatedAfter &&
                   !(syn_.told_apart_by(p) && p.tcp.timestamp_echo == syn_.last_timestamp);
    first_arrived = syn_.repeated && syn_.told_apart_by(p) && p.tcp.timestamp_echo == syn_.first_timestamp;
  } else if (stage_ != Stage::none) {
    return false;
  }
  initiator_ = static_cast<std::int8_t>(client);
  syn_ack_.start(p);
  stage_ = Stage::answered;
  return first_arrived;
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

// Karn: any copy may have been answered. The last one is the likely one, since a retransmission waits longer than a
// round trip (RFC 6298 §2.1: 1 s at first), and it is proven if its timestamp comes back. If that of the first SYN
// does, nothing is proven: a server that is asked again repeats its answer to the first, with the echo that it had.
void Handshake::measure(unsigned side, const Opening& question, const Packet& answer) {
  Nanos asked = question.last;
  bool ambiguous = question.repeated;
  if (ambiguous && question.told_apart_by(answer)) {
    if (answer.tcp.timestamp_echo == question.last_timestamp) {
      ambiguous = false;
    } else if (answer.tcp.timestamp_echo == question.first_timestamp && !answer.tcp.has(kSyn)) {
      asked = question.first;
      ambiguous = false;
    }
  }
  ambiguous_[side] = ambiguous;
  set(side, answer.time - asked);
}

void Handshake::set(unsigned side, Nanos rtt) {
  if (rtt < 0)
    disorder_ = true;
  else
    rtt_[side] = rtt;
}

}  // namespace probe::tcp
