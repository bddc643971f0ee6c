#include <gtest/gtest.h>

#include <string>

#include "dissectors/dissector.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector quic_dissector;

namespace test {
namespace {

using namespace std::string_literals;

constexpr Nanos ms(std::int64_t n) { return n * kMillisecond; }

constexpr std::uint32_t kV1 = 1, kV2 = 0x6b3343cf;
const std::string kOriginal = "\x83\x94\xc8\xf0\x3e\x51\x57\x08"s;  // RFC 9001 appendix A
const std::string kClient = "\x01\x02\x03"s, kServer = "\xf0\x67\xa5\x50\x2a"s;

std::string number(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}
std::string id(const std::string& s) { return static_cast<char>(s.size()) + s; }
std::string header(unsigned type, std::uint32_t version, const std::string& to, const std::string& from) {
  return static_cast<char>(0xc0 | type << 4) + number(version) + id(to) + id(from);
}
// A length in two octets (RFC 9000 §16), and that much of what is encrypted.
std::string body(std::size_t octets) {
  return std::string{static_cast<char>(0x40 | octets >> 8), static_cast<char>(octets)} + std::string(octets, 'x');
}
std::string initial(const std::string& to, const std::string& from, const std::string& token = "",
                    std::uint32_t version = kV1) {
  return header(version == kV2 ? 1 : 0, version, to, from) + id(token) + body(1100);
}
std::string handshake(const std::string& to, const std::string& from) { return header(2, kV1, to, from) + body(60); }
std::string retry(const std::string& to, const std::string& from) {
  return header(3, kV1, to, from) + "token" + std::string(16, 't');
}
std::string short_header(bool spin) { return (spin ? "\x60"s : "\x40"s) + std::string(30, 'y'); }

struct Quic : testing::Test {
  Talk talk{quic_dissector};
};

TEST_F(Quic, SplitsTheHandshakeAtTheProbe) {
  const Nanos t = talk.now();
  talk.client(initial(kOriginal, kClient));
  talk.after(ms(40)).server(initial(kClient, kServer) + handshake(kClient, kServer));
  talk.after(ms(1)).server(handshake(kClient, kServer));
  talk.after(ms(9)).client(initial(kServer, kClient));
  talk.after(ms(40)).server(short_header(false)).client(short_header(true));
  const Row& r = talk.finish().only();
  EXPECT_EQ(r.kind, "quic");
  EXPECT_EQ(r.number("quicVersion"), 1u);
  EXPECT_EQ(r.number("quicFlags"), 8u);
  EXPECT_EQ(r.text("quicOriginalConnectionId"), "8394c8f03e515708");
  EXPECT_EQ(r.text("quicClientConnectionId"), "010203");
  EXPECT_EQ(r.text("quicServerConnectionId"), "f067a5502a");
  EXPECT_EQ(r.number("quicServerHandshakeRttMicroseconds"), 40'000u);
  EXPECT_EQ(r.number("quicClientHandshakeRttMicroseconds"), 10'000u);
  EXPECT_FALSE(r.has("quicSpinState"));
  EXPECT_EQ(r.exchange.request_first, t);
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Quic, TheFixedBitMeansNothingOnceTheConnectionIsKnown) {  // RFC 9287
  std::string answer = initial(kClient, kServer), reaction = initial(kServer, kClient);
  answer[0] &= ~0x40;
  reaction[0] &= ~0x40;
  talk.client(initial(kOriginal, kClient)).after(ms(40)).server(answer).after(ms(10)).client(reaction);
  const Row& r = talk.finish().only();
  EXPECT_EQ(r.number("quicServerHandshakeRttMicroseconds"), 40'000u);
  EXPECT_EQ(r.number("quicClientHandshakeRttMicroseconds"), 10'000u);
  EXPECT_EQ(quic_dissector.guess(as_bytes(answer), Side::server), Guess::no);
}

TEST_F(Quic, AFlightOfSeveralDatagramsCountsFromItsFirst) {
  talk.client(initial(kOriginal, kClient)).after(ms(1)).client(initial(kOriginal, kClient));
  talk.after(ms(39)).server(initial(kClient, kServer));
  const Row& r = talk.finish().only();
  EXPECT_EQ(r.number("quicServerHandshakeRttMicroseconds"), 40'000u);
  EXPECT_FALSE(r.is(Quality::handshake_repeated));
}

TEST_F(Quic, ARepeatedInitialCountsFromItsLastCopyAndIsMarked) {
  talk.client(initial(kOriginal, kClient)).after(ms(1000)).client(initial(kOriginal, kClient));
  talk.after(ms(40)).server(initial(kClient, kServer));
  const Row& r = talk.finish().only();
  EXPECT_EQ(r.number("quicServerHandshakeRttMicroseconds"), 40'000u);
  EXPECT_TRUE(r.is(Quality::handshake_repeated));
}

TEST_F(Quic, AnInitialThatWasSentBeforeTheAnswerIsNoReactionToIt) {
  talk.client(initial(kOriginal, kClient));
  talk.after(ms(40)).server(initial(kClient, kServer));
  talk.after(ms(1)).client(initial(kOriginal, kClient));  // again: the answer had not arrived
  talk.after(ms(9)).client(initial(kServer, kClient));
  EXPECT_EQ(talk.finish().only().number("quicClientHandshakeRttMicroseconds"), 10'000u);
}

TEST_F(Quic, ARetryIsTheAnswerWithoutTheServersWork) {
  const std::string other = "retry-id"s;
  talk.client(initial(kOriginal, kClient)).after(ms(20)).server(retry(kClient, other));
  talk.after(ms(5)).client(initial(other, kClient, "token"));
  talk.after(ms(70)).server(initial(kClient, kServer));
  const Row& r = talk.finish().only();
  EXPECT_EQ(r.number("quicFlags"), 1u);
  EXPECT_EQ(r.number("quicServerHandshakeRttMicroseconds"), 20'000u);
  EXPECT_EQ(r.number("quicClientHandshakeRttMicroseconds"), 5'000u);
  EXPECT_EQ(r.text("quicOriginalConnectionId"), "8394c8f03e515708");
  EXPECT_EQ(r.text("quicServerConnectionId"), "f067a5502a");
}

TEST_F(Quic, KnowsVersionNegotiationAndVersion2) {
  const std::string versions = "\xbb"s + number(0) + id(kClient) + id(kOriginal) + number(kV2) + number(0x1a2a3a4a);
  talk.client(header(1, 0x5a6a7a8a, kOriginal, kClient) + std::string(1180, '?')).after(ms(20)).server(versions);
  talk.after(ms(10)).client(initial(kOriginal, kClient, "", kV2));
  talk.after(ms(30)).server(initial(kClient, kServer, "", kV2)).after(ms(4)).client(initial(kServer, kClient, "", kV2));
  const Row& r = talk.finish().only();
  EXPECT_EQ(r.number("quicVersion"), kV2);
  EXPECT_EQ(r.number("quicFlags"), 2u);
  EXPECT_EQ(r.number("quicServerHandshakeRttMicroseconds"), 20'000u);
  EXPECT_EQ(r.number("quicClientHandshakeRttMicroseconds"), 4'000u);
  EXPECT_FALSE(r.is(Quality::handshake_repeated));
}

TEST_F(Quic, WithoutTheClientsInitialNoHandshakeIsMeasured) {
  talk.server(initial(kClient, kServer)).after(ms(5)).client(handshake(kServer, kClient));
  const Row& r = talk.finish().only();
  EXPECT_FALSE(r.has("quicServerHandshakeRttMicroseconds"));
  EXPECT_EQ(r.number("quicClientHandshakeRttMicroseconds"), 5'000u);
  EXPECT_TRUE(r.is(Quality::mid_stream));
}

TEST_F(Quic, TellsTheSpinBitAndALongConnectionInPieces) {
  talk.client(initial(kOriginal, kClient)).after(ms(40)).server(initial(kClient, kServer));
  talk.after(ms(10)).client(initial(kServer, kClient));
  bool value = false;
  for (int round = 0; round < 6100; ++round) {  // 305 s
    talk.client(short_header(value)).after(ms(40)).server(short_header(value)).after(ms(10));
    value = !value;
  }
  const auto& rows = talk.finish();
  ASSERT_EQ(rows.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(rows[i].number("quicSpinState"), 1u);
    EXPECT_EQ(rows[i].number("quicSpinRttMinMicroseconds"), 50'000u);
    EXPECT_EQ(rows[i].number("quicSpinRttMaxMicroseconds"), 50'000u);
    EXPECT_EQ(rows[i].number("quicServerSpinRttMeanMicroseconds"), 40'000u);
    EXPECT_EQ(rows[i].number("quicClientSpinRttMeanMicroseconds"), 10'000u);
  }
  EXPECT_NEAR(rows[0].number("quicSpinRttCount") + rows[1].number("quicSpinRttCount"), 2 * 6100, 6);
}

// Another path of a connection.
const FlowEnd kBrowser{0, 0xc0000201, 50000}, kMoved{0, 0xc0000201, 50001}, kSite{0, 0xc6336401, 443};
constexpr std::uint64_t kFirstFlow = 77, kSecondFlow = 78;

std::string moved_packet(const std::string& to) { return "\x40" + to + std::string(30, 'y'); }

quic::KnownConnection handshake_of(Talk& talk) {
  talk.records().flow_ends = {.side = {kBrowser, kSite}, .flow_id = kFirstFlow, .datagrams = true};
  talk.client(initial(kOriginal, kClient)).after(ms(40)).server(initial(kClient, kServer));
  quic::KnownConnection c;
  const std::string packet = moved_packet(kServer);
  EXPECT_TRUE(talk.records().shared().connections.find(kSite, true, as_bytes(packet), talk.now(), c));
  return c;
}

TEST_F(Quic, IsKnownAgainWhenTheClientsAddressChanges) {
  const quic::KnownConnection c = handshake_of(talk);
  EXPECT_EQ(c.first_flow, kFirstFlow);
  Talk other(quic_dissector);
  other.records().flow_ends = {.side = {kMoved, kSite}, .flow_id = kSecondFlow, .datagrams = true};
  other.records().shared().connections.announce(c, kSite);
  other.after(ms(50)).client(moved_packet(kServer)).after(ms(40)).server(short_header(false));
  const Row& r = other.finish().only();
  EXPECT_EQ(r.number("quicFlags"), 8u | 16u);
  EXPECT_EQ(r.number("quicFirstFlowId"), kFirstFlow);
  EXPECT_EQ(r.number("quicVersion"), 1u);
  EXPECT_EQ(r.text("quicOriginalConnectionId"), "8394c8f03e515708");
  EXPECT_EQ(r.text("quicServerConnectionId"), "f067a5502a");
  EXPECT_FALSE(r.has("quicServerHandshakeRttMicroseconds"));
  EXPECT_EQ(r.exchange.quality, 0u);
  quic::KnownConnection again;
  const std::string packet = moved_packet(kServer);
  ASSERT_TRUE(other.records().shared().connections.find(kSite, true, as_bytes(packet), other.now(), again));
  EXPECT_EQ(again.first_flow, kFirstFlow) << "however often it moves";
}

TEST_F(Quic, IsNotKnownByAnotherServerOrDirectionOrId) {
  handshake_of(talk);
  quic::ConnectionTable& known = talk.records().shared().connections;
  quic::KnownConnection out;
  const auto finds = [&](const FlowEnd& server, bool to_server, const std::string& id) {
    const std::string packet = moved_packet(id);
    return known.find(server, to_server, as_bytes(packet), talk.now(), out);
  };
  EXPECT_TRUE(finds(kSite, true, kServer));
  EXPECT_FALSE(finds(kBrowser, true, kServer));
  EXPECT_FALSE(finds(kSite, false, kServer));
  EXPECT_FALSE(finds(kSite, true, "\xf0\x67\xa5\x50\x2b"));
  EXPECT_FALSE(finds(kSite, false, kClient)) << "three octets prove nothing";
  EXPECT_FALSE(known.find(kSite, true, as_bytes(kServer), talk.now(), out)) << "too short for its ID";
  Talk other(quic_dissector);
  other.records().flow_ends = {.side = {kMoved, kSite}, .flow_id = kSecondFlow, .datagrams = true};
  other.client(moved_packet(kServer));
  EXPECT_TRUE(other.given_up());
  EXPECT_EQ(other.finish().size(), 0u);
}

TEST(QuicGuess, PrefersNoToAWrongYes) {
  const auto guess = [](const std::string& s, Side from = Side::client) {
    return quic_dissector.guess(as_bytes(s), from);
  };
  EXPECT_EQ(guess(initial(kOriginal, kClient)), Guess::from_client);
  EXPECT_EQ(guess(initial(kClient, kServer)), Guess::from_server) << "no client makes up so short an ID";
  EXPECT_EQ(guess(initial(kOriginal, kClient, "token"), Side::server), Guess::from_client);
  EXPECT_EQ(guess(retry(kClient, kServer)), Guess::from_server);
  EXPECT_EQ(guess(short_header(true)), Guess::trial) << "if its connection is known";
  EXPECT_EQ(guess(short_header(true).substr(0, 20)), Guess::no);
  EXPECT_EQ(guess("\x20" + short_header(true).substr(1)), Guess::no);
  EXPECT_EQ(guess(initial(kOriginal, kServer) + handshake(kOriginal, kServer)), Guess::no) << "from either side";
  EXPECT_EQ(guess(handshake(kClient, kServer)), Guess::no);
  EXPECT_EQ(guess(initial(kOriginal, kClient, "", 0x51303433)), Guess::no) << "another layout: gQUIC";
  EXPECT_EQ(guess(initial(std::string(21, 'i'), kClient)), Guess::no);
  const std::string whole = initial(kOriginal, kClient);
  const std::size_t headers = whole.size() - 1100;
  for (std::size_t n = 0; n < headers; ++n) EXPECT_EQ(guess(whole.substr(0, n)), Guess::no) << n;
  EXPECT_EQ(guess(whole.substr(0, headers)), Guess::from_client) << "cut by the snap length";
}

}  // namespace
}  // namespace test
}  // namespace probe
