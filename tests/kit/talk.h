// Feeds one session of a dissector what two sides say, obeying its steps as the stream does: for tests of a dissector
// by itself, without packets.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "dissectors/dissector.h"
#include "tests/kit/record_list.h"

namespace probe::test {

class Talk {
 public:
  explicit Talk(const Dissector& d) : session_(d.open(slot_.octets)) {}
  ~Talk() {
    if (session_) session_->~Session();
  }
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  Talk& client(std::string_view s) { return say(Side::client, s); }
  Talk& server(std::string_view s) { return say(Side::server, s); }
  // One segment, or one datagram.
  Talk& say(Side from, std::string_view s) {
    Direction& d = of(from);
    for (const char c : s) d.pending.push_back({static_cast<std::uint8_t>(c), now_});
    d.latest = now_;
    deliver(from);
    return *this;
  }
  Talk& after(Nanos t) {
    now_ += t;
    return *this;
  }
  // The next `n` octets of this side never come.
  Talk& lose(Side from, std::uint64_t n) {
    Direction& d = of(from);
    const std::uint64_t harmless = std::min(n, d.skip);
    if (d.skip != kToTheEnd) d.skip -= harmless;
    if (harmless > 0 && d.skip == 0) passed(from);
    d.pending.clear();
    d.needed = 1;
    if (session_ && n > harmless) session_->on_gap(from, n - harmless, records_);
    return *this;
  }
  Talk& end(Side from) {
    if (session_) session_->on_side_end(from, {of(from).latest, of(from).latest}, records_);
    return *this;
  }
  // The end of the flow.
  RecordList& finish() {
    if (session_) session_->on_end(records_);
    close();
    return records_;
  }

  RecordList& records() { return records_; }
  bool given_up() const { return !session_; }
  Nanos now() const { return now_; }
  std::size_t calls() const { return calls_; }
  std::size_t most_needed() const { return most_needed_; }

 private:
  struct Octet {
    std::uint8_t value;
    Nanos time;
  };
  struct Direction {
    std::vector<Octet> pending;
    std::uint64_t needed = 1;
    std::uint64_t skip = 0;
    Nanos skip_first = kNoTime;
    Nanos latest = kNoTime;
  };
  Direction& of(Side s) { return directions_[index_of(s)]; }
  void close() {
    if (session_) session_->~Session();
    session_ = nullptr;
  }
  void passed(Side from) {
    Direction& d = of(from);
    answer(from, 0, session_->on_data(from, {}, {d.skip_first, now_}, records_));
  }
  void drop(Direction& d, std::size_t n) {
    d.pending.erase(d.pending.begin(), d.pending.begin() + static_cast<std::ptrdiff_t>(n));
  }
  void deliver(Side from) {
    Direction& d = of(from);
    while (session_ && !d.pending.empty()) {
      if (d.skip > 0) {
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(d.skip, d.pending.size()));
        if (d.skip_first == kNoTime) d.skip_first = d.pending.front().time;
        drop(d, n);
        if (d.skip != kToTheEnd) d.skip -= n;
        if (d.skip == 0) passed(from);
        continue;
      }
      if (d.pending.size() < d.needed) return;
      // A copy of exactly this size, so that a sanitizer sees every octet read beyond it.
      const std::size_t n = d.pending.size();
      const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[n]);
      std::transform(d.pending.begin(), d.pending.end(), copy.get(), [](const Octet& o) { return o.value; });
      ++calls_;
      const Arrival at{d.pending.front().time, d.pending.back().time};
      answer(from, n, session_->on_data(from, {copy.get(), n}, at, records_));
    }
  }
  void answer(Side from, std::size_t had, Step step) {
    Direction& d = of(from);
    d.needed = 1;
    switch (step.what) {
      case Step::What::used:
        if (step.octets > had || (had > 0 && step.octets == 0)) throw std::logic_error("used nothing, or too much");
        return drop(d, static_cast<std::size_t>(step.octets));
      case Step::What::need:
        if (step.octets <= had || step.octets > kMostNeeded) throw std::logic_error("needs what is there, or too much");
        d.needed = step.octets;
        most_needed_ = std::max(most_needed_, static_cast<std::size_t>(step.octets));
        return;
      case Step::What::skip:
        d.skip = step.octets;
        d.skip_first = kNoTime;
        return;
      case Step::What::unsure:
        return drop(d, had);
      case Step::What::not_ours:
        return close();
    }
  }

  struct Slot {
    alignas(std::max_align_t) std::byte octets[kSessionOctets];
  } slot_;
  RecordList records_;  // outlives the session, whose drafts belong to it
  Session* session_;
  std::array<Direction, 2> directions_;
  Nanos now_ = 1'700'000'000 * kSecond;
  std::size_t calls_ = 0;
  std::size_t most_needed_ = 0;
};

}  // namespace probe::test
