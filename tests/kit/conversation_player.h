// Plays conversations to the dissectors through streams and identification, and lets the test do to their packets what
// networks and captures do: cut, lose, repeat, reorder.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probe/pipeline/conversation.h"
#include "tests/kit/record_list.h"

namespace probe::test {

// A packet that owns its payload.
struct Sent {
  unsigned sender = 0;
  std::string payload = {};
  Nanos time = 0;
  std::uint32_t sequence = 0, acknowledgement = 0;
  std::uint8_t flags = 0;
  std::uint32_t cut = 0;  // octets that the snap length took
};

// The packets of one flow.
struct Traffic {
  FlowKey key;
  std::vector<Sent> packets;

  bool is_tcp() const { return key.protocol == ip_protocol::kTcp; }
  // Every segment in pieces of at most `octets`; datagrams stay whole.
  Traffic cut(std::size_t octets) const;
  Traffic without(std::size_t packet) const;
  Traffic first(std::size_t packets) const;
  Traffic repeated() const;  // every packet twice
  // Every TCP segment with data changes places with the next one of its sender, if nothing comes between them.
  Traffic swapped() const;
};

// What two sides say, in turn or not: becomes packets with correct numbers. The client is the key's high endpoint.
class Script {
 public:
  explicit Script(std::uint16_t server_port, Over over = Over::tcp) {
    traffic_.key.low_address.low = 1;
    traffic_.key.high_address.low = 2;
    traffic_.key.low_port = server_port;
    traffic_.key.high_port = 40000;
    traffic_.key.protocol = over == Over::tcp ? ip_protocol::kTcp : ip_protocol::kUdp;
    traffic_.key.ip_version = 4;
  }
  static constexpr unsigned kServer = 0, kClient = 1;

  Script& handshake() {
    send(kClient, {}, tcp_flag::kSyn);
    send(kServer, {}, tcp_flag::kSyn | tcp_flag::kAck);
    return send(kClient, {}, tcp_flag::kAck);
  }
  Script& client(std::string_view s) { return send(kClient, s, tcp_flag::kAck | tcp_flag::kPsh); }
  Script& server(std::string_view s) { return send(kServer, s, tcp_flag::kAck | tcp_flag::kPsh); }
  Script& client_acknowledges() { return send(kClient, {}, tcp_flag::kAck); }
  Script& server_acknowledges() { return send(kServer, {}, tcp_flag::kAck); }
  Script& client_ends() { return send(kClient, {}, tcp_flag::kAck | tcp_flag::kFin); }
  Script& server_ends() { return send(kServer, {}, tcp_flag::kAck | tcp_flag::kFin); }
  Script& reset(unsigned sender) { return send(sender, {}, tcp_flag::kRst); }
  Script& after(Nanos t) {
    now_ += t;
    return *this;
  }
  Script& send(unsigned sender, std::string_view payload, std::uint8_t flags) {
    traffic_.packets.push_back({sender, std::string(payload), now_, next_[sender], next_[1 - sender], flags, 0});
    next_[sender] += static_cast<std::uint32_t>(payload.size()) + ((flags & (tcp_flag::kSyn | tcp_flag::kFin)) ? 1 : 0);
    return *this;
  }
  const Traffic& traffic() const { return traffic_; }

 private:
  Traffic traffic_;
  Nanos now_ = kSecond;
  std::array<std::uint32_t, 2> next_{1000, 0xffffff00};
};

// A packet that a dissector can get: a copy of the payload in as many octets, so that a sanitizer sees who reads more.
class SentPacket {
 public:
  SentPacket(const FlowKey&, const Sent&);
  const Packet& packet() const { return packet_; }

 private:
  std::unique_ptr<std::uint8_t[]> payload_;
  Packet packet_;
};

// One worker's dissection, as the pipeline drives it, with records kept as rows.
class Player {
 public:
  explicit Player(std::span<const Dissector* const> all = dissectors(), const DissectionOptions& options = small())
      : dissection_(options, counters_, all) {}
  // Records go to `scribe` instead.
  explicit Player(Scribe& scribe, const DissectionOptions& options = small())
      : dissection_(options, counters_), scribe_(&scribe) {}

  // Plays a whole flow, to its end.
  Player& play(const Traffic& t) {
    begin(t);
    for (const Sent& s : t.packets) packet(s);
    return end();
  }
  void begin(const Traffic& t) {
    key_ = t.key;
    facts_ = {};
    conversation_ = nullptr;
    over_ = false;
    protocol_ = {};
    client_ = -1;
    quality_ = 0;
  }
  void packet(const Sent& s) { packet(SentPacket(key_, s).packet()); }
  void packet(const Packet&);
  Player& end() {
    if (conversation_) close();
    return *this;
  }

  // Of the flow played last.
  std::string_view protocol() const { return protocol_; }
  int client() const { return client_; }
  std::uint32_t quality() const { return quality_; }

  RecordList& records() { return records_; }
  std::vector<Row> rows() { return records_.take_rows(); }
  const Counters& counters() const { return counters_; }
  Dissection& dissection() { return dissection_; }
  // Everything that was taken from a pool and not given back: 0 between flows.
  std::size_t in_use() { return dissection_.in_use() + records_.in_use() + records_.notes().in_use(); }

  static DissectionOptions small() {
    DissectionOptions o;
    o.conversations = 64;
    o.sessions = 64;
    return o;
  }

 private:
  void learn(const Packet&, unsigned sender);
  void close();

  Counters counters_;
  RecordList records_;
  Dissection dissection_;
  Scribe* scribe_ = &records_;
  FlowKey key_;
  FlowFacts facts_;
  Conversation* conversation_ = nullptr;
  bool over_ = false;
  std::string_view protocol_;
  int client_ = -1;
  std::uint32_t quality_ = 0;
};

}  // namespace probe::test
