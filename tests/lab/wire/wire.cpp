#include "tests/lab/wire/wire.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <functional>
#include <utility>

#include "tests/lab/wire/text.h"

namespace probe::lab {
namespace {

constexpr Nanos kLongestSleep = 100 * kMillisecond;  // how late a signal may be noticed
constexpr std::size_t kLargestFrame = 65'536 + 64;   // an IP packet and what precedes it
constexpr int kReceiveBurst = 64;

Nanos clock_now(clockid_t clock) {
  timespec ts{};
  clock_gettime(clock, &ts);
  return ts.tv_sec * kSecond + ts.tv_nsec;
}

Link make_link(const Options& o, std::size_t link, Direction d) {
  return {"ab"[link], d, o.links[link][index(d)], o.seed * 4 + link * 2 + index(d)};
}

}  // namespace

Wire::Wire(Options options)
    : options_(std::move(options)),
      log_(options_.log),
      links_{{{make_link(options_, 0, Direction::a2b), make_link(options_, 0, Direction::b2a)},
              {make_link(options_, 1, Direction::a2b), make_link(options_, 1, Direction::b2a)}}} {
  for (std::size_t i = 0; i < taps_.size(); ++i) taps_[i] = open_tap(options_.ports[i], options_.offload);
  if (options_.mirror) mirror_ = open_tap(*options_.mirror);
  if (!options_.pcap.empty()) pcap_.emplace(options_.pcap);
}

// A frame from A crosses link A to the tap and link B from there on; a frame from B the other way round.
Link& Wire::link_of(Stage stage, Direction d) {
  const bool a = (stage == Stage::to_tap) == (d == Direction::a2b);
  return links_[a ? 0 : 1][index(d)];
}

void Wire::run(const std::atomic<bool>& stop) {
  const Nanos started = clock_now(CLOCK_MONOTONIC);
  wall_offset_ = clock_now(CLOCK_REALTIME) - started;
  while (!stop) {
    Nanos now = clock_now(CLOCK_MONOTONIC);
    if (options_.duration && now - started >= options_.duration) break;
    while (!events_.empty() && events_.top().at <= now) {
      Event e = events_.top();
      events_.pop();
      release(std::move(e), now);
      now = clock_now(CLOCK_MONOTONIC);
    }
    wait(now, started);
    for (const auto d : kDirections) receive(d);
  }
  finish();
}

void Wire::wait(Nanos now, Nanos started) {
  std::array<pollfd, 2> fds = {pollfd{taps_[0].get(), POLLIN, 0}, pollfd{taps_[1].get(), POLLIN, 0}};
  Nanos timeout = kLongestSleep;
  if (!events_.empty()) timeout = std::clamp<Nanos>(events_.top().at - now - options_.spin, 0, timeout);
  if (options_.duration) timeout = std::clamp<Nanos>(started + options_.duration - now, 0, timeout);
  const timespec ts{timeout / kSecond, timeout % kSecond};
  if (ppoll(fds.data(), fds.size(), &ts, nullptr) < 0 && errno != EINTR) fail_errno("ppoll");
}

void Wire::receive(Direction d) {
  std::array<std::uint8_t, kLargestFrame> buffer;
  for (int budget = kReceiveBurst; budget > 0; --budget) {
    const ssize_t n = read(taps_[index(d)].get(), buffer.data(), buffer.size());
    if (n <= 0) {
      if (n < 0 && errno != EAGAIN && errno != EINTR && errno != EIO) fail_errno("read tap");
      return;
    }
    const Bytes octets = Bytes(buffer).first(static_cast<std::size_t>(n));
    if (octets.size() < packet_at()) continue;
    const Summary s = summarise(packet(octets));
    if (!s.traffic) {  // address resolution and the like cross at once and are never lost
      deliver(d, octets);
      continue;
    }
    const Nanos now = clock_now(CLOCK_MONOTONIC);
    auto frame = std::make_shared<const Frame>(octets.begin(), octets.end());
    cross(Event{now, 0, Stage::to_tap, d, ++next_id_, now, std::move(frame)}, s, now);
  }
}

// Sends one frame over the link that e.stage names.
void Wire::cross(Event e, Summary s, Nanos now) {
  const Fate fate = link_of(e.stage, e.direction).accept(packet(*e.frame).size(), s, options_.rules, now);
  if (fate.dropped) return note("drop", fate.why, e, s, now);
  if (fate.held) note("hold", fate.why, e, s, now, fate.extra);
  if (fate.duplicated) note("dup", fate.why, e, s, now);
  if (fate.congested) {
    Frame marked = *e.frame;
    if (mark_congestion(marked, packet_at())) {
      s.traffic_class |= kCe;
      note("ce", "random", e, s, now);
      e.frame = std::make_shared<const Frame>(std::move(marked));
    }
  }
  e.at = fate.release;
  for (int copies = fate.duplicated ? 2 : 1; copies > 0; --copies) {
    e.order = ++next_order_;
    events_.push(e);
  }
}

void Wire::release(Event e, Nanos now) {
  totals_.lateness.push_back(now - e.at);
  link_of(e.stage, e.direction).released();
  if (e.stage == Stage::to_tap) return at_tap(std::move(e), now);
  deliver(e.direction, *e.frame);
  if (options_.log_all) note("out", "", e, summarise(packet(*e.frame)), now);
}

void Wire::at_tap(Event e, Nanos now) {
  const Nanos seen = last_seen_ = std::max(now, last_seen_ + 1);  // capture times increase strictly
  if (pcap_) pcap_->frame(seen + wall_offset_, packet(*e.frame));
  if (mirror_ && ::write(mirror_->get(), packet(*e.frame).data(), packet(*e.frame).size()) < 0) ++totals_.mirror_errors;
  const Summary s = summarise(packet(*e.frame));
  if (options_.log_all) note("tap", "", e, s, seen);
  e.stage = Stage::to_far_end;
  cross(std::move(e), s, now);
}

void Wire::deliver(Direction d, Bytes frame) {
  const Fd& far = taps_[d == Direction::a2b ? 1 : 0];
  if (::write(far.get(), frame.data(), frame.size()) < 0) ++totals_.delivery_errors;
}

void Wire::note(const char* event, const char* why, const Event& e, const Summary& s, Nanos time, Nanos extra) {
  log_.write({event, why, link_of(e.stage, e.direction).name(), e.direction, e.id, time + wall_offset_,
              e.received + wall_offset_, extra},
             s);
}

void Wire::finish() {
  totals_.frames = next_id_;
  for (std::size_t link = 0; link < links_.size(); ++link)
    for (const auto d : kDirections) totals_.links[link][index(d)] = links_[link][index(d)].counts();
  log_.finish(totals_);
}

}  // namespace probe::lab
