// Frames through decoder and pipeline as a replay with one worker drives them; the records come out as JSON.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "exporter/text/json_lines.h"
#include "probe/base/quality.h"
#include "probe/packet/decoder.h"
#include "probe/pipeline/pipeline.h"
#include "tests/kit/packet_builder.h"

namespace probe::test {

using Json = nlohmann::json;

inline PipelineOptions small_pipeline() {
  PipelineOptions o;
  o.flows = 64;
  o.dissection.conversations = 64;
  o.dissection.sessions = 64;
  o.dissection.notes = 64;
  return o;
}

class Probing final : public Outlet {
 public:
  explicit Probing(const PipelineOptions& options = small_pipeline(), const DecodeOptions& decoding = {})
      : pools_(slots()), decoder_(decoding, counters), pipeline(options, pools_, *this, counters) {}

  // In bursts of so many packets.
  Probing& play(const std::vector<kit::BuiltFrame>& frames, std::size_t burst = 1) {
    for (std::size_t at = 0; at < frames.size(); at += burst) {
      std::vector<Packet> packets;
      decoder_.new_burst();
      for (std::size_t i = at; i < std::min(at + burst, frames.size()); ++i) {
        Packet p;
        now_ = std::max(now_, frames[i].time);
        if (decoder_.decode(frames[i].frame(), p)) packets.push_back(p);
      }
      pipeline.on_burst(packets, now_);
    }
    return *this;
  }
  Probing& finish() {
    pipeline.finish();
    return *this;
  }

  // Records so far of a kind, in the order in which they came.
  std::vector<Json> of(const std::string& kind) const {
    std::vector<Json> out;
    std::ranges::copy_if(records, std::back_inserter(out), [&](const Json& r) { return r["record"] == kind; });
    return out;
  }
  std::vector<Json> flows() const { return of("flow"); }
  // The only flow record; an empty object if there is not exactly one.
  Json flow() const { return flows().size() == 1 ? flows().front() : Json::object(); }
  std::uint64_t count(Counter c) const { return counters[c]; }

  std::vector<Json> records;
  Counters counters;

 private:
  void put(Record* r) override {
    std::string line;
    append_json(*r, line);
    records.push_back(Json::parse(line));
    pools_.give(r);
  }
  bool reclaim() override { return false; }
  static std::array<std::size_t, schema::kKindCount> slots() {
    std::array<std::size_t, schema::kKindCount> out;
    out.fill(256);
    return out;
  }

  RecordPools pools_;
  Decoder decoder_;
  Nanos now_ = 0;

 public:
  Pipeline pipeline;  // made last: it uses all of the above
};

inline bool is(const Json& record, Quality q) { return (record.value("measurementQuality", 0u) & bit_of(q)) != 0; }

// A TCP connection written packet by packet with correct numbers. Client 10.0.0.1, server 10.0.0.2.
class Connection {
 public:
  explicit Connection(std::uint16_t client_port = 40000, std::uint16_t server_port = 80, std::uint32_t first = 1000)
      : ports_{client_port, server_port}, next_{first, first + 1'000'000} {}

  Connection& at(Nanos t) {
    now_ = t;
    return *this;
  }
  Connection& after(Nanos t) { return at(now_ + t); }
  Connection& client(int flags, std::string_view payload = {}) { return send(0, flags, payload); }
  Connection& server(int flags, std::string_view payload = {}) { return send(1, flags, payload); }
  Connection& handshake(Nanos server_rtt = 20 * kMillisecond, Nanos client_rtt = 10 * kMillisecond) {
    client(tcp_flag::kSyn).after(server_rtt).server(tcp_flag::kSyn | tcp_flag::kAck);
    return after(client_rtt).client(tcp_flag::kAck);
  }
  Connection& close() {
    client(tcp_flag::kFin | tcp_flag::kAck).server(tcp_flag::kFin | tcp_flag::kAck);
    return client(tcp_flag::kAck);
  }
  // The last packet once more.
  Connection& again() {
    frames.push_back(frames.back());
    frames.back().time = now_;
    return *this;
  }

  std::vector<kit::BuiltFrame> frames;

 private:
  Connection& send(unsigned from, int flags, std::string_view payload) {
    const unsigned to = 1 - from;
    const std::string address[] = {"10.0.0.1", "10.0.0.2"};
    kit::PacketBuilder b = kit::ethernet();
    b.ipv4(address[from], address[to]).ttl(from == 0 ? 64 : 57);
    b.tcp(ports_[from], ports_[to]).seq(next_[from]).flags(flags);
    if ((flags & tcp_flag::kAck) != 0) b.ack(next_[to]);
    if (!payload.empty()) b.payload(payload);
    frames.push_back(b.time(now_).build());
    const bool one = (flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0;
    next_[from] += static_cast<std::uint32_t>(payload.size()) + (one ? 1 : 0);
    return *this;
  }

  std::uint16_t ports_[2];
  std::uint32_t next_[2];
  Nanos now_ = 1'700'000'000 * kSecond;
};

// One UDP datagram.
inline kit::BuiltFrame datagram(Nanos time, std::uint16_t source, std::uint16_t destination, std::size_t octets = 100,
                                const std::string& from = "10.0.0.1", const std::string& to = "10.0.0.2") {
  return kit::ethernet().ipv4(from, to).udp(source, destination).zeros(octets).time(time).build();
}

template <class... Parts>
std::vector<kit::BuiltFrame> together(const Parts&... parts) {
  std::vector<kit::BuiltFrame> out;
  (out.insert(out.end(), parts.begin(), parts.end()), ...);
  std::ranges::stable_sort(out, {}, &kit::BuiltFrame::time);
  return out;
}

inline constexpr Nanos kStart = 1'700'000'000 * kSecond;

}  // namespace probe::test
