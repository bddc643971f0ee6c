// Jitter, clocks, the E-model, headers.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "dissectors/kit/e_model.h"
#include "dissectors/kit/rtcp.h"
#include "dissectors/kit/rtp_header.h"
#include "dissectors/kit/rtp_jitter.h"

namespace probe::rtp {
namespace {

using namespace std::string_literals;

TEST(Jitter, IsThatOfTheStandard) {
  Jitter j;
  double expected = 0, sum = 0;
  Nanos now = kSecond;
  std::uint32_t timestamp = 0xffffff00;  // wraps
  const Nanos late[] = {0, 5, 0, 12, 3, 3, 40, 0, 1};
  Nanos before = 0;
  for (const Nanos l : late) {
    j.on_packet(now + l * kMillisecond, timestamp, 8000);
    if (now != kSecond) {
      expected += (std::abs(static_cast<double>(l - before)) * kMillisecond - expected) / 16;
      sum += expected;
    }
    before = l;
    now += 20 * kMillisecond;
    timestamp += 160;
  }
  EXPECT_EQ(j.count(), 8u);
  EXPECT_NEAR(static_cast<double>(j.last()), expected, 5);
  EXPECT_NEAR(static_cast<double>(j.mean()), sum / 8, 5);
  EXPECT_GE(j.greatest(), j.last());
}

TEST(Jitter, IsNoneWhereTimestampsKeepTheirClock) {
  Jitter j;
  for (std::uint32_t i = 0; i < 100; ++i) j.on_packet(Nanos{i} * 20 * kMillisecond, i * 960, 48000);
  EXPECT_EQ(j.greatest(), 0);
}

std::uint32_t guessed(double rate, Nanos packet, int packets) {
  ClockGuess guess;
  for (int i = 0; i < packets; ++i) {
    const double seconds = static_cast<double>(i * packet) / kSecond;
    if (const std::uint32_t r = guess.on_packet(i * packet, static_cast<std::uint32_t>(std::lround(seconds * rate))))
      return r;
  }
  return 0;
}

TEST(ClockGuess, FindsRatesThatAreInUse) {
  EXPECT_EQ(guessed(48000, 20 * kMillisecond, 200), 48000u);
  EXPECT_EQ(guessed(8000 * 1.01, 20 * kMillisecond, 200), 8000u) << "clocks are not exact";
  EXPECT_EQ(guessed(90000, 33 * kMillisecond, 200), 90000u);
}

TEST(ClockGuess, SaysNothingOfOthers) {
  EXPECT_EQ(guessed(60000, 20 * kMillisecond, 2000), 0u);
  EXPECT_EQ(guessed(0, 20 * kMillisecond, 2000), 0u);
  EXPECT_EQ(guessed(48000, 20 * kMillisecond, 50), 0u) << "a second is too short to tell";
}

// Values of G.107 with G.113's, to one decimal.
TEST(EModel, RatesACall) {
  const e_model::Codec* g711 = e_model::find_codec("pcmu");
  ASSERT_NE(g711, nullptr);
  EXPECT_NEAR(e_model::r_factor(*g711, {}), 93.2, 1e-9);
  EXPECT_NEAR(e_model::mos_of(93.2), 4.41, 0.005);
  EXPECT_NEAR(e_model::r_factor(*g711, {.loss_percent = 1, .delay_ms = {}}), 93.2 - 95.0 / 26.1, 1e-9);
  EXPECT_NEAR(e_model::r_factor(*g711, {.loss_percent = 0, .delay_ms = 100}), 93.2, 1e-9);
  EXPECT_NEAR(e_model::r_factor(*g711, {.loss_percent = 0, .delay_ms = 200}), 93.2 - 3.04, 0.05);
  EXPECT_NEAR(e_model::r_factor(*g711, {.loss_percent = 0, .delay_ms = 400}), 93.2 - 24.1, 0.2);
  const e_model::Codec* g729 = e_model::find_codec("G729");
  ASSERT_NE(g729, nullptr);
  EXPECT_NEAR(e_model::r_factor(*g729, {.loss_percent = 2, .delay_ms = {}}), 93.2 - (11 + 84.0 * 2 / 21), 1e-9);
}

TEST(EModel, KnowsNothingOfOtherCodecs) {
  for (const char* name : {"opus", "G722", "VP8", "H264", "", "PCM"}) EXPECT_EQ(e_model::find_codec(name), nullptr);
}

TEST(EModel, StaysOnItsScale) {
  EXPECT_EQ(e_model::mos_of(-5), 1);
  EXPECT_EQ(e_model::mos_of(100), 4.5);
  for (int r = 0; r <= 100; ++r) {
    EXPECT_GE(e_model::mos_of(r), 1);
    EXPECT_LE(e_model::mos_of(r), 4.5);
  }
  EXPECT_GE(e_model::r_factor(*e_model::find_codec("PCMA"), {.loss_percent = 100, .delay_ms = 5000}), 0);
}

TEST(EModel, TellsBurstsFromRandomLosses) {
  EXPECT_EQ(e_model::burst_ratio(0, 0, 100), 1);
  EXPECT_EQ(e_model::burst_ratio(10, 10, 1000), 1) << "random losses are no bursts";
  EXPECT_NEAR(e_model::burst_ratio(20, 5, 1000), 4 * 0.98, 1e-9);
}

TEST(Header, KnowsWhatElseComesInTheFlow) {
  const auto content = [](const std::string& s) { return content_of(as_bytes(s)); };
  EXPECT_EQ(content("\x80\x00"s), Content::rtp);
  EXPECT_EQ(content("\x80\xc8"s), Content::rtcp);
  EXPECT_EQ(content("\x80\x48"s), Content::rtp) << "RFC 5761: 72 without the marker";
  EXPECT_EQ(content("\x00\x01\x00\x00\x21\x12\xa4\x42"s + std::string(12, 'i')), Content::stun);
  EXPECT_EQ(content("\x00\x01\x00\x04\x21\x12\xa4\x42"s + std::string(12, 'i')), Content::other) << "length";
  EXPECT_EQ(content("\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02hi"s), Content::dtls);
  EXPECT_EQ(content("\x16\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02hi"s), Content::other);
  EXPECT_EQ(content("\x40\x00\x00\x02hi\x00\x00"s), Content::turn_channel);
  EXPECT_EQ(content("\x10\x00\x00\x00ZRTP"s), Content::zrtp);
  EXPECT_EQ(content("x"), Content::other);
  EXPECT_EQ(content(""), Content::other);
}

TEST(Header, LeavesOutWhatIsNoPayload) {
  // Two contributors, an extension of a word, three octets of padding.
  const std::string s = "\xb2\xe0\x01\x02\x00\x00\x00\x03\x00\x00\x00\x04"s + std::string(8, 'c') +
                        "\xbe\xde\x00\x01xxxx"s + "media"s + "\x00\x00\x03"s;
  const auto h = read_header(as_bytes(s));
  ASSERT_TRUE(h);
  EXPECT_EQ(h->payload_type, 96);
  EXPECT_TRUE(h->marker);
  EXPECT_TRUE(h->extension);
  EXPECT_EQ(h->contributors, 2);
  EXPECT_EQ(h->sequence, 0x0102);
  EXPECT_EQ(h->timestamp, 3u);
  EXPECT_EQ(h->ssrc, 4u);
  EXPECT_EQ(as_text(h->payload), "media");
  for (std::size_t n = 0; n < 28; ++n) EXPECT_FALSE(read_header(as_bytes(s).first(n))) << n;
}

TEST(Rtcp, FitsToTheLastOctet) {
  const std::string rr = "\x80\xc9\x00\x01"
                         "abcd"s,
                    sdes =
                        "\x81\xca\x00\x02"
                        "abcd\x00\x00\x00\x00"s;
  EXPECT_TRUE(rtcp::is_whole(as_bytes(rr + sdes), false));
  EXPECT_FALSE(rtcp::is_whole(as_bytes(sdes), false)) << "a compound begins with a report";
  EXPECT_TRUE(rtcp::is_whole(as_bytes(sdes), true)) << "RFC 5506";
  const std::string whole = rr + sdes;
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_EQ(rtcp::is_whole(as_bytes(whole).first(n), false), n == rr.size()) << n;
  EXPECT_FALSE(rtcp::is_whole(as_bytes(rr + std::string(14, 's')), false)) << "SRTCP: index and tag";
}

TEST(Rtcp, FindsVoipMetricsAmongOtherBlocks) {
  std::string voip = "\x07\x00\x00\x08"s + "ssrc"s + "\x01\x02\x03\x04"s + std::string(12, 0) + "\x5a\x7f\x28\x29"s +
                     std::string(8, 0);
  rtcp::VoipMetrics v;
  ASSERT_TRUE(rtcp::find_voip(as_bytes("\x04\x00\x00\x02"
                                       "12345678"s +
                                       voip),
                              v));
  EXPECT_EQ(v.ssrc, 0x73737263u);
  EXPECT_EQ(v.discard_rate, 2);
  EXPECT_EQ(v.r_factor, 90);
  EXPECT_EQ(v.mos, 41);
  EXPECT_FALSE(rtcp::find_voip(as_bytes(voip).first(30), v));
}

}  // namespace
}  // namespace probe::rtp
