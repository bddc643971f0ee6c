// A yardstick: what it costs to read a capture with libpcap, to find out which flow each packet belongs to, and to
// count it in a table. It measures nothing else; a probe cannot be expected to be faster by much.
//
//   base_pcap CAPTURE

#include <pcap/pcap.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t kEntries = 1 << 20;

struct Key {
  std::uint64_t address[2][2] = {};  // the lesser end first
  std::uint16_t port[2] = {};
  std::uint8_t protocol = 0;

  bool operator==(const Key&) const = default;
};

struct Entry {
  std::uint64_t hash = 0;  // 0: free
  Key key;
  std::uint32_t packets = 0;
  std::uint64_t octets = 0;
};

template <class T>
T load(const std::uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

std::uint16_t network16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); }

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  a ^= b * 0x9e3779b97f4a7c15ULL;
  a = (a ^ (a >> 32)) * 0xd6e8feb86659fd93ULL;
  return a ^ (a >> 29);
}

// Ethernet with VLAN tags, IPv4 or IPv6, ports; false if it is something else.
bool parse(const std::uint8_t* p, std::size_t length, Key& key) {
  if (length < 34) return false;
  std::size_t at = 14;
  std::uint16_t type = network16(p + 12);
  for (; type == 0x8100 || type == 0x88a8; at += 4) {
    if (length < at + 4) return false;
    type = network16(p + at + 2);
  }
  key = {};
  if (type == 0x0800 && length >= at + 20) {
    for (unsigned side : {0u, 1u}) key.address[side][0] = load<std::uint32_t>(p + at + 12 + 4 * side);
    key.protocol = p[at + 9];
    at += (p[at] & 15u) * 4;
  } else if (type == 0x86dd && length >= at + 40) {
    for (unsigned side : {0u, 1u}) std::memcpy(key.address[side], p + at + 8 + 16 * side, 16);
    key.protocol = p[at + 6];
    at += 40;
  } else {
    return false;
  }
  if ((key.protocol == 6 || key.protocol == 17) && length >= at + 4)
    for (unsigned side : {0u, 1u}) key.port[side] = load<std::uint16_t>(p + at + 2 * side);
  const auto end = [&](unsigned side) { return std::tie(key.address[side][0], key.address[side][1], key.port[side]); };
  if (end(1) < end(0)) {
    std::swap(key.address[0], key.address[1]);
    std::swap(key.port[0], key.port[1]);
  }
  return true;
}

std::uint64_t hash_of(const Key& k) {
  std::uint64_t h = mix(mix(mix(k.address[0][0], k.address[0][1]), k.address[1][0]), k.address[1][1]);
  h = mix(h, std::uint64_t{k.port[0]} << 24 | std::uint64_t{k.port[1]} << 8 | k.protocol);
  return h | 1;
}

class Table {
 public:
  void count(const Key& key, std::uint32_t octets) {
    const std::uint64_t hash = hash_of(key);
    std::size_t i = hash % kEntries;
    while (entries_[i].hash != 0 && !(entries_[i].hash == hash && entries_[i].key == key)) i = (i + 1) % kEntries;
    Entry& e = entries_[i];
    if (e.hash == 0) {
      e.hash = hash;
      e.key = key;
      if (++flows_ == kEntries) std::fputs("base_pcap: too many flows\n", stderr), std::exit(1);
    }
    ++e.packets;
    e.octets += octets;
  }
  std::size_t flows() const { return flows_; }

 private:
  std::vector<Entry> entries_ = std::vector<Entry>(kEntries);
  std::size_t flows_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  char error[PCAP_ERRBUF_SIZE];
  pcap_t* capture = argc == 2 ? pcap_open_offline(argv[1], error) : nullptr;
  if (capture == nullptr) {
    std::fprintf(stderr, "base_pcap: %s\n", argc == 2 ? error : "usage: base_pcap CAPTURE");
    return 2;
  }
  Table table;
  pcap_pkthdr* header = nullptr;
  const u_char* data = nullptr;
  unsigned long long packets = 0, octets = 0;
  while (pcap_next_ex(capture, &header, &data) == 1) {
    Key key;
    ++packets;
    octets += header->len;
    if (parse(data, header->caplen, key)) table.count(key, header->len);
  }
  pcap_close(capture);
  std::printf("%llu packets, %llu octets, %zu flows\n", packets, octets, table.flows());
}
