#include "probe/run/live_intake.h"

#include <random>

#include "probe/run/lane.h"

namespace probe::run {
namespace {

live::MergeOptions merge_options(const Options& o) {
  live::MergeOptions m;
  m.window = o.capture_merge_window;
  return m;
}

// Nobody who sends packets can know which ones would be taken for copies of others.
DecodeOptions live_decode_options(const Options& o) {
  DecodeOptions d = decode_options(o);
  std::random_device random;
  d.duplicate_key = std::uint64_t{random()} << 32 | random();
  return d;
}

}  // namespace

LiveIntake::LiveIntake(const Options& o, std::vector<live::Queue*> queues, const live::Filter* filter,
                       Counters& counters)
    : counters_(counters),
      merge_(std::move(queues), merge_options(o), counters),
      decoder_(live_decode_options(o), counters),
      sampler_(sampling_options(o), counters),
      filter_(filter) {}

void LiveIntake::count(std::span<const Frame> frames) {
  std::uint64_t octets = 0, cut = 0;
  newest_ = frames.front().time;
  for (const Frame& f : frames) {
    octets += f.wire_length;
    cut += f.octets.size() < f.wire_length ? 1 : 0;
    newest_ = std::max(newest_, f.time);
  }
  counters_.add(Counter::capture_frames, frames.size());
  counters_.add(Counter::capture_octets, octets);
  counters_.add(Counter::capture_frames_cut, cut);
}

std::size_t LiveIntake::decode(std::span<const Frame> frames) {
  count(frames);
  const live::Filter& filter = *filter_.load(std::memory_order_acquire);
  decoder_.new_burst();
  std::size_t n = 0;
  for (const Frame& f : frames) {
    if (!filter.passes(f)) {
      counters_.add(Counter::capture_filtered);
      continue;
    }
    if (decoder_.decode(f, packets_[n]) && sampler_.takes(packets_[n])) ++n;
  }
  return n;
}

double LiveIntake::backlog() {
  busy_looks_ = read_any_ && !caught_up_ ? busy_looks_ + 1 : 0;
  read_any_ = caught_up_ = false;
  return merge_.backlog().value_or(busy_looks_ >= kBusyLooks ? 1 : 0);
}

std::size_t LiveIntake::pass_over(Nanos now, StageTimes& stages) {
  const std::size_t n = merge_.read(frames_, now);
  if (n == 0) {
    caught_up_ = true;
    stages.did(Stage::idle);
    return 0;
  }
  count(std::span(frames_).first(n));
  read_any_ = true;
  counters_.add(Counter::dispatch_frames_unseen, n);
  merge_.release(n);
  stages.did(Stage::receive);
  return n;
}

}  // namespace probe::run
