#include "probe/pipeline/direction.h"

#include <gtest/gtest.h>

#include "tests/probe/packet/decoding.h"
#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

using namespace tcp_flag;

// Who opened the flow: the sender of this packet?
struct Told {
  bool sender, certain;
  bool operator==(const Told&) const = default;
};
Told told(const kit::PacketBuilder& b) {
  Decoding decoding;
  EXPECT_TRUE(decoding(b));
  const Direction d = direction_of(decoding.packet);
  return {d.initiator == (decoding.packet.from_high ? 1u : 0u), d.certain};
}
constexpr Told kSender{true, true}, kReceiver{false, true}, kPerhapsSender{true, false}, kPerhapsReceiver{false, false};

Told tcp(std::uint16_t source, std::uint16_t destination, int flags) {
  // Both orders of addresses, since keys are canonical.
  const Told one = told(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(source, destination).flags(flags));
  const Told other = told(kit::ethernet().ipv4("10.0.0.2", "10.0.0.1").tcp(source, destination).flags(flags));
  EXPECT_EQ(one, other);
  return one;
}
Told udp(std::uint16_t source, std::uint16_t destination) {
  return told(kit::ethernet().ipv4("10.0.0.2", "10.0.0.1").udp(source, destination));
}

TEST(Direction, ASynTellsWhateverThePorts) {
  EXPECT_EQ(tcp(80, 40000, kSyn), kSender);
  EXPECT_EQ(tcp(40000, 80, kSyn | kAck), kReceiver);
}

TEST(Direction, InTheMiddleOfAConnectionPortsAreAGuess) {
  EXPECT_EQ(tcp(40000, 80, kAck), kPerhapsSender);
  EXPECT_EQ(tcp(80, 40000, kAck), kPerhapsReceiver);
  EXPECT_EQ(tcp(40000, 50000, kAck), kPerhapsSender);
}

TEST(Direction, WhoSendsADatagramToAServerAsks) {
  EXPECT_EQ(udp(40000, 53), kSender);
  EXPECT_EQ(udp(5353, 5353), kSender);
}

TEST(Direction, ADatagramFromAServerIsAnAnswer) { EXPECT_EQ(udp(53, 40000), kPerhapsReceiver); }

TEST(Direction, AnEchoReplyWasAskedFor) {
  EXPECT_EQ(told(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(0)), kPerhapsReceiver);
  EXPECT_EQ(told(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(8)).sender, true);
  EXPECT_EQ(told(kit::ethernet().ipv6("2001:db8::1", "2001:db8::2").icmpv6(129)), kPerhapsReceiver);
  EXPECT_EQ(told(kit::ethernet().ipv6("2001:db8::1", "2001:db8::2").icmpv6(136)), kPerhapsReceiver);
}

TEST(Direction, ALateSynCorrectsTheGuess) {
  Connection c(80, 40000);  // a client on the server's port
  c.handshake();
  std::swap(c.frames[0], c.frames[1]);  // and the capture has the answer first
  std::swap(c.frames[0].time, c.frames[1].time);
  Probing p;
  const Seen f = p.play(c.frames).finish().flow();
  EXPECT_EQ(f["sourceTransportPort"], 80);
  EXPECT_EQ(f["biflowDirection"], 1);
  EXPECT_EQ(f["packetDeltaCount"], 2);
}

TEST(Direction, AGuessIsMarked) {
  Connection c;
  c.server(kAck | kPsh, "data").client(kAck);
  Probing p;
  const Seen f = p.play(c.frames).finish().flow();
  EXPECT_EQ(f["sourceTransportPort"], 40000);
  EXPECT_EQ(f["biflowDirection"], 0);
  EXPECT_TRUE(is(f, Quality::direction_guessed));
  EXPECT_TRUE(is(f, Quality::mid_stream));
}

TEST(Direction, ThePayloadCorrectsTheGuess) {
  Connection c(8080, 9999);  // ports of which the client's is a server's
  c.client(kAck | kPsh, "GET / HTTP/1.1\r\nHost: h\r\n\r\n").server(kAck | kPsh, "HTTP/1.1 204 No Content\r\n\r\n");
  Probing p;
  const Seen f = p.play(c.frames).finish().flow();
  EXPECT_EQ(f["sourceTransportPort"], 8080);
  EXPECT_EQ(f["biflowDirection"], 1);
  EXPECT_FALSE(is(f, Quality::direction_guessed));
}

}  // namespace
}  // namespace probe::test
