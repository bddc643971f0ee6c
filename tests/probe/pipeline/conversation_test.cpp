#include "probe/pipeline/conversation.h"

#include <gtest/gtest.h>

#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "tests/kit/conversation_player.h"

namespace probe::test {
namespace {

// A protocol for tests. The client says "ASK name\n", the server "ANS n\n" and n octets that nobody reads. Its records
// are of the kind http.
class Ask final : public Session {
 public:
  static Guess guess(Bytes first, Side) {
    const std::string_view s = as_text(first).substr(0, 4);
    if (s == "ASK ") return Guess::from_client;
    if (s == "ANS ") return Guess::from_server;
    return std::string_view("ASK ").starts_with(s) || std::string_view("ANS ").starts_with(s) ? Guess::maybe
                                                                                              : Guess::no;
  }

  Step on_data(Side from, Bytes data, Arrival at, Scribe& scribe) override {
    if (data.empty()) return end_of_answer(at, scribe), Step::used(0);
    const std::string_view s = as_text(data);
    const std::size_t line = s.find('\n');
    if (line == s.npos) return s.size() < 100 ? Step::need(s.size() + 1) : Step::not_ours();
    if (!s.starts_with(from == Side::client ? "ASK " : "ANS ")) return Step::not_ours();
    if (from == Side::client) {
      draft_ = scribe.open<"http">();
      draft_.set<"httpRequestTarget">(s.substr(4, line - 4));
      exchange_ = {.request_first = at.first, .request_last = at.last};
      return Step::used(line + 1);
    }
    std::uint64_t body = 0;
    std::from_chars(s.data() + 4, s.data() + line, body);
    exchange_.response_first = at.first;
    return Step::skip(line + 1 + body);
  }
  void on_gap(Side from, std::uint64_t octets, Scribe&) override {
    draft_.set<"httpReferer">((from == Side::client ? "client lost " : "server lost ") + std::to_string(octets));
  }
  void on_side_end(Side from, Arrival, Scribe&) override {
    draft_.set<"httpUserAgent">(from == Side::client ? "client ended" : "server ended");
  }
  void on_end(Scribe& scribe) override {
    if (draft_) scribe.commit(draft_, exchange_);
  }

 private:
  void end_of_answer(Arrival at, Scribe& scribe) {
    exchange_.response_last = at.last;
    scribe.commit(draft_, exchange_);
  }
  Draft<"http"> draft_;
  Exchange exchange_;
};

// Takes anything for its own, and behaves as badly as the test wants.
class Greedy final : public Session {
 public:
  static Guess guess(Bytes, Side) { return Guess::from_client; }
  Step on_data(Side, Bytes data, Arrival, Scribe&) override { return data.empty() ? on_passed : on_octets; }
  void on_end(Scribe&) override { ++ends; }
  static inline Step on_octets = Step::used(0), on_passed = Step::used(0);
  static inline int ends = 0;
};

// Takes every piece by itself and remembers when it came.
class Piecemeal final : public Session {
 public:
  static Guess guess(Bytes, Side) { return Guess::from_client; }
  Step on_data(Side, Bytes data, Arrival at, Scribe&) override {
    return arrivals.push_back(at), Step::used(data.size());
  }
  static inline std::vector<Arrival> arrivals;
};

// Believes that a flow is its own after three datagrams that begin with '#'.
class Patient final : public Session {
 public:
  static Guess guess(Bytes first, Side) { return as_text(first).starts_with('#') ? Guess::trial : Guess::no; }
  Step on_data(Side, Bytes data, Arrival at, Scribe& scribe) override {
    if (!as_text(data).starts_with('#')) return Step::not_ours();
    if (++seen_ == 1) begun_ = at.first;
    if (seen_ < 3) return Step::unsure();
    if (seen_ == 3) draft_ = scribe.open<"http">();
    return Step::used(data.size());
  }
  void on_end(Scribe& scribe) override {
    if (draft_) scribe.commit(draft_, {.request_first = begun_});
  }

 private:
  int seen_ = 0;
  Nanos begun_ = kNoTime;
  Draft<"http"> draft_;
};

constexpr std::uint16_t kAskPorts[] = {7}, kGreedyPorts[] = {99};
constexpr Dissector kAsk = describe<Ask>("ask", Over::both, kAskPorts);
constexpr Dissector kGreedy = describe<Greedy>("greedy", Over::tcp, kGreedyPorts);
constexpr const Dissector* kJustAsk[] = {&kAsk};
constexpr Dissector kPiecemeal = describe<Piecemeal>("piecemeal", Over::tcp, kGreedyPorts);
constexpr const Dissector* kJustGreedy[] = {&kGreedy};
constexpr const Dissector* kJustPiecemeal[] = {&kPiecemeal};
constexpr Dissector kPatient = describe<Patient>("patient", Over::udp, {});
constexpr const Dissector* kPatientFirst[] = {&kPatient, &kAsk};
constexpr const Dissector* kBoth[] = {&kGreedy, &kAsk};

struct Asking : testing::Test {
  ~Asking() override { EXPECT_EQ(player.in_use(), 0u); }
  Player player{kJustAsk};
  const Traffic plain =
      Script(7).handshake().client("ASK a\n").after(5).server("ANS 3\nxyz").after(5).client("ASK b\n").traffic();
};

TEST_F(Asking, FindsTheProtocolAndItsTransactions) {
  player.play(plain);
  EXPECT_EQ(player.protocol(), "ask");
  EXPECT_EQ(player.client(), static_cast<int>(Script::kClient));
  ASSERT_EQ(player.records().size(), 2u);
  const Row& a = player.records()[0];
  EXPECT_EQ(a.text("httpRequestTarget"), "a");
  EXPECT_EQ(a.exchange.response_first - a.exchange.request_last, 5);
  EXPECT_EQ(player.records()[1].text("httpRequestTarget"), "b");
  EXPECT_EQ(player.dissection().of(0).flows, 1u);
  EXPECT_EQ(player.quality(), 0u);
}

TEST_F(Asking, DoesNotDependOnTheCut) {
  const auto whole = player.play(plain).rows();
  for (std::size_t n = 1; n < 10; ++n) EXPECT_EQ(player.play(plain.cut(n)).rows(), whole) << n;
  EXPECT_EQ(player.play(plain.repeated()).rows(), whole);
  EXPECT_EQ(player.play(plain.cut(2).swapped()).rows().size(), whole.size());
}

TEST(Conversation, SaysThatWhatWaitedBehindAHoleArrivedWithItsFilling) {
  Traffic t = Script(99).handshake().client("ab").after(5).client("cd").after(5).client("ef").traffic();
  const Nanos first = t.packets[3].time, early = t.packets[5].time, late = early + 70;
  std::swap(t.packets[4], t.packets[5]);
  t.packets[5].time = late;
  Piecemeal::arrivals.clear();
  Player player(kJustPiecemeal);
  player.play(t);
  ASSERT_EQ(Piecemeal::arrivals.size(), 3u);
  EXPECT_EQ(Piecemeal::arrivals[0].last, first);
  EXPECT_EQ(Piecemeal::arrivals[1].last, late);
  EXPECT_EQ(Piecemeal::arrivals[2].first, early);
  EXPECT_EQ(Piecemeal::arrivals[2].last, late);
}

TEST_F(Asking, LetsThePayloadSayWhoIsTheClient) {
  Script script(50000);  // the client's port is the lower one
  script.client("ASK a\n").server("ANS 0\n");
  Traffic t = script.traffic();
  EXPECT_EQ(player.play(t).client(), static_cast<int>(Script::kClient));
  for (Sent& s : t.packets) s.sender = 1 - s.sender;
  EXPECT_EQ(player.play(t).client(), static_cast<int>(Script::kServer));
  EXPECT_EQ(player.records().size(), 2u);
}

TEST_F(Asking, GivesTheSessionFirstWhatTheOtherSideHadSaidBefore) {
  player.play(Script(7).handshake().client("A").after(1).server("ANS 0\n").client("SK a\n").traffic());
  EXPECT_EQ(player.protocol(), "ask");
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "a");
}

TEST_F(Asking, FindsNothingInOtherOctetsAndLetsGo) {
  const Traffic other = Script(7).handshake().client("HELLO").server("WORLD").client("ASK a\n").traffic();
  player.begin(other);
  for (std::size_t i = 0; i < 5; ++i) player.packet(other.packets[i]);
  EXPECT_EQ(player.in_use(), 0u);
  player.packet(other.packets[5]);
  player.end();
  EXPECT_EQ(player.protocol(), "");
  EXPECT_EQ(player.counters()[Counter::dissection_unknown], 1u);
}

TEST_F(Asking, UnderstandsTheServerOfAClientThatItDoesNot) {
  Script script(7);
  script.handshake().client("ask a\n").server("ANS 3\nabc").client("ASK b\n").server("ANS 0\n");
  EXPECT_EQ(player.play(script.traffic()).protocol(), "ask");
  ASSERT_EQ(player.records().size(), 1u);
  EXPECT_EQ(player.records()[0].text("httpRequestTarget"), "b");
  EXPECT_EQ(player.quality(), 0u);
}

TEST_F(Asking, TriesMoreThanOneDatagram) {
  player.play(Script(7, Over::udp).client("??").client("ASK a\n").traffic());
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "a");
}

TEST_F(Asking, FindsItsWayIntoAConversationThatHadBegun) {
  Script script(7);
  for (int i = 0; i < 5; ++i) script.server("rest of an answer");
  script.client("ASK a\n").server("ANS 0\n");
  EXPECT_EQ(player.play(script.traffic()).protocol(), "ask");
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "a");
}

TEST_F(Asking, StopsTryingInAConversationThatHadBegun) {
  Script script(7);
  for (int i = 0; i < 8; ++i) script.server("something").client("else");
  script.client("ASK a\n");
  EXPECT_EQ(player.play(script.traffic()).protocol(), "");
  Script late(7);  // but a long monologue is no reason not to try the other side
  for (int i = 0; i < 300; ++i) late.server("something");
  late.client("ASK a\n").server("ANS 0\n");
  EXPECT_EQ(player.play(late.traffic()).protocol(), "ask");
  EXPECT_NE(player.records().only().exchange.response_last, kNoTime);
  EXPECT_EQ(player.counters()[Counter::dissection_unknown], 1u);
}

TEST_F(Asking, TellsAGapThatAnAcknowledgementProves) {
  Script script(7);
  script.handshake()
      .client("ASK a\n")
      .server("lost in the capture")
      .server("ANS 0\n")
      .client("ASK b\n")
      .server("ANS 0\n");
  const Traffic t = script.traffic().without(4);
  player.play(t);
  ASSERT_GE(player.records().size(), 1u);
  EXPECT_EQ(player.dissection().of(0).gaps, 1u);
  EXPECT_EQ(player.quality(), bit_of(Quality::stream_gap));
  EXPECT_EQ(player.counters()[Counter::stream_gap_octets], 19u);
}

TEST_F(Asking, KnowsOfALostAnswerBeforeTheNextQuestion) {
  Script script(7);
  script.handshake().client("ASK a\n").server("ANS 0\n").client("ASK b\n").server("ANS 0\n");
  player.play(script.traffic().without(4));
  // The session is told of the gap while it waits for the answer to a, so that b is not mixed up with it.
  EXPECT_EQ(player.dissection().of(0).gaps, 1u);
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "b");
  EXPECT_FALSE(player.records().only().has("httpReferer"));
}

TEST_F(Asking, TakesTheFirstOctetsFromTheSynEvenIfTheyComeLate) {
  Traffic t = Script(7).handshake().client("ASK a").client("bc\n").server("ANS 0\n").traffic();
  std::swap(t.packets[3], t.packets[4]);
  EXPECT_EQ(player.play(t).records().only().text("httpRequestTarget"), "abc");
}

TEST_F(Asking, TakesDataOfTheSyn) {
  Script script(7);
  script.send(Script::kClient, "ASK a\n", tcp_flag::kSyn).server("ANS 0\n");
  Traffic t = script.traffic();
  t.packets[0].flags = tcp_flag::kSyn;
  EXPECT_EQ(player.play(t).records().only().text("httpRequestTarget"), "a");
}

TEST_F(Asking, HearsOfTheEndOfASide) {
  player.play(Script(7).handshake().client("ASK a\n").client_ends().traffic());
  EXPECT_EQ(player.records()[0].text("httpUserAgent"), "client ended");
  player.play(Script(7).handshake().client("ASK a\n").reset(Script::kServer).traffic());
  EXPECT_EQ(player.records()[1].text("httpUserAgent"), "server ended");
  player.play(Script(7).handshake().client("ASK a\n").traffic());
  EXPECT_FALSE(player.records()[2].has("httpUserAgent"));
}

TEST_F(Asking, GivesItsMemoryBackWhenBothSidesHaveEnded) {
  const Traffic ends = Script(7).handshake().client("ASK a\n").client_ends().server("ANS 0\n").server_ends().traffic();
  const Traffic reset = Script(7).handshake().client("ASK a\n").server("ANS 1\n").reset(Script::kClient).traffic();
  for (const Traffic& t : {ends, reset}) {
    player.begin(t);
    for (const Sent& s : t.packets) player.packet(s);
    EXPECT_EQ(player.in_use(), 0u);
    EXPECT_EQ(player.protocol(), "ask");
    EXPECT_EQ(player.end().rows().size(), 1u);
  }
}

TEST_F(Asking, DoesNotBelieveAResetThatIsNotInItsPlace) {
  Traffic t = Script(7).handshake().client("ASK a\n").server("A").reset(Script::kServer).server("NS 0\n").traffic();
  t.packets[5].sequence += 1000;
  player.play(t);
  EXPECT_FALSE(player.records().only().has("httpUserAgent"));
  EXPECT_NE(player.records().only().exchange.response_last, kNoTime);
  EXPECT_EQ(player.counters()[Counter::stream_resets_astray], 1u);
}

TEST_F(Asking, WorksOnDatagrams) {
  player.play(Script(7, Over::udp).client("ASK a\n").traffic());
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "a");
  Script other(7, Over::udp);
  for (int i = 0; i < 20; ++i) other.client("no");
  other.client("ASK b\n");
  EXPECT_EQ(player.play(other.traffic()).protocol(), "");
}

struct OnTrial : testing::Test {
  ~OnTrial() override { EXPECT_EQ(player.in_use(), 0u); }
  Player player{kPatientFirst};
};

TEST_F(OnTrial, IsASessionUntilItIsSure) {
  player.play(Script(5, Over::udp).client("#1").server("#2").after(5).client("#3").client("#4").traffic());
  EXPECT_EQ(player.protocol(), "patient");
  EXPECT_EQ(player.client(), -1) << "a protocol that is found by trial does not tell who is the client";
  EXPECT_EQ(player.records().only().exchange.request_first, kSecond) << "it has seen all datagrams";
  EXPECT_EQ(player.dissection().of(0).flows, 1u);
}

TEST_F(OnTrial, IsNoProtocolIfItNeverGetsSure) {
  player.play(Script(5, Over::udp).client("#1").server("#2").traffic());
  EXPECT_EQ(player.protocol(), "");
  EXPECT_EQ(player.records().size(), 0u);
  EXPECT_EQ(player.dissection().of(0).flows, 0u);
  EXPECT_EQ(player.counters()[Counter::dissection_unknown], 1u);
}

TEST_F(OnTrial, AsksTheOthersWhenItWasWrong) {
  player.play(Script(5, Over::udp).client("#1").client("ASK a\n").client("#2").traffic());
  EXPECT_EQ(player.protocol(), "ask");
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "a");
  EXPECT_EQ(player.dissection().of(0).not_ours, 0u);
  EXPECT_EQ(player.play(Script(5, Over::udp).client("#").client("x").client("#").client("#").client("#").traffic())
                .protocol(),
            "")
      << "it is tried once";
}

TEST_F(OnTrial, IsNobodyIfAnotherIsSure) {
  player.play(Script(7, Over::udp).client("ASK a\n").client("#1").client("#1").client("#1").traffic());
  EXPECT_EQ(player.protocol(), "ask");
}

TEST_F(Asking, ClosesASessionThatFindsOutThatItIsNotItsProtocol) {
  player.play(Script(7).handshake().client("ASK a\n").client("XYZ b\n").client("ASK c\n").traffic());
  EXPECT_EQ(player.dissection().of(0).not_ours, 1u);
  EXPECT_EQ(player.protocol(), "ask");
  EXPECT_EQ(player.records().only().text("httpRequestTarget"), "a");  // on_end is still called
}

TEST(Conversation, AsksTheDissectorsOfThePortFirst) {
  Player player(kBoth);
  EXPECT_EQ(player.play(Script(7).handshake().client("A").client("SK a\n").traffic()).protocol(), "ask");
  EXPECT_EQ(player.play(Script(7).handshake().client("GET").traffic()).protocol(), "greedy");
  EXPECT_EQ(player.play(Script(5).handshake().client("ASK a\n").traffic()).protocol(), "greedy");
  EXPECT_EQ(player.play(Script(7).handshake().client("A").traffic()).protocol(), "greedy");
}

TEST(Conversation, AsksOnlyDissectorsThatAreEnabled) {
  DissectionOptions options = Player::small();
  options.enabled = 2;
  Player player(kBoth, options);
  EXPECT_EQ(player.play(Script(99).handshake().client("GET").traffic()).protocol(), "");
  EXPECT_EQ(player.play(Script(99).handshake().client("ASK a\n").traffic()).protocol(), "ask");
  options.enabled = 0;
  Player none(kBoth, options);
  EXPECT_EQ(none.play(Script(7).handshake().client("ASK a\n").traffic()).protocol(), "");
}

TEST(Conversation, CountsFlowsThatFindNoRoom) {
  DissectionOptions options = Player::small();
  options.sessions = 0;
  Player player(kJustAsk, options);
  EXPECT_EQ(player.play(Script(7).handshake().client("ASK a\n").traffic()).protocol(), "ask");
  EXPECT_EQ(player.counters()[Counter::dissection_sessions_full], 1u);
  EXPECT_EQ(player.quality(), bit_of(Quality::not_dissected));
  options.conversations = 0;
  Player full(kJustAsk, options);
  full.play(Script(7).handshake().client("ASK a\n").traffic());
  EXPECT_EQ(full.counters()[Counter::dissection_conversations_full], 1u);
}

// Steps that a dissector must not answer end its session, not the program.
class Misbehaviour : public testing::TestWithParam<std::pair<Step, Step>> {};

TEST_P(Misbehaviour, IsGivenUp) {
  std::tie(Greedy::on_octets, Greedy::on_passed) = GetParam();
  Greedy::ends = 0;
  Player player(kJustGreedy);
  player.play(Script(99).handshake().client("four").server("five!").traffic());
  EXPECT_EQ(player.dissection().of(0).given_up, 1u);
  EXPECT_EQ(player.counters()[Counter::dissection_given_up], 1u);
  EXPECT_EQ(Greedy::ends, 1);
  EXPECT_EQ(player.in_use(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Steps, Misbehaviour,
    testing::Values(std::pair(Step::used(0), Step::used(0)), std::pair(Step::used(6), Step::used(0)),
                    std::pair(Step::need(4), Step::used(0)), std::pair(Step::need(0), Step::used(0)),
                    std::pair(Step::need(kMostNeeded + 1), Step::used(0)),
                    std::pair(Step::need(kToTheEnd), Step::used(0)), std::pair(Step::skip(0), Step::used(0)),
                    std::pair(Step::skip(0), Step::skip(0)), std::pair(Step::skip(0), Step::need(1)),
                    std::pair(Step::skip(2), Step::used(1)), std::pair(Step::skip(2), Step::need(0)),
                    std::pair(Step::skip(4), Step::skip(0))));

}  // namespace
}  // namespace probe::test
