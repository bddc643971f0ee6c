// Memory for octets that a stream must keep: segments that wait for the ones before them, and messages that cross a
// segment border. Fixed at start, one per thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "probe/base/bytes.h"
#include "probe/base/nanos.h"
#include "probe/base/pool.h"

namespace probe::tcp {

struct StreamOptions {
  // Blocks of each size; memory is touched only when used.
  std::size_t tiny_blocks = 16384;         // 64 octets: ranges without their octets
  std::size_t small_blocks = 8192;         // 512 octets
  std::size_t medium_blocks = 8192;        // 2 KiB
  std::size_t large_blocks = 512;          // 16 KiB and a header
  std::uint32_t held_octets = 256 * 1024;  // most octets that one direction holds back behind a hole
  // A segment with data whose acknowledgement covers octets that never came proves that they are lost. Not so where two
  // ports of a tap are read in turn, and the answer may be processed before its question.
  bool answers_prove = true;
  std::uint32_t held_segments = 512;  // and most segments
};

// A run of sequence space that came before its turn. Its octets follow, unless they are not wanted (a skip covers
// them) or never came (the snap length cut them).
struct Held {
  Held* next;
  std::uint32_t sequence;
  std::uint32_t length;
  Nanos first, last;  // when the octets passed
  bool has_octets;
  std::uint8_t size_class;
  std::uint8_t* octets() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  std::uint32_t end() const { return sequence + length; }
};

// The beginning of a message whose end is not here yet.
struct Kept {
  // Octets before `end`, as far as no earlier mark has them, passed between these times.
  struct Mark {
    Nanos first, last;
    std::uint32_t end;
  };
  static constexpr std::size_t kMarks = 4;

  std::uint32_t begin;  // octets before this are used
  std::uint32_t end;
  std::uint8_t size_class;
  std::uint8_t marks;
  std::array<Mark, kMarks> mark;

  std::uint8_t* octets() { return reinterpret_cast<std::uint8_t*>(this + 1); }
  std::uint32_t size() const { return end - begin; }
  // The caller has seen that there is room.
  void append(Bytes, Nanos first, Nanos last);
  // What is not used yet goes to the front of `to`, which may be this one.
  void move_to(Kept& to);
  // When the first `n` of its octets passed.
  void times(std::uint32_t n, Nanos& first, Nanos& last) const;
};

class StreamPool {
 public:
  static constexpr std::size_t kMostKept = 16 * 1024;
  static constexpr std::size_t kSizes[] = {64, 512, 2048, kMostKept + sizeof(Kept)};
  static constexpr std::uint8_t kClasses = std::size(kSizes);

  explicit StreamPool(const StreamOptions& o)
      : options(o),
        pools_{SlotPool(o.tiny_blocks, kSizes[0]), SlotPool(o.small_blocks, kSizes[1]),
               SlotPool(o.medium_blocks, kSizes[2]), SlotPool(o.large_blocks, kSizes[3])} {}

  void* take(std::uint8_t size_class) { return pools_[size_class].take(); }
  void give(void* block, std::uint8_t size_class) { pools_[size_class].give(block); }
  std::size_t in_use() const {
    std::size_t n = 0;
    for (const SlotPool& p : pools_) n += p.in_use();
    return n;
  }

  std::size_t octets() const {
    std::size_t n = 0;
    for (const SlotPool& p : pools_) n += p.octets();
    return n;
  }

  // Room for octets in the blocks of a class.
  static constexpr std::size_t held_room(std::uint8_t size_class) { return kSizes[size_class] - sizeof(Held); }
  static constexpr std::size_t kept_room(std::uint8_t size_class) { return kSizes[size_class] - sizeof(Kept); }
  static constexpr std::uint8_t kTiny = 0, kSmall = 1, kMedium = 2, kLarge = 3;

  const StreamOptions options;

 private:
  std::array<SlotPool, kClasses> pools_;
};

}  // namespace probe::tcp
