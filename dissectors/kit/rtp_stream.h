// One RTP stream: what one SSRC sends to the other side of a flow, and what RTCP says of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "dissectors/dissector.h"
#include "dissectors/kit/rtcp.h"
#include "dissectors/kit/rtp_header.h"
#include "dissectors/kit/rtp_jitter.h"
#include "dissectors/kit/rtp_sequence.h"

namespace probe::rtp {

// Bits of rtpFlags.
enum Flag : std::uint16_t {
  kAnnounced = 1,
  kSecure = 2,
  kClockGuessed = 4,
  kExtension = 8,
  kCollision = 16,
  kByeSeen = 32,
  kReceiversLoss = 64,
  kLeftOut = 128,
  kContributors = 256
};

// Of an interval.
struct RoundTrips {
  std::uint32_t count = 0;
  Nanos least = 0, greatest = 0, sum = 0;
  void add(Nanos n) {
    least = count == 0 ? n : std::min(least, n);
    greatest = count == 0 ? n : std::max(greatest, n);
    sum += n;
    ++count;
  }
  Nanos mean() const { return sum / count; }
};

// What a session knows of the call.
struct Call {
  std::uint64_t signalling_flow = 0;
  MediaText<63> id;
  bool announced = false;
  bool secure = false;
};

// What its receivers report.
struct Reception {
  std::uint32_t count = 0;
  bool begun = false;
  std::int32_t first_lost = 0, lost = 0;         // since their beginning: of the first report and the last
  std::uint32_t first_highest = 0, highest = 0;  // sequence numbers, extended
  std::uint64_t jitter_sum = 0;                  // in units of the timestamps
  std::uint32_t jitter_max = 0;
  std::uint8_t fraction_max = 0;
};

class Stream {
 public:
  Stream() = default;
  Stream(std::uint32_t ssrc, Side from) : ssrc_(ssrc), from_(from) {}

  void on_packet(const Header&, Nanos now);
  // What this payload type is would be good to know before a packet has it. A stream whose type nobody knew asks again,
  // ever more seldom.
  bool wants_format(std::uint8_t type) const;
  void set_format(const MediaFormat&);

  // Any packet of RTCP that says something of it.
  void on_rtcp(Nanos now);
  void on_sender_report(const rtcp::SenderInfo&, Nanos now);
  void on_block(const rtcp::ReportBlock&);
  void on_cname(std::string_view name) { cname_.set(name); }
  void on_voip(const rtcp::VoipMetrics& v) { voip_ = v; }
  void on_bye() { flags_ |= kByeSeen; }
  void on_opaque() { ++opaque_; }
  void on_collision() { flags_ |= kCollision; }
  // Time since the sender report that a reception report answers, less what the answer took; negative: not to be told.
  Nanos round_trip(const rtcp::ReportBlock&, Nanos now);

  std::uint32_t ssrc() const { return ssrc_; }
  Side from() const { return from_; }
  std::uint8_t payload_type() const { return payload_type_; }
  // Packets in a row that no other protocol would make.
  unsigned evidence() const { return timestamp_moved_ ? run_ : std::min<unsigned>(run_, 1); }
  bool has_media() const { return sequence_.counts().received > 0; }
  bool has_reports() const { return sender_reports_ > 0 || reception_.count > 0 || opaque_ > 0; }
  Nanos first() const { return first_; }
  Nanos last() const { return last_; }  // RTP or RTCP
  bool proven() const { return proven_; }
  void set_proven() { proven_ = true; }

  // Its share of a record; `to_receiver` and `to_sender`: round trips from the probe. At the end of the stream `final`.
  struct Context {
    const Call& call;
    const RoundTrips& to_receiver;
    const RoundTrips& to_sender;
    std::uint32_t predecessor = 0;  // SSRC, if has_predecessor
    bool has_predecessor = false;
    bool left_out = false;  // there were more streams than places
    bool final = false;
  };
  void report(Scribe&, const Context&);
  void start_interval();

 private:
  struct SenderReport {
    std::uint32_t middle = 0;
    Nanos time = kNoTime;
  };
  bool is_event(const Header&) const;
  void on_media(const Header&, Nanos now);
  void weigh(const Header&, Sequence::Place);
  std::uint32_t clock_rate() const { return format_.clock_rate; }
  void write_media(Draft<"rtp">&);
  void write_quality(Draft<"rtp">&, const Context&, std::uint16_t& flags);
  void write_reports(Draft<"rtp">&, const Context&);

  // What every packet needs.
  std::uint32_t ssrc_ = 0;
  Side from_ = Side::client;
  std::uint8_t payload_type_ = 0;
  std::uint8_t run_ = 0;
  bool timestamp_moved_ = false;
  bool proven_ = false;
  bool typed_ = false;      // payload_type_ is that of media
  bool formatted_ = false;  // format_ has been told
  std::uint16_t flags_ = 0;
  std::uint32_t timestamp_ = 0;   // of the last packet
  std::uint32_t step_ticks_ = 0;  // timestamps between two packets in a row
  Nanos first_ = kNoTime, last_packet_ = kNoTime;
  Nanos delta_max_ = 0;
  std::uint64_t octets_ = 0;
  Sequence sequence_;
  Jitter jitter_;
  ClockGuess guess_;
  MediaFormat format_;
  std::uint32_t markers_ = 0, type_changes_ = 0;
  std::uint32_t events_ = 0, event_timestamp_ = 0;
  std::uint8_t event_type_ = 0xff;
  std::uint8_t first_type_ = 0;

  // RTCP.
  Nanos first_rtcp_ = kNoTime, last_ = kNoTime;
  std::uint8_t newest_report_ = 0;
  bool capture_lost_ = false;
  std::uint32_t sender_reports_ = 0, sender_packets_ = 0;
  std::array<SenderReport, 3> reports_;
  std::uint32_t answered_ = 0, answered_after_ = 0;  // the last answer that gave a round trip
  Reception reception_;
  rtcp::VoipMetrics voip_;
  std::uint32_t opaque_ = 0;
  MediaText<32> cname_;
};

}  // namespace probe::rtp
