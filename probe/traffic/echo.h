// Echo requests of ICMP and the replies to them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "probe/base/nanos.h"

namespace probe::traffic {

// Of one sender of requests. A request is known by identifier and sequence number together (RFC 792); one that comes
// again before its reply leaves it open which of them was answered, so both count and give no time.
class Echoes {
 public:
  static constexpr unsigned kOutstanding = 8;

  void on_request(std::uint32_t who, Nanos now) {
    ++requests_;
    if (Waiting* w = find(who)) {
      w->ambiguous = true;
      return;
    }
    Waiting& w = waiting_[next_++ % kOutstanding];
    if (w.open) ++unanswered_;  // that was long ago: as many others have been asked since
    w = {now, who, true, false};
  }
  void on_reply(std::uint32_t who, Nanos now) {
    Waiting* w = find(who);
    if (!w) return;
    w->open = false;
    if (w->ambiguous || now < w->asked) return;
    const auto us = static_cast<std::uint32_t>(std::min<Nanos>((now - w->asked) / kMicrosecond, 0xffffffff));
    least_ = count_ == 0 ? us : std::min(least_, us);
    greatest_ = count_ == 0 ? us : std::max(greatest_, us);
    sum_ += us;
    ++count_;
  }
  // No reply comes any more.
  void finish() {
    for (Waiting& w : waiting_) {
      if (w.open) ++unanswered_;
      w.open = false;
    }
  }
  void start_interval() { requests_ = unanswered_ = count_ = least_ = greatest_ = 0, sum_ = 0; }

  std::uint32_t requests() const { return requests_; }
  std::uint32_t unanswered() const { return unanswered_; }
  std::uint32_t count() const { return count_; }  // of the round trips
  std::uint32_t least() const { return least_; }  // these in microseconds
  std::uint32_t mean() const { return static_cast<std::uint32_t>(sum_ / count_); }
  std::uint32_t greatest() const { return greatest_; }

 private:
  struct Waiting {
    Nanos asked = 0;
    std::uint32_t who = 0;
    bool open = false, ambiguous = false;
  };
  Waiting* find(std::uint32_t who) {
    const auto i = std::ranges::find_if(waiting_, [who](const Waiting& w) { return w.open && w.who == who; });
    return i == waiting_.end() ? nullptr : &*i;
  }

  std::array<Waiting, kOutstanding> waiting_;
  std::uint64_t sum_ = 0;
  std::uint32_t requests_ = 0, unanswered_ = 0, count_ = 0, least_ = 0, greatest_ = 0;
  std::uint32_t next_ = 0;
};

}  // namespace probe::traffic
