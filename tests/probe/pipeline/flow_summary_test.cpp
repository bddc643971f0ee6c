#include "probe/pipeline/flow_summary.h"

#include <gtest/gtest.h>

#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

using namespace tcp_flag;

Seen flow_of(const std::vector<kit::BuiltFrame>& frames, const DecodeOptions& decoding = {}) {
  Probing p(small_pipeline(), decoding);
  return p.play(frames).finish().flow();
}
Seen flow_of(kit::PacketBuilder& b) { return flow_of({b.time(kStart).build()}); }

TEST(FlowSummary, TellsTheTimesOfTheHandshake) {
  Connection c;
  c.handshake(25 * kMillisecond, 7 * kMillisecond);
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["tcpServerHandshakeRttMicroseconds"], 25'000);
  EXPECT_EQ(f["tcpClientHandshakeRttMicroseconds"], 7'000);
  EXPECT_FALSE(f.contains("tcpServerRttCount")) << "handshake times stand apart";
}

TEST(FlowSummary, TellsTheRoundTripsOfData) {
  Connection c;
  c.handshake();
  for (const Nanos rtt : {20 * kMillisecond, 30 * kMillisecond, 40 * kMillisecond})
    c.after(kMillisecond).client(kAck | kPsh, "data").after(rtt).server(kAck);
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["tcpServerRttMinMicroseconds"], 20'000);
  EXPECT_EQ(f["tcpServerRttMeanMicroseconds"], 30'000);
  EXPECT_EQ(f["tcpServerRttMaxMicroseconds"], 40'000);
  EXPECT_EQ(f["tcpServerRttStdDevMicroseconds"], 8'165);
  EXPECT_EQ(f["tcpServerRttCount"], 3);
  EXPECT_FALSE(f.contains("tcpClientRttCount"));
}

TEST(FlowSummary, SaysNothingOfASideThatWasNotSeen) {
  Connection c;
  c.client(kSyn).after(kMillisecond).client(kAck | kPsh, "x");
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["reversePacketDeltaCount"], 0);
  EXPECT_EQ(f["reverseOctetDeltaCount"], 0);
  for (const char* name : {"reverseTcpControlBits", "reverseTcpRetransmittedPacketCount", "reverseMinimumTTL",
                           "tcpSpuriousRetransmissionPacketCount", "tcpServerHandshakeRttMicroseconds"})
    EXPECT_FALSE(f.contains(name)) << name;
  EXPECT_EQ(f["tcpRetransmittedPacketCount"], 0) << "this side was measured";
  EXPECT_TRUE(is(f, Quality::one_sided));
}

TEST(FlowSummary, KeepsTheTwoDirectionsApart) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").server(kAck | kPsh, "answer").after(300 * kMillisecond).again();
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["tcpRetransmittedPacketCount"], 0);
  EXPECT_EQ(f["reverseTcpRetransmittedPacketCount"], 1);
  EXPECT_EQ(f["reverseTcpRetransmittedOctetCount"], 6);
  EXPECT_EQ(f["tcpControlBits"], kSyn | kAck | kPsh);
  EXPECT_EQ(f["reverseTcpControlBits"], kSyn | kAck | kPsh);
  EXPECT_EQ(f["minimumTTL"], 64);
  EXPECT_EQ(f["reverseMinimumTTL"], 57);
}

TEST(FlowSummary, TellsTheMeanTimeOfTurns) {
  Connection c(40000, 9999);
  c.handshake();
  for (const Nanos t : {10 * kMillisecond, 30 * kMillisecond})
    c.after(kSecond)
        .client(kAck | kPsh, "ask")
        .client(kAck | kPsh, "more")
        .after(t)
        .server(kAck | kPsh, "answer")
        .server(kAck | kPsh, "rest");
  EXPECT_EQ(flow_of(c.frames)["responseTimeMeanMicroseconds"], 20'000);
}

TEST(FlowSummary, TellsTheVlansAndTheMacAddresses) {
  kit::PacketBuilder b = kit::ethernet();
  b.vlan(0x6000 | 100, 0x88a8).vlan(200).ipv4("10.0.0.1", "10.0.0.2").udp(5000, 53);
  const Seen f = flow_of(b);
  EXPECT_EQ(f["vlanId"], 100) << "without priority and DEI";
  EXPECT_EQ(f["dot1qCustomerVlanId"], 200);
  EXPECT_EQ(f["sourceMacAddress"], "02:00:00:00:00:01");
  EXPECT_EQ(f["destinationMacAddress"], "02:00:00:00:00:02");
}

TEST(FlowSummary, TurnsTheMacAddressesWithTheDirection) {
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4("10.0.0.2", "10.0.0.1").tcp(80, 40000).flags(kSyn | kAck);
  const Seen f = flow_of(b);
  EXPECT_EQ(f["sourceIPv4Address"], "10.0.0.1");
  EXPECT_EQ(f["sourceMacAddress"], "02:00:00:00:00:02");
}

TEST(FlowSummary, TellsTheTopLabelOfMpls) {
  kit::PacketBuilder b = kit::ethernet();
  b.mpls(0x12345).mpls(7).ipv4("10.0.0.1", "10.0.0.2").udp(5000, 53);
  const Seen f = flow_of(b);
  EXPECT_EQ(f["mplsTopLabelStackSection"], "123450");
  EXPECT_FALSE(f.contains("sourceMacAddress")) << "those would be of routers";
}

TEST(FlowSummary, TellsTheTunnelOfAnInnerFlow) {
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4("192.0.2.1", "192.0.2.2").udp(50000, 4789).vxlan(4711).ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5000, 53);
  b.zeros(10);
  const Seen f = flow_of(b);
  EXPECT_EQ(f["sourceIPv4Address"], "10.0.0.1");
  EXPECT_EQ(f["tunnelType"], "vxlan");
  EXPECT_EQ(f["tunnelIdentifier"], 4711);
  EXPECT_EQ(f["octetDeltaCount"], 20 + 8 + 10) << "those of the inner packet";
  EXPECT_FALSE(f.contains("sourceMacAddress"));
}

TEST(FlowSummary, StopsAtTheTunnelIfToldTo) {
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4("192.0.2.1", "192.0.2.2").udp(50000, 4789).vxlan(4711).ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(5000, 53);
  DecodeOptions o;
  o.open_tunnels = false;
  const Seen f = flow_of({b.time(kStart).build()}, o);
  EXPECT_EQ(f["sourceIPv4Address"], "192.0.2.1");
  EXPECT_EQ(f["destinationTransportPort"], 4789);
  EXPECT_FALSE(f.contains("tunnelType"));
}

TEST(FlowSummary, TellsTypeAndCodeOfIcmp) {
  kit::PacketBuilder v4 = kit::ethernet(), v6 = kit::ethernet();
  v4.ipv4("10.0.0.1", "10.0.0.2").icmp(3, 1);
  v6.ipv6("2001:db8::1", "2001:db8::2").icmpv6(128);
  EXPECT_EQ(flow_of(v4)["icmpTypeCodeIPv4"], 3 * 256 + 1);
  const Seen f = flow_of(v6);
  EXPECT_EQ(f["icmpTypeCodeIPv6"], 128 * 256);
  EXPECT_EQ(f["sourceIPv6Address"], "2001:db8::1");
  EXPECT_FALSE(f.contains("sourceTransportPort"));
  EXPECT_FALSE(f.contains("tcpControlBits"));
}

TEST(FlowSummary, TellsProtocolsThatHaveNoPorts) {
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4("10.0.0.1", "10.0.0.2").protocol(89).zeros(44);
  const Seen f = flow_of(b);
  EXPECT_EQ(f["protocolIdentifier"], 89);
  EXPECT_EQ(f["octetDeltaCount"], 64);
  EXPECT_FALSE(f.contains("sourceTransportPort"));
}

TEST(FlowSummary, TellsTheTrafficClassOfTheInitiator) {
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4("10.0.0.1", "10.0.0.2").traffic_class(0xb8).udp(5000, 53);
  EXPECT_EQ(flow_of(b)["ipClassOfService"], 0xb8);
}

}  // namespace
}  // namespace probe::test
