#include "probe/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <set>

#include "probe/flow/flow.h"
#include "tests/kit/allocations.h"
#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

using namespace tcp_flag;

TEST(Pipeline, AFlowHasBothDirections) {
  Connection c;
  c.handshake().client(kAck | kPsh, "hello").server(kAck | kPsh, std::string(1000, 'x')).client(kAck);
  Probing p;
  const Seen f = p.play(c.frames).finish().flow();
  EXPECT_EQ(f["packetDeltaCount"], 4);
  EXPECT_EQ(f["reversePacketDeltaCount"], 2);
  EXPECT_EQ(f["octetDeltaCount"], 4 * 40 + 5);
  EXPECT_EQ(f["reverseOctetDeltaCount"], 2 * 40 + 1000);
  EXPECT_EQ(f["sourceIPv4Address"], "10.0.0.1");
  EXPECT_EQ(f["destinationTransportPort"], 80);
  EXPECT_EQ(p.count(Counter::flow_created), 1u);
  EXPECT_EQ(p.pipeline.flows(), 0u);
}

TEST(Pipeline, APauseLongerThanTheIdleTimeoutMakesTwoFlows) {
  Probing p;
  p.play({datagram(kStart, 5000, 53), datagram(kStart + 61 * kSecond, 5000, 53)}).finish();
  ASSERT_EQ(p.flows().size(), 2u);
  EXPECT_EQ(p.flows()[0]["flowEndReason"], 1);
  EXPECT_EQ(p.flows()[1]["flowEndReason"], 4);
  EXPECT_NE(p.flows()[0]["flowId"], p.flows()[1]["flowId"]);
}

TEST(Pipeline, APauseAsLongAsTheIdleTimeoutDoesNot) {
  Probing p;
  p.play({datagram(kStart, 5000, 53), datagram(kStart + 30 * kSecond, 5000, 53)}).finish();
  EXPECT_EQ(p.flow()["packetDeltaCount"], 2);
}

TEST(Pipeline, PacketsOfOthersEndAFlowThatIsIdle) {
  Probing p;
  p.play({datagram(kStart, 5000, 53)});
  p.play({datagram(kStart + 29 * kSecond, 6000, 53)});
  EXPECT_TRUE(p.flows().empty());
  p.play({datagram(kStart + 35 * kSecond, 6000, 53)});
  EXPECT_EQ(p.flow()["sourceTransportPort"], 5000);
  EXPECT_EQ(p.flow()["flowEndReason"], 1);
}

// A message of a SIP call, at so many seconds.
kit::BuiltFrame sip(int second, const std::string& start, const std::string& method = "INVITE") {
  const std::string text =
      start + "\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK" + method + "\r\nCall-ID: c\r\nCSeq: 1 " + method + "\r\n\r\n";
  const bool response = start.starts_with("SIP");
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4(response ? "10.0.0.2" : "10.0.0.1", response ? "10.0.0.1" : "10.0.0.2");
  b.udp(5060, 5060).payload(text);
  return b.time(kStart + second * kSecond).build();
}

std::size_t sip_flows(const Probing& p) {
  return static_cast<std::size_t>(
      std::ranges::count_if(p.flows(), [](const Seen& f) { return f["sourceTransportPort"] == 5060; }));
}

TEST(Pipeline, AFlowInWhichAnAnswerIsWaitedForIsKept) {
  Probing p;
  p.play({sip(0, "INVITE sip:x SIP/2.0"), sip(1, "SIP/2.0 180 Ringing")});
  for (int second = 10; second <= 250; second += 10) p.play({datagram(kStart + second * kSecond, 5000, 53)});
  p.play({sip(260, "SIP/2.0 200 OK"), sip(261, "ACK sip:x SIP/2.0", "ACK")});
  ASSERT_EQ(p.of("sip").size(), 1u);
  EXPECT_EQ(p.of("sip")[0]["timeToLastByteMicroseconds"], 260'000'000);
  EXPECT_EQ(p.of("sip")[0]["transactionQuality"], 0);
  EXPECT_EQ(sip_flows(p), 0u);
  p.play({datagram(kStart + 325 * kSecond, 5000, 53)});
  EXPECT_EQ(sip_flows(p), 1u) << "the call is over: it waits no longer";
}

TEST(Pipeline, ButNotForEver) {
  Probing p;
  p.play({sip(0, "INVITE sip:x SIP/2.0"), sip(1, "SIP/2.0 180 Ringing")});
  for (int second = 10; second <= 310; second += 10) p.play({datagram(kStart + second * kSecond, 5000, 53)});
  EXPECT_EQ(sip_flows(p), 1u);
  EXPECT_EQ(p.of("sip").size(), 1u);
  p.play({sip(320, "SIP/2.0 200 OK")}).finish();
  ASSERT_EQ(p.of("sip").size(), 2u);
  EXPECT_EQ(p.of("sip")[1]["sipRequestCount"], 0);
}

TEST(Pipeline, TimeThatPassesWithoutPacketsEndsAFlow) {
  Probing p;
  p.play({datagram(kStart, 5000, 53)});
  p.pipeline.on_burst({}, kStart + 65 * kSecond);
  EXPECT_EQ(p.flow()["flowEndReason"], 1);
}

TEST(Pipeline, TheIntervalsOfALongFlowAddUp) {
  Connection c;
  c.handshake();
  for (int i = 0; i < 40; ++i)
    c.after(20 * kSecond).client(kAck | kPsh, std::string(100, 'a')).server(kAck | kPsh, std::string(200, 'b'));
  Probing p;
  p.play(c.frames).finish();
  const std::vector<Seen> all = p.flows();
  ASSERT_GE(all.size(), 3u);
  std::uint64_t packets = 0, octets = 0, reverse = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i]["flowId"], all[0]["flowId"]);
    EXPECT_EQ(all[i]["flowEndReason"], i + 1 < all.size() ? 2 : 4);
    EXPECT_EQ(all[i]["sourceTransportPort"], 40000) << "the initiator stays who it was";
    if (i > 0) {
      EXPECT_GT(all[i]["flowStartMicroseconds"], all[i - 1]["flowEndMicroseconds"]);
    }
    packets += all[i]["packetDeltaCount"].number();
    octets += all[i]["octetDeltaCount"].number();
    reverse += all[i]["reverseOctetDeltaCount"].number();
  }
  EXPECT_EQ(packets, 2u + 40u);
  EXPECT_EQ(octets, 42u * 40 + 40u * 100);
  EXPECT_EQ(reverse, 41u * 40 + 40u * 200);
}

TEST(Pipeline, AConnectionEndsWithTheFinOfBothSides) {
  Connection c;
  c.handshake().close();
  Probing p;
  p.play(c.frames);
  EXPECT_TRUE(p.flows().empty()) << "late packets still belong to it";
  p.play({datagram(c.frames.back().time + 8 * kSecond, 5000, 53)});
  EXPECT_EQ(p.flow()["flowEndReason"], 3);
  EXPECT_EQ(p.flow()["packetDeltaCount"], 4);
}

TEST(Pipeline, AResetEndsAConnection) {
  Connection c;
  c.handshake().server(kRst | kAck);
  Probing p;
  p.play(c.frames).finish();
  EXPECT_EQ(p.flow()["flowEndReason"], 3);
}

TEST(Pipeline, AfterTheLingerItIsAnotherFlow) {
  Connection c;
  c.handshake().close().after(4 * kSecond).client(kAck).after(6 * kSecond).client(kAck);
  Probing p;
  p.play(c.frames).finish();
  ASSERT_EQ(p.flows().size(), 2u);
  EXPECT_EQ(p.flows()[0]["packetDeltaCount"], 5);
  EXPECT_EQ(p.flows()[0]["flowEndReason"], 3);
  EXPECT_EQ(p.flows()[1]["packetDeltaCount"], 1);
}

TEST(Pipeline, ASynBetweenTheSamePortsIsAnotherConnection) {
  Connection first(40000, 80, 1000), second(40000, 80, 777'000);
  first.handshake().close();
  second.at(first.frames.back().time + kMillisecond).handshake();
  Probing p;
  p.play(together(first.frames, second.frames)).finish();
  ASSERT_EQ(p.flows().size(), 2u);
  EXPECT_EQ(p.flows()[0]["flowEndReason"], 3);
  EXPECT_EQ(p.flows()[0]["packetDeltaCount"], 4);
  EXPECT_EQ(p.flows()[1]["packetDeltaCount"], 2);
  EXPECT_EQ(p.flows()[1]["tcpServerHandshakeRttMicroseconds"], 20'000);
}

TEST(Pipeline, ARepeatedSynIsTheSameConnection) {
  Connection c;
  c.client(kSyn).after(kSecond).again().after(20 * kMillisecond).server(kSyn | kAck).client(kAck);
  Probing p;
  const Seen f = p.play(c.frames).finish().flow();
  EXPECT_EQ(f["packetDeltaCount"], 3);
  EXPECT_EQ(f["tcpRetransmittedPacketCount"], 1);
  EXPECT_TRUE(is(f, Quality::handshake_repeated));
}

TEST(Pipeline, ASynAfterAConnectionThatWasJoinedInTheMiddleIsAnother) {
  Connection old(40000, 80, 5000), fresh(40000, 80, 99'000);
  old.client(kAck | kPsh, "x").server(kAck);
  fresh.at(kStart + kSecond).handshake();
  Probing p;
  p.play(together(old.frames, fresh.frames)).finish();
  ASSERT_EQ(p.flows().size(), 2u);
  EXPECT_TRUE(is(p.flows()[0], Quality::mid_stream));
  EXPECT_FALSE(is(p.flows()[1], Quality::mid_stream));
}

TEST(Pipeline, AFullTableEndsTheFlowNearestToItsTimeout) {
  PipelineOptions o = small_pipeline();
  o.flows = 16;
  Probing p(o);
  const std::size_t capacity = 16;
  for (std::size_t i = 0; i <= capacity; ++i)
    p.play({datagram(kStart + static_cast<Nanos>(i) * kSecond, static_cast<std::uint16_t>(5000 + i), 53)});
  EXPECT_EQ(p.flow()["sourceTransportPort"], 5000);
  EXPECT_EQ(p.flow()["flowEndReason"], 5);
  EXPECT_EQ(p.count(Counter::flow_evicted), 1u);
  EXPECT_EQ(p.count(Counter::flow_table_full), 0u);
  EXPECT_EQ(p.finish().flows().size(), capacity + 1);
}

// What comes behind a hole counts as the end then, although the hole may yet be filled.
TEST(Pipeline, ATransactionThatAFullTableEndsBehindAHoleIsMarked) {
  for (const bool hole : {false, true}) {
    PipelineOptions o = small_pipeline();
    o.flows = 16;
    o.idle_timeout = kSecond;
    Connection c;
    c.handshake().client(kAck | kPsh, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    c.server(kAck, "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + std::string(100, 'x'));
    for (int i = 0; i < 2; ++i) c.after(kMillisecond).server(kAck | kPsh, std::string(100, 'x'));
    if (hole) c.frames.erase(c.frames.end() - 2);
    Probing p(o);
    p.play(c.frames);
    for (std::uint16_t i = 0; i < 16; ++i)
      p.play({datagram(c.frames.back().time, static_cast<std::uint16_t>(5000 + i), 53)});
    ASSERT_EQ(p.count(Counter::flow_evicted), 1u);
    ASSERT_EQ(p.of("http").size(), 1u);
    const auto quality = p.of("http")[0]["transactionQuality"].number();
    EXPECT_EQ((quality & bit_of(Quality::stream_gap)) != 0, hole);
  }
}

TEST(Pipeline, FlowsOfTheRunningBurstAreNotEvicted) {
  PipelineOptions o = small_pipeline();
  o.flows = 16;
  std::vector<kit::BuiltFrame> frames;
  for (std::uint16_t i = 0; i < 20; ++i) frames.push_back(datagram(kStart, static_cast<std::uint16_t>(5000 + i), 53));
  Probing p(o);
  p.play(frames, frames.size()).finish();
  EXPECT_EQ(p.count(Counter::flow_table_full), 4u);
  EXPECT_EQ(p.count(Counter::flow_evicted), 0u);
  EXPECT_EQ(p.flows().size(), 16u);
}

TEST(Pipeline, APacketOutOfOrderInTimeIsMarkedAndDoesNoHarm) {
  Probing p;
  p.play(
       {datagram(kStart + kMillisecond, 5000, 53), datagram(kStart, 5000, 53), datagram(kStart - 3600 * kSecond, 6, 7)})
      .finish();
  ASSERT_EQ(p.flows().size(), 2u);
  for (const Seen& f : p.flows()) {
    if (f["sourceTransportPort"] != 5000) continue;
    EXPECT_TRUE(is(f, Quality::time_disorder));
    EXPECT_EQ(f["packetDeltaCount"], 2);
    EXPECT_EQ(f["flowStartMilliseconds"], kStart / kMillisecond);
    EXPECT_EQ(f["flowEndMilliseconds"], kStart / kMillisecond + 1);
  }
}

TEST(Pipeline, ACutPacketCountsWithItsWireLength) {
  std::vector<kit::BuiltFrame> frames{datagram(kStart, 5000, 9999, 1000).cut(60)};
  Probing p;
  const Seen f = p.play(frames).finish().flow();
  EXPECT_EQ(f["octetDeltaCount"], 1028);
  EXPECT_TRUE(is(f, Quality::packets_cut));
}

TEST(Pipeline, AFlowWithTimesOfPollsSaysSo) {
  Connection c;
  c.handshake().client(kAck | kPsh, "GET / HTTP/1.1\r\n\r\n").server(kAck | kPsh, "HTTP/1.1 204 No Content\r\n\r\n");
  const auto mark = [&](auto of_a_poll) {
    for (kit::BuiltFrame& f : c.frames) f.polled = of_a_poll(f);
    Probing p;
    p.play(c.frames).finish();
    EXPECT_EQ(p.of("http").size(), 1u);
    return std::pair(is(p.flow(), Quality::polled_time),
                     (p.of("http").front()["transactionQuality"].number() & bit_of(Quality::polled_time)) != 0);
  };
  EXPECT_EQ(mark([](const auto&) { return true; }), std::pair(true, true));
  EXPECT_EQ(mark([](const auto&) { return false; }), std::pair(false, false));
  // Two ports, of which one stamps: the second packet is the first of its direction.
  EXPECT_EQ(mark([&](const auto& f) { return &f == &c.frames[1]; }), std::pair(true, true));
}

TEST(Pipeline, FragmentsCountAsPackets) {
  const kit::Octets payload(3000, 'x');
  std::vector<kit::BuiltFrame> frames;
  kit::PacketBuilder whole = kit::raw_ip();
  whole.udp(5000, 53).payload(payload);
  for (const kit::PayloadPiece& piece : kit::pieces(whole.octets(), 1480)) {
    kit::PacketBuilder b = kit::ethernet();
    b.ipv4("10.0.0.1", "10.0.0.2").protocol(17).id(7).fragment(piece.offset, piece.more).payload(piece.octets);
    frames.push_back(b.time(kStart).build());
  }
  Probing p;
  const Seen f = p.play(frames).finish().flow();
  EXPECT_EQ(f["packetDeltaCount"], 3);
  EXPECT_EQ(f["octetDeltaCount"], 3008 + 3 * 20);
  EXPECT_EQ(f["destinationTransportPort"], 53);
}

TEST(Pipeline, ATransactionBelongsToItsFlow) {
  Connection c;
  c.handshake().client(kAck | kPsh, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  c.after(50 * kMillisecond).server(kAck | kPsh, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").client(kAck).close();
  Probing p;
  p.play(c.frames).finish();
  ASSERT_EQ(p.of("http").size(), 1u);
  const Seen t = p.of("http")[0];
  EXPECT_EQ(t["flowId"], p.flow()["flowId"]);
  EXPECT_EQ(t["transactionId"], 1);
  EXPECT_EQ(t["responseTimeMicroseconds"], 50'000);
  EXPECT_EQ(t["serverResponseTimeMicroseconds"], 30'000) << "less the round trip to the server";
  EXPECT_EQ(t["timeToFirstByteMicroseconds"], 60'000) << "and that to the client";
  EXPECT_EQ(p.flow()["applicationName"], "http");
}

TEST(Pipeline, AFlowThatFindsNoMemoryToBeDissectedSaysSo) {
  Connection c;
  c.handshake().client(kAck | kPsh, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n").close();
  for (const bool sessions : {false, true}) {
    PipelineOptions o = small_pipeline();
    (sessions ? o.dissection.sessions : o.dissection.conversations) = 0;
    Probing p(o);
    p.play(c.frames).finish();
    EXPECT_TRUE(p.of("http").empty());
    EXPECT_TRUE(is(p.flow(), Quality::not_dissected));
  }
  EXPECT_FALSE(is(Probing().play(c.frames).finish().flow(), Quality::not_dissected));
}

TEST(Pipeline, WithoutDissectionThereAreFlowsOnly) {
  Connection c;
  c.handshake().client(kAck | kPsh, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  c.server(kAck | kPsh, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").close();
  PipelineOptions o = small_pipeline();
  o.dissect = false;
  Probing p(o);
  p.play(c.frames).finish();
  EXPECT_EQ(p.records.size(), 1u);
  EXPECT_FALSE(p.flow().contains("applicationName"));
  EXPECT_TRUE(p.flow().contains("tcpServerRttCount"));
}

// A bit of everything, many flows side by side.
std::vector<kit::BuiltFrame> mixture() {
  std::vector<kit::BuiltFrame> all;
  for (std::uint16_t i = 0; i < 20; ++i) {
    Connection c(static_cast<std::uint16_t>(40000 + i), i % 3 == 0 ? 80 : 8080, 1000u * i);
    c.at(kStart + i * 7 * kMillisecond).handshake();
    for (int n = 0; n < 30; ++n) {
      c.after((5 + n % 4) * kMillisecond)
          .client(kAck | kPsh, "GET /" + std::to_string(n) + " HTTP/1.1\r\nHost: h\r\n\r\n");
      if (n % 7 == 3) c.after(kMillisecond).again();
      c.after(9 * kMillisecond).server(kAck | kPsh, "HTTP/1.1 204 No Content\r\n\r\n");
      if (n % 11 == 5) c.after(70 * kSecond);
    }
    if (i % 2 == 0) c.close();
    all = together(all, c.frames);
  }
  return all;
}

TEST(Pipeline, TheSizeOfBurstsChangesNothing) {
  const std::vector<kit::BuiltFrame> frames = mixture();
  std::vector<std::multiset<std::string>> results;
  for (const std::size_t burst : {std::size_t{1}, std::size_t{7}, std::size_t{64}}) {
    Probing p;
    p.play(frames, burst).finish();
    EXPECT_GT(p.of("http").size(), 500u);
    std::multiset<std::string>& result = results.emplace_back();
    for (const Seen& r : p.records) result.insert(r.text());
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

class Nowhere final : public Outlet {
 public:
  void put(Record* r) override { r->home().give(r); }
  bool reclaim() override { return false; }
};

TEST(Pipeline, TakesNothingFromTheHeap) {
  const std::vector<kit::BuiltFrame> frames = mixture();
  std::array<std::size_t, schema::kKindCount> slots;
  slots.fill(256);
  RecordPools pools(slots);
  Nowhere nowhere;
  Counters counters;
  Decoder decoder({}, counters);
  Pipeline pipeline(small_pipeline(), pools, nowhere, counters);
  const std::uint64_t before = kit::allocations();
  Packet p;
  for (const kit::BuiltFrame& f : frames) {
    decoder.new_burst();
    if (decoder.decode(f.frame(), p)) pipeline.on_burst({&p, 1}, f.time);
  }
  pipeline.finish();
  EXPECT_EQ(kit::allocations(), before);
  EXPECT_GT(counters[Counter::record_transactions], 500u);
}

}  // namespace
}  // namespace probe::test
