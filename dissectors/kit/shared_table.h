// A table that all workers share, for what one flow tells about another, which usually is on another worker.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "probe/base/nanos.h"
#include "probe/base/pages.h"

namespace probe {

// Of fixed size; anyone announces, anyone looks up, nobody waits. Each entry has a version that is odd while it is
// being written; a reader that sees it change reads again, a writer that finds it odd leaves. The time is packet time:
// who is behind the one that announces does not see what is still to come for him.
//
// Value: trivially copyable; `at` with hash() and ==, which it is found by, and `announced`, its packet time. One that
// has repeats(earlier) is kept beside earlier ones for the same key, unless it says nothing new: who is behind still
// finds what was right then.
template <class Value>
class SharedTable {
 public:
  static constexpr Nanos kLifetime = 3600 * kSecond;  // of an announcement that nobody asks for
  using Key = decltype(Value::at);

  explicit SharedTable(std::size_t entries)
      : mask_(std::bit_ceil(std::max<std::size_t>(entries, kWays) / kWays) - 1),
        entries_(static_cast<std::size_t>(mask_ + 1) * kWays),
        memory_(entries_ * (sizeof(Entry) + sizeof(std::uint16_t))) {}

  // A later announcement for the same key replaces the earlier one, or stands beside it; in a full bucket the one goes
  // that was not asked for for the longest time. False if another thread is writing just there.
  bool announce(const Value& v) {
    const std::uint64_t hash = v.at.hash();
    const std::size_t i = place_for(v, hash);
    if (i == entries_) return true;
    if (!entry(i).write(v)) return false;
    tag(i).store(tag_of(hash), std::memory_order_release);
    used_.store(true, std::memory_order_release);
    return true;
  }

  // What was announced for this key at `now` at the latest, and not too long ago.
  bool find(const Key& at, Nanos now, Value& out) {
    if (!used_.load(std::memory_order_acquire)) return false;
    const std::uint64_t hash = at.hash();
    const std::size_t first = bucket_of(hash);
    Word* used = nullptr;
    for (std::size_t i = first; i < first + kWays; ++i) {
      Value there;
      if (tag(i).load(std::memory_order_acquire) != tag_of(hash) || !entry(i).read(there)) continue;
      if (!(there.at == at) || there.announced > now || (used && there.announced < out.announced)) continue;
      if (now - static_cast<Nanos>(Shared(entry(i).used).load(std::memory_order_relaxed)) > kLifetime) continue;
      out = there;
      used = &entry(i).used;
    }
    if (used) Shared(*used).store(static_cast<Word>(now), std::memory_order_relaxed);
    return used != nullptr;
  }

  std::size_t octets() const { return memory_.octets(); }

 private:
  static constexpr std::size_t kWays = 4;
  using Word = std::uint64_t;
  using Shared = std::atomic_ref<Word>;
  static_assert(std::is_trivially_copyable_v<Value>);
  static constexpr std::size_t kWords = (sizeof(Value) + sizeof(Word) - 1) / sizeof(Word);
  using Copy = std::array<Word, kWords>;

  // Plain words, for memory that begins as zeros; all access goes through atomic_ref.
  struct alignas(64) Entry {
    Word version;
    Word used;  // packet time of the announcement or of the newest look-up
    Copy words;

    // False if it was being written all the time.
    bool read(Value& out) {
      constexpr int kMostTries = 4;
      for (int n = 0; n < kMostTries; ++n) {
        const Word before = Shared(version).load(std::memory_order_acquire);
        if (before & 1) continue;
        Copy copy;
        // Acquiring each word keeps the second look at the version behind them.
        for (std::size_t i = 0; i < kWords; ++i) copy[i] = Shared(words[i]).load(std::memory_order_acquire);
        if (Shared(version).load(std::memory_order_relaxed) != before) continue;
        std::memcpy(static_cast<void*>(&out), copy.data(), sizeof(Value));
        return true;
      }
      return false;
    }
    bool write(const Value& v) {
      Word before = Shared(version).load(std::memory_order_relaxed);
      if ((before & 1) || !Shared(version).compare_exchange_strong(before, before + 1, std::memory_order_acq_rel))
        return false;
      Copy copy{};
      std::memcpy(copy.data(), &v, sizeof(Value));
      // Releasing each word keeps the odd version ahead of them.
      for (std::size_t i = 0; i < kWords; ++i) Shared(words[i]).store(copy[i], std::memory_order_release);
      Shared(used).store(static_cast<Word>(v.announced), std::memory_order_relaxed);
      Shared(version).store(before + 2, std::memory_order_release);
      return true;
    }
  };

  static bool is_repeat(const Value& v, const Value& earlier) {
    if constexpr (requires { v.repeats(earlier); }) return v.announced >= earlier.announced && v.repeats(earlier);
    return false;
  }

  // 0 stands for no entry.
  static std::uint16_t tag_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash >> 48 | 1); }
  std::size_t bucket_of(std::uint64_t hash) const { return static_cast<std::size_t>(hash & mask_) * kWays; }
  Entry& entry(std::size_t i) const { return reinterpret_cast<Entry*>(memory_.begin())[i]; }
  std::atomic_ref<std::uint16_t> tag(std::size_t i) const {
    return std::atomic_ref(reinterpret_cast<std::uint16_t*>(memory_.begin() + entries_ * sizeof(Entry))[i]);
  }

  // The entry of this key; else a free one; else the one that was not asked for for the longest time. entries_: nothing
  // new is said.
  std::size_t place_for(const Value& v, std::uint64_t hash) const {
    const std::size_t first = bucket_of(hash);
    std::size_t best = first;
    Nanos best_used = std::numeric_limits<Nanos>::max();
    for (std::size_t i = first; i < first + kWays; ++i) {
      const std::uint16_t t = tag(i).load(std::memory_order_acquire);
      Value there;
      if (t == tag_of(hash) && entry(i).read(there) && there.at == v.at) {
        if constexpr (!requires { v.repeats(there); }) return i;
        if (is_repeat(v, there)) return entries_;
      }
      const Nanos used = t == 0 ? std::numeric_limits<Nanos>::min()
                                : static_cast<Nanos>(Shared(entry(i).used).load(std::memory_order_relaxed));
      if (used >= best_used) continue;
      best = i;
      best_used = used;
    }
    return best;
  }

  const std::uint64_t mask_;  // of buckets
  const std::size_t entries_;
  Pages memory_;  // entries, then their tags: nothing is touched until it is used
  alignas(64) std::atomic<bool> used_{false};
};

}  // namespace probe
