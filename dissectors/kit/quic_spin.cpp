#include "dissectors/kit/quic_spin.h"

#include <algorithm>

namespace probe::quic {
namespace {

// An edge cannot come sooner after another one: a packet that was overtaken brings back the old value for a moment.
constexpr Nanos kLeastGuard = kMillisecond;
// So many packets of both sides without an edge: the bit does not move.
constexpr std::uint32_t kEnoughPackets = 16;

}  // namespace

void RoundTrips::add(Nanos n) {
  const auto us = static_cast<std::uint32_t>(std::clamp<Nanos>(n / kMicrosecond, 0, 0xffffffff));
  least = count == 0 ? us : std::min(least, us);
  greatest = std::max(greatest, us);
  sum += us;
  ++count;
}

Nanos Spin::guard() const { return std::max(kLeastGuard, least_path_ * kMicrosecond / 4); }

void Spin::on_packet(Side from, bool value, Nanos now) {
  Wave& wave = waves_[index_of(from)];
  if (wave.packets++ == 0) {
    wave.value = value;
    return;
  }
  if (value == wave.value) return;
  if (wave.edge != kNoTime && now - wave.edge < guard()) {
    ++too_soon_;
    return;
  }
  wave.value = value;
  on_edge(from, now);
}

// The server sends back what it sees, the client the opposite: an edge of one direction follows from the last edge of
// the other one.
void Spin::on_edge(Side from, Nanos now) {
  Wave &wave = waves_[index_of(from)], &cause = waves_[index_of(other(from))];
  ++edges_;
  if (wave.edge != kNoTime) {
    if (cause.packets > 0 && !wave.answered) ++unanswered_;
    const Nanos path = now - wave.edge;
    path_.add(path);
    const auto us = static_cast<std::uint32_t>(std::min<Nanos>(path / kMicrosecond, 0xffffffff));
    if (least_path_ == 0 || us < least_path_) least_path_ = std::max(us, 1u);
  }
  wave.edge = now;
  wave.answered = false;
  const bool follows = from == Side::server ? cause.value == wave.value : cause.value != wave.value;
  if (cause.edge == kNoTime || cause.answered || !follows || now < cause.edge) return;
  cause.answered = true;
  beyond_[index_of(from)].add(now - cause.edge);
}

SpinState Spin::state(Nanos handshake) const {
  if (edges_ + too_soon_ == 0) {
    const bool enough = waves_[0].packets + waves_[1].packets >= kEnoughPackets;
    return enough ? SpinState::silent : SpinState::unknown;
  }
  if (path_.count == 0) return SpinState::unknown;
  const bool regular = too_soon_ <= edges_ && unanswered_ * 4 <= edges_;
  // No path becomes so much shorter than it was.
  const bool possible = handshake < 0 || least_path_ * kMicrosecond >= handshake / 2;
  return regular && possible ? SpinState::spins : SpinState::rejected;
}

void Spin::start_interval() {
  path_ = {};
  beyond_ = {};
}

}  // namespace probe::quic
