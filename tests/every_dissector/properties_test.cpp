// What every dissector is held to, whatever its protocol: nothing here names one.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "tests/every_dissector/known_traffic.h"

namespace probe::test {
namespace {

bool from_start(const Traffic& t) { return !t.is_tcp() || (t.packets.front().flags & tcp_flag::kSyn) != 0; }

// Some of `n` indices, the first and the last among them.
std::vector<std::size_t> some_of(std::size_t n, std::size_t most) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::min(n, most); ++i) out.push_back(n <= most ? i : i * (n - 1) / (most - 1));
  return out;
}

std::string told(const Row& r) {
  std::string out = r.kind;
  for (const auto& [name, value] : r.texts) out += " " + name + "=" + value;
  for (const auto& [name, value] : r.numbers) out += " " + name + "=" + std::to_string(value);
  const Exchange& e = r.exchange;
  for (const Nanos t : {e.request_first, e.request_last, e.response_first, e.response_last})
    out += t == kNoTime ? " -" : " " + std::to_string(t % (1000 * kSecond));
  // How much there was of what ended in the middle of a skip is not known.
  if (!r.is(Quality::half_transaction))
    out += " " + std::to_string(e.request_octets) + " " + std::to_string(e.response_octets);
  return out + " quality " + std::to_string(e.quality);
}
std::string told(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& r : rows) out += told(r) + "\n";
  return out;
}

TEST_P(EveryDissector, HasACaptureInWhichItFindsTransactions) {
  std::size_t flows = 0, records = 0;
  for (const Traffic& t : flows_of(dissector())) {
    player.play(t);
    flows += player.protocol() == dissector().name;
    records += player.rows().size();
  }
  EXPECT_GT(flows, 0u);
  EXPECT_GT(records, 0u);
}

// Whether something comes ahead of what is before it: a stream holds no more than so many segments until then.
bool has_holes(const Traffic& t) {
  std::array<std::uint32_t, 2> next{};
  std::array<bool, 2> known{};
  for (const Sent& p : t.packets) {
    if (known[p.sender] && sequence_before(next[p.sender], p.sequence)) return true;
    const bool counts = (p.flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0;
    const std::uint32_t end = p.sequence + static_cast<std::uint32_t>(p.payload.size()) + (counts ? 1 : 0);
    if (!known[p.sender] || sequence_before(next[p.sender], end)) next[p.sender] = end;
    known[p.sender] = true;
  }
  return false;
}

TEST_P(EveryDissector, FindsTheSameHoweverTheConversationIsCut) {
  for (const Traffic& t : flows_of(dissector())) {
    if (!t.is_tcp() || !from_start(t)) continue;
    const std::string whole = told(player.play(t).rows());
    for (const std::size_t octets : {1, 2, 3, 7, 100, 1000}) {
      if (octets < 100 && has_holes(t)) continue;
      ASSERT_EQ(told(player.play(t.cut(octets)).rows()), whole) << "segments of " << octets;
    }
  }
}

TEST_P(EveryDissector, FindsTheSameWhenPacketsAreRepeated) {
  for (const Traffic& t : flows_of(dissector())) {
    if (!t.is_tcp()) continue;
    const std::string once = told(player.play(t).rows());
    ASSERT_EQ(told(player.play(t.repeated()).rows()), once);
  }
}

TEST_P(EveryDissector, FindsAsMuchWhenSegmentsChangePlaces) {
  for (const Traffic& t : flows_of(dissector())) {
    if (!t.is_tcp() || !from_start(t)) continue;
    const std::size_t records = player.play(t).rows().size();
    ASSERT_EQ(player.play(t.cut(50).swapped()).rows().size(), records);
  }
}

// What must come out although packet `i` was not captured: all transactions behind it but the first two, which may be
// what is needed to find the way back. Known by their times.
std::set<std::pair<Nanos, Nanos>> later(const std::vector<Row>& rows, Nanos hole) {
  std::set<std::pair<Nanos, Nanos>> out;
  std::size_t behind = 0;
  for (const Row& r : rows)
    if (r.exchange.request_first > hole && ++behind > 2)
      out.insert({r.exchange.request_first, r.exchange.response_first});
  return out;
}

TEST_P(EveryDissector, FindsLaterTransactionsBehindAHole) {
  std::size_t tried = 0, failed = 0;
  std::string failures;
  for (const Traffic& t : flows_of(dissector())) {
    const std::vector<Row> whole = player.play(t).rows();
    for (const std::size_t i : some_of(t.packets.size(), 100)) {
      if (t.packets[i].payload.empty()) continue;
      auto missing = later(whole, t.packets[i].time);
      if (missing.empty()) continue;
      const std::vector<Row> holed = player.play(t.without(i)).rows();
      for (const Row& r : holed) missing.erase({r.exchange.request_first, r.exchange.response_first});
      ++tried;
      if (missing.empty()) continue;
      ++failed;
      failures += "without packet " + std::to_string(i) + ":\n" + told(holed) + "instead of\n" + told(whole);
    }
  }
  // A few octets may be worth everything: without the word HEAD, the response seems to have a body.
  EXPECT_LE(failed * 20, tried) << failed << " of " << tried << " holes\n" << failures;
}

// Whether `part` says nothing that `whole` does not, as far as it claims to know. A record of a connection has no
// response that would end it: it says what was seen so far.
bool agrees(const Row& part, const Row& whole) {
  const schema::Kind& kind = schema::kKinds[schema::find_kind(part.kind)];
  const bool half = part.is(Quality::half_transaction) || !schema::belongs(schema::Group::response, kind);
  for (const auto& [name, value] : part.texts)
    if (half ? !whole.text(name).starts_with(value) : whole.text(name) != value) return false;
  for (const auto& [name, value] : part.numbers)
    if (!half && whole.number(name) != value) return false;
  return part.kind == whole.kind && (part.exchange.request_first == whole.exchange.request_first || half);
}

TEST_P(EveryDissector, TellsNothingWrongOfABeginning) {
  for (const Traffic& t : flows_of(dissector())) {
    if (!from_start(t)) continue;
    const std::vector<Row> whole = player.play(t).rows();
    for (const std::size_t n : some_of(t.packets.size(), 60)) {
      for (const bool cut : {false, true}) {
        Traffic beginning = t.first(n + 1);
        Sent& last = beginning.packets.back();
        if (cut && t.is_tcp()) last.payload.resize(last.payload.size() / 2);
        const std::vector<Row> rows = player.play(beginning).rows();
        for (const Row& r : rows)
          ASSERT_TRUE(std::any_of(whole.begin(), whole.end(), [&](const Row& w) { return agrees(r, w); }))
              << "of the first " << n + 1 << " packets: " << told(r) << "\nwhole:\n"
              << told(whole);
      }
    }
  }
}

TEST_P(EveryDissector, NeverClaimsAnotherProtocol) {
  for (const CapturedTraffic& c : all_captures()) {
    for (const Traffic& t : c.flows) {
      if (dissector().over == (t.is_tcp() ? Over::udp : Over::tcp)) continue;
      player.play(t).rows();
      if (player.protocol() == dissector().name) continue;
      std::array<bool, 2> asked{};
      for (const Sent& s : t.packets) {
        if (s.payload.empty() || (t.is_tcp() && asked[s.sender])) continue;
        asked[s.sender] = true;
        for (std::size_t n = t.is_tcp() ? 1 : s.payload.size(); n <= std::min<std::size_t>(s.payload.size(), 256); ++n)
          for (const Side from : {Side::client, Side::server}) {
            const Guess g = dissector().guess(as_bytes(std::string_view(s.payload).substr(0, n)), from);
            ASSERT_TRUE(g == Guess::no || g == Guess::maybe || g == Guess::trial)
                << "in " << c.capture << ", " << n << " octets of " << testing::PrintToString(s.payload.substr(0, 64));
          }
      }
    }
  }
}

TEST_P(EveryDissector, EndsWhenOneSideIsSilent) {
  for (const Traffic& t : flows_of(dissector())) {
    for (const unsigned sender : {0u, 1u}) {
      Traffic one{t.key, {}};
      std::copy_if(t.packets.begin(), t.packets.end(), std::back_inserter(one.packets),
                   [&](const Sent& s) { return s.sender == sender; });
      player.play(one).rows();
      ASSERT_EQ(player.in_use(), 0u);
    }
  }
}

TEST_P(EveryDissector, GivesAllMemoryBack) {
  for (const Traffic& t : flows_of(dissector())) {
    player.play(t).rows();
    ASSERT_EQ(player.in_use(), 0u);
    if (!t.packets.empty()) player.play(t.cut(5).without(t.packets.size() / 2)).rows();
    ASSERT_EQ(player.in_use(), 0u);
  }
}

TEST_P(EveryDissector, LivesWithoutMemory) {
  DissectionOptions poor = Player::small();
  poor.notes = 0;
  poor.streams.tiny_blocks = poor.streams.small_blocks = poor.streams.medium_blocks = poor.streams.large_blocks = 1;
  Player beggar(dissectors(), poor);
  for (const Traffic& t : flows_of(dissector())) {
    beggar.play(t.cut(30).swapped()).rows();
    ASSERT_EQ(beggar.in_use(), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryDissector, testing::ValuesIn(dissectors()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryDissector);

}  // namespace
}  // namespace probe::test
