#include "probe/flow/flow_table.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cassert>

namespace probe {

FlowTable::FlowTable(std::size_t capacity)
    : capacity_(std::max<std::size_t>(capacity, 1)),
      bucket_mask_(std::bit_ceil(std::max<std::size_t>(capacity_ / (kWays / 2), 1)) - 1),
      bucket_pages_((bucket_mask_ + 1) * sizeof(Bucket), PageSize::huge),
      flow_pages_(capacity_ * sizeof(Flow), PageSize::huge),
      buckets_(reinterpret_cast<Bucket*>(bucket_pages_.begin())),
      flows_(reinterpret_cast<Flow*>(flow_pages_.begin())),
      free_(new FlowIndex[capacity_]) {}

inline unsigned FlowTable::matches(const Bucket& b, std::uint16_t tag) {
#ifdef __SSE2__
  const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(b.tags.data()));
  const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
  unsigned mask = 0;
  for (unsigned w = 0; w < kWays; ++w) mask |= (b.tags[w] == tag ? 1u : 0u) << w;
  return mask;
#endif
}

void FlowTable::prefetch_flow(std::uint64_t hash, bool payload) const {
  const Bucket& b = buckets_[home_of(hash)];
  const unsigned mask = matches(b, tag_of(hash));
  if (mask == 0) return;
  const Flow& f = flows_[b.flows[static_cast<unsigned>(std::countr_zero(mask))]];
  prefetch_octets(&f, offsetof(Flow, conversation));
  if (payload) prefetch(&f.conversation);
}

FlowIndex FlowTable::find(const FlowKey& key, std::uint64_t hash) const {
  const std::uint16_t tag = tag_of(hash);
  for (std::size_t at = home_of(hash);; at = (at + 1) & bucket_mask_) {
    const Bucket& b = buckets_[at];
    for (unsigned mask = matches(b, tag); mask != 0; mask &= mask - 1) {
      const FlowIndex i = b.flows[static_cast<unsigned>(std::countr_zero(mask))];
      if (flows_[i].key == key) return i;
    }
    if (b.passed == 0) return kNoFlow;
  }
}

FlowIndex FlowTable::insert(const FlowKey& key, std::uint64_t hash) {
  if (size_ == capacity_) return kNoFlow;
  const FlowIndex i = next_free();
  if (returned_ > 0)
    --returned_;
  else
    ++fresh_;
  flows_[i].key = key;
  prefetch_object(&flows_[std::min<std::size_t>(next_free(), capacity_ - 1)]);
  for (std::size_t at = home_of(hash);; at = (at + 1) & bucket_mask_) {
    Bucket& b = buckets_[at];
    const unsigned free = matches(b, kFree);
    if (free == 0) {
      ++b.passed;
      continue;
    }
    const auto way = static_cast<unsigned>(std::countr_zero(free));
    b.tags[way] = tag_of(hash);
    b.flows[way] = i;
    ++size_;
    return i;
  }
}

void FlowTable::erase(FlowIndex i) {
  const std::uint64_t hash = flows_[i].key.hash();
  const std::uint16_t tag = tag_of(hash);
  for (std::size_t at = home_of(hash);; at = (at + 1) & bucket_mask_) {
    Bucket& b = buckets_[at];
    for (unsigned mask = matches(b, tag); mask != 0; mask &= mask - 1) {
      const auto way = static_cast<unsigned>(std::countr_zero(mask));
      if (b.flows[way] != i) continue;
      b.tags[way] = kFree;
      free_[returned_++] = i;
      --size_;
      return;
    }
    assert(b.passed > 0);
    --b.passed;
  }
}

std::size_t FlowTable::octets() const {
  return bucket_pages_.octets() + flow_pages_.octets() + capacity_ * sizeof(FlowIndex);
}

}  // namespace probe
