// What the reader of a stream is offered, how it answers, and messages that cross a segment border.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>

#include "probe/tcp/stream.h"

namespace probe::tcp {

void Kept::append(Bytes more, Nanos first, Nanos last) {
  std::memcpy(octets() + end, more.data(), more.size());
  end += static_cast<std::uint32_t>(more.size());
  Mark* newest = marks > 0 ? &mark[marks - 1] : nullptr;
  if (newest && (marks == kMarks || (newest->first == first && newest->last == last))) {
    newest->last = std::max(newest->last, last);
    newest->end = end;
    return;
  }
  mark[marks++] = {first, last, end};
}

void Kept::times(std::uint32_t n, Nanos& first, Nanos& last) const {
  std::uint8_t i = 0;
  while (i + 1 < marks && mark[i].end <= begin) ++i;
  first = mark[i].first;
  last = mark[i].last;
  while (i + 1 < marks && mark[i].end < begin + n) last = std::max(last, mark[++i].last);
}

void Kept::move_to(Kept& to) {
  std::memmove(to.octets(), octets() + begin, size());
  const std::uint32_t shift = begin;
  const std::uint8_t count = marks;
  to.end = size();
  to.begin = 0;
  to.marks = 0;
  for (std::uint8_t i = 0; i < count; ++i)
    if (mark[i].end > shift) to.mark[to.marks++] = {mark[i].first, mark[i].last, mark[i].end - shift};
}

bool StreamReader::enough() const {
  const std::size_t octets = kept_octets() + now_.size();
  return octets >= s_.needed_ || (final_ && octets > 0);
}

// In place if nothing is kept; else copied behind what is kept, as much as fits the block that the need asks for.
bool StreamReader::offer(Piece& p) {
  p.what = Piece::What::data;
  p.final = final_;
  if (kept_octets() == 0) {
    p.data = now_;
    p.first = first_;
    p.last = last_;
    return true;
  }
  if (const std::uint32_t have = kept_octets(); have < s_.needed_ && !now_.empty()) {
    Kept* k = room_for(s_.needed_);
    if (!k) return tell_gap(p);
    const std::size_t room = StreamPool::kept_room(k->size_class) - k->end;
    const Bytes more = now_.first(std::min(room, now_.size()));
    k->append(more, first_, last_);
    appended_ = static_cast<std::uint32_t>(more.size());
  }
  p.data = Bytes(s_.kept_->octets(), s_.kept_->end).subspan(s_.kept_->begin);
  s_.kept_->times(s_.kept_->size(), p.first, p.last);
  return true;
}

// now_ is less than is needed. False: there is no memory for it.
bool StreamReader::keep() {
  Kept* k = room_for(kept_octets() + now_.size());
  if (!k) return false;
  k->append(now_, first_, last_);
  pass_now(now_.size());
  return true;
}

// The kept message in a block that has room for `octets` of it. nullptr, and what is at hand is lost, if there is none.
Kept* StreamReader::room_for(std::size_t octets) {
  assert(octets <= StreamPool::kMostKept);
  Kept* k = s_.kept_;
  if (k && StreamPool::kept_room(k->size_class) >= octets) {
    if (k->begin > 0) k->move_to(*k);
    return k;
  }
  for (std::uint8_t c = StreamPool::kSmall; c < StreamPool::kClasses; ++c) {
    void* block = StreamPool::kept_room(c) >= octets ? pool_.take(c) : nullptr;
    if (!block) continue;
    auto* grown = new (block) Kept{};
    grown->size_class = c;
    if (k) {
      k->move_to(*grown);
      pool_.give(k, k->size_class);
    } else {
      counters_.add(Counter::stream_messages_kept);
    }
    return s_.kept_ = grown;
  }
  counters_.add(Counter::stream_pool_empty);
  gap_ = kept_octets() + now_.size();
  drop_kept();
  pass_now(now_.size());
  return nullptr;
}

void StreamReader::drop_kept() {
  if (s_.kept_) pool_.give(s_.kept_, s_.kept_->size_class);
  s_.kept_ = nullptr;
  s_.needed_ = 1;
}

void StreamReader::used(std::uint64_t octets) {
  assert(octets <= kept_octets() + now_.size());
  s_.needed_ = 1;
  if (Kept* k = s_.kept_) {
    const std::uint64_t before = k->size() - appended_;
    if (octets < before) {
      k->begin += static_cast<std::uint32_t>(octets);
      pass_now(appended_);
    } else {  // back to the octets in place
      drop_kept();
      pass_now(octets - before);
    }
    appended_ = 0;
  } else {
    pass_now(octets);
  }
}

void StreamReader::need(std::uint64_t octets) {
  if (final_) return drop_kept();
  assert(octets <= StreamPool::kMostKept);
  s_.needed_ = static_cast<std::uint16_t>(octets);
  pass_now(appended_);
  appended_ = 0;
}

void StreamReader::skip(std::uint64_t octets) {
  const std::uint64_t kept = std::min<std::uint64_t>(octets, kept_octets());
  s_.skip_first_ = s_.skip_last_ = Stream::kNever;
  if (kept > 0) {
    Nanos first = 0, last = 0;
    s_.kept_->times(static_cast<std::uint32_t>(kept), first, last);
    s_.skipped(first);
    s_.skipped(last);
    used(kept);
  }
  s_.needed_ = 1;
  s_.skipping_ = true;
  s_.skip_ = octets == Stream::kToTheEnd ? octets : octets - kept;
}

// Takes of now_ what is to be skipped. True: the skip is over.
bool StreamReader::pass_over() {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(now_.size(), s_.skip_));
  if (n > 0) {
    s_.skipped(first_);
    s_.skipped(last_);
    if (s_.skip_ != Stream::kToTheEnd) s_.skip_ -= n;
    pass_now(n);
  }
  return s_.skip_ == 0;
}

bool StreamReader::tell_passed(Piece& p) {
  s_.skipping_ = false;
  p = {};
  p.what = Piece::What::passed;
  p.first = s_.skip_first_;
  p.last = s_.skip_last_;
  return true;
}

bool StreamReader::tell_gap(Piece& p) {
  if (const std::uint32_t kept = kept_octets()) counters_.add(Counter::stream_octets_dropped, kept);
  drop_kept();
  counters_.add(Counter::stream_gaps);
  counters_.add(Counter::stream_gap_octets, gap_);
  p = {};
  p.what = Piece::What::gap;
  p.gap = gap_;
  return true;
}

bool StreamReader::tell_end(Piece& p) {
  s_.ended_ = true;
  s_.release(pool_);  // what was sent behind the FIN
  p = {};
  p.what = Piece::What::end;
  p.first = p.last = s_.last_;
  return told_ || s_.fin_known_;
}

}  // namespace probe::tcp
