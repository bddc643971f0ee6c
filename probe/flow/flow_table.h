// Flows by key: fixed capacity, open addressing by buckets of one cache line, keys compared in full.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "probe/base/pages.h"
#include "probe/base/prefetch.h"
#include "probe/flow/flow.h"

namespace probe {

// Slots of flows never move. The look-up is meant for bursts, in three rounds over all packets of one, so that the
// latency of memory is hidden: prefetch_bucket, prefetch_flow, find.
class FlowTable {
 public:
  explicit FlowTable(std::size_t capacity);
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  void prefetch_bucket(std::uint64_t hash) const { prefetch(&buckets_[home_of(hash)]); }
  // The flow that is likely to be found, with what payload needs or without.
  void prefetch_flow(std::uint64_t hash, bool payload) const;
  // The flow's slot, or kNoFlow.
  FlowIndex find(const FlowKey& key, std::uint64_t hash) const;
  // A new slot for a key that is not in the table, or kNoFlow if the table is full. Of what was in the slot only the
  // key is new: the caller begins the flow.
  FlowIndex insert(const FlowKey& key, std::uint64_t hash);
  void erase(FlowIndex);

  Flow& operator[](FlowIndex i) { return flows_[i]; }
  const Flow& operator[](FlowIndex i) const { return flows_[i]; }
  FlowIndex index_of(const Flow& f) const { return static_cast<FlowIndex>(&f - flows_); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  std::size_t octets() const;

 private:
  static constexpr unsigned kWays = 8;
  static constexpr std::uint16_t kFree = 0;
  struct alignas(64) Bucket {
    std::array<std::uint16_t, kWays> tags;  // kFree, or 16 bits of the hash
    std::array<FlowIndex, kWays> flows;
    std::uint32_t passed;  // entries whose home is here or before, and that stand behind this bucket
  };
  static std::uint16_t tag_of(std::uint64_t hash) {
    const auto tag = static_cast<std::uint16_t>(hash >> 48);
    return tag == kFree ? 1 : tag;
  }
  FlowIndex next_free() const { return returned_ > 0 ? free_[returned_ - 1] : static_cast<FlowIndex>(fresh_); }
  std::size_t home_of(std::uint64_t hash) const { return hash & bucket_mask_; }
  // Bit w is set if way w has this tag.
  static unsigned matches(const Bucket&, std::uint16_t tag);

  std::size_t capacity_;
  std::size_t bucket_mask_;
  std::size_t size_ = 0;
  Pages bucket_pages_, flow_pages_;
  Bucket* const buckets_;
  Flow* const flows_;
  std::unique_ptr<FlowIndex[]> free_;
  std::size_t returned_ = 0;
  std::size_t fresh_ = 0;
};

}  // namespace probe
