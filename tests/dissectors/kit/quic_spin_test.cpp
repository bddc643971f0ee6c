#include "dissectors/kit/quic_spin.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace probe::quic {
namespace {

constexpr Nanos ms(double n) { return static_cast<Nanos>(n * kMillisecond); }

// What passes the probe of a connection whose sides send a packet each `step`: client and server with the rules of RFC
// 9000 §17.4, `to_client` and `to_server` one way from the probe.
struct Passing {
  Nanos time;
  Side from;
  bool value;
};
std::vector<Passing> connection(Nanos to_client, Nanos to_server, Nanos step, Nanos duration) {
  std::vector<Passing> out;
  for (Nanos t = 0; t < duration; t += step) {
    const Nanos round = 2 * (to_client + to_server);
    // The client inverts what it sees once a round trip; the server echoes it half a round trip later.
    out.push_back({t + to_client, Side::client, t / round % 2 != 0});
    const Nanos heard = t - to_client - to_server;  // what the server sees at t left the client then
    if (heard >= 0) out.push_back({t + to_server, Side::server, heard / round % 2 != 0});
  }
  std::stable_sort(out.begin(), out.end(), [](const Passing& a, const Passing& b) { return a.time < b.time; });
  return out;
}

void play(Spin& spin, const std::vector<Passing>& packets) {
  for (const Passing& p : packets) spin.on_packet(p.from, p.value, kSecond + p.time);
}

TEST(Spin, TellsThePathAndBothOfItsParts) {
  Spin spin;
  play(spin, connection(ms(5), ms(20), ms(0.1), ms(1000)));
  EXPECT_EQ(spin.state(ms(50)), SpinState::spins);
  EXPECT_NEAR(spin.path().least, 50'000, 200);
  EXPECT_NEAR(spin.path().greatest, 50'000, 200);
  EXPECT_NEAR(spin.path().count, 2 * 1000 / 50, 4);
  EXPECT_NEAR(spin.beyond(Side::server).mean(), 40'000, 200);
  EXPECT_NEAR(spin.beyond(Side::client).mean(), 10'000, 200);
}

TEST(Spin, OfOneDirectionTellsThePathOnly) {
  Spin spin;
  for (const Passing& p : connection(ms(5), ms(20), ms(0.5), ms(1000)))
    if (p.from == Side::server) spin.on_packet(p.from, p.value, kSecond + p.time);
  EXPECT_EQ(spin.state(-1), SpinState::spins);
  EXPECT_NEAR(spin.path().least, 50'000, 600);
  EXPECT_EQ(spin.beyond(Side::server).count + spin.beyond(Side::client).count, 0u);
}

TEST(Spin, IsNotFooledByPacketsThatWereOvertaken) {
  auto packets = connection(ms(5), ms(20), ms(0.5), ms(1000));
  for (const Side side : {Side::client, Side::server}) {  // the first packet of each value overtakes the one before it
    Passing* before = nullptr;
    for (Passing& p : packets) {
      if (p.from != side) continue;
      const bool edge = before && before->value != p.value;
      if (edge) std::swap(before->value, p.value);
      before = edge ? nullptr : &p;
    }
  }
  Spin spin;
  play(spin, packets);
  EXPECT_EQ(spin.state(ms(50)), SpinState::spins);
  EXPECT_NEAR(spin.path().least, 50'000, 1'100);
  EXPECT_NEAR(spin.path().greatest, 50'000, 1'100);
}

TEST(Spin, ThatStandsStillIsSilent) {
  Spin spin;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(spin.state(ms(50)), SpinState::unknown) << "too few packets to tell";
    spin.on_packet(Side::client, true, ms(i));
    spin.on_packet(Side::server, false, ms(i));
  }
  EXPECT_EQ(spin.state(ms(50)), SpinState::silent);
}

TEST(Spin, AtRandomIsRejectedHoweverFastPacketsCome) {
  for (const double gap : {0.1, 3.0, 30.0, 400.0}) {
    Spin spin;
    std::mt19937 random(1);
    for (int i = 0; i < 400; ++i)
      spin.on_packet(random() % 2 ? Side::client : Side::server, random() % 2 != 0, kSecond + i * ms(gap));
    EXPECT_EQ(spin.state(ms(50)), SpinState::rejected) << gap;
  }
}

TEST(Spin, FarFasterThanTheHandshakeIsRejected) {
  Spin spin;
  play(spin, connection(ms(2), ms(3), ms(0.5), ms(500)));
  EXPECT_EQ(spin.state(-1), SpinState::spins);
  EXPECT_EQ(spin.state(ms(50)), SpinState::rejected);
}

TEST(Spin, BeginsAnewWithTheInterval) {
  Spin spin;
  play(spin, connection(ms(5), ms(20), ms(0.5), ms(1000)));
  spin.start_interval();
  EXPECT_EQ(spin.path().count, 0u);
  EXPECT_EQ(spin.state(-1), SpinState::unknown);
}

}  // namespace
}  // namespace probe::quic
