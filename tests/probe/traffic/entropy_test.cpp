#include "probe/traffic/entropy.h"

#include <gtest/gtest.h>

#include <string>

namespace probe::traffic {
namespace {

TEST(PayloadOctets, EqualOnesHaveNoEntropy) {
  PayloadOctets o;
  o.add(0, as_bytes(std::string(500, 'a')));
  EXPECT_EQ(o.entropy(0), 0);
  EXPECT_FALSE(o.any(1));
}

TEST(PayloadOctets, TwoValuesAlikeAreOneBitOfEight) {
  PayloadOctets o;
  o.add(1, as_bytes("abababab"));
  EXPECT_EQ(o.entropy(1), 32);
  EXPECT_FALSE(o.any(0));
}

TEST(PayloadOctets, AllValuesAlikeAreTheGreatest) {
  std::string all;
  for (int i = 0; i < 1024; ++i) all.push_back(static_cast<char>(i));
  PayloadOctets o;
  o.add(0, as_bytes(all));
  EXPECT_EQ(o.entropy(0), 255);
}

TEST(PayloadOctets, PiecesAddUpAndTheRestIsLeftOut) {
  PayloadOctets whole, pieces;
  std::string text;
  for (int i = 0; i < 1024; ++i) text.push_back(static_cast<char>(i * i % 61));
  whole.add(0, as_bytes(text));
  for (std::size_t at = 0; at < text.size(); at += 100) pieces.add(0, as_bytes(std::string_view(text).substr(at, 100)));
  pieces.add(0, as_bytes(std::string(5000, 'z')));
  EXPECT_EQ(whole.entropy(0), pieces.entropy(0));
}

TEST(PayloadOctets, AnIntervalStartsAnew) {
  PayloadOctets o;
  o.add(0, as_bytes("abcdefgh"));
  o.start_interval();
  EXPECT_FALSE(o.any(0));
  o.add(0, as_bytes("aaaa"));
  EXPECT_EQ(o.entropy(0), 0);
}

}  // namespace
}  // namespace probe::traffic
