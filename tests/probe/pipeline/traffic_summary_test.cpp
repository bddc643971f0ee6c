#include "probe/pipeline/traffic_summary.h"

#include <gtest/gtest.h>

#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

using namespace tcp_flag;
constexpr const char *kA = "10.0.0.1", *kB = "10.0.0.2", *kRouter = "203.0.113.1";

PipelineOptions with(const MetricsOptions& metrics) {
  PipelineOptions o = small_pipeline();
  o.metrics = metrics;
  return o;
}
Seen flow_of(const std::vector<kit::BuiltFrame>& frames, const MetricsOptions& metrics = {}) {
  Probing p(with(metrics));
  return p.play(frames).finish().flow();
}
// The only record with this value of an element.
Seen flow_with(const Probing& p, const std::string& name, std::uint64_t value) {
  for (const Seen& f : p.flows())
    if (f[name] == value) return f;
  return {};
}

kit::PacketBuilder udp(Nanos time, bool from_a = true) {
  return std::move(
      kit::ethernet().ipv4(from_a ? kA : kB, from_a ? kB : kA).udp(from_a ? 5000 : 53, from_a ? 53 : 5000).time(time));
}
// A router tells A about the packet that A has sent.
kit::BuiltFrame error(Nanos time, std::uint8_t type, std::uint8_t code, std::uint32_t rest, kit::PacketBuilder about) {
  return kit::ethernet().ipv4(kRouter, kA).icmp(type, code, rest).payload(about.octets()).time(time).build();
}
kit::PacketBuilder quoted_udp() { return std::move(kit::raw_ip().ipv4(kA, kB).udp(5000, 53)); }

TEST(Path, TellsTheTtlsOfEachSide) {
  const Seen f = flow_of({udp(kStart).zeros(4).build(),
                          kit::ethernet().ipv4(kA, kB).ttl(60).udp(5000, 53).time(kStart + 1).build(),
                          kit::ethernet().ipv4(kA, kB).ttl(64).udp(5000, 53).time(kStart + 2).build(),
                          kit::ethernet().ipv4(kB, kA).ttl(117).udp(53, 5000).time(kStart + 3).build(),
                          kit::ethernet().ipv4(kB, kA).ttl(117).udp(53, 5000).time(kStart + 4).build()});
  EXPECT_EQ(f["minimumTTL"], 60);
  EXPECT_EQ(f["maximumTTL"], 64);
  EXPECT_EQ(f["hopCountEstimate"], 0);
  EXPECT_EQ(f["ttlChangeCount"], 2);
  EXPECT_EQ(f["reverseMinimumTTL"], 117);
  EXPECT_EQ(f["reverseMaximumTTL"], 117);
  EXPECT_EQ(f["reverseHopCountEstimate"], 11);
  EXPECT_EQ(f["reverseTtlChangeCount"], 0);
}

TEST(Path, TellsWhetherPacketsMayBeFragmentedAndWere) {
  std::vector<kit::BuiltFrame> frames = {
      kit::ethernet().ipv4(kB, kA).dont_fragment().udp(53, 5000).time(kStart).build()};
  const kit::Octets whole = kit::PacketBuilder(LinkType::raw_ip).udp(5000, 53).zeros(3000).octets();
  for (const kit::PayloadPiece& piece : kit::pieces(whole, 1480))
    frames.push_back(kit::ethernet()
                         .ipv4(kA, kB)
                         .id(7)
                         .protocol(17)
                         .fragment(piece.offset, piece.more)
                         .payload(piece.octets)
                         .time(kStart)
                         .build());
  const Seen f = flow_of(frames);
  EXPECT_EQ(f["ipFragmentCount"], 3);
  EXPECT_EQ(f["fragmentFlags"], 0x20);
  EXPECT_EQ(f["reverseIpFragmentCount"], 0);
  EXPECT_EQ(f["reverseFragmentFlags"], 0x40);
}

TEST(Path, EachIntervalHasItsOwn) {
  Probing p;
  p.play({udp(kStart).build()});
  for (int i = 1; i < 30; ++i)
    p.play({kit::ethernet().ipv4(kA, kB).ttl(50).udp(5000, 53).time(kStart + i * 15 * kSecond).build()});
  p.finish();
  ASSERT_EQ(p.flows().size(), 2u);
  EXPECT_EQ(p.flows()[0]["maximumTTL"], 64);
  EXPECT_EQ(p.flows()[0]["ttlChangeCount"], 1);
  EXPECT_EQ(p.flows()[1]["maximumTTL"], 50);
  EXPECT_EQ(p.flows()[1]["ttlChangeCount"], 0);
}

TEST(Path, AnErrorIsCountedInTheFlowThatItIsAbout) {
  Probing p;
  p.play({udp(kStart).build(), error(kStart + kMillisecond, 3, 3, 0, quoted_udp()),
          error(kStart + 2 * kMillisecond, 11, 0, 0, quoted_udp())});
  p.finish();
  const Seen f = flow_with(p, "protocolIdentifier", 17);
  EXPECT_EQ(f["icmpPortUnreachableCount"], 1);
  EXPECT_EQ(f["icmpTimeExceededCount"], 1);
  EXPECT_EQ(f["icmpHostUnreachableCount"], 0);
  EXPECT_EQ(f["icmpErrorTypeCode"], 0x0303) << "of the first";
  EXPECT_FALSE(f.contains("reverseIcmpPortUnreachableCount"));
  EXPECT_FALSE(f.contains("pathMtuOctets"));
  EXPECT_EQ(f["packetDeltaCount"], 1) << "the error is no packet of this flow";
  EXPECT_EQ(flow_with(p, "protocolIdentifier", 1)["packetDeltaCount"], 2);
}

TEST(Path, TheMtuOfTooBigPacketsIsToldToItsSender) {
  Connection c;
  c.handshake();
  auto quoted = kit::raw_ip().ipv4(kB, kA).tcp(80, 40000).seq(1);
  std::vector<kit::BuiltFrame> frames = c.frames;
  for (const std::uint32_t mtu : {1492u, 1400u, 0u})
    frames.push_back(kit::ethernet()
                         .ipv4(kRouter, kB)
                         .icmp(3, 4, mtu)
                         .payload(quoted.octets())
                         .time(frames.back().time + 1)
                         .build());
  Probing p;
  p.play(frames, 64).finish();
  const Seen f = flow_with(p, "protocolIdentifier", 6);
  EXPECT_EQ(f["reverseIcmpTooBigCount"], 3);
  EXPECT_EQ(f["reversePathMtuOctets"], 1400) << "0 is not told";
  EXPECT_FALSE(f.contains("icmpTooBigCount"));
}

TEST(Path, ErrorsAboutFlowsThatAreNotKnownAreCounted) {
  Probing p;
  p.play({error(kStart, 3, 3, 0, quoted_udp()), udp(kStart + 1).build(),
          error(kStart + 40 * kSecond, 3, 3, 0, quoted_udp())});
  p.play({kit::ethernet().ipv4(kRouter, kA).icmp(3, 3).payload("short").time(kStart + 40 * kSecond).build()}).finish();
  EXPECT_EQ(p.count(Counter::icmp_error_flow_unknown), 2u) << "one before it began, one after its idle timeout";
  EXPECT_EQ(p.count(Counter::icmp_error_unreadable), 1u);
  EXPECT_FALSE(flow_with(p, "protocolIdentifier", 17).contains("icmpPortUnreachableCount"));
}

TEST(Path, SaysTheSameWhateverTheSizeOfBursts) {
  const std::vector<kit::BuiltFrame> frames = {error(kStart, 3, 3, 0, quoted_udp()), udp(kStart + 1).build(),
                                               error(kStart + 2, 3, 1, 0, quoted_udp()), udp(kStart + 3).build()};
  for (const std::size_t burst : {1u, 2u, 64u}) {
    Probing p;
    p.play(frames, burst).finish();
    EXPECT_EQ(flow_with(p, "protocolIdentifier", 17)["icmpHostUnreachableCount"], 1) << burst;
    EXPECT_EQ(p.count(Counter::icmp_error_flow_unknown), 1u) << burst;
  }
}

TEST(Path, PartsOfAnErrorAreForDifferentWorkers) {
  Counters counters;
  Decoder d({}, counters);
  const kit::BuiltFrame first = udp(kStart).build(), about = error(kStart + 1, 3, 3, 0, quoted_udp());
  Packet packets[2];
  d.new_burst();
  ASSERT_TRUE(d.decode(first.frame(), packets[0]));
  ASSERT_TRUE(d.decode(about.frame(), packets[1]));
  Probing own, other;
  packets[1].part = Part::without_quote;
  own.pipeline.on_burst(packets, kStart + 1);
  packets[1].part = Part::only_quote;
  other.pipeline.on_burst(packets, kStart + 1);
  own.finish();
  other.finish();
  EXPECT_EQ(own.flows().size(), 2u);
  EXPECT_FALSE(flow_with(own, "protocolIdentifier", 17).contains("icmpPortUnreachableCount"));
  EXPECT_EQ(own.count(Counter::icmp_error_flow_unknown), 0u);
  EXPECT_EQ(other.flow()["icmpPortUnreachableCount"], 1);
  EXPECT_EQ(other.count(Counter::flow_packets), 1u);
}

TEST(Path, TellsTheRoundTripsOfEchoes) {
  std::vector<kit::BuiltFrame> frames;
  for (unsigned i = 0; i < 4; ++i) {
    frames.push_back(
        kit::ethernet().ipv4(kA, kB).icmp(8, 0, 77 << 16 | i).zeros(56).time(kStart + i * kSecond).build());
    if (i == 2) continue;
    frames.push_back(kit::ethernet()
                         .ipv4(kB, kA)
                         .icmp(0, 0, 77 << 16 | i)
                         .zeros(56)
                         .time(kStart + i * kSecond + (10 + i) * kMillisecond)
                         .build());
  }
  const Seen f = flow_of(frames);
  EXPECT_EQ(f["icmpEchoRequestCount"], 4);
  EXPECT_EQ(f["icmpEchoUnansweredCount"], 1);
  EXPECT_EQ(f["icmpEchoRttMinMicroseconds"], 10'000);
  EXPECT_EQ(f["icmpEchoRttMeanMicroseconds"], 11'333);
  EXPECT_EQ(f["icmpEchoRttMaxMicroseconds"], 13'000);
  EXPECT_FALSE(f.contains("reverseIcmpEchoRequestCount"));
}

TEST(Path, TellsTheRoundTripsOfEchoesOfIpv6) {
  const Seen f = flow_of(
      {kit::ethernet().ipv6("2001:db8::1", "2001:db8::2").icmpv6(128, 0, 5).time(kStart).build(),
       kit::ethernet().ipv6("2001:db8::2", "2001:db8::1").icmpv6(129, 0, 5).time(kStart + kMillisecond).build()});
  EXPECT_EQ(f["icmpEchoRttMinMicroseconds"], 1'000);
  EXPECT_EQ(f["icmpEchoUnansweredCount"], 0);
  EXPECT_FALSE(f.contains("fragmentFlags")) << "IPv6 has no DF";
}

TEST(Path, SuspectsAPathThatSwallowsLargeSegments) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").server(kAck).server(kAck | kPsh, std::string(1400, 'x'));
  c.frames.back().octets[14 + 6] |= 0x40;  // DF
  for (const Nanos t : {300, 600, 1200, 2400}) c.after(t * kMillisecond).again();
  EXPECT_FALSE(flow_of(c.frames).contains("reversePathMtuSuspectOctets")) << "the client was not heard";
  std::vector<kit::BuiltFrame> frames = c.frames;
  frames.push_back(frames[3]);  // the request once more
  frames.back().time = c.frames.back().time + kSecond;
  EXPECT_EQ(flow_of(frames)["reversePathMtuSuspectOctets"], 1440);
}

TEST(Path, CanBeSwitchedOff) {
  Probing p(with({.path = false}));
  p.play({udp(kStart).build(), error(kStart + 1, 3, 3, 0, quoted_udp())}).finish();
  const Seen f = flow_with(p, "protocolIdentifier", 17);
  for (const char* name : {"maximumTTL", "fragmentFlags", "icmpPortUnreachableCount"})
    EXPECT_FALSE(f.contains(name)) << name;
  EXPECT_EQ(f["minimumTTL"], 64);
  EXPECT_EQ(p.count(Counter::icmp_error_flow_unknown), 0u);
}

TEST(Responses, OfUdpHaveLeastAndGreatest) {
  std::vector<kit::BuiltFrame> frames;
  for (const Nanos t : {5, 20, 11}) {
    frames.push_back(udp(kStart + t * kSecond).zeros(20).build());
    frames.push_back(udp(kStart + t * kSecond + t * kMillisecond, false).zeros(90).build());
  }
  frames.push_back(udp(kStart + 30 * kSecond).zeros(20).build());
  frames.push_back(udp(kStart + 30 * kSecond + 500 * kMillisecond).zeros(20).build());
  frames.push_back(udp(kStart + 40 * kSecond).zeros(20).build());
  std::ranges::stable_sort(frames, {}, &kit::BuiltFrame::time);
  const Seen f = flow_of(frames);
  EXPECT_EQ(f["responseCount"], 3);
  EXPECT_EQ(f["responseTimeMinMicroseconds"], 5'000);
  EXPECT_EQ(f["responseTimeMaxMicroseconds"], 20'000);
  EXPECT_EQ(f["responseTimeMeanMicroseconds"], 12'000);
  EXPECT_EQ(f["unansweredRequestCount"], 2) << "that of second 30, which came in two packets, and the last one";
}

TEST(Responses, OfTcpAreToldAsBefore) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").after(10 * kMillisecond).server(kAck | kPsh, "answer").close();
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["responseTimeMeanMicroseconds"], 10'000);
  EXPECT_FALSE(f.contains("responseCount"));
}

TEST(Packets, AreMeasuredIfAskedFor) {
  Connection c;
  c.handshake()
      .client(kAck | kPsh, std::string(500, 'q'))
      .after(30 * kMillisecond)
      .server(kAck | kPsh, std::string(1000, 'r'));
  c.after(kMillisecond).server(kAck | kPsh, std::string(40, 'r')).after(2 * kSecond).close();
  const Seen off = flow_of(c.frames), f = flow_of(c.frames, {.packets = true});
  EXPECT_FALSE(off.contains("transportOctetDeltaCount"));
  EXPECT_EQ(f["transportOctetDeltaCount"], 500);
  EXPECT_EQ(f["transportPacketDeltaCount"], 1);
  EXPECT_EQ(f["reverseTransportOctetDeltaCount"], 1040);
  EXPECT_EQ(f["largePacketCount"], 1);
  EXPECT_EQ(f["smallPacketCount"], 0);
  EXPECT_EQ(f["reverseSmallPacketCount"], 1);
  EXPECT_EQ(f["reversePayloadLengthFirst"], 1000);
  EXPECT_EQ(f["reversePayloadLengthMaximum"], 1000);
  EXPECT_EQ(f["reversePayloadLengthStdDev"], 480);
  EXPECT_EQ(f["packetLengthHistogram"], "4,0,0,1,0,0");
  EXPECT_EQ(f["minimumIpTotalLength"], 40);
  EXPECT_EQ(f["maximumIpTotalLength"], 540);
  EXPECT_EQ(f["initialTcpControlBits"], kSyn);
  EXPECT_EQ(f["furtherTcpControlBits"], kAck | kPsh | kFin);
  EXPECT_EQ(f["reverseInitialTcpControlBits"], kSyn | kAck);
  EXPECT_EQ(f["firstPackets"], "500/0,-1000/30000,-40/1000");
  EXPECT_EQ(f["firstEightNonEmptyPacketDirections"], 0b110);
  EXPECT_EQ(f["producerConsumerRatio"], "-0.350649");
  EXPECT_EQ(f["interArrivalMaxMicroseconds"], 2'031'000);
  EXPECT_EQ(f["idleMicroseconds"], 2'031'000);
  EXPECT_EQ(f["interArrivalMinMicroseconds"], 0);
  EXPECT_FALSE(f.contains("payloadEntropy"));
}

TEST(Packets, RatesAreOctetsByTime) {
  std::vector<kit::BuiltFrame> frames;
  for (int i = 0; i < 5; ++i) frames.push_back(udp(kStart + i * 500 * kMillisecond).zeros(972).build());
  const Seen f = flow_of(frames, {.packets = true});
  EXPECT_EQ(f["octetsPerSecondMean"], 2'500) << "5000 octets in 2 s";
  EXPECT_EQ(f["octetsPerSecondPeak"], 2'000);
  EXPECT_EQ(f["interArrivalJitterMicroseconds"], 0);
}

TEST(Packets, WhatWasNotMeasuredIsAbsent) {
  const Seen one = flow_of({udp(kStart).build()}, {.packets = true});
  EXPECT_EQ(one["transportPacketDeltaCount"], 0);
  for (const char* name :
       {"payloadLengthMaximum", "interArrivalMeanMicroseconds", "octetsPerSecondMean", "firstPackets",
        "producerConsumerRatio", "initialTcpControlBits", "reverseTransportOctetDeltaCount"})
    EXPECT_FALSE(one.contains(name)) << name;
  const Seen two = flow_of({udp(kStart).build(), udp(kStart).build()}, {.packets = true});
  EXPECT_EQ(two["interArrivalMeanMicroseconds"], 0);
  EXPECT_FALSE(two.contains("octetsPerSecondMean")) << "they took no time";
  EXPECT_FALSE(two.contains("interArrivalJitterMicroseconds"));
}

TEST(Packets, AreMeasuredByTheIntervalAndTheirMemoryComesBack) {
  PipelineOptions o = with({.packets = true, .entropy = true});
  o.flows = 2;
  Probing p(o);
  for (int i = 0; i < 30; ++i) p.play({udp(kStart + i * 15 * kSecond).zeros(100).build()});
  for (std::uint16_t port = 1; port < 200; ++port) p.play({datagram(kStart + 500 * kSecond, port, 53)});
  p.finish();
  EXPECT_EQ(p.count(Counter::flow_packets_pool_empty) + p.count(Counter::flow_entropy_pool_empty), 0u);
  std::uint64_t packets = 0;
  for (const Seen& f : p.flows()) packets += f["transportPacketDeltaCount"].number();
  EXPECT_EQ(packets, 30u + 199u);
  EXPECT_TRUE(p.flows()[0].contains("firstPackets"));
  EXPECT_FALSE(p.flows()[1].contains("firstPackets")) << "these were told";
}

TEST(Entropy, IsOfEachDirection) {
  Connection c(40000, 9999);
  c.handshake().client(kAck | kPsh, "abababab").server(kAck | kPsh, std::string(300, 'z'));
  const Seen f = flow_of(c.frames, {.entropy = true});
  EXPECT_EQ(f["payloadEntropy"], 32);
  EXPECT_EQ(f["reversePayloadEntropy"], 0);
  EXPECT_FALSE(f.contains("transportOctetDeltaCount"));
}

}  // namespace
}  // namespace probe::test
