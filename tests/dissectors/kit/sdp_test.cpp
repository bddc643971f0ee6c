#include "dissectors/kit/sdp.h"

#include <gtest/gtest.h>

#include <string>

namespace probe::sdp {
namespace {

const std::string kHead = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

Description parsed(const std::string& text) {
  Description d;
  EXPECT_TRUE(parse(text, d));
  return d;
}
const Media& only(const Description& d) {
  EXPECT_EQ(d.count, 1u);
  return d.lines[0].media;
}

TEST(Sdp, TellsWhereMediaIsReceivedAndAs) {
  const Description d = parsed(kHead +
                               "m=audio 49170 RTP/AVP 0 8 97\r\na=rtpmap:97 iLBC/8000\r\na=rtcp:53020\r\n"
                               "m=video 51372 RTP/SAVPF 99\r\nc=IN IP6 2001:db8::2\r\na=rtpmap:99 h263-1998/90000\r\n");
  ASSERT_EQ(d.count, 2u);
  const Media &audio = d.lines[0].media, &video = d.lines[1].media;
  EXPECT_EQ(audio.kind, MediaKind::audio);
  EXPECT_EQ(audio.at, (FlowEnd{0, 0xc0000201, 49170}));
  EXPECT_EQ(audio.rtcp_port, 53020u);
  EXPECT_FALSE(audio.secure);
  EXPECT_EQ(audio.format_count, 3u);
  EXPECT_EQ(audio.format(0)->clock_rate, 0u) << "not told";
  EXPECT_EQ(audio.format(97)->encoding.view(), "iLBC");
  EXPECT_EQ(audio.format(97)->clock_rate, 8000u);
  EXPECT_EQ(audio.format(97)->channels, 0u);
  EXPECT_EQ(video.kind, MediaKind::video);
  EXPECT_EQ(video.at, (FlowEnd{0x20010db800000000, 2, 51372}));
  EXPECT_TRUE(video.secure);
  EXPECT_EQ(video.format(99)->encoding.view(), "h263-1998");
}

TEST(Sdp, ARefusedStreamHasNoPort) { EXPECT_EQ(only(parsed(kHead + "m=audio 0 RTP/AVP 0\r\n")).at.port, 0u); }

TEST(Sdp, SeveralPortsBeginWithTheFirst) {
  EXPECT_EQ(only(parsed(kHead + "m=audio 5000/2 RTP/AVP 0\r\n")).at.port, 5000u);
}

TEST(Sdp, OnHoldOrByNameThereIsNoAddress) {
  for (const char* c :
       {"c=IN IP4 0.0.0.0", "c=IN IP4 phone.example.org", "c=IN IP6 ::", "c=nothing", "c=IN IP4 1.2.3"}) {
    const Description d = parsed(kHead + "m=audio 5000 RTP/AVP 0\r\n" + c + "\r\n");
    EXPECT_EQ(only(d).at, (FlowEnd{0, 0, 5000})) << c;
  }
}

TEST(Sdp, AGroupAddressHasATimeToLive) {
  EXPECT_EQ(only(parsed("v=0\r\nc=IN IP4 224.2.1.1/127/3\r\nm=audio 5000 RTP/AVP 0\r\n")).at.low, 0xe0020101u);
}

TEST(Sdp, WhatIsNotRtpIsLeftOut) {
  const Description d = parsed(kHead +
                               "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=rtpmap:0 X/1\r\n"
                               "m=image 4000 udptl t38\r\nm=audio 5000 UDP/TLS/RTP/SAVPF 0\r\n");
  EXPECT_TRUE(only(d).secure);
  EXPECT_EQ(only(d).at.port, 5000u);
  EXPECT_TRUE(only(d).format(0)->encoding.view().empty());
}

TEST(Sdp, IsFoundAmongOtherParts) {
  const Description d =
      parsed("--b\r\nContent-Type: application/sdp\r\n\r\n" + kHead + "m=audio 5000 RTP/AVP 0\r\n\r\n--b\r\nm=x\r\n");
  EXPECT_EQ(only(d).at.port, 5000u);
}

TEST(Sdp, ControlsAreKept) {
  const std::string text = kHead + "a=control:*\r\nm=audio 0 RTP/AVP 14\r\na=control:track1\r\n";
  const Description d = parsed(text);
  EXPECT_EQ(d.lines[0].control, "track1");
}

TEST(Sdp, LinesMayEndWithALineFeedAlone) {
  EXPECT_EQ(only(parsed("v=0\nc=IN IP4 192.0.2.1\nm=audio 5000 RTP/AVP 0\n")).at.low, 0xc0000201u);
}

TEST(Sdp, NonsenseYieldsNothing) {
  Description d;
  EXPECT_FALSE(parse("", d));
  EXPECT_FALSE(parse("m=audio 5000 RTP/AVP 0\r\n", d));
  for (const char* m : {"m=", "m=audio", "m=audio 70000 RTP/AVP 0", "m=audio -1 RTP/AVP 0", "m=audio x RTP/AVP 0",
                        "m=audio 5000", "m=audio 5000/x"})
    EXPECT_EQ(parsed(kHead + m + "\r\n").count, 0u) << m;
  const Description bad = parsed(kHead +
                                 "m=audio 5000 RTP/AVP 0 128 999 x\r\na=rtpmap\r\na=rtpmap:\r\na=rtpmap:0\r\n"
                                 "a=rtpmap:0 PCMU\r\na=rtcp:99999\r\na=rtcp\r\n");
  EXPECT_EQ(only(bad).format_count, 1u);
  EXPECT_EQ(only(bad).rtcp_port, 0u);
  EXPECT_EQ(only(bad).format(0)->encoding.view(), "PCMU");
}

TEST(Sdp, OfMoreThanIsKeptTheFirstCount) {
  std::string text = kHead;
  for (int i = 0; i < 20; ++i) text += "m=audio " + std::to_string(5000 + i) + " RTP/AVP 0\r\n";
  EXPECT_EQ(parsed(text).count, kMostLines);
  std::string formats = kHead + "m=audio 5000 RTP/AVP";
  for (int i = 0; i < 100; ++i) formats += " " + std::to_string(i);
  EXPECT_EQ(only(parsed(formats)).format_count, Media::kMostFormats);
}

TEST(Sdp, AnyPrefixIsRead) {
  const std::string text =
      kHead + "m=audio 49170/2 RTP/AVP 0 97\r\na=rtpmap:97 iLBC/8000/1\r\na=rtcp:5 IN IP4 1.2.3.4\r\n";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const std::string prefix = text.substr(0, n);
    Description d;
    parse(prefix, d);
    EXPECT_LE(d.count, 1u);
  }
}

}  // namespace
}  // namespace probe::sdp
