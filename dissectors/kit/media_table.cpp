#include "dissectors/kit/media_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

#include "probe/base/hash.h"

namespace probe {
namespace {

using Word = std::uint64_t;
using Shared = std::atomic_ref<Word>;

static_assert(std::is_trivially_copyable_v<Media>);
constexpr std::size_t kMediaWords = (sizeof(Media) + sizeof(Word) - 1) / sizeof(Word);
using Copy = std::array<Word, kMediaWords>;

std::uint64_t hash_of(const MediaAddress& a) { return mix(a.low, a.high ^ (Word{a.port} << 48)); }
// 0 stands for no entry.
std::uint16_t tag_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash >> 48 | 1); }
bool is_due(Nanos used, Nanos now) { return now - used > MediaTable::kLifetime; }

}  // namespace

// Plain words, for memory that begins as zeros; all access goes through atomic_ref.
struct alignas(64) MediaTable::Entry {
  Word version;
  Word used;  // packet time of the announcement or of the newest look-up
  Copy words;

  // False if it was being written all the time.
  bool read(Media& out) {
    constexpr int kMostTries = 4;
    for (int n = 0; n < kMostTries; ++n) {
      const Word before = Shared(version).load(std::memory_order_acquire);
      if (before & 1) continue;
      Copy copy;
      // Acquiring each word keeps the second look at the version behind them.
      for (std::size_t i = 0; i < kMediaWords; ++i) copy[i] = Shared(words[i]).load(std::memory_order_acquire);
      if (Shared(version).load(std::memory_order_relaxed) != before) continue;
      std::memcpy(static_cast<void*>(&out), copy.data(), sizeof(Media));
      return true;
    }
    return false;
  }
  bool write(const Media& m) {
    Word before = Shared(version).load(std::memory_order_relaxed);
    if ((before & 1) || !Shared(version).compare_exchange_strong(before, before + 1, std::memory_order_acq_rel))
      return false;
    Copy copy{};
    std::memcpy(copy.data(), &m, sizeof(Media));
    // Releasing each word keeps the odd version ahead of them.
    for (std::size_t i = 0; i < kMediaWords; ++i) Shared(words[i]).store(copy[i], std::memory_order_release);
    Shared(used).store(static_cast<Word>(m.announced), std::memory_order_relaxed);
    Shared(version).store(before + 2, std::memory_order_release);
    return true;
  }
};

MediaTable::MediaTable(std::size_t endpoints)
    : mask_(std::bit_ceil(std::max<std::size_t>(endpoints, kWays) / kWays) - 1),
      entries_(static_cast<std::size_t>(mask_ + 1) * kWays),
      memory_(entries_ * (sizeof(Entry) + sizeof(std::uint16_t))) {}

MediaTable::Entry& MediaTable::entry(std::size_t i) const { return reinterpret_cast<Entry*>(memory_.begin())[i]; }

std::atomic_ref<std::uint16_t> MediaTable::tag(std::size_t i) const {
  return std::atomic_ref(reinterpret_cast<std::uint16_t*>(memory_.begin() + entries_ * sizeof(Entry))[i]);
}

// The entry of this endpoint; else a free one; else the one that was not asked for for the longest time.
std::size_t MediaTable::place_for(const Media& m, std::uint64_t hash) const {
  const std::size_t first = bucket_of(hash);
  std::size_t best = first;
  Nanos best_used = std::numeric_limits<Nanos>::max();
  for (std::size_t i = first; i < first + kWays; ++i) {
    const std::uint16_t t = tag(i).load(std::memory_order_acquire);
    Media there;
    if (t == tag_of(hash) && entry(i).read(there) && there.at == m.at) return i;
    const Nanos used = t == 0 ? std::numeric_limits<Nanos>::min()
                              : static_cast<Nanos>(Shared(entry(i).used).load(std::memory_order_relaxed));
    if (used >= best_used) continue;
    best = i;
    best_used = used;
  }
  return best;
}

bool MediaTable::announce(const Media& m) {
  if (m.at.port == 0) return false;
  const std::uint64_t hash = hash_of(m.at);
  const std::size_t i = place_for(m, hash);
  if (!entry(i).write(m)) return false;
  tag(i).store(tag_of(hash), std::memory_order_release);
  used_.store(true, std::memory_order_release);
  return true;
}

bool MediaTable::find(const MediaAddress& at, Nanos now, Media& out) {
  if (!used_.load(std::memory_order_acquire)) return false;
  const std::uint64_t hash = hash_of(at);
  const std::size_t first = bucket_of(hash);
  for (std::size_t i = first; i < first + kWays; ++i) {
    if (tag(i).load(std::memory_order_acquire) != tag_of(hash)) continue;
    Entry& e = entry(i);
    if (!e.read(out) || !(out.at == at) || out.announced > now) continue;
    Shared used(e.used);
    if (is_due(static_cast<Nanos>(used.load(std::memory_order_relaxed)), now)) continue;
    used.store(static_cast<Word>(now), std::memory_order_relaxed);
    return true;
  }
  return false;
}

}  // namespace probe
