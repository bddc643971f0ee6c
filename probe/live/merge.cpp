#include "probe/live/merge.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace probe::live {
namespace {
constexpr std::size_t kBurst = 64;
}

Merge::Merge(std::vector<Queue*> queues, const MergeOptions& options, Counters& counters)
    : options_(options), counters_(counters), patience_(options.window), lent_(options.most_lent) {
  assert(!queues.empty() && queues.size() < 256);
  Nanos delay = 0;
  for (Queue* q : queues) {
    Source& s = sources_.emplace_back();
    s.queue = q;
    s.patient = q->delay() > 0;
    s.capacity = s.patient ? kBurst : std::max(options.most_held, 2 * kBurst);
    if (queues.size() > 1) s.held = std::make_unique<Frame[]>(s.capacity);
    delay = std::max(delay, q->delay());
  }
  patience_ += delay;
}

// One burst a turn: a poll-mode queue stamps its frames when they are read, and must not wait until others have gone.
void Merge::fill(Source& s) {
  if (s.count == 0) s.begin = 0;
  const std::size_t end = s.begin + s.count;
  const std::size_t at = end < s.capacity ? end : end - s.capacity;
  const std::size_t room = std::min({s.capacity - s.count, s.capacity - at, kBurst});
  if (room == 0) return;
  s.count += s.queue->read(std::span(&s.held[at], room));
  if (s.count > 0) s.next = s.held[s.begin].time;
}

// The earliest frame, if none can come any more that belongs in front of it, or if it cannot wait.
Merge::Source* Merge::next_to_go(Nanos now) {
  Source* first = nullptr;
  bool all = true, crowded = false;
  for (Source& s : sources_) {
    all = all && s.count > 0;
    crowded = crowded || (!s.patient && s.count + kBurst > s.capacity);
    if (s.count > 0 && (first == nullptr || s.next < first->next)) first = &s;
  }
  return first != nullptr && (all || crowded || first->next <= now - patience_) ? first : nullptr;
}

void Merge::count_if_late(const Source& s) {
  if (s.next >= newest_) {
    newest_ = s.next;
    newest_from_ = &s;
  } else if (newest_from_ != &s) {
    counters_.add(Counter::capture_merge_late);
  }
}

Frame Merge::take(Source& s) {
  const Frame f = s.held[s.begin];
  count_if_late(s);
  s.begin = s.begin + 1 < s.capacity ? s.begin + 1 : 0;
  if (--s.count > 0) {
    s.next = s.held[s.begin].time;
  } else {
    fill(s);
  }
  const std::size_t at = lent_begin_ + lent_count_++;
  lent_[at < lent_.size() ? at : at - lent_.size()] = static_cast<std::uint8_t>(&s - sources_.data());
  return f;
}

std::size_t Merge::read(std::span<Frame> frames, Nanos now) {
  if (sources_.size() == 1) return sources_[0].queue->read(frames);
  for (Source& s : sources_) fill(s);
  const std::size_t most = std::min(frames.size(), lent_.size() - lent_count_);
  std::size_t n = 0;
  while (n < most) {
    Source* s = next_to_go(now);
    if (s == nullptr) break;
    frames[n++] = take(*s);
  }
  return n;
}

void Merge::release(std::size_t frames) {
  if (sources_.size() == 1) return sources_[0].queue->release(frames);
  assert(frames <= lent_count_);
  while (frames > 0) {
    // Runs of frames from one queue go back at once.
    const std::uint8_t source = lent_[lent_begin_];
    std::size_t run = 0;
    while (run < frames && lent_[lent_begin_] == source) {
      ++run;
      --lent_count_;
      if (++lent_begin_ == lent_.size()) lent_begin_ = 0;
    }
    sources_[source].queue->release(run);
    frames -= run;
  }
}

std::optional<double> Merge::backlog() const {
  std::optional<double> most;
  for (const Source& s : sources_)
    if (const std::optional<double> b = s.queue->backlog()) most = std::max(most.value_or(0), *b);
  return most;
}

void Merge::wait(Nanos most) {
  const auto holds = [](const Source& s) { return s.count > 0; };
  const bool held = std::any_of(sources_.begin(), sources_.end(), holds);
  if (held) most = std::min(most, std::max(patience_ / 8, 100 * kMicrosecond));
  const Nanos share = most / static_cast<Nanos>(sources_.size());
  for (Source& s : sources_) {
    if (s.count == 0) s.queue->wait(share);
  }
}

}  // namespace probe::live
