// Puts IP fragments together again, in bounded memory and whatever order they come in.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "probe/base/counters.h"
#include "probe/base/nanos.h"
#include "probe/base/pool.h"
#include "probe/packet/flow_key.h"
#include "probe/packet/view.h"

namespace probe {

struct DefragmentLimits {
  std::size_t datagrams = 1024;  // under reassembly at a time
  std::size_t octets = 8u << 20;
  Nanos timeout = 60 * kSecond;  // from a datagram's first fragment, in packet time
};

// Which datagram a fragment belongs to. RFC 791 §3.2 adds the protocol to addresses and id, RFC 8200 §4.5 does not.
struct DatagramKey {
  Address source, destination;
  std::uint64_t scope = 0;
  std::uint32_t id = 0;
  std::uint8_t protocol = 0;  // IPv4 only
  std::uint8_t ip_version = 0;
  bool operator==(const DatagramKey&) const = default;
};

struct Fragment {
  DatagramKey key;
  View data;                  // behind the IP headers
  std::uint32_t offset = 0;   // of the data in the datagram, in octets; a multiple of 8
  bool more = false;          // others follow
  std::uint8_t protocol = 0;  // of the datagram's payload; the fragment at offset 0 tells it
  std::uint32_t ip_octets = 0;
  Nanos time = 0;
};

// A datagram whose last missing fragment came.
struct Datagram {
  View data;  // good until new_burst()
  std::uint8_t protocol = 0;
  std::uint16_t fragments = 0;
  std::uint32_t ip_octets = 0;  // sum over the fragments
};

// Octets lie in chunks of a common pool, at their place in the datagram; a bit for each 8 octets says what has come,
// which makes duplicates, overlaps and holes a matter of bits. A complete datagram is copied together once.
class Defragmenter {
 public:
  Defragmenter(const DefragmentLimits&, Counters&);

  // kFine: the datagram is complete. decode_fragments_waiting: kept for the others. Else: why it was dropped.
  Counter add(const Fragment&, Datagram&);
  void new_burst() { joined_used_ = 0; }
  std::size_t octets() const { return entries_.octets() + chunks_.octets() + joined_size_; }

 private:
  static constexpr std::size_t kUnit = 8;
  static constexpr std::size_t kMaxOctets = 65535;
  static constexpr std::size_t kChunk = 2048;
  static constexpr std::uint16_t kMaxFragments = 512;  // of 128 octets each, if it were the largest datagram

  struct Entry {
    DatagramKey key;
    Nanos started = 0;
    Entry* next_in_bucket = nullptr;
    Entry* older = nullptr;
    Entry* newer = nullptr;
    std::uint32_t bucket = 0;
    std::uint32_t ip_octets = 0;
    std::uint32_t total = 0;                 // octets of the datagram, 0 until the last fragment came
    std::uint32_t highest = 0;               // end of the furthest fragment
    std::uint32_t captured_to = kMaxOctets;  // the snap length took what is from here on
    std::uint16_t units = 0;                 // that have come
    std::uint16_t fragments = 0;
    std::uint8_t protocol = 0;
    bool refused = false;  // RFC 5722: whatever else comes is dropped too
    std::bitset<kMaxOctets / kUnit + 1> have;
    std::array<std::uint8_t*, kMaxOctets / kChunk + 1> chunks{};
  };

  Entry* find(const DatagramKey&, std::uint32_t bucket) const;
  Entry* open(const DatagramKey&, std::uint32_t bucket, Nanos);
  void close(Entry*);
  void free_chunks(Entry*);
  void expire(Nanos now);
  bool evict_oldest(const Entry* but_not);
  Counter refuse(Entry*, Counter why);
  Counter place(Entry&, const Fragment&);
  bool store(Entry&, std::uint32_t offset, Bytes);
  bool store_missing(Entry&, const Fragment&);
  bool same_octets(const Entry&, std::uint32_t offset, Bytes) const;
  Counter join(Entry*, Datagram&);

  DefragmentLimits limits_;
  Counters& counters_;
  std::size_t joined_size_;
  Pool<Entry> entries_;
  SlotPool chunks_;
  std::size_t bucket_count_;
  std::unique_ptr<Entry*[]> buckets_;
  std::unique_ptr<std::uint8_t[]> joined_;  // complete datagrams of this burst, one behind the other
  std::size_t joined_used_ = 0;
  Entry* oldest_ = nullptr;
  Entry* newest_ = nullptr;
};

}  // namespace probe
