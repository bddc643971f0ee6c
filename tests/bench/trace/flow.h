// A scripted flow: who talks, and every packet of it with its time, in the order of time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trace {

using Micros = std::uint64_t;  // since 1970, or a span

enum class Kind : std::uint8_t { http, mysql, dns };

// Direction of a packet.
inline constexpr int kUp = 0;    // client to server
inline constexpr int kDown = 1;  // server to client

enum TcpFlag : std::uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16 };

struct Event {
  Micros time = 0;
  int way = kUp;
  std::uint8_t flags = 0;
  std::uint32_t sequence = 0, acknowledgement = 0;
  std::uint16_t window = 0;
  std::string text;             // payload: first this,
  std::uint32_t fill = 0;       // then so many octets of the filler,
  std::uint32_t fill_from = 0;  // from this place of it
};

struct Flow {
  std::uint32_t id = 0;
  Kind kind = Kind::http;
  Micros start = 0;
  bool ipv6 = false, timestamps = false;
  std::uint32_t client_address = 0, server_address = 0;  // IPv4, or the last word of the IPv6 address
  std::uint16_t client_port = 0, server_port = 0;
  // Per direction: the sender's values.
  std::uint8_t hop_limit[2] = {64, 57};
  std::uint16_t ip_id[2] = {0, 0};
  std::uint32_t timestamp_base[2] = {0, 0};
  std::vector<Event> events;
  std::size_t next = 0;
};

}  // namespace trace
