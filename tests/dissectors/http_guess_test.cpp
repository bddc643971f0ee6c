#include <gtest/gtest.h>

#include <string>

#include "dissectors/dissector.h"

namespace probe {
extern const Dissector http_dissector;

namespace {

Guess guess(std::string_view s) { return http_dissector.guess(as_bytes(s), Side::client); }

TEST(HttpGuess, KnowsARequestByItsLine) {
  EXPECT_EQ(guess("GET / HTTP/1.1\r\n"), Guess::from_client);
  EXPECT_EQ(guess("\r\nGET / HTTP/1.0\nHost: x"), Guess::from_client);
  EXPECT_EQ(guess("OPTIONS * HTTP/1.1\r\n"), Guess::from_client);
  EXPECT_EQ(guess("CONNECT h:443 HTTP/1.1\r\n"), Guess::from_client);
  EXPECT_EQ(guess("BASELINE-CONTROL /x HTTP/1.1\r\n"), Guess::from_client);
  EXPECT_EQ(guess("X-OWN /x HTTP/1.1\r\n"), Guess::from_client);
  EXPECT_EQ(guess("GET /" + std::string(3000, 'x') + " HTTP/1.1\r\n"), Guess::from_client);
}

TEST(HttpGuess, KnowsAResponseByItsStatus) {
  EXPECT_EQ(guess("HTTP/1.1 200 OK\r\n"), Guess::from_server);
  EXPECT_EQ(guess("HTTP/1.0 404"), Guess::from_server);
  EXPECT_EQ(guess("HTTP/1.1 2x0"), Guess::no);
  EXPECT_EQ(guess("HTTP/2.0 200 OK\r\n"), Guess::no);
}

TEST(HttpGuess, WaitsWhileAPrefixCouldBecomeEither) {
  const std::string request = "PROPFIND /some/where HTTP/1.1\r", response = "HTTP/1.1 20";
  for (std::size_t n = 0; n <= request.size(); ++n) EXPECT_EQ(guess(request.substr(0, n)), Guess::maybe) << n;
  for (std::size_t n = 0; n <= response.size(); ++n) EXPECT_EQ(guess(response.substr(0, n)), Guess::maybe) << n;
}

TEST(HttpGuess, BelievesAVeryLongTargetWithoutItsEnd) {
  EXPECT_EQ(guess("GET /" + std::string(1400, 'x')), Guess::from_client);
  EXPECT_EQ(guess("POST http://h/" + std::string(1400, 'x')), Guess::from_client);
  EXPECT_EQ(guess("FETCH /" + std::string(1400, 'x')), Guess::no);
  EXPECT_EQ(guess("OPTIONS sip:" + std::string(1400, 'x')), Guess::no);
}

TEST(HttpGuess, LeavesOtherProtocolsAlone) {
  for (const char* other :
       {"INVITE sip:bob@example.org SIP/2.0\r\n", "OPTIONS sip:x SIP/2.0\r\n", "SIP/2.0 200 OK\r\n",
        "DESCRIBE rtsp://h/x RTSP/1.0\r\n", "OPTIONS * RTSP/1.0\r\n", "RTSP/1.0 200 OK\r\n",
        "REQMOD icap://h/x ICAP/1.0\r\n", "OPTIONS icap://h/x ICAP/1.0\r\n", "ICAP/1.0 200 OK\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /\r\n", "HELO example.org\r\n", "USER a\r\n", "220 ready\r\n",
        "SSH-2.0-OpenSSH\r\n", "\x16\x03\x01\x02", "GET \x01\x02\x03\x04", "ICY 200 OK\r\n", "* OK IMAP\r\n"})
    EXPECT_EQ(guess(other), Guess::no) << other;
}

}  // namespace
}  // namespace probe
