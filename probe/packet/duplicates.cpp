#include "probe/packet/duplicates.h"

#include <algorithm>
#include <cstring>

#include "probe/base/hash.h"
#include "probe/packet/defragmenter.h"

namespace probe {
namespace {

constexpr std::uint64_t kTimeMask = (std::uint64_t{1} << 40) - 1;
constexpr std::size_t kPayload = 64;

std::uint64_t time_units(Nanos t) { return static_cast<std::uint64_t>(t) >> 10; }

std::uint64_t join(std::uint32_t high, std::uint32_t low) { return std::uint64_t{high} << 32 | low; }

class Digest {
 public:
  Digest(std::uint64_t key, std::uint64_t start) : key_(key), state_(start) {}
  void add(std::uint64_t a, std::uint64_t b) { state_ = mix(state_ ^ a, key_ + b); }
  // What the snap length left depends on tags: octets behind it count only by their number.
  void add(Bytes octets, bool cut) {
    if (cut || octets.empty()) return;
    std::array<std::uint64_t, kPayload / 8> words{};
    if (octets.size() >= kPayload) [[likely]]
      std::memcpy(words.data(), octets.data(), kPayload);
    else
      std::memcpy(words.data(), octets.data(), octets.size());
    for (std::size_t i = 0; i < words.size(); i += 2) add(words[i], words[i + 1]);
  }
  std::uint64_t value() const { return std::max<std::uint64_t>(mix(state_, key_), 1); }

 private:
  const std::uint64_t key_;
  std::uint64_t state_;
};

void add_tcp(Digest& d, const TcpHeader& t) {
  d.add(join(t.sequence, t.acknowledgement), std::uint64_t{t.window} << 48 | std::uint64_t{t.maximum_segment} << 32 |
                                                 std::uint64_t{t.flags} << 24 | std::uint64_t{t.window_scale} << 16 |
                                                 std::uint64_t{t.sack_blocks} << 8 |
                                                 static_cast<std::uint64_t>(t.has_timestamps));
  if (t.has_timestamps) d.add(t.timestamp_value, t.timestamp_echo);
  for (std::size_t i = 0; i < t.sack_blocks; ++i) d.add(t.sack[i].left, t.sack[i].right);
}

std::uint64_t digest_of(const Packet& p, std::uint64_t key, std::uint64_t start) {
  Digest d(key, start);
  const FlowKey& k = p.key;
  const std::uint64_t ports = join(
      std::uint32_t{k.low_port} << 16 | k.high_port,
      std::uint32_t{k.protocol} << 16 | std::uint32_t{k.ip_version} << 8 | static_cast<std::uint32_t>(p.from_high));
  d.add(k.low_address.low, k.high_address.low);
  if (k.ip_version != 4) d.add(k.low_address.high, k.high_address.high);
  d.add(k.scope, ports);
  d.add(join(p.ip_octets, p.payload_length), join(p.ip_id, p.icmp_type_code));
  if (p.is_tcp()) add_tcp(d, p.tcp);
  d.add(p.payload, p.cut);
  return d.value();
}

std::uint64_t digest_of(const Fragment& f, std::uint64_t key, std::uint64_t start) {
  Digest d(~key, start);
  d.add(f.key.source.low, f.key.destination.low);
  d.add(f.key.source.high, f.key.destination.high);
  d.add(f.key.scope, std::uint64_t{f.key.protocol} << 8 | f.key.ip_version);
  d.add(join(f.key.id, f.offset), join(f.ip_octets, static_cast<std::uint32_t>(f.more)));
  d.add(f.data.octets, f.data.octets.size() < f.data.wire);
  return d.value();
}

// Where in the network the packet was seen, in 24 bits. Two places that share them are taken for one.
std::uint64_t place_of(const Packet& p) {
  const Encapsulation& e = p.encapsulation;
  const std::uint64_t tags = std::uint64_t{e.vlan_count} << 24 | (e.vlan[1] & 0xfffu) << 12 | (e.vlan[0] & 0xfffu);
  const std::uint64_t labels = std::uint64_t{e.mpls_count} << 24 | e.mpls_top;
  const std::uint64_t tunnel = std::uint64_t{e.tunnel_id} << 8 | static_cast<std::uint64_t>(e.tunnel);
  return std::uint64_t{p.ttl} << 16 | mix(tags << 32 | labels, tunnel << 16 | p.port) >> 48;
}

bool is_syn(const Packet& p) {
  using namespace tcp_flag;
  return p.is_tcp() && (p.tcp.flags & (kSyn | kAck | kRst | kFin)) == kSyn;
}

}  // namespace

Duplicates::Duplicates(Nanos window, std::uint64_t key)
    : window_(time_units(std::min(window, kLongestWindow))),
      key_(key),
      // If it were the key itself, addresses could be found that change places as factors of the first product,
      // whatever the key.
      start_(mix(key, 0x2b992ddfa23249d6)),
      sets_(new Set[kSets]),
      senders_(new Sender[kSenders]) {}

bool Duplicates::is_copy(const Packet& p) {
  Seen now;
  now.digest = digest_of(p, key_, start_);
  now.time = time_units(p.time) & kTimeMask;
  now.place = place_of(p);
  Seen* const then = find(now.digest);
  const bool again = then && within_window(*then, now);
  const bool proven = id_proves(p, again);
  if (again && (proven || then->place != now.place || is_syn(p))) return true;
  remember(then, now);
  return false;
}

bool Duplicates::is_copy(const Fragment& f) {
  Seen now;
  now.digest = digest_of(f, key_, start_);
  now.time = time_units(f.time) & kTimeMask;
  Seen* const then = find(now.digest);
  if (then && within_window(*then, now)) return true;
  remember(then, now);
  return false;
}

Duplicates::Seen* Duplicates::find(std::uint64_t digest) {
  for (Seen& s : sets_[digest % kSets].seen)
    if (s.digest == digest) return &s;
  return nullptr;
}

void Duplicates::remember(Seen* then, const Seen& now) {
  auto& seen = sets_[now.digest % kSets].seen;
  Seen* const last = then ? then : &seen.back();
  std::move_backward(seen.data(), last, last + 1);
  seen.front() = now;
}

// Packets of several ports may be out of order.
bool Duplicates::within_window(const Seen& then, const Seen& now) const {
  return ((now.time - then.time) & kTimeMask) <= window_ || ((then.time - now.time) & kTimeMask) <= window_;
}

// Learns from each packet that is new how its sender identifies packets: a connection by itself, else a host.
// Offloading of UDP begins at 0 with each batch.
bool Duplicates::id_proves(const Packet& p, bool again) {
  const Address& from = p.from_high ? p.key.high_address : p.key.low_address;
  const std::uint64_t who = p.is_tcp() ? mix(p.hash, p.from_high) : mix(from.low, from.high);
  Sender& s = senders_[who % kSenders];
  const auto name = static_cast<std::uint32_t>(who >> 32);
  if (again) return p.ip_id != 0 && (s.name != name || s.unchanged == 0);
  s.unchanged = s.name == name && s.id == p.ip_id ? 1 : 0;
  s.name = name;
  s.id = p.ip_id;
  return false;
}

}  // namespace probe
