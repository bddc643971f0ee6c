// Lines and heads of HTTP messages by themselves.
#include "dissectors/kit/http_head.h"

#include <gtest/gtest.h>

#include <string>

#include "dissectors/kit/http_line.h"

namespace probe::http {
namespace {

TEST(HttpLine, EndsAtItsLineFeed) {
  const Line l = read_line("abc\r\ndef", false, false);
  EXPECT_TRUE(l.whole);
  EXPECT_EQ(l.text, "abc");
  EXPECT_EQ(l.octets, 5u);
  EXPECT_EQ(read_line("abc\n", false, false).text, "abc");
  EXPECT_EQ(read_line("\r\r\n", false, false).text, "");
  EXPECT_FALSE(read_line("abc\r", false, false).whole);
}

TEST(HttpLine, WithFoldsEndsBeforeALineThatHasNoBlankInFront) {
  const Line l = read_line("a: b\r\n c\n\td\r\nx", true, false);
  EXPECT_EQ(l.text, "a: b\r\n c\n\td");
  EXPECT_TRUE(l.folded);
  char room[kLineKept];
  EXPECT_EQ(unfold(l.text, room), "a: b   c \td");
  EXPECT_FALSE(read_line("a: b\r\n", true, false).whole) << "the next line could be a fold";
  EXPECT_TRUE(read_line("\r\n", true, false).whole) << "the end of the head";
  EXPECT_TRUE(read_line("\r\n x", true, false).whole) << "what follows belongs to the body";
}

TEST(HttpLine, ALongOneGoesByInParts) {
  const std::string s(10000, 'x');
  const Line front = read_line(s, false, false);
  EXPECT_FALSE(front.whole);
  EXPECT_EQ(front.text.size(), kLineKept);
  EXPECT_TRUE(front.cut);
  EXPECT_GT(front.octets, 0u);
  const std::string rest = s.substr(front.octets) + " HTTP/1.1\r\n";
  const Line end = read_line(rest, false, true);
  EXPECT_TRUE(end.whole);
  EXPECT_TRUE(end.tail.ends_with(" HTTP/1.1"));
  const std::string all = s + " HTTP/1.1\r\n";
  EXPECT_EQ(read_line(all, false, false).tail, end.tail);
  EXPECT_EQ(read_line(all, false, false).text, front.text);
}

TEST(HttpHead, RequestLinesHaveAMethodATargetAndAVersion) {
  const RequestLine r = parse_request_line("GET /a b?c HTTP/1.1");
  EXPECT_EQ(r.method, "GET");
  EXPECT_EQ(r.target, "/a b?c") << "blanks in targets are wrong but sent";
  EXPECT_EQ(r.version, "HTTP/1.1");
  for (const char* none : {"", " ", "GET", "GET /", "GET  HTTP/1.1", "GET / HTTP/1.", "GET / HTTP/1.x",
                           "GET / HTTP/2.0", "G@T / HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/1.10"})
    EXPECT_TRUE(parse_request_line(none).method.empty()) << none;
  EXPECT_TRUE(parse_request_line(std::string(33, 'M') + " / HTTP/1.1").method.empty());
}

TEST(HttpHead, StatusLinesHaveAVersionAndThreeDigits) {
  EXPECT_EQ(parse_status_line("HTTP/1.1 404 Not Found").status, 404);
  EXPECT_EQ(parse_status_line("HTTP/1.0 200").version, "HTTP/1.0");
  for (const char* none : {"", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 099 x", "HTTP/ 200",
                           "HTTP/1.1.1.1.1 200", "ICY 200 OK", "HTTP/1.1200 OK", "http/1.1 200 OK"})
    EXPECT_TRUE(parse_status_line(none).version.empty()) << none;
}

TEST(HttpHead, AuthoritiesStandInAbsoluteTargets) {
  EXPECT_EQ(authority_of("http://example.org:80/x"), "example.org:80");
  EXPECT_EQ(authority_of("https://u:p@example.org?x=@"), "example.org");
  EXPECT_EQ(authority_of("/x?http://example.org/"), "");
  EXPECT_EQ(authority_of("://x"), "");
  EXPECT_EQ(authority_of("http://"), "");
}

TEST(HttpHead, FieldsAreKnownWhateverTheirCase) {
  EXPECT_EQ(parse_field("hOST:  a ").value, "a");
  EXPECT_EQ(parse_field("Content-Length : 1").field, Field::content_length);
  EXPECT_EQ(parse_field("X-Forwarded-For:1").field, Field::forwarded_for);
  for (const char* other : {"", ":", "Host", "Hosts: a", "Host a", "Content-Lengt: 1", " Host: a"})
    EXPECT_EQ(parse_field(other).field, Field::other) << other;
}

TEST(HttpHead, TheLengthOfABodyFollowsRfc9112) {
  Framing none;
  EXPECT_EQ(none.of_request(), Body::none);
  EXPECT_EQ(none.of_response(200, false), Body::to_close);
  EXPECT_EQ(none.of_response(304, false), Body::none);
  EXPECT_EQ(none.of_response(200, true), Body::none);
  Framing encoded;
  encoded.add_transfer_encoding("chunked, gzip");
  EXPECT_EQ(encoded.of_request(), Body::unknown) << "chunked is not the last coding";
  EXPECT_EQ(encoded.of_response(200, false), Body::to_close);
  encoded.add_transfer_encoding("Chunked ; q=1");
  EXPECT_EQ(encoded.of_request(), Body::chunked);
  Framing identity;
  identity.add_transfer_encoding("identity");
  identity.add_content_length("7");
  EXPECT_EQ(identity.of_request(), Body::sized);
  EXPECT_EQ(identity.length(), 7u);
}

TEST(HttpHead, ChunkSizesAreHexadecimal) {
  std::uint64_t n = 0;
  EXPECT_TRUE(parse_chunk_size("1aF ;x=\"y\"", n));
  EXPECT_EQ(n, 0x1afu);
  EXPECT_TRUE(parse_chunk_size("ffffffffffffffff", n));
  for (const char* none : {"", ";x", "g", "1 2", "-1", "0x1", "10000000000000000"})
    EXPECT_FALSE(parse_chunk_size(none, n)) << none;
}

}  // namespace
}  // namespace probe::http
