#include "probe/packet/defragmenter.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "probe/base/hash.h"

namespace probe {
namespace {

std::uint64_t hash_of(const DatagramKey& k) {
  const std::uint64_t rest = std::uint64_t{k.id} << 16 | std::uint64_t{k.protocol} << 8 | k.ip_version;
  return mix(mix(k.source.low ^ k.scope, k.destination.low), mix(k.source.high ^ rest, k.destination.high + rest));
}

}  // namespace

// A quarter of the memory is for complete datagrams, so that a burst of them finds room; at least one always does.
Defragmenter::Defragmenter(const DefragmentLimits& limits, Counters& counters)
    : limits_(limits),
      counters_(counters),
      joined_size_(std::max(limits.octets / 4, kMaxOctets)),
      entries_(limits.datagrams),
      chunks_((limits.octets - std::min(limits.octets, joined_size_)) / kChunk, kChunk),
      bucket_count_(std::bit_ceil(std::max<std::size_t>(limits.datagrams, 1) * 2)),
      buckets_(new Entry* [bucket_count_] {}),
      joined_(new std::uint8_t[joined_size_]) {}

Counter Defragmenter::add(const Fragment& f, Datagram& out) {
  if (f.data.wire == 0 || f.offset % kUnit != 0 || (f.more && f.data.wire % kUnit != 0))
    return Counter::decode_fragments_bad;
  // RFC 791 §3.2: what ends beyond the largest datagram ("ping of death").
  if (f.data.wire > kMaxOctets || f.offset + f.data.wire > kMaxOctets) return Counter::decode_fragments_beyond;
  expire(f.time);
  const auto bucket = static_cast<std::uint32_t>(hash_of(f.key) & (bucket_count_ - 1));
  Entry* e = find(f.key, bucket);
  if (!e) e = open(f.key, bucket, f.time);
  if (!e) return Counter::decode_fragments_no_memory;
  if (e->refused) return Counter::decode_fragments_refused;
  if (e->fragments == kMaxFragments) return refuse(e, Counter::decode_fragments_too_many);
  const Counter why = place(*e, f);
  if (why == Counter::decode_fragments_no_memory) {
    close(e);
    return why;
  }
  // RFC 5722 §4: an IPv6 datagram with overlaps is dropped whole, and so is what comes of it later.
  if (why != kFine) return f.key.ip_version == 6 ? refuse(e, why) : why;
  ++e->fragments;
  e->ip_octets += f.ip_octets;
  if (f.offset == 0) e->protocol = f.protocol;
  if (e->total == 0 || e->units * kUnit < e->total) return Counter::decode_fragments_waiting;
  return join(e, out);
}

// Checks a fragment against what has come of its datagram and keeps the octets that are new.
Counter Defragmenter::place(Entry& e, const Fragment& f) {
  const std::uint32_t end = f.offset + f.data.wire;
  const bool beyond_end = e.total != 0 && (f.more ? end > e.total : end != e.total);
  if (beyond_end || (!f.more && end < e.highest)) return Counter::decode_fragments_bad;

  std::uint32_t known = 0;
  const std::uint32_t first = f.offset / kUnit, last = (end + kUnit - 1) / kUnit;
  for (std::uint32_t u = first; u < last; ++u) known += e.have[u];
  if (known > 0) {
    // A repeated fragment is harmless (RFC 8200 §4.5), as long as it repeats the octets.
    const bool again = known == last - first && same_octets(e, f.offset, f.data.octets);
    counters_.add(again ? Counter::decode_fragment_duplicates : Counter::decode_fragment_overlaps);
    if (!again && f.key.ip_version == 6) return Counter::decode_fragments_refused;
  }
  if (known == 0 ? !store(e, f.offset, f.data.octets) : !store_missing(e, f))
    return Counter::decode_fragments_no_memory;
  if (f.data.octets.size() < f.data.wire)
    e.captured_to = std::min(e.captured_to, f.offset + static_cast<std::uint32_t>(f.data.octets.size()));
  for (std::uint32_t u = first; u < last; ++u) e.have.set(u);
  e.units = static_cast<std::uint16_t>(e.units + last - first - known);
  e.highest = std::max(e.highest, end);
  if (!f.more) e.total = end;
  return kFine;
}

// Copies octets to their place; false if there is no chunk left for them.
bool Defragmenter::store(Entry& e, std::uint32_t offset, Bytes octets) {
  while (!octets.empty()) {
    std::uint8_t*& chunk = e.chunks[offset / kChunk];
    while (!chunk) {
      chunk = static_cast<std::uint8_t*>(chunks_.take());
      if (!chunk && !evict_oldest(&e)) return false;
    }
    const std::size_t n = std::min(octets.size(), kChunk - offset % kChunk);
    std::memcpy(chunk + offset % kChunk, octets.data(), n);
    octets = octets.subspan(n);
    offset += static_cast<std::uint32_t>(n);
  }
  return true;
}

// The first copy of an octet wins.
bool Defragmenter::store_missing(Entry& e, const Fragment& f) {
  for (std::size_t at = 0; at < f.data.octets.size(); at += kUnit) {
    if (e.have[(f.offset + at) / kUnit]) continue;
    const std::size_t n = std::min(kUnit, f.data.octets.size() - at);
    if (!store(e, f.offset + static_cast<std::uint32_t>(at), f.data.octets.subspan(at, n))) return false;
  }
  return true;
}

bool Defragmenter::same_octets(const Entry& e, std::uint32_t offset, Bytes octets) const {
  octets = octets.first(std::min<std::size_t>(octets.size(), e.captured_to - std::min(e.captured_to, offset)));
  while (!octets.empty()) {
    const std::uint8_t* chunk = e.chunks[offset / kChunk];
    const std::size_t n = std::min(octets.size(), kChunk - offset % kChunk);
    if (!chunk || std::memcmp(chunk + offset % kChunk, octets.data(), n) != 0) return false;
    octets = octets.subspan(n);
    offset += static_cast<std::uint32_t>(n);
  }
  return true;
}

Counter Defragmenter::join(Entry* e, Datagram& out) {
  const std::uint32_t captured = std::min(e->total, e->captured_to);
  if (captured > joined_size_ - joined_used_) {
    close(e);
    return Counter::decode_fragments_no_memory;
  }
  std::uint8_t* joined = joined_.get() + joined_used_;
  for (std::size_t at = 0; at < captured; at += kChunk)
    std::memcpy(joined + at, e->chunks[at / kChunk], std::min(kChunk, captured - at));
  joined_used_ += captured;
  out = {{Bytes(joined, captured), e->total}, e->protocol, e->fragments, e->ip_octets};
  close(e);
  counters_.add(Counter::decode_datagrams_reassembled);
  return kFine;
}

// Keeps the entry, without its octets, so that later fragments of the same datagram meet it.
Counter Defragmenter::refuse(Entry* e, Counter why) {
  free_chunks(e);
  e->refused = true;
  return why;
}

Defragmenter::Entry* Defragmenter::find(const DatagramKey& key, std::uint32_t bucket) const {
  Entry* e = buckets_[bucket];
  while (e && !(e->key == key)) e = e->next_in_bucket;
  return e;
}

Defragmenter::Entry* Defragmenter::open(const DatagramKey& key, std::uint32_t bucket, Nanos now) {
  Entry* e = entries_.make();
  if (!e && evict_oldest(nullptr)) e = entries_.make();
  if (!e) return nullptr;
  e->key = key;
  e->started = now;
  e->bucket = bucket;
  e->next_in_bucket = buckets_[bucket];
  buckets_[bucket] = e;
  e->older = newest_;
  (newest_ ? newest_->newer : oldest_) = e;
  newest_ = e;
  return e;
}

void Defragmenter::close(Entry* e) {
  free_chunks(e);
  Entry** link = &buckets_[e->bucket];
  while (*link != e) link = &(*link)->next_in_bucket;
  *link = e->next_in_bucket;
  (e->older ? e->older->newer : oldest_) = e->newer;
  (e->newer ? e->newer->older : newest_) = e->older;
  entries_.destroy(e);
}

void Defragmenter::free_chunks(Entry* e) {
  for (std::uint8_t*& chunk : e->chunks) {
    if (chunk) chunks_.give(chunk);
    chunk = nullptr;
  }
}

// Where fragments come out of time order the list is only nearly sorted by time: a datagram may then wait longer.
void Defragmenter::expire(Nanos now) {
  while (oldest_ && now - oldest_->started > limits_.timeout) {
    if (!oldest_->refused) counters_.add(Counter::decode_datagrams_timed_out);
    close(oldest_);
  }
}

bool Defragmenter::evict_oldest(const Entry* but_not) {
  Entry* e = oldest_;
  if (e && e == but_not) e = e->newer;
  if (!e) return false;
  if (!e->refused) counters_.add(Counter::decode_datagrams_evicted);
  close(e);
  return true;
}

}  // namespace probe
