// Conversations as octets that a fuzzer can change, and conversations of captures as such octets, to begin with.
//
//   octet 0: 1 the handshake is seen; 2 over UDP, if the dissector can; 4 not a port of the dissector
//   then messages: an octet (1 the client speaks; 2-14 its fate, see below; upper half: how long after the one before),
//   two octets length, little endian, and as many octets.
#pragma once

#include <algorithm>
#include <string>

#include "tests/kit/conversation_player.h"

namespace probe::test {

struct ScriptFlags {
  static constexpr unsigned kHandshake = 1, kUdp = 2, kOtherPort = 4;
};
enum class Fate : unsigned { lost = 4, repeated = 5, swapped = 6, end = 7 };  // others: delivered

inline Traffic traffic_of_script(Bytes input, const Dissector& d) {
  Cursor c(input);
  const unsigned flags = c.u8();
  const bool udp = d.over == Over::udp || (d.over == Over::both && (flags & ScriptFlags::kUdp));
  const bool other = d.ports.empty() || (flags & ScriptFlags::kOtherPort);
  Script script(other ? std::uint16_t{9999} : d.ports.front(), udp ? Over::udp : Over::tcp);
  if (!udp && (flags & ScriptFlags::kHandshake)) script.handshake();
  std::vector<std::pair<std::size_t, Fate>> fates;
  while (c.left() >= 3) {
    const std::uint8_t head = c.u8();
    const std::size_t length = std::min<std::size_t>(c.u16_le(), c.left());
    const auto fate = static_cast<Fate>((head >> 1) & 7);
    const std::uint8_t fin = fate == Fate::end ? tcp_flag::kFin : 0;
    script.after(kMicrosecond << (head >> 4) * 2);
    script.send(head & 1 ? Script::kClient : Script::kServer, as_text(c.take(length)), tcp_flag::kAck | fin);
    fates.push_back({script.traffic().packets.size() - 1, fate});
  }
  Traffic out{script.traffic().key, {}};
  const auto& packets = script.traffic().packets;
  out.packets.assign(packets.begin(), packets.end() - static_cast<std::ptrdiff_t>(fates.size()));
  for (std::size_t i = 0; i < fates.size(); ++i) {
    const auto& [at, fate] = fates[i];
    if (fate == Fate::lost) continue;
    const bool swapped = fate == Fate::swapped && i + 1 < fates.size();
    out.packets.push_back(packets[swapped ? at + 1 : at]);
    if (swapped) out.packets.push_back(packets[at]);
    if (swapped) ++i;
    if (fate == Fate::repeated) out.packets.push_back(packets[at]);
  }
  return out;
}

inline std::string script_of(const Traffic& t) {
  std::string out;
  unsigned flags = t.is_tcp() ? 0 : ScriptFlags::kUdp;
  unsigned client = t.packets.empty() ? 0 : t.packets.front().sender;
  for (const Sent& s : t.packets) {
    if (s.flags & tcp_flag::kSyn) flags |= ScriptFlags::kHandshake;
    if (s.payload.empty()) continue;
    out += static_cast<char>((s.sender == client ? 1 : 0) | 0x60);
    out += static_cast<char>(s.payload.size() & 0xff);
    out += static_cast<char>(s.payload.size() >> 8 & 0xff);
    out += s.payload.substr(0, 0xffff);
  }
  return std::string(1, static_cast<char>(flags)) + out;
}

}  // namespace probe::test
