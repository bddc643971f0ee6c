// Several receive queues read as one, in order of time: a TAP brings the two directions of a link on two ports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "probe/base/counters.h"
#include "probe/live/port.h"

namespace probe::live {

struct MergeOptions {
  // How much earlier than a frame of one queue that of another may be, and still be put in front of it.
  Nanos window = 100 * kMicrosecond;
  // Frames of a queue that may be held back. Where there would be more, the oldest go on whatever their age. A queue
  // with a delay of its own has stamped its frames long ago: they wait where they are, in its memory.
  std::size_t most_held = 4096;
  // Frames that may be handed out and not be released yet.
  std::size_t most_lent = 4096;
};

// Reads for one thread. A frame goes on when each of the other queues has a later one, or when it is older than the
// window: while traffic flows both ways nothing waits. What comes later than that is handed out at once and counted in
// capture_merge_late. Queues may be late by themselves (Queue::delay); the window begins behind that.
// With one queue nothing is held back and nothing is copied.
class Merge {
 public:
  Merge(std::vector<Queue*> queues, const MergeOptions&, Counters&);

  // As Queue::read. `now` is the clock that the frames' times are of, read once a turn by the caller; kNoMore hands out
  // all that is there.
  std::size_t read(std::span<Frame> frames, Nanos now);
  static constexpr Nanos kNoMore = std::numeric_limits<Nanos>::max();

  // As Queue::release: the oldest `frames` that were handed out.
  void release(std::size_t frames);

  // As Queue::wait. Sleeps at one queue after the other, at each for its share of the time, unless frames are held
  // back.
  void wait(Nanos most);

  // As Queue::backlog, of the fullest queue.
  std::optional<double> backlog() const;

 private:
  struct Source {
    Queue* queue = nullptr;
    std::unique_ptr<Frame[]> held;
    std::size_t capacity = 0;
    bool patient = false;  // its frames need not be read in order to be stamped or saved
    std::size_t begin = 0, count = 0;
    Nanos next = 0;  // time of the first one held
  };

  void fill(Source&);
  Source* next_to_go(Nanos now);
  Frame take(Source&);
  void count_if_late(const Source&);

  MergeOptions options_;
  Counters& counters_;
  std::vector<Source> sources_;
  Nanos patience_ = 0;  // the window and the longest delay
  Nanos newest_ = 0;    // of what was handed out
  const Source* newest_from_ = nullptr;
  std::vector<std::uint8_t> lent_;  // of which source each frame was that is handed out: a ring
  std::size_t lent_begin_ = 0, lent_count_ = 0;
};

}  // namespace probe::live
