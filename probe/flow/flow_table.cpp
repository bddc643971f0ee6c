#include "probe/flow/flow_table.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <new>

namespace probe {
namespace {

// Huge pages halve the cost of a look-up in a large table; where there are none this is only a hint.
void* pages(std::size_t octets) {
  void* p = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return p;
}

}  // namespace

FlowTable::FlowTable(std::size_t capacity)
    : capacity_(std::max<std::size_t>(capacity, 1)),
      bucket_mask_(std::bit_ceil(std::max<std::size_t>(capacity_ / (kWays / 2), 1)) - 1),
      buckets_(static_cast<Bucket*>(pages((bucket_mask_ + 1) * sizeof(Bucket)))),
      flows_(static_cast<Flow*>(pages(capacity_ * sizeof(Flow)))),
      free_(new FlowIndex[capacity_]) {}

FlowTable::~FlowTable() {
  munmap(buckets_, (bucket_mask_ + 1) * sizeof(Bucket));
  munmap(flows_, capacity_ * sizeof(Flow));
}

unsigned FlowTable::matches(const Bucket& b, std::uint16_t tag) {
  using Tags = std::uint16_t __attribute__((vector_size(16)));
  Tags tags;
  std::memcpy(&tags, b.tags.data(), sizeof tags);
  const auto equal = tags == tag;  // lanes of all ones where equal
  unsigned mask = 0;
  for (unsigned w = 0; w < kWays; ++w) mask |= (equal[w] != 0 ? 1u : 0u) << w;
  return mask;
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
  const FlowIndex i = returned_ > 0 ? free_[--returned_] : static_cast<FlowIndex>(fresh_++);
  new (&flows_[i]) Flow;
  flows_[i].key = key;
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
  return (bucket_mask_ + 1) * sizeof(Bucket) + capacity_ * (sizeof(Flow) + sizeof(FlowIndex));
}

}  // namespace probe
