#include "dissectors/kit/media_table.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace probe {
namespace {

FlowEnd address(std::uint64_t host, std::uint16_t port) { return {0, host, port}; }

Media media(FlowEnd at, Nanos announced, std::string_view call = "call") {
  Media m;
  m.at = at;
  m.announced = announced;
  m.kind = MediaKind::audio;
  m.call.set(call);
  MediaFormat f;
  f.payload_type = 96;
  f.clock_rate = 48000;
  f.channels = 2;
  f.encoding.set("opus");
  m.add(f);
  return m;
}

TEST(MediaTable, TellsWhatWasAnnouncedForAnEndpoint) {
  MediaTable table(16);
  Media out;
  EXPECT_FALSE(table.find(address(1, 4000), 5, out));
  ASSERT_TRUE(table.announce(media(address(1, 4000), 5)));
  ASSERT_TRUE(table.find(address(1, 4000), 6, out));
  EXPECT_EQ(out.call.view(), "call");
  ASSERT_NE(out.format(96), nullptr);
  EXPECT_EQ(out.format(96)->encoding.view(), "opus");
  EXPECT_EQ(out.format(96)->clock_rate, 48000u);
  EXPECT_EQ(out.format(0), nullptr);
  EXPECT_FALSE(table.find(address(1, 4002), 6, out));
  EXPECT_FALSE(table.find(address(2, 4000), 6, out));
  EXPECT_FALSE(table.find({1, 1, 4000}, 6, out));
}

TEST(MediaTable, KeepsTheLatestAnnouncement) {
  MediaTable table(16);
  table.announce(media(address(1, 4000), 5, "first"));
  table.announce(media(address(1, 4000), 9, "second"));
  Media out;
  ASSERT_TRUE(table.find(address(1, 4000), 9, out));
  EXPECT_EQ(out.call.view(), "second");
  ASSERT_TRUE(table.find(address(1, 4000), 8, out)) << "whoever is behind";
  EXPECT_EQ(out.call.view(), "first");
}

TEST(MediaTable, TakesNoRoomForWhatIsSaidAgain) {
  MediaTable table(4);  // one bucket
  for (std::uint64_t i = 1; i <= 4; ++i) table.announce(media(address(i, 4000), 1));
  for (Nanos t = 2; t < 10; ++t) ASSERT_TRUE(table.announce(media(address(1, 4000), t)));
  Media out;
  for (std::uint64_t i = 1; i <= 4; ++i) EXPECT_TRUE(table.find(address(i, 4000), 10, out)) << i;
}

TEST(MediaTable, DoesNotTellWhatIsStillToCome) {
  MediaTable table(16);
  table.announce(media(address(1, 4000), 5));
  Media out;
  EXPECT_FALSE(table.find(address(1, 4000), 4, out));
}

TEST(MediaTable, ForgetsWhatNobodyAsksFor) {
  MediaTable table(16);
  table.announce(media(address(1, 4000), 0));
  Media out;
  EXPECT_TRUE(table.find(address(1, 4000), MediaTable::kLifetime, out));
  EXPECT_TRUE(table.find(address(1, 4000), 2 * MediaTable::kLifetime, out)) << "asking renews it";
  EXPECT_FALSE(table.find(address(1, 4000), 3 * MediaTable::kLifetime + 1, out));
}

TEST(MediaTable, RefusesAStreamThatIsRefused) {
  MediaTable table(16);
  EXPECT_FALSE(table.announce(media(address(1, 0), 5)));
}

TEST(MediaTable, ReplacesTheOldestWhenItIsFull) {
  MediaTable table(4);  // one bucket
  for (std::uint64_t i = 1; i <= 5; ++i) ASSERT_TRUE(table.announce(media(address(i, 4000), static_cast<Nanos>(i))));
  Media out;
  EXPECT_FALSE(table.find(address(1, 4000), 10, out));
  for (std::uint64_t i = 2; i <= 5; ++i) EXPECT_TRUE(table.find(address(i, 4000), 10, out)) << i;
}

TEST(MediaTable, KeepsNoMoreFormatsAndTextThanThereIsRoomFor) {
  Media m;
  for (int i = 0; i < 40; ++i) m.add({});
  EXPECT_EQ(m.format_count, Media::kMostFormats);
  m.call.set(std::string(100, 'x'));
  EXPECT_EQ(m.call.view(), std::string(63, 'x'));
}

// Under ThreadSanitizer this shows that nobody reads what another is writing; without, that nobody sees half of it.
TEST(MediaTable, IsReadWholeWhileOthersWrite) {
  constexpr int kRounds = 20000;
  MediaTable table(64);
  const auto write = [&table](std::string_view call, std::uint64_t host) {
    for (int i = 0; i < kRounds; ++i) {
      Media m = media(address(7, 4000), 1, call);
      m.signalling_flow = host;
      table.announce(m);
      table.announce(media(address(host, 4001), 1, call));
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(write, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 100);
  threads.emplace_back(write, "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 200);
  int found = 0, torn = 0;
  for (int i = 0; i < kRounds; ++i) {
    Media out;
    if (!table.find(address(7, 4000), 2, out)) continue;
    ++found;
    const char c = out.signalling_flow == 100 ? 'a' : 'b';
    torn += out.call.view() != std::string(40, c) || out.format_count != 1;
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(torn, 0);
  Media out;
  found += table.find(address(7, 4000), 2, out);
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace probe
