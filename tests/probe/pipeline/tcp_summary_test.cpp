#include "probe/pipeline/tcp_summary.h"

#include <gtest/gtest.h>

#include "tests/probe/packet/decoding.h"
#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

using namespace tcp_flag;

Seen flow_of(const std::vector<kit::BuiltFrame>& frames) { return Probing().play(frames).finish().flow(); }

TEST(TcpSummary, TellsPercentilesOfRoundTrips) {
  Connection c;
  c.handshake();
  for (int i = 0; i < 100; ++i)
    c.after(kMillisecond)
        .client(kAck | kPsh, "data")
        .after(i < 90 ? 20 * kMillisecond : 80 * kMillisecond)
        .server(kAck);
  const Seen f = flow_of(c.frames);
  EXPECT_NEAR(static_cast<double>(f["tcpServerRttMedianMicroseconds"].number()), 20'000, 625);
  EXPECT_NEAR(static_cast<double>(f["tcpServerRttPercentile95Microseconds"].number()), 80'000, 2'500);
  EXPECT_EQ(f["tcpServerRttPercentileCount"], 100);
  EXPECT_GT(f["tcpServerRttSmoothedMicroseconds"].number(), 40'000u);  // the last ten were long
  EXPECT_FALSE(f.contains("tcpClientRttMedianMicroseconds"));
}

TEST(TcpSummary, PercentilesLieBetweenLeastAndGreatest) {
  Connection c;
  c.handshake().client(kAck | kPsh, "data").after(20'999 * kMicrosecond).server(kAck);
  const Seen f = flow_of(c.frames);
  for (const char* name : {"tcpServerRttMedianMicroseconds", "tcpServerRttPercentile95Microseconds",
                           "tcpServerRttPercentile99Microseconds", "tcpServerRttSmoothedMicroseconds"})
    EXPECT_EQ(f[name], 20'999) << name;
}

TEST(TcpSummary, TellsHowFarAConnectionGot) {
  Connection unanswered, refused(40001), closed(40002);
  unanswered.client(kSyn).after(kSecond).again();
  refused.client(kSyn).server(kRst | kAck);
  closed.handshake().close();
  const Seen a = flow_of(unanswered.frames), b = flow_of(refused.frames), c = flow_of(closed.frames);
  EXPECT_EQ(a["tcpConnectionState"], 1);
  EXPECT_EQ(a["tcpSynRetryCount"], 1);
  EXPECT_FALSE(a.contains("reverseTcpSynRetryCount"));
  EXPECT_EQ(b["tcpConnectionState"], 2);
  EXPECT_EQ(b["tcpResetPhase"], 0);
  EXPECT_EQ(b["reverseTcpResetPhase"], 1);
  EXPECT_EQ(c["tcpConnectionState"], 6);
  EXPECT_EQ(c["tcpEcnNegotiation"], 1);
}

TEST(TcpSummary, TellsWhyAndWhereSegmentsWereSentAgain) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").server(kAck | kPsh, "answer").after(300 * kMillisecond).again();
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["reverseTcpTimeoutRetransmissionPacketCount"], 1);
  EXPECT_EQ(f["reverseTcpRecoveryRetransmissionPacketCount"], 0);
  EXPECT_EQ(f["reverseTcpLostAfterProbePacketCount"], 1);
  EXPECT_EQ(f["reverseTcpLostBeforeProbePacketCount"], 0);
  EXPECT_EQ(f["reverseTcpSpuriousByAckPacketCount"], 0);
  EXPECT_TRUE(f.contains("reverseTcpLossConfidence"));
  EXPECT_FALSE(f.contains("tcpTimeoutRetransmissionPacketCount")) << "there was nothing to break down";
}

TEST(TcpSummary, TellsWhatWasInFlight) {
  Connection c;
  c.handshake().client(kAck | kPsh, "12345").client(kAck | kPsh, "67890").after(20 * kMillisecond).server(kAck);
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["tcpInFlightMaxOctets"], 10);
  EXPECT_EQ(f["tcpInFlightMeanOctets"], 7);
  EXPECT_EQ(f["tcpAcknowledgedOctetCount"], 10);
  EXPECT_EQ(f["tcpGoodputBitsPerSecond"], 4'000);  // 80 bits in 20 ms
  EXPECT_EQ(f["tcpApplicationLimitedMicroseconds"], 20'000);
  EXPECT_EQ(f["tcpCongestionLimitedMicroseconds"], 0);
  EXPECT_EQ(f["tcpReceiverLimitedMicroseconds"], 0);
  EXPECT_FALSE(f.contains("reverseTcpInFlightMaxOctets"));
  EXPECT_TRUE(f.contains("reverseTcpWindowMaxOctets"));
  EXPECT_FALSE(f.contains("tcpWindowMaxOctets")) << "no data was acknowledged by this side";
}

TEST(TcpSummary, FingerprintsTheSyns) {
  Connection c;
  c.handshake();
  const Seen f = flow_of(c.frames);
  EXPECT_EQ(f["tcpSynFingerprint"].text.substr(0, 7), "4:64+0:");
  EXPECT_EQ(f["reverseTcpSynFingerprint"].text.substr(0, 7), "4:64+7:");
  EXPECT_EQ(f["tcpFastOpen"], 0);
  EXPECT_TRUE(f.contains("tcpWindowScale"));
}

TEST(TcpSummary, TellsOfASideThatWasNotSeen) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").after(30 * kMillisecond).server(kAck, "answer").client(kAck);
  std::erase_if(c.frames, [&](const kit::BuiltFrame& f) {
    Decoding d;
    return d(f) && d.packet.from_high;
  });
  const Seen f = flow_of(c.frames);
  EXPECT_TRUE(is(f, Quality::one_sided));
  EXPECT_EQ(f["tcpUnseenOctetCount"], 6);
  EXPECT_EQ(f["tcpUnseenResponseCount"], 1);
  EXPECT_EQ(f["tcpUnseenResponseMeanMicroseconds"], 30'000);
  EXPECT_FALSE(f.contains("tcpPathRttBoundMicroseconds"));
  EXPECT_EQ(f["tcpPathHandshakeRttMicroseconds"], 30'000);
  EXPECT_EQ(f["tcpConnectionState"], 4);
  for (const char* name : {"tcpInFlightMaxOctets", "tcpAcknowledgedOctetCount", "reverseTcpAcknowledgedOctetCount",
                           "tcpServerRttMedianMicroseconds", "reverseTcpResetPhase"})
    EXPECT_FALSE(f.contains(name)) << name;
}

TEST(TcpSummary, TellsOfAClientThatWasNotSeen) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").after(30 * kMillisecond).server(kAck, "answer").client(kAck);
  std::erase_if(c.frames, [&](const kit::BuiltFrame& f) {
    Decoding d;
    return d(f) && !d.packet.from_high;
  });
  const Seen f = flow_of(c.frames);
  EXPECT_TRUE(is(f, Quality::one_sided));
  EXPECT_TRUE(f.contains("tcpPathRttBoundMicroseconds"));
  for (const char* name : {"tcpPathHandshakeRttMicroseconds", "tcpUnseenResponseCount"})
    EXPECT_FALSE(f.contains(name)) << name;
}

TEST(TcpSummary, IsAbsentIfItIsSwitchedOff) {
  Connection c;
  c.handshake().client(kAck | kPsh, "ask").after(kMillisecond).server(kAck, "answer").close();
  PipelineOptions o = small_pipeline();
  const std::size_t with = Probing(o).pipeline.flow_octets();
  o.tcp_detail = false;
  Probing p(o);
  EXPECT_LT(p.pipeline.flow_octets(), with);
  const Seen f = p.play(c.frames).finish().flow();
  EXPECT_EQ(f["tcpServerRttCount"], 1);
  for (const char* name : {"tcpConnectionState", "tcpServerRttMedianMicroseconds", "tcpSynFingerprint", "tcpResetPhase",
                           "tcpInFlightMaxOctets", "tcpAcknowledgedOctetCount"})
    EXPECT_FALSE(f.contains(name)) << name;
}

TEST(TcpSummary, EachIntervalTellsItsOwn) {
  Connection c;
  c.handshake();
  for (int i = 0; i < 3; ++i) c.after(200 * kSecond).client(kAck | kPsh, "data").after(20 * kMillisecond).server(kAck);
  PipelineOptions o = small_pipeline();
  o.idle_timeout = 1'000 * kSecond;
  Probing p(o);
  const auto flows = p.play(c.frames).finish().flows();
  ASSERT_EQ(flows.size(), 2u);
  EXPECT_EQ(flows[0]["tcpAcknowledgedOctetCount"], 4);
  EXPECT_EQ(flows[1]["tcpAcknowledgedOctetCount"], 8);
  EXPECT_EQ(flows[1]["tcpServerRttPercentileCount"], 2);
  EXPECT_EQ(flows[1]["tcpApplicationLimitedMicroseconds"], 20'000 + 200'000'000 + 20'000) << "from its first packet on";
}

}  // namespace
}  // namespace probe::test
