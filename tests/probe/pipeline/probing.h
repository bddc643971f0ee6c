// Frames through decoder and pipeline as a replay with one worker drives them; the records come out as people see them.
#pragma once

#include <algorithm>
#include <concepts>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probe/base/quality.h"
#include "probe/packet/decoder.h"
#include "probe/pipeline/pipeline.h"
#include "tests/kit/packet_builder.h"

namespace probe::test {

// A value that may be absent.
struct Shown {
  std::string text = "(absent)";
  std::uint64_t number() const { return std::stoull(text); }
  bool operator==(const Shown&) const = default;
  bool operator==(std::string_view s) const { return text == s; }
  bool operator==(std::integral auto n) const { return text == std::to_string(n); }
  bool operator>(const Shown& o) const { return number() > o.number(); }
  friend void PrintTo(const Shown& s, std::ostream* out) { *out << s.text; }
};

// A record, its values as JSON lines have them.
struct Seen {
  std::string kind;
  std::map<std::string, std::string> values;

  Shown operator[](const std::string& name) const {
    const auto i = values.find(name);
    return i == values.end() ? Shown() : Shown{i->second};
  }
  bool contains(const std::string& name) const { return values.contains(name); }
  std::string text() const {  // all of it
    std::string out = kind;
    for (const auto& [name, value] : values) out += " " + name + "=" + value;
    return out;
  }
};
Seen seen(const Record&);

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
  Probing& play(const std::vector<kit::BuiltFrame>& frames, std::size_t burst = 1);
  Probing& finish() {
    pipeline.finish();
    return *this;
  }

  // Records so far of a kind, in the order in which they came.
  std::vector<Seen> of(const std::string& kind) const {
    std::vector<Seen> out;
    std::ranges::copy_if(records, std::back_inserter(out), [&](const Seen& r) { return r.kind == kind; });
    return out;
  }
  std::vector<Seen> flows() const { return of("flow"); }
  // The only flow record; an empty one if there is not exactly one.
  Seen flow() const { return flows().size() == 1 ? flows().front() : Seen(); }
  std::uint64_t count(Counter c) const { return counters[c]; }

  std::vector<Seen> records;
  Counters counters;

 private:
  void put(Record* r) override {
    records.push_back(seen(*r));
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

inline bool is(const Seen& flow, Quality q) {
  return flow.contains("measurementQuality") && (flow["measurementQuality"].number() & bit_of(q)) != 0;
}

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
  Connection& send(unsigned from, int flags, std::string_view payload);

  std::uint16_t ports_[2];
  std::uint32_t next_[2];
  Nanos now_ = 1'700'000'000 * kSecond;
};

// One UDP datagram.
kit::BuiltFrame datagram(Nanos time, std::uint16_t source, std::uint16_t destination, std::size_t octets = 100,
                         const std::string& from = "10.0.0.1", const std::string& to = "10.0.0.2");

template <class... Parts>
std::vector<kit::BuiltFrame> together(const Parts&... parts) {
  std::vector<kit::BuiltFrame> out;
  (out.insert(out.end(), parts.begin(), parts.end()), ...);
  std::ranges::stable_sort(out, {}, &kit::BuiltFrame::time);
  return out;
}

inline constexpr Nanos kStart = 1'700'000'000 * kSecond;

}  // namespace probe::test
