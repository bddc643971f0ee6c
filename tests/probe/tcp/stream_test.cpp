#include "probe/tcp/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace probe::tcp {
namespace {

StreamOptions few(std::size_t blocks) {
  StreamOptions o;
  o.tiny_blocks = o.small_blocks = o.medium_blocks = o.large_blocks = blocks;
  return o;
}

// One direction of a connection, and what its reader was told: data as it is, "(gap 3)", "(passed 10-20)", "(end)".
class Line {
 public:
  explicit Line(StreamOptions o = {}) : pool_(o) {}
  ~Line() {
    stream.release(pool_);
    EXPECT_EQ(pool_.in_use(), 0u);
  }

  Line& segment(std::uint32_t sequence, std::string_view data, Nanos time = 0) {
    return segment({sequence, static_cast<std::uint32_t>(data.size()), as_bytes(data), time, false});
  }
  Line& segment(const Segment& s) {
    const std::vector<std::uint8_t> exact(s.data.begin(), s.data.end());  // a sanitizer sees who reads too much
    Segment copy = s;
    copy.data = exact;
    if (stream.pass(copy)) return *this;
    StreamReader r(stream, pool_, counters);
    r.segment(copy);
    return read(r);
  }
  Line& fin(std::uint32_t sequence, Nanos time = 0) { return segment({sequence, 0, {}, time, true}); }
  Line& acknowledged(std::uint32_t sequence, Nanos now, bool answer = false) {
    if (!stream.minds(sequence)) return *this;
    StreamReader r(stream, pool_, counters);
    r.acknowledged(sequence, now, answer);
    return read(r);
  }
  Line& finish(bool told) {
    StreamReader r(stream, pool_, counters);
    r.finish(told);
    return read(r);
  }
  std::string told() { return std::exchange(told_, {}); }
  std::size_t in_use() const { return pool_.in_use(); }
  // Where a reader is that has used so many octets.
  std::size_t position(std::size_t used) const {
    return used + counters[Counter::stream_gap_octets] + counters[Counter::stream_octets_dropped];
  }

  // How the reader answers; by default it uses all.
  std::function<void(StreamReader&, const Piece&)> answer = [](StreamReader& r, const Piece& p) {
    r.used(p.data.size());
  };
  Stream stream;
  Counters counters;
  std::vector<std::pair<Nanos, Nanos>> times;  // of the pieces of data

 private:
  Line& read(StreamReader& r) {
    for (Piece p; r.next(p);) {
      switch (p.what) {
        case Piece::What::data:
          times.push_back({p.first, p.last});
          told_ += as_text(p.data);
          answer(r, p);
          break;
        case Piece::What::passed:
          told_ += "(passed " + std::to_string(p.first) + "-" + std::to_string(p.last) + ")";
          break;
        case Piece::What::gap:
          told_ += "(gap " + std::to_string(p.gap) + ")";
          break;
        case Piece::What::end:
          told_ += "(end)";
          break;
      }
    }
    return *this;
  }

  StreamPool pool_;
  std::string told_;
};

// A reader of messages that end with a dot, which it puts into brackets.
void take_sentences(Line& line, std::string& out) {
  line.answer = [&out](StreamReader& r, const Piece& p) {
    const auto dot = as_text(p.data).find('.');
    if (dot == std::string_view::npos) return r.need(p.data.size() + 1);
    out += "[" + std::string(as_text(p.data).substr(0, dot)) + " " + std::to_string(p.first) + "-" +
           std::to_string(p.last) + "]";
    r.used(dot + 1);
  };
}

TEST(Stream, HandsSegmentsInOrderOnWhereTheyAre) {
  Stream stream;
  StreamPool pool{StreamOptions{}};
  Counters counters;
  const std::string_view data = "hello";
  StreamReader r(stream, pool, counters);
  r.segment({7, 5, as_bytes(data), 1, false});
  Piece p;
  ASSERT_TRUE(r.next(p));
  EXPECT_EQ(p.data.data(), as_bytes(data).data());
  r.used(2);
  ASSERT_TRUE(r.next(p));
  EXPECT_EQ(as_text(p.data), "llo");
  r.used(3);
  EXPECT_FALSE(r.next(p));
  EXPECT_EQ(pool.in_use(), 0u);
}

TEST(Stream, PutsSegmentsInOrderAndKeepsTheTimeOfEach) {
  Line line;
  EXPECT_EQ(line.segment(100, "ab", 1).told(), "ab");
  EXPECT_EQ(line.segment(104, "ef", 2).segment(106, "gh", 3).told(), "");
  EXPECT_EQ(line.segment(102, "cd", 9).told(), "cdefgh");
  EXPECT_EQ(line.times, (std::vector<std::pair<Nanos, Nanos>>{{1, 1}, {9, 9}, {2, 2}, {3, 3}}));
  EXPECT_EQ(line.in_use(), 0u);
  EXPECT_EQ(line.counters[Counter::stream_segments_held], 2u);
}

TEST(Stream, SortsSegmentsThatComeBackwards) {
  Line line;
  line.segment(0, "a");
  for (std::uint32_t s = 25; s > 1; --s) line.segment(s, std::string(1, static_cast<char>('a' + s)));
  EXPECT_EQ(line.told(), "a");
  EXPECT_EQ(line.segment(1, "b").told(), "bcdefghijklmnopqrstuvwxyz");
}

TEST(Stream, GoesOnWhereSequenceNumbersWrap) {
  Line line;
  line.segment(0xfffffffe, "ab").segment(2, "ef").segment(0, "cd");
  EXPECT_EQ(line.told(), "abcdef");
}

TEST(Stream, IgnoresWhatItHadBefore) {
  Line line;
  line.segment(10, "abcd").segment(10, "ABCD").segment(12, "CDef").segment(13, "D");
  EXPECT_EQ(line.told(), "abcdef");
  EXPECT_EQ(line.counters[Counter::stream_octets_repeated], 4u + 2u + 1u);
}

TEST(Stream, KeepsTheFirstCopyWhenSegmentsOverlap) {
  Line line;
  line.segment(0, "a").segment(3, "def").segment(2, "CDEFG");
  EXPECT_EQ(line.counters[Counter::stream_octets_overlapping], 3u);
  line.segment(1, "BXX");
  EXPECT_EQ(line.told(), "aBCdefG");
  EXPECT_EQ(line.in_use(), 0u);
}

TEST(Stream, StartsAtTheNumberOfTheSynWhenTheFirstSegmentIsLate) {
  Line line;
  line.stream.start(1);
  line.segment(4, "def");
  EXPECT_EQ(line.told(), "");
  EXPECT_EQ(line.segment(1, "abc").told(), "abcdef");
}

TEST(Stream, DoesNotFollowSegmentsFartherThanAnyWindow) {
  Line line;
  line.segment(0, "a").segment(0x50000000, "x").segment(0xa0000000, "y").segment(1, "b");
  EXPECT_EQ(line.told(), "ab");
  EXPECT_EQ(line.counters[Counter::stream_segments_astray], 2u);
}

TEST(Stream, EndsWhenAllBeforeTheFinIsThere) {
  Line line;
  line.segment(0, "ab").fin(4);
  EXPECT_EQ(line.told(), "ab");
  EXPECT_EQ(line.segment(2, "cd").told(), "cd(end)");
  EXPECT_EQ(line.segment(5, "zz").fin(4).told(), "");
  EXPECT_EQ(line.counters[Counter::stream_segments_after_end], 2u);
}

TEST(Stream, EndsWithTheSegmentThatBearsTheFin) {
  Line line;
  line.segment({9, 2, as_bytes("ab"), 0, true});
  EXPECT_EQ(line.told(), "ab(end)");
  EXPECT_TRUE(line.stream.ended());
}

TEST(Stream, GivesAHoleUpAfterItsAcknowledgementAndOneMoreSegment) {
  Line line;
  line.segment(0, "ab").segment(4, "ef").acknowledged(6, 100);
  EXPECT_EQ(line.told(), "ab");  // the segment could still be in the queue of the other port
  EXPECT_EQ(line.segment(6, "gh").told(), "(gap 2)efgh");
  EXPECT_EQ(line.segment(2, "cd").told(), "");
  EXPECT_EQ(line.counters[Counter::stream_gaps], 1u);
  EXPECT_EQ(line.counters[Counter::stream_gap_octets], 2u);
}

TEST(Stream, GivesAHoleUpTenMillisecondsAfterItsAcknowledgement) {
  Line line;
  line.segment(0, "ab").segment(4, "ef").acknowledged(6, 0).acknowledged(6, 9 * kMillisecond);
  EXPECT_EQ(line.told(), "ab");
  EXPECT_EQ(line.acknowledged(6, 10 * kMillisecond).told(), "(gap 2)ef");
}

TEST(Stream, WaitsForAHoleThatIsNotAcknowledged) {
  Line line;
  line.segment(0, "ab").segment(4, "ef").acknowledged(2, 0).acknowledged(2, kSecond).acknowledged(3, 2 * kSecond);
  EXPECT_EQ(line.segment(6, "gh").told(), "ab");
  EXPECT_EQ(line.segment(2, "cd").told(), "cdefgh");
}

TEST(Stream, TakesASegmentThatIsProcessedJustAfterItsAcknowledgement) {
  Line line;
  line.segment(0, "ab").segment(4, "ef").acknowledged(6, 0).segment(2, "cd");
  EXPECT_EQ(line.told(), "abcdef");
  EXPECT_EQ(line.counters[Counter::stream_gaps], 0u);
}

TEST(Stream, RemembersAnAcknowledgementOfWhatItNeverSaw) {
  Line line;
  line.segment(0, "ab").acknowledged(4, 100);
  EXPECT_EQ(line.segment(4, "ef").told(), "ab(gap 2)ef");
  Line tap;  // the acknowledgement was only processed too early
  tap.segment(0, "ab").acknowledged(4, 100).segment(2, "cd").segment(6, "gh");
  EXPECT_EQ(tap.told(), "abcd");
}

TEST(Stream, GivesAcknowledgedOctetsUpEvenIfNothingIsBehindThem) {
  Line line;
  line.segment(0, "ab").acknowledged(9, 0).acknowledged(9, 9 * kMillisecond);
  EXPECT_EQ(line.told(), "ab");
  EXPECT_EQ(line.acknowledged(9, 10 * kMillisecond).told(), "(gap 7)");
  EXPECT_EQ(line.segment(9, "jk").told(), "jk");
  Line fin;  // not seen, but acknowledged
  fin.segment(0, "ab").acknowledged(3, 0).acknowledged(3, kSecond);
  EXPECT_EQ(fin.told(), "ab");
}

TEST(Stream, DoesNotBelieveAnAcknowledgementOfWhatCannotHaveBeenSent) {
  Line line;
  line.segment(0, "ab").acknowledged(0x10000000, 0).acknowledged(0x10000000, kSecond);
  EXPECT_EQ(line.segment(2, "cd").told(), "abcd");
}

TEST(Stream, GivesTheAcknowledgedPartOfAHoleUp) {
  Line line;
  line.segment(0, "ab").segment(8, "ij").acknowledged(5, 0).acknowledged(5, 10 * kMillisecond);
  EXPECT_EQ(line.told(), "ab(gap 3)");
  EXPECT_EQ(line.segment(5, "fgh").told(), "fghij");
}

TEST(Stream, LetsNoAnswerOvertakeWhatIsBehindAHole) {
  Line line;
  line.segment(0, "ab").segment(4, "ef").acknowledged(6, 100, true);
  EXPECT_EQ(line.told(), "ab(gap 2)ef");
  EXPECT_EQ(line.acknowledged(9, 101, true).told(), "(gap 3)");
  StreamOptions two_ports;
  two_ports.answers_prove = false;
  Line tap(two_ports);
  EXPECT_EQ(tap.segment(0, "ab").acknowledged(4, 100, true).segment(2, "cd").told(), "abcd");
}

TEST(Stream, ForgetsAnAcknowledgementThatItHasPassed) {
  Line line;
  line.answer = [](StreamReader& r, const Piece& p) { r.skip(p.data.size() + 0x60000000); };
  line.segment(0, "ab").acknowledged(10, 1);
  for (std::uint32_t at = 2; at < 0x90000000; at += 0x10000000) line.segment({at, 0x10000000, as_bytes("x"), 2, false});
  line.told();
  const std::uint32_t position = line.stream.position();
  line.segment(position + 3, "late");
  EXPECT_EQ(line.told(), "");
}

TEST(Stream, GivesAllHolesUpThatOneAcknowledgementCovers) {
  Line line;
  line.segment(0, "a").segment(2, "c").segment(4, "e").acknowledged(5, 0).segment(5, "f");
  EXPECT_EQ(line.told(), "a(gap 1)c(gap 1)ef");
}

TEST(Stream, GivesHolesUpAtTheEnd) {
  Line line;
  line.segment(0, "a").segment(2, "c").segment(4, "e");
  EXPECT_EQ(line.finish(false).told(), "a(gap 1)c(gap 1)e");
  Line reset;
  reset.segment(0, "a").segment(2, "c");
  EXPECT_EQ(reset.finish(true).told(), "a(gap 1)c(end)");
  Line tail;
  tail.segment(0, "a").fin(3);
  EXPECT_EQ(tail.finish(false).told(), "a(gap 2)(end)");
}

TEST(Stream, GivesTheFirstHoleUpWhenItHoldsTooMuch) {
  StreamOptions o;
  o.held_octets = 6;
  Line line(o);
  line.segment(0, "a").segment(2, "ccc").segment(6, "ggg");
  EXPECT_EQ(line.told(), "a");
  EXPECT_EQ(line.segment(10, "k").told(), "(gap 1)ccc(gap 1)ggg(gap 1)k");
  EXPECT_EQ(line.counters[Counter::stream_hold_limit], 1u);
  o.held_octets = 1 << 20;
  o.held_segments = 2;
  Line many(o);
  many.segment(0, "a").segment(2, "c").segment(4, "e");
  EXPECT_EQ(many.told(), "a");
  EXPECT_EQ(many.segment(6, "g").told(), "(gap 1)c(gap 1)e(gap 1)g");
}

TEST(Stream, GivesItsHoleUpWhenThePoolIsEmpty) {
  Line line(few(0));
  EXPECT_EQ(line.segment(0, "a").segment(5, "f").told(), "a(gap 4)f");
  EXPECT_EQ(line.counters[Counter::stream_pool_empty], 1u);
}

TEST(Stream, HoldsWhatTheSnapLengthLeftAndTellsTheRestAsAGap) {
  Line line;
  line.segment({0, 10, as_bytes("abcd"), 0, false});
  EXPECT_EQ(line.told(), "abcd(gap 6)");
  line.segment({12, 5, as_bytes("xy"), 0, false}).segment(10, "kl").segment(17, "z");
  EXPECT_EQ(line.told(), "klxy(gap 3)z");
}

TEST(Stream, JoinsMessagesThatCrossSegments) {
  Line line;
  std::string out;
  take_sentences(line, out);
  line.segment(0, "one.tw", 1).segment(6, "o", 2).segment(7, ".three.fo", 5);
  EXPECT_EQ(out, "[one 1-1][two 1-5][three 5-5]");
  EXPECT_EQ(line.counters[Counter::stream_messages_kept], 2u);
  line.finish(false);
  EXPECT_EQ(out, "[one 1-1][two 1-5][three 5-5]");
  EXPECT_EQ(line.in_use(), 0u);
}

TEST(Stream, TellsTheLatestTimeOfAMessageWhoseMiddleCameLast) {
  Line line;
  std::string out;
  take_sentences(line, out);
  line.segment(0, "a", 1).segment(2, "c.", 2).segment(1, "b", 9);
  EXPECT_EQ(out, "[abc 1-9]");
}

TEST(Stream, DropsHalfAMessageAtAGap) {
  Line line;
  std::string out;
  take_sentences(line, out);
  line.segment(0, "one.tw").segment(8, "x.four.").finish(false);
  EXPECT_EQ(out, "[one 0-0][x 0-0][four 0-0]");
  EXPECT_EQ(line.counters[Counter::stream_octets_dropped], 2u);
}

TEST(Stream, OffersHalfAMessageOnceMoreAtTheEnd) {
  Line line;
  int finals = 0;
  line.answer = [&](StreamReader& r, const Piece& p) {
    finals += p.final;
    if (p.final) {
      EXPECT_EQ(as_text(p.data), "half");
    }
    r.need(p.data.size() + 1);
  };
  line.segment(0, "ha").segment(2, "lf").fin(4);
  EXPECT_EQ(finals, 1);
  EXPECT_TRUE(line.stream.ended());
  EXPECT_EQ(line.in_use(), 0u);
}

TEST(Stream, LosesAMessageThatFindsNoMemoryAsAGap) {
  Line line(few(0));
  std::string out;
  take_sentences(line, out);
  line.segment(0, "one.tw").segment(6, "o.three.");
  EXPECT_EQ(out, "[one 0-0][o 0-0][three 0-0]");
  EXPECT_EQ(line.counters[Counter::stream_gap_octets], 2u);
}

TEST(Stream, JoinsAMessageAsLongAsAllowed) {
  Line line;
  const std::string most(StreamPool::kMostKept - 1, 'x');
  std::string out;
  take_sentences(line, out);
  for (std::uint32_t i = 0; i < most.size(); i += 100) line.segment(i, std::string_view(most).substr(i, 100), i);
  EXPECT_EQ(line.in_use(), 1u);
  const auto end = static_cast<std::uint32_t>(most.size());
  line.segment(end, ".next." + std::string(100, 'y'), 99999);
  EXPECT_EQ(out, "[" + most + " 0-99999][next 99999-99999]");
}

// Of every message "N:" the reader skips N octets.
void skip_counts(Line& line) {
  line.answer = [](StreamReader& r, const Piece& p) {
    const auto colon = as_text(p.data).find(':');
    if (colon == std::string_view::npos) return r.need(p.data.size() + 1);
    r.skip(colon + 1 + std::stoul(std::string(as_text(p.data).substr(0, colon))));
  };
}

TEST(Stream, SkipsWithoutKeepingAnything) {
  Line line;
  skip_counts(line);
  line.segment(0, "10:12345", 1).segment(8, "678", 2);
  EXPECT_EQ(line.in_use(), 0u);
  line.segment(11, "903:abc", 5);
  EXPECT_EQ(line.told(), "10:12345(passed 1-5)3:abc(passed 5-5)");
}

TEST(Stream, SkipsFromTheFrontOfAMessageThatCrossedSegments) {
  Line line;
  skip_counts(line);
  line.segment(0, "1", 1).segment(1, "2:1234567890", 2).segment(13, "123:", 3);
  EXPECT_EQ(line.told(), "112:1234567890(passed 1-3)3:");
  EXPECT_EQ(line.in_use(), 0u);
}

TEST(Stream, EndsASkipWhenItsLastOctetIsThereInOrder) {
  Line line;
  skip_counts(line);
  line.segment(0, "20:", 1).segment(8, "fghij", 2).segment(13, "klmno", 3).segment(18, "pqrst0:", 4);
  EXPECT_EQ(line.told(), "20:");
  EXPECT_EQ(line.in_use(), 2u);  // one range, and the octets behind the skip
  EXPECT_EQ(line.segment(3, "abcde", 9).told(), "(passed 1-9)0:(passed 4-4)");
}

TEST(Stream, MindsNoGapInASkip) {
  Line line;
  skip_counts(line);
  line.segment(0, "20:", 1).segment(8, "fghijklmnopqrst", 2).acknowledged(23, 3).segment(23, "1:x", 4);
  EXPECT_EQ(line.told(), "20:(passed 1-2)1:x(passed 4-4)");
  EXPECT_EQ(line.counters[Counter::stream_gaps], 0u);
}

TEST(Stream, TellsTheRestOfAGapThatBeginsInASkip) {
  Line line;
  skip_counts(line);
  line.segment(0, "20:abc", 1).segment(30, "0:", 2).acknowledged(32, 3).segment(32, "0:", 4);
  EXPECT_EQ(line.told(), "20:abc(passed 1-1)(gap 7)0:(passed 2-2)0:(passed 4-4)");
  Line cut;
  skip_counts(cut);
  cut.segment({0, 30, as_bytes("20:ab"), 1, false}).segment(30, "0:", 2);
  EXPECT_EQ(cut.told(), "20:ab(passed 1-1)(gap 7)0:(passed 2-2)");
}

TEST(Stream, SkipsToTheEnd) {
  Line line;
  line.answer = [](StreamReader& r, const Piece&) { r.skip(Stream::kToTheEnd); };
  line.segment(0, "a", 1).segment(5, "f", 2).segment(1, "bcde", 3).segment(7, "h", 4);
  EXPECT_EQ(line.in_use(), 0u);
  EXPECT_EQ(line.fin(8, 5).told(), "a(end)");
}

// Segments of a text in any order, cut anyhow, repeated, some lost, in little memory: what is told is the text, but for
// the gaps, and everything is accounted for.
class StreamModel : public testing::TestWithParam<unsigned> {
 protected:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  std::vector<std::pair<std::size_t, std::size_t>> cuts(std::size_t size, bool lossy) {
    std::vector<std::pair<std::size_t, std::size_t>> out;
    for (std::size_t at = 0, n = 0; at < size; at += n) {
      n = std::min(size - at, 1 + below(700));
      if (!lossy || below(20)) out.push_back({at, n});
      if (below(10) == 0 && at > 10) out.push_back({at - 10, std::min<std::size_t>(n + 10, size - at)});
    }
    for (std::size_t i = 0; i + 8 < out.size(); ++i) std::swap(out[i], out[i + below(8)]);
    return out;
  }

 private:
  std::mt19937 random_{GetParam()};
};

TEST_P(StreamModel, TellsEveryOctetOnceInOrder) {
  const bool lossy = GetParam() % 2, poor = GetParam() % 3 == 0;
  std::string text;
  for (std::size_t i = 0; i < 20000; ++i) text += static_cast<char>('a' + i * i % 7919 % 26);
  const std::uint32_t start = 0xffffffff - GetParam() * 100;
  Line line(poor ? few(4) : StreamOptions{});
  line.stream.start(start);
  std::size_t position = 0;
  line.answer = [&](StreamReader& r, const Piece& p) {
    ASSERT_EQ(text.substr(line.position(position), p.data.size()), as_text(p.data));
    const std::size_t n = 1 + below(p.data.size());
    if (below(3) == 0 && p.data.size() < 5000 && !p.final) return r.need(p.data.size() + 1 + below(900));
    position += n;
    r.used(n);
  };
  for (const auto& [at, n] : cuts(text.size(), lossy)) {
    const auto sequence = start + static_cast<std::uint32_t>(at);
    line.segment(sequence, std::string_view(text).substr(at, n));
    if (lossy && below(5) == 0) line.acknowledged(sequence, static_cast<Nanos>(at));
  }
  line.fin(start + static_cast<std::uint32_t>(text.size())).finish(true);
  EXPECT_TRUE(line.stream.ended());
  EXPECT_EQ(line.position(position), text.size());
  if (!lossy && !poor) {
    EXPECT_EQ(position, text.size());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StreamModel, testing::Range(0u, 200u));

}  // namespace
}  // namespace probe::tcp
