// Frames with any content on any link layer: decode() answers, counts each refusal once, and its views stay inside.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "probe/packet/decoder.h"
#include "probe/packet/quote.h"

namespace {

using namespace probe;

// An input is one octet of options, then frames: link type, time step in units of 64 ms, what the snap length took
// (in units of 16 octets), length (16 bits), octets.
struct Input {
  Cursor rest;
  Nanos now = 0;

  bool next(std::vector<std::uint8_t>& octets, Frame& f) {
    const std::uint8_t link = rest.u8(), step = rest.u8(), cut = rest.u8();
    const std::uint16_t length = rest.u16();
    if (!rest.ok()) return false;
    const Bytes content = rest.take(std::min<std::size_t>(length, rest.left()));
    octets.assign(content.begin(), content.end());
    octets.shrink_to_fit();  // so that the sanitizer sees the first octet beyond
    now += step * 64 * kMillisecond;
    const auto types = static_cast<unsigned>(LinkType::unknown) + 1;
    f = {.octets = octets,
         .wire_length = static_cast<std::uint32_t>(octets.size() + cut * 16u),
         .link = static_cast<LinkType>(link % types),
         .time = now};
    return true;
  }
};

void check(bool holds) {
  if (!holds) std::abort();
}

void check_packet(const Packet& p) {
  std::uint8_t sum = 0;
  for (const std::uint8_t b : p.payload) sum = static_cast<std::uint8_t>(sum + b);
  volatile std::uint8_t read = sum;
  (void)read;
  check(p.payload.size() <= p.payload_length);
  check(p.cut == (p.payload.size() < p.payload_length));
  check(p.packet_count >= 1 && p.fragmented == (p.packet_count > 1));
  check(p.hash == p.key.hash());
  const Endpoint low{p.key.low_address, p.key.low_port}, high{p.key.high_address, p.key.high_port};
  check(low <= high);
  check(p.key.ip_version == 4 || p.key.ip_version == 6);
  check(!p.is_tcp() || p.tcp.sack_blocks <= p.tcp.sack.size());
}

// What an ICMP error quotes is as little to be believed as the rest.
void check_quote(const Packet& p) {
  Quote q;
  if (!is_icmp_error(p) || !read_quote(p, q)) return;
  const Endpoint low{q.key.low_address, q.key.low_port}, high{q.key.high_address, q.key.high_port};
  check(low <= high);
  check(q.key.ip_version == p.key.ip_version && q.key.scope == p.key.scope);
  check(q.type_code == p.icmp_type_code && (q.mtu == 0 || q.error == IcmpError::too_big));
}

// Everything that a false answer may be counted as.
std::uint64_t refusals(const Counters& c) {
  std::uint64_t n = c[Counter::capture_duplicates];
  for (const Counter r : kDecodeRefusals) n += c[r];
  return n;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input{Cursor(Bytes(data, size))};
  const std::uint8_t bits = input.rest.u8();
  DecodeOptions options;
  options.open_tunnels = (bits & 1) == 0;
  options.vlan_in_key = (bits & 2) != 0;
  options.vni_in_key = (bits & 4) == 0;
  options.fragment_datagrams = (bits & 8) != 0 ? 2 : 64;
  options.fragment_octets = (bits & 16) != 0 ? 70000 : 1u << 20;
  options.duplicate_window = (bits & 32) != 0 ? 100 * kMillisecond : 0;

  Counters counters;
  Decoder decoder(options, counters);
  std::vector<std::uint8_t> octets;
  Frame frame;
  Packet packet;
  while (input.next(octets, frame)) {
    if ((frame.time / kSecond) % 2 == 0) decoder.new_burst();
    const std::uint64_t refused = refusals(counters), decoded = counters[Counter::decode_packets];
    const bool answer = decoder.decode(frame, packet);
    check(counters[Counter::decode_packets] == decoded + answer);
    check(refusals(counters) == refused + !answer);
    if (!answer) continue;
    check_packet(packet);
    check_quote(packet);
  }
  return 0;
}
