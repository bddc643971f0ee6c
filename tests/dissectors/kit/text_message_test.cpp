#include "dissectors/kit/text_message.h"

#include <gtest/gtest.h>

#include "dissectors/kit/sip_message.h"

namespace probe::text_message {
namespace {

const Protocol& kSip = sip::kProtocol;

TEST(TextMessage, StartLinesAreRequestsOrResponses) {
  const Start asked = parse_start("INVITE sip:bob@example.org SIP/2.0", kSip);
  EXPECT_TRUE(asked.is_request());
  EXPECT_EQ(asked.method, "INVITE");
  EXPECT_EQ(asked.target, "sip:bob@example.org");
  EXPECT_EQ(asked.version, "SIP/2.0");
  const Start told = parse_start("SIP/2.0 183 Session Progress ", kSip);
  EXPECT_EQ(told.status, 183u);
  EXPECT_EQ(told.reason, "Session Progress");
  for (const char* none : {"", "SIP/2.0", "SIP/2.0 ", "SIP/2.0 20", "SIP/2.0 2000", "SIP/2.0 099 x", "SIP/2.0 700 x",
                           "INVITE  SIP/2.0", "INVITE x SIP/2", "INVITE x HTTP/1.1", "IN VITE", "INVITE"})
    EXPECT_TRUE(parse_start(none, kSip).version.empty()) << none;
}

TEST(TextMessage, FieldsMayBeFoldedAndOddOnesArePassedOver) {
  FieldReader f("One: 1\r\nno field\r\nTwo :\t2\r\n  and more \r\n:\r\nThree:\r\n\r\nFour: behind the end\r\n");
  std::string seen;
  while (f.next()) seen += "[" + std::string(f.name()) + "=" + std::string(f.value()) + "]";
  EXPECT_EQ(seen, "[One=1][Two=2\r\n  and more][=][Three=]");
}

TEST(TextMessage, ParametersAreFoundByName) {
  EXPECT_EQ(parameter("RTP/AVP;unicast;Client_Port=1-2 ;x=\"q;r\"", "client_port"), "1-2");
  EXPECT_EQ(parameter(";tag=", "tag"), "");
  EXPECT_EQ(parameter(";mode=\"PLAY\"", "mode"), "PLAY");
  EXPECT_EQ(parameter(";mode=\"", "mode"), "\"");
  EXPECT_EQ(parameter("xtag=1;tagx=2", "tag"), "");
}

TEST(TextMessage, LengthsMustBeNumbers) {
  for (const char* length : {"-1", "x", "1 2", "99999999999999999999", "5\r\nContent-Length: 6", ""}) {
    Reader r;
    Message m;
    Step answer = Step::used(0);
    const std::string text = "BYE sip:x SIP/2.0\r\nContent-Length: " + std::string(length) + "\r\n\r\nhello!";
    EXPECT_EQ(r.read(as_bytes(text), true, kSip, m, answer), Reader::What::not_ours) << length;
  }
  Reader r;
  Message m;
  Step answer = Step::used(0);
  const std::string text = "BYE sip:x SIP/2.0\r\nl: 5\r\nContent-Length: 5\r\n\r\nhello!";
  ASSERT_EQ(r.read(as_bytes(text), false, kSip, m, answer), Reader::What::message);
  EXPECT_EQ(m.body, "hello");
  EXPECT_EQ(answer.octets, text.size() - 1);
}

TEST(TextMessage, ADatagramWithoutALengthIsAllBody) {
  Reader r;
  Message m;
  Step answer = Step::used(0);
  const std::string text = "BYE sip:x SIP/2.0\r\n\r\nhello";
  ASSERT_EQ(r.read(as_bytes(text), true, kSip, m, answer), Reader::What::message);
  EXPECT_EQ(m.body, "hello");
  ASSERT_EQ(r.read(as_bytes(text), false, kSip, m, answer), Reader::What::message);
  EXPECT_EQ(m.body, "") << "in a stream there is none";
}

TEST(SipMessage, UrisStandInBracketsOrBeforeParameters) {
  EXPECT_EQ(sip::uri_of("sip:a@b;tag=1"), "sip:a@b");
  EXPECT_EQ(sip::uri_of("<sip:a@b;user=phone>;tag=1"), "sip:a@b;user=phone");
  EXPECT_EQ(sip::uri_of("Anna <sip:a@b>"), "sip:a@b");
  EXPECT_EQ(sip::uri_of("\"<sip:no@body>\" <sip:a@b>"), "sip:a@b");
  EXPECT_EQ(sip::uri_of("\"open"), "");
  EXPECT_EQ(sip::uri_of("<sip:a"), "sip:a");
  EXPECT_EQ(sip::uri_of(""), "");
}

}  // namespace
}  // namespace probe::text_message
