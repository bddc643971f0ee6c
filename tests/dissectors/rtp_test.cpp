#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/kit/conversation_player.h"

namespace probe {
extern const Dissector rtp_dissector;

namespace test {
namespace {

using namespace std::string_literals;

constexpr const Dissector* kJustRtp[] = {&rtp_dissector};
constexpr Nanos ms(std::int64_t n) { return n * kMillisecond; }

std::string number(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}
std::string half(std::uint32_t v) { return number(v).substr(2); }

// Packets of one sender.
struct Source {
  std::uint32_t ssrc = 0x1234;
  std::uint16_t next = 100;
  std::uint32_t timestamp = 1000;
  unsigned type = 0;
  std::uint32_t step = 160;
  std::size_t octets = 160;

  std::string packet(bool marker = false) {
    const std::string p = packet_of(type, std::string(octets, 'm'), marker);
    ++next;
    timestamp += step;
    return p;
  }
  std::string packet_of(unsigned t, const std::string& payload, bool marker = false) const {
    return "\x80"s + static_cast<char>((marker ? 0x80 : 0) | t) + half(next) + number(timestamp) + number(ssrc) +
           payload;
  }
};

std::string rtcp(unsigned count, unsigned type, const std::string& body) {
  return std::string{static_cast<char>(0x80 | count), static_cast<char>(type)} +
         half(static_cast<std::uint32_t>(body.size() / 4)) + body;
}
struct Block {
  std::uint32_t ssrc = 0;
  std::uint32_t fraction = 0;
  std::int32_t lost = 0;
  std::uint32_t highest = 0, jitter = 0, last_report = 0, delay = 0;
  std::string text() const {
    return number(ssrc) + number(fraction << 24 | (static_cast<std::uint32_t>(lost) & 0xffffff)) + number(highest) +
           number(jitter) + number(last_report) + number(delay);
  }
};
std::string sender_report(std::uint32_t ssrc, std::uint32_t middle, std::uint32_t packets,
                          const std::string& blocks = "") {
  return rtcp(
      static_cast<unsigned>(blocks.size() / 24), 200,
      number(ssrc) + number(middle >> 16) + number(middle << 16) + number(0) + number(packets) + number(7) + blocks);
}
std::string receiver_report(std::uint32_t ssrc, const Block& b) { return rtcp(1, 201, number(ssrc) + b.text()); }
std::string description(std::uint32_t ssrc, const std::string& name) {
  std::string items = "\x01"s + static_cast<char>(name.size()) + name;
  items += std::string(4 - items.size() % 4, '\0');
  return rtcp(1, 202, number(ssrc) + items);
}
std::string stun() { return "\x00\x01\x00\x00\x21\x12\xa4\x42"s + std::string(12, 'i'); }
std::string dtls() { return "\x16\xfe\xfd"s + std::string(8, '\0') + "\x00\x02hi"s; }

struct Rtp : testing::Test {
  ~Rtp() override { EXPECT_EQ(player.in_use(), 0u); }
  Rtp() { player.records().flow_ends = {{FlowEnd{0, 2, 40000}, FlowEnd{0, 1, 5004}}, 77}; }
  std::vector<Row> play() { return player.play(script.traffic()).rows(); }
  // That many packets, 20 ms apart.
  void send(Source& s, int packets, Nanos every = ms(20)) {
    for (int i = 0; i < packets; ++i) script.client(s.packet()).after(every);
  }
  Media announced(unsigned type, const std::string& name, std::uint32_t rate) {
    Media m;
    m.at = {0, 1, 5004};
    m.signalling_flow = 99;
    m.call.set("call@example");
    MediaFormat f;
    f.payload_type = static_cast<std::uint8_t>(type);
    f.clock_rate = rate;
    f.encoding.set(name);
    m.add(f);
    return m;
  }
  Player player{kJustRtp};
  Script script{5004, Over::udp};
  Source source;
};

TEST_F(Rtp, IsFoundByPacketsThatFollowEachOther) {
  send(source, 3);
  EXPECT_EQ(play().size(), 0u);
  EXPECT_EQ(player.protocol(), "");
  send(source, 1);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(player.protocol(), "rtp");
  const Row& r = rows[0];
  EXPECT_EQ(r.kind, "rtp");
  EXPECT_EQ(r.number("rtpSsrc"), 0x1234u);
  EXPECT_EQ(r.number("rtpPacketCount"), 4u) << "those before it was found count too";
  EXPECT_EQ(r.number("rtpPayloadOctetCount"), 640u);
  EXPECT_EQ(r.number("rtpSequenceNumber"), 100u);
  EXPECT_EQ(r.number("rtpLastSequenceNumber"), 103u);
  EXPECT_EQ(r.number("rtpDurationMicroseconds"), 60000u);
  EXPECT_EQ(r.number("rtpDeltaMaxMicroseconds"), 20000u);
  EXPECT_EQ(r.text("rtpEncodingName"), "PCMU");
  EXPECT_EQ(r.number("rtpClockRate"), 8000u);
  EXPECT_EQ(r.number("rfc3550JitterMicroseconds"), 0u);
  EXPECT_TRUE(r.has("rfc3550JitterMicroseconds"));
  EXPECT_FALSE(r.has("rtpMosHundredths")) << "four packets are no call";
  EXPECT_FALSE(r.exchange.about_server);
}

TEST_F(Rtp, IsNotFoundInWhatOnlyLooksLikeIt) {
  for (int i = 0; i < 50; ++i)
    script.client("\x80\x00"s + number(static_cast<std::uint32_t>(i) * 2654435761u) + "constant counter");
  EXPECT_EQ(play().size(), 0u) << "no sequence";
  script = Script(5004, Over::udp);
  source.step = 0;
  send(source, 50);
  EXPECT_EQ(play().size(), 0u) << "timestamps that stand still";
  script = Script(5004, Over::udp);
  source = {};
  source.type = 70;
  send(source, 50);
  EXPECT_EQ(play().size(), 0u) << "a payload type that is none";
  script = Script(5004, Over::udp);
  source = {};
  source.ssrc = 0;
  send(source, 50);
  EXPECT_EQ(play().size(), 0u) << "nobody's stream";
  EXPECT_EQ(player.protocol(), "");
}

TEST_F(Rtp, ComesAfterIceAndKeys) {
  for (int i = 0; i < 10; ++i) script.client(stun()).server(stun());
  for (int i = 0; i < 5; ++i) script.client(dtls()).server(dtls());
  send(source, 10);
  script.client(stun());
  send(source, 10);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpPacketCount"), 20u);
  EXPECT_EQ(rows[0].number("rtpLostPacketCount"), 0u);
}

TEST_F(Rtp, LeavesAFlowThatHasOnlyKeys) {
  for (int i = 0; i < 100; ++i) script.client(dtls());
  EXPECT_EQ(play().size(), 0u);
  EXPECT_EQ(player.protocol(), "");
}

TEST_F(Rtp, IsFoundAtOnceIfItWasAnnounced) {
  player.records().media().announce(announced(96, "opus", 48000));
  source.type = 96;
  source.step = 960;
  script.client(source.packet());
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpFlags") & 1, 1u);
  EXPECT_EQ(rows[0].text("rtpEncodingName"), "opus");
  EXPECT_EQ(rows[0].number("rtpClockRate"), 48000u);
  EXPECT_EQ(rows[0].number("rtpSignallingFlowId"), 99u);
  EXPECT_EQ(rows[0].text("rtpCallId"), "call@example");
}

TEST_F(Rtp, KnowsTheOtherSideByTheAnnouncementOfThisOne) {
  player.records().media().announce(announced(8, "PCMA", 8000));
  source.type = 8;
  for (int i = 0; i < 3; ++i) script.server(source.packet()).after(ms(20));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(rows[0].exchange.about_server);
  EXPECT_EQ(rows[0].text("rtpCallId"), "call@example");
}

TEST_F(Rtp, EstimatesAClockAndSaysSo) {
  source.type = 111;
  source.step = 960;
  send(source, 90);
  const std::vector<Row> early = play();
  ASSERT_EQ(early.size(), 1u);
  EXPECT_FALSE(early[0].has("rtpClockRate"));
  EXPECT_FALSE(early[0].has("rfc3550JitterMicroseconds"));
  send(source, 60);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpClockRate"), 48000u);
  EXPECT_EQ(rows[0].number("rtpFlags") & 4, 4u);
  EXPECT_TRUE(rows[0].has("rfc3550JitterMicroseconds"));
  EXPECT_FALSE(rows[0].has("rtpEncodingName"));
}

TEST_F(Rtp, CountsLossesAndRatesThem) {
  for (int i = 0; i < 100; ++i) {
    const std::string p = source.packet();
    if (i % 20 != 10) script.client(p);
    script.after(ms(20));
  }
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpExpectedPacketCount"), 100u);
  EXPECT_EQ(rows[0].number("rtpLostPacketCount"), 5u);
  EXPECT_EQ(rows[0].number("rtpLossBurstCount"), 5u);
  EXPECT_EQ(rows[0].number("rtpRFactorHundredths"), 7742u) << "93.2 - 95 * 5 / (5 + 25.1)";
  EXPECT_EQ(rows[0].number("rtpMosHundredths"), 392u);
  EXPECT_FALSE(rows[0].has("rtpDelayMilliseconds"));
}

TEST_F(Rtp, CountsTelephoneEventsNotTheirPackets) {
  send(source, 50);
  for (int digit = 0; digit < 3; ++digit) {
    for (int i = 0; i < 5; ++i) {
      script.client(source.packet_of(101, std::string{static_cast<char>(digit), '\x0a', 0, static_cast<char>(i * 20)}));
      script.after(ms(20));
      ++source.next;
    }
    source.timestamp += 5 * source.step;
    send(source, 10);
  }
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpEventCount"), 3u);
  EXPECT_EQ(rows[0].number("rtpPayloadTypeChangeCount"), 0u);
  EXPECT_EQ(rows[0].number("rtpJitterMaxMicroseconds"), 0u) << "events have no clock";
  EXPECT_EQ(rows[0].number("rtpLostPacketCount"), 0u);
}

TEST_F(Rtp, TellsAChangeOfTheCodec) {
  send(source, 50);
  source.type = 8;
  send(source, 50);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpPayloadType"), 0u);
  EXPECT_EQ(rows[0].number("rtpPayloadTypeChangeCount"), 1u);
  EXPECT_FALSE(rows[0].has("rtpMosHundredths")) << "of which of them?";
}

TEST_F(Rtp, TellsASenderThatChangesItsSource) {
  send(source, 20);
  Source second{.ssrc = 0x9999, .next = 7};
  send(second, 20);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_FALSE(rows[0].has("rtpPreviousSsrc"));
  EXPECT_EQ(rows[1].number("rtpPreviousSsrc"), 0x1234u);
}

TEST_F(Rtp, TellsACollision) {
  Source echo = source;
  for (int i = 0; i < 10; ++i) script.client(source.packet()).server(echo.packet()).after(ms(20));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].number("rtpFlags") & 16, 16u);
  EXPECT_EQ(rows[1].number("rtpFlags") & 16, 16u);
}

// Sender report of the client at 0, answer of the server 30 ms later after 10 ms: the server is 20 ms away. The other
// way 8 ms.
TEST_F(Rtp, MeasuresRoundTripsToBothSides) {
  Source other{.ssrc = 0x5678};
  for (int i = 0; i < 60; ++i) script.client(source.packet()).server(other.packet()).after(ms(20));
  const std::uint32_t ten_ms = 65536 / 100;
  script.client(sender_report(source.ssrc, 0x11112222, 60) + description(source.ssrc, "who@where"));
  script.after(ms(30)).server(
      sender_report(other.ssrc, 0x33334444, 60, Block{source.ssrc, 12, 3, 159, 80, 0x11112222, ten_ms}.text()));
  script.after(ms(18)).client(receiver_report(source.ssrc, {other.ssrc, 0, -2, 159, 8, 0x33334444, ten_ms}));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 2u);
  const Row &of_client = rows[0], &of_server = rows[1];
  EXPECT_EQ(of_client.text("rtcpCname"), "who@where");
  EXPECT_EQ(of_client.number("rtcpSenderPacketCount"), 60u);
  EXPECT_EQ(of_client.number("rtcpLostPacketCount"), 3u);
  EXPECT_EQ(of_client.number("rtcpFractionLostMax"), 12u);
  EXPECT_EQ(of_client.number("rtcpJitterMeanMicroseconds"), 10000u);
  EXPECT_NEAR(static_cast<double>(of_client.number("rtcpReceiverRttMeanMicroseconds")), 20000, 20);
  EXPECT_NEAR(static_cast<double>(of_server.number("rtcpReceiverRttMeanMicroseconds")), 8000, 20);
  EXPECT_NEAR(static_cast<double>(of_client.number("rtcpRttMicroseconds")), 28000, 40);
  EXPECT_EQ(of_server.number("rtcpLostPacketCount"), 0u);
  EXPECT_EQ(of_client.number("rtpDelayMilliseconds"), 14u + 20 + 60);
}

TEST_F(Rtp, TakesTheReceiversWordForWhatIsLostBehindTheProbe) {
  send(source, 50);
  script.server(receiver_report(1, {source.ssrc, 0, 0, 100, 0, 0, 0}) + description(1, "r"));
  send(source, 50);
  script.server(receiver_report(1, {source.ssrc, 51, 10, 200, 0, 0, 0}));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpLostPacketCount"), 0u);
  EXPECT_EQ(rows[0].number("rtpFlags") & 64, 64u);
  EXPECT_EQ(rows[0].number("rtpRFactorHundredths"), 6613u) << "10 % lost";
}

TEST_F(Rtp, KnowsThatTheCaptureLostWhatTheReceiverGot) {
  for (int i = 0; i < 100; ++i) {
    const std::string p = source.packet();
    if (i % 10 != 5) script.client(p);
    script.after(ms(20));
  }
  script.server(receiver_report(1, {source.ssrc, 0, 0, 199, 0, 0, 0}) + description(1, "r"));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_TRUE(rows[0].is(Quality::capture_loss));
  EXPECT_FALSE(rows[0].has("rtpMosHundredths"));
}

TEST_F(Rtp, ReportsRtcpOnAPortOfItsOwn) {
  script.client(sender_report(5, 0x11112222, 60) + description(5, "a"));
  script.after(ms(30)).server(receiver_report(6, {5, 12, 3, 159, 80, 0x11112222, 0}) + description(6, "b"));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_FALSE(rows[0].has("rtpPacketCount"));
  EXPECT_FALSE(rows[0].has("rtcpJitterMeanMicroseconds")) << "no clock, no time";
  EXPECT_EQ(rows[0].number("rtcpReceiverRttMeanMicroseconds"), 30000u);
}

TEST_F(Rtp, DoesNotReadWhatIsEncrypted) {
  Media m = announced(0, "PCMU", 8000);
  m.secure = true;
  player.records().media().announce(m);
  send(source, 10);
  script.client(sender_report(source.ssrc, 1, 60));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpFlags") & 2, 2u);
  EXPECT_FALSE(rows[0].has("rtcpSenderPacketCount"));
  EXPECT_EQ(rows[0].number("rtcpOpaquePacketCount"), 1u);
}

TEST_F(Rtp, CountsSrtcpThatNobodyAnnounced) {
  send(source, 10);
  script.client(sender_report(source.ssrc, 1, 60) + std::string(14, 's'));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_FALSE(rows[0].has("rtcpSenderPacketCount"));
  EXPECT_EQ(rows[0].number("rtcpOpaquePacketCount"), 1u);
}

TEST_F(Rtp, ReportsALongStreamInIntervals) {
  send(source, 200, 2 * kSecond);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].number("rtpPacketCount") + rows[1].number("rtpPacketCount"), 200u);
  EXPECT_EQ(rows[1].number("rtpSequenceNumber"), rows[0].number("rtpLastSequenceNumber") + 1);
  EXPECT_EQ(rows[0].number("rtpLostPacketCount") + rows[1].number("rtpLostPacketCount"), 0u);
}

TEST_F(Rtp, KeepsASchoolOfStreamsAndSaysWhenThereAreMore) {
  std::vector<Source> sources;
  for (std::uint32_t i = 1; i <= 30; ++i) sources.push_back({.ssrc = i});
  send(source, 5);
  for (int n = 0; n < 10; ++n)
    for (Source& s : sources) script.client(s.packet()).after(ms(1));
  const std::vector<Row> rows = play();
  EXPECT_GE(rows.size(), 10u);
  EXPECT_LT(rows.size(), 30u);
  for (const Row& r : rows) EXPECT_EQ(r.number("rtpFlags") & 128, 128u);
}

TEST_F(Rtp, IsFoundAmongSeveralStreamsThatBeginTogether) {
  std::vector<Source> sources;
  for (std::uint32_t i = 1; i <= 6; ++i) sources.push_back({.ssrc = i});
  for (int n = 0; n < 10; ++n)
    for (Source& s : sources) script.client(s.packet()).after(ms(1));
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 6u);
  for (const Row& r : rows) EXPECT_EQ(r.number("rtpPacketCount"), 10u);
}

TEST_F(Rtp, DropsSourcesThatSpeakOnce) {
  send(source, 10);
  for (std::uint32_t i = 0; i < 1000; ++i) script.client(Source{.ssrc = 0x80000000 + i * 77}.packet());
  send(source, 10);
  const std::vector<Row> rows = play();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].number("rtpPacketCount"), 20u);
}

}  // namespace
}  // namespace test
}  // namespace probe
