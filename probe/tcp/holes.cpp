#include "probe/tcp/holes.h"

#include <algorithm>
#include <cassert>

#include "probe/base/sequence.h"

namespace probe::tcp {
namespace {

std::uint32_t later(std::uint32_t a, std::uint32_t b) { return sequence_before(a, b) ? b : a; }
std::uint32_t earlier(std::uint32_t a, std::uint32_t b) { return sequence_before(a, b) ? a : b; }
std::uint32_t length(std::uint32_t begin, std::uint32_t end) { return sequence_before(begin, end) ? end - begin : 0; }

}  // namespace

bool Holes::open(const Hole& hole, std::uint32_t acknowledged) {
  bool lost = false;
  if (count_ == kCapacity) {
    lost = sequence_before(acknowledged, holes_[0].end);
    erase(0);
  }
  const bool first = count_ != 0 && sequence_before(hole.begin, holes_[0].begin);
  insert(first ? 0 : count_, hole);
  return lost;
}

Holes::Fill Holes::fill(std::uint32_t begin, std::uint32_t end, std::uint32_t acknowledged) {
  Fill fill;
  for (unsigned i = 0; i < count_;) {
    Hole& hole = holes_[i];
    const std::uint32_t from = later(begin, hole.begin), to = earlier(end, hole.end);
    if (!sequence_before(from, to)) {
      ++i;
      continue;
    }
    if (fill.octets == 0) fill.hole = hole;
    fill.octets += to - from;
    fill.acknowledged += length(from, earlier(to, acknowledged));
    const bool left = from != hole.begin, right = to != hole.end;
    if (left && right) {
      Hole lower = hole;
      lower.end = from;
      hole.begin = to;
      if (count_ == kCapacity) {
        fill.forgot = true;
      } else {
        insert(i, lower);
      }
      return fill;  // what lies inside of one hole touches no other
    }
    if (left) hole.end = from;
    if (right) hole.begin = to;
    if (left || right) {
      ++i;
    } else {
      erase(i);
    }
  }
  return fill;
}

std::uint32_t Holes::octets(std::uint32_t begin, std::uint32_t end) const {
  std::uint32_t n = 0;
  for (unsigned i = 0; i < count_; ++i) n += length(later(begin, holes_[i].begin), earlier(end, holes_[i].end));
  return n;
}

void Holes::insert(unsigned at, const Hole& hole) {
  assert(count_ < kCapacity);
  std::copy_backward(holes_.begin() + at, holes_.begin() + count_, holes_.begin() + count_ + 1);
  holes_[at] = hole;
  ++count_;
}

void Holes::erase(unsigned at) {
  std::copy(holes_.begin() + at + 1, holes_.begin() + count_, holes_.begin() + at);
  --count_;
}

}  // namespace probe::tcp
