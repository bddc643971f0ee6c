#include "tests/lab/wire/link.h"

#include <algorithm>

namespace probe::lab {

Link::Link(char name, Direction direction, const Impairment& impairment, std::uint64_t seed)
    : name_(name), direction_(direction), impairment_(impairment), random_(seed), more_random_(~seed) {}

Fate Link::accept(std::size_t octets, const Summary& s, std::span<Rule> rules, Nanos now) {
  ++counts_.in;
  std::uniform_real_distribution<double> unit(0, 1);
  // Always the same number of draws, so that turning one knob does not shift the chances of the others.
  const double loss = unit(random_), duplicate = unit(random_), reorder = unit(random_), jitter = unit(random_);
  Fate fate;
  fate.dropped = in_burst() || loss < impairment_.loss;
  fate.congested = unit(more_random_) < impairment_.congestion;
  fate.duplicated = duplicate < impairment_.duplicate;
  fate.held = reorder < impairment_.reorder;
  fate.extra = fate.held ? impairment_.reorder_hold : 0;
  for (Rule& rule : rules) {
    if (!rule.fires(name_, direction_, s)) continue;
    fate.why = "rule";
    if (rule.action == Action::drop) fate.dropped = true;
    if (rule.action == Action::duplicate) fate.duplicated = true;
    if (rule.action == Action::hold) fate.held = true, fate.extra = rule.hold;
  }
  if (fate.dropped) {
    ++counts_.lost;
    return fate;
  }
  fate.release = now;
  if (!fits_queue(octets, now, fate.release)) {
    ++counts_.queue_drops;
    fate.dropped = true;
    fate.why = "queue";
    return fate;
  }
  fate.release +=
      impairment_.delay + static_cast<Nanos>((jitter * 2 - 1) * static_cast<double>(impairment_.jitter)) + fate.extra;
  if (!fate.held) fate.release = last_release_ = std::max({fate.release, last_release_, now});
  counts_.held += fate.held;
  counts_.duplicated += fate.duplicated;
  return fate;
}

bool Link::in_burst() {
  const double turn = std::uniform_real_distribution<double>(0, 1)(more_random_);
  bad_ = bad_ ? turn >= impairment_.burst_end : turn < impairment_.burst;
  return bad_;
}

bool Link::fits_queue(std::size_t octets, Nanos now, Nanos& release) {
  if (impairment_.rate <= 0) return true;
  const auto serialisation =
      static_cast<Nanos>(static_cast<double>(octets) * 8 * static_cast<double>(kSecond) / impairment_.rate);
  const Nanos start = std::max(now, line_free_);
  if (start - now > serialisation * static_cast<Nanos>(impairment_.queue)) return false;
  release = line_free_ = start + serialisation;
  return true;
}

}  // namespace probe::lab
