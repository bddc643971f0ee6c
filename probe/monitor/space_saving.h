// The heaviest keys of a stream in bounded memory (Metwally, Agrawal, El Abbadi: Space-Saving, 2005).
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace probe::monitor {

// A key that finds the table full takes the place of the lightest and inherits its weight: one that is heavier than
// total / capacity cannot be missed. Values count only what came since their key entered, and are never too much.
template <class Key, class Values, class Hash>
class SpaceSaving {
 public:
  struct Entry {
    Key key;
    std::uint64_t weight = 0;
    Values values{};
    std::size_t position = 0;  // in the heap
  };

  explicit SpaceSaving(std::size_t capacity) : capacity_(capacity) {
    assert(capacity > 0);
    entries_.reserve(capacity);
    heap_.reserve(capacity);
    index_.reserve(capacity);
  }

  Values& add(const Key& key, std::uint64_t weight) {
    const auto [it, fresh] = index_.try_emplace(key, 0);
    if (fresh) it->second = enter(key);
    Entry& e = entries_[it->second];
    e.weight += weight;
    sink(e.position);
    return e.values;
  }
  // nullptr if it is not among those kept.
  Values* find(const Key& key) {
    const auto it = index_.find(key);
    return it == index_.end() ? nullptr : &entries_[it->second].values;
  }
  std::span<const Entry> entries() const { return entries_; }
  void clear() {
    entries_.clear();
    heap_.clear();
    index_.clear();
  }

 private:
  // Heaps have the lightest on top.
  std::size_t enter(const Key& key) {
    if (entries_.size() < capacity_) {
      const std::size_t i = entries_.size();
      entries_.push_back({key, 0, {}, i});
      heap_.push_back(i);
      rise(i);
      return i;
    }
    const std::size_t i = heap_[0];
    index_.erase(entries_[i].key);
    entries_[i].key = key;
    entries_[i].values = Values{};
    return i;
  }
  std::uint64_t weight_at(std::size_t position) const { return entries_[heap_[position]].weight; }
  void exchange(std::size_t a, std::size_t b) {
    std::swap(heap_[a], heap_[b]);
    entries_[heap_[a]].position = a;
    entries_[heap_[b]].position = b;
  }
  void rise(std::size_t at) {
    for (; at > 0 && weight_at(at) < weight_at((at - 1) / 2); at = (at - 1) / 2) exchange(at, (at - 1) / 2);
  }
  void sink(std::size_t at) {
    for (;;) {
      std::size_t least = at;
      for (const std::size_t child : {2 * at + 1, 2 * at + 2})
        if (child < heap_.size() && weight_at(child) < weight_at(least)) least = child;
      if (least == at) return;
      exchange(at, least);
      at = least;
    }
  }

  std::size_t capacity_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> heap_;
  std::unordered_map<Key, std::size_t, Hash> index_;
};

}  // namespace probe::monitor
