#include "probe/io/window.h"

#include <gtest/gtest.h>

#include "tests/probe/io/reading.h"

namespace probe::io {
namespace {

using test::MemorySource;
using test::Octets;

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

TEST(Window, SlidesOverASourceThatComesInSmallPieces) {
  const Octets all = test::some_octets(100'000, 1);
  Window window(std::make_unique<MemorySource>(all, 13), 1000);
  std::size_t at = 0;
  for (std::size_t n = 1; at + n <= all.size(); at += n, n = n % 1000 + 1) {
    ASSERT_TRUE(window.need(n));
    ASSERT_TRUE(same(window.view().first(n), Bytes(all).subspan(at, n)));
    ASSERT_EQ(window.offset(), at);
    window.drop(n);
  }
  EXPECT_FALSE(window.need(1000));
  EXPECT_TRUE(same(window.view(), Bytes(all).subspan(at)));
}

TEST(Window, HoldsTheLargestNeedWhereverItBegins) {
  const Octets all = test::some_octets(3'000'000, 1);
  constexpr std::size_t kLargest = 1'000'000;
  Window window(std::make_unique<MemorySource>(all), kLargest);
  ASSERT_TRUE(window.need(1));
  window.drop(Window::kBlock - 5);
  ASSERT_TRUE(window.need(kLargest));
  EXPECT_TRUE(same(window.view().first(kLargest), Bytes(all).subspan(Window::kBlock - 5, kLargest)));
}

TEST(Window, SkipsBeyondWhatIsInMemoryAndSaysIfTheSourceEndsBefore) {
  const Octets all = test::some_octets(1'000'000, 1);
  Window window(std::make_unique<MemorySource>(all), 100);
  ASSERT_TRUE(window.skip(999'990));
  ASSERT_TRUE(window.need(10));
  EXPECT_TRUE(same(window.view(), Bytes(all).last(10)));
  EXPECT_TRUE(window.skip(10));
  EXPECT_EQ(window.offset(), 1'000'000u);
  EXPECT_TRUE(window.skip(0));
  EXPECT_FALSE(window.skip(1));
}

}  // namespace
}  // namespace probe::io
