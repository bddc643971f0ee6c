#include <gtest/gtest.h>

#include <string>

#include "dissectors/dissector.h"
#include "dissectors/kit/rtsp_transport.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector rtsp_dissector;

namespace test {
namespace {

constexpr Nanos ms(std::int64_t n) { return n * kMillisecond; }

std::string message(const std::string& start, unsigned number, const std::string& more = {},
                    const std::string& body = {}) {
  return start + "\r\nCSeq: " + std::to_string(number) + "\r\n" + more +
         (body.empty() ? "" : "Content-Length: " + std::to_string(body.size()) + "\r\n") + "\r\n" + body;
}
std::string request(const std::string& method, unsigned number, const std::string& more = {},
                    const std::string& url = "rtsp://c.example/lab") {
  return message(method + " " + url + " RTSP/1.0", number, "User-Agent: player/1\r\n" + more);
}
std::string response(unsigned number, const std::string& more = {}, const std::string& body = {}) {
  return message("RTSP/1.0 200 OK", number, "Server: streamer/2\r\n" + more, body);
}
std::string frame(unsigned channel, std::size_t octets) {
  std::string payload(octets, 'R');  // letters that begin messages
  if (!payload.empty()) payload[0] = static_cast<char>(0x80);
  return {std::string("$") + static_cast<char>(channel) + static_cast<char>(octets >> 8) +
          static_cast<char>(octets & 0xff) + payload};
}

struct Rtsp : testing::Test {
  RecordList& records() { return talk.records(); }
  Talk talk{rtsp_dissector};
};

TEST_F(Rtsp, PairsARequestWithItsResponse) {
  const Nanos t = talk.now();
  const std::string asked = request("SETUP", 3),
                    told = response(3, "Session: 4711;timeout=60\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n");
  talk.client(asked).after(ms(9)).server(told);
  const Row& r = records().only();
  EXPECT_EQ(r.kind, "rtsp");
  EXPECT_EQ(r.text("rtspCommand"), "SETUP");
  EXPECT_EQ(r.text("rtspURL"), "rtsp://c.example/lab");
  EXPECT_EQ(r.text("rtspVersion"), "RTSP/1.0");
  EXPECT_EQ(r.number("rtspCSeq"), 3u);
  EXPECT_EQ(r.text("rtspUserAgent"), "player/1");
  EXPECT_EQ(r.text("rtspSession"), "4711");
  EXPECT_EQ(r.number("rtspReturnCode"), 200u);
  EXPECT_EQ(r.text("rtspReasonPhrase"), "OK");
  EXPECT_EQ(r.text("rtspServer"), "streamer/2");
  EXPECT_EQ(r.text("rtspTransport"), "RTP/AVP/TCP;interleaved=0-1");
  EXPECT_FALSE(r.has("rtspInterleavedFrameCount"));
  EXPECT_EQ(r.exchange.request_first, t);
  EXPECT_EQ(r.exchange.response_first, t + ms(9));
  EXPECT_EQ(r.exchange.request_octets, asked.size());
  EXPECT_EQ(r.exchange.response_octets, told.size());
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Rtsp, ResponsesMayComeInAnyOrder) {
  for (unsigned i = 1; i <= 8; ++i) talk.client(request("GET_PARAMETER", i));
  for (unsigned i = 8; i >= 1; --i) talk.server(response(i));
  ASSERT_EQ(records().size(), 8u);
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(records()[i].number("rtspCSeq"), 8 - i);
  EXPECT_EQ(records()[0].exchange.quality, 0u);
  talk.finish();
  EXPECT_EQ(records().notes().in_use(), 0u);
}

TEST_F(Rtsp, EitherSideMayAsk) {
  talk.client(request("OPTIONS", 1)).server(request("ANNOUNCE", 1));
  talk.client(message("RTSP/1.0 501 Not Implemented", 1)).server(response(1));
  ASSERT_EQ(records().size(), 2u);
  EXPECT_TRUE(records()[0].exchange.about_server);
  EXPECT_EQ(records()[0].text("rtspCommand"), "ANNOUNCE");
  EXPECT_EQ(records()[0].number("rtspReturnCode"), 501u);
  EXPECT_FALSE(records()[1].exchange.about_server);
}

TEST_F(Rtsp, AnInterimResponseEndsNothing) {
  talk.client(request("PLAY", 1)).server(message("RTSP/1.0 100 Continue", 1)).after(ms(5)).server(response(1));
  EXPECT_EQ(records().only().number("rtspReturnCode"), 200u);
}

TEST_F(Rtsp, HalvesAreMarked) {
  talk.server(response(7)).client(request("OPTIONS", 8));
  ASSERT_EQ(talk.finish().size(), 2u);
  EXPECT_TRUE(records()[0].is(Quality::half_transaction));
  EXPECT_FALSE(records()[0].has("rtspCommand"));
  EXPECT_EQ(records()[0].text("rtspVersion"), "RTSP/1.0");
  EXPECT_TRUE(records()[1].is(Quality::half_transaction));
  EXPECT_FALSE(records()[1].has("rtspReturnCode"));
}

TEST_F(Rtsp, OfTooManyTheOldestGoes) {
  for (unsigned i = 1; i <= 14; ++i) talk.client(request("GET_PARAMETER", i));
  ASSERT_EQ(records().size(), 2u);
  EXPECT_EQ(records()[0].number("rtspCSeq"), 1u);
  EXPECT_EQ(talk.finish().size(), 14u);
}

// Interleaved frames

TEST_F(Rtsp, FramesGoByHoweverTheyAreCut) {
  const std::string told = frame(0, 300) + frame(1, 0) + response(2) + frame(0, 1000) + frame(0, 5) + response(3);
  for (const std::size_t n : {1, 2, 3, 5, 50, 200, 5000}) {
    Talk cut(rtsp_dissector);
    cut.client(request("PLAY", 2) + frame(1, 40) + request("TEARDOWN", 3));
    for (std::size_t at = 0; at < told.size(); at += n) cut.server(told.substr(at, n));
    RecordList& records = cut.finish();
    ASSERT_EQ(records.size(), 2u) << n;
    EXPECT_EQ(records[0].number("rtspInterleavedFrameCount"), 3u);
    EXPECT_EQ(records[0].number("rtspInterleavedOctetCount"), 340u);
    EXPECT_EQ(records[1].number("rtspInterleavedFrameCount"), 2u);
    EXPECT_EQ(records[1].number("rtspInterleavedOctetCount"), 1005u);
    EXPECT_EQ(records[1].exchange.quality, 0u);
    EXPECT_LE(cut.most_needed(), response(2).size());
  }
}

TEST_F(Rtsp, FramesAndMessagesAreFoundAgainBehindAGap) {
  talk.client(request("PLAY", 1)).server(response(1)).server(frame(0, 100));
  talk.lose(Side::server, 50).server("rest of a frame, with a $ in it").server(frame(0, 100)).server(frame(0, 100));
  talk.lose(Side::server, 50).server("\r\n" + std::string(100, '\0') + "\r\n");
  talk.client(request("TEARDOWN", 2)).server(response(2));
  ASSERT_EQ(records().size(), 2u);
  EXPECT_EQ(records()[1].number("rtspInterleavedFrameCount"), 3u);
  EXPECT_EQ(records()[1].exchange.quality, 0u);
}

// Media

const std::string kDescription =
    "v=0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:track=1\r\n"
    "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 L16/44100/2\r\na=control:track=2\r\n";

struct RtspMedia : Rtsp {
  RtspMedia() {
    records().flow_ends.side[index_of(Side::client)] = {0, 0x0a000001, 40000};
    records().flow_ends.side[index_of(Side::server)] = {0, 0x0a000002, 554};
    records().flow_ends.flow_id = 99;
  }
  bool find(std::uint32_t address, std::uint16_t port) {
    return records().media().find({0, address, port}, talk.now(), found);
  }
  void set_up(const std::string& transport, const std::string& url = "rtsp://c.example/lab/track=2") {
    talk.client(request("SETUP", 2, {}, url)).server(response(2, "Session: s\r\nTransport: " + transport + "\r\n"));
  }
  Media found;
};

TEST_F(RtspMedia, SetupTellsWhereAndDescribeWhat) {
  talk.client(request("DESCRIBE", 1)).server(response(1, "Content-Type: application/sdp\r\n", kDescription));
  EXPECT_FALSE(find(0, 0)) << "ports are still to be told";
  set_up("RTP/AVP;unicast;client_port=4588-4589;server_port=6256-6257;ssrc=2A3F93ED");
  ASSERT_TRUE(find(0x0a000001, 4588));
  EXPECT_EQ(found.rtcp_port, 4589u);
  EXPECT_EQ(found.kind, MediaKind::audio);
  EXPECT_EQ(found.signalling_flow, 99u);
  EXPECT_EQ(found.call.view(), "s");
  ASSERT_NE(found.format(97), nullptr);
  EXPECT_EQ(found.format(97)->clock_rate, 44100u);
  ASSERT_TRUE(find(0x0a000002, 6256)) << "reports go there";
  EXPECT_EQ(found.rtcp_port, 6257u);
  EXPECT_EQ(talk.finish().notes().in_use(), 0u);
}

TEST_F(RtspMedia, WithoutADescriptionThereIsTheEndpointAlone) {
  set_up("RTP/SAVP/UDP;unicast;source=10.0.0.7;destination=10.0.0.9;client_port=5000;server_port=6000");
  ASSERT_TRUE(find(0x0a000009, 5000));
  EXPECT_EQ(found.kind, MediaKind::unknown);
  EXPECT_EQ(found.format_count, 0u);
  EXPECT_TRUE(found.secure);
  EXPECT_TRUE(find(0x0a000007, 6000));
}

TEST_F(RtspMedia, WhatIsRefusedOrInterleavedIsNotAnnounced) {
  set_up("RTP/AVP/TCP;unicast;interleaved=0-1;client_port=5000");
  talk.client(request("SETUP", 3))
      .server(message("RTSP/1.0 461 Unsupported Transport", 3, "Transport: RTP/AVP;client_port=5000-5001\r\n"));
  EXPECT_FALSE(find(0x0a000001, 5000));
}

TEST_F(RtspMedia, WhoRecordsDescribesByAnnounce) {
  talk.client(message("ANNOUNCE rtsp://c.example/lab RTSP/1.0", 1, "Content-Type: application/sdp\r\n", kDescription));
  set_up("RTP/AVP;unicast;client_port=4000-4001;server_port=5000-5001;mode=record", "rtsp://c.example/lab/track=1");
  ASSERT_TRUE(find(0x0a000002, 5000));
  EXPECT_EQ(found.kind, MediaKind::video);
}

TEST(RtspTransport, ReadsTheFirstOfSeveral) {
  const auto t = rtsp::parse_transport(" RTP/AVP ; client_port=\"1-2\";Server_Port=3,RTP/AVP/TCP;interleaved=0-1");
  EXPECT_TRUE(t.over_udp);
  EXPECT_FALSE(t.secure);
  EXPECT_EQ(t.client_port, 1u);
  EXPECT_EQ(t.client_rtcp, 2u);
  EXPECT_EQ(t.server_port, 3u);
  EXPECT_EQ(t.server_rtcp, 0u);
}

TEST(RtspTransport, NonsenseIsNothing) {
  for (const char* s : {"", ";", "RAW/RAW/UDP", "RTP/AVP/TCP", "RTP", ";client_port=1-2"})
    EXPECT_FALSE(rtsp::parse_transport(s).over_udp) << s;
  EXPECT_EQ(rtsp::parse_transport("RTP/AVP;client_port=65536-x").client_port, 0u);
  EXPECT_EQ(rtsp::parse_transport("RTP/AVP;client_port=-").client_rtcp, 0u);
  EXPECT_EQ(rtsp::parse_transport("RTP/AVP;destination=host.example").destination, FlowEnd{});
}

// Guess

Guess guess(const std::string& s) { return rtsp_dissector.guess(as_bytes(s), Side::client); }

TEST(RtspGuess, TellsRequestsFromResponses) {
  EXPECT_EQ(guess("DESCRIBE rtsp://x/ RTSP/1.0\r\n"), Guess::from_client);
  EXPECT_EQ(guess("OPTIONS * RTSP/2.0\r\n"), Guess::from_client);
  EXPECT_EQ(guess("RTSP/1.0 404 Not Found\r\n"), Guess::from_server);
  for (std::size_t n = 0; n < 20; ++n)
    EXPECT_EQ(guess(std::string("DESCRIBE rtsp://x/ RTSP/1.0").substr(0, n)), Guess::maybe);
}

TEST(RtspGuess, LeavesOthersAlone) {
  for (const char* s :
       {"OPTIONS * HTTP/1.1\r\n", "OPTIONS sip:x SIP/2.0\r\n", "$", "RTSP\r\n", "RTSP/1.0 OK\r\n", "GET /"})
    EXPECT_EQ(guess(s), Guess::no) << s;
}

}  // namespace
}  // namespace test
}  // namespace probe
