#include "probe/io/decompress.h"

#include <gtest/gtest.h>

#include "tests/kit/compress.h"
#include "tests/probe/io/reading.h"

namespace probe::test {
namespace {

struct Packer {
  const char* name;
  Octets (*pack)(Bytes);
};
constexpr Packer kPackers[] = {{"gzip", gzip}, {"zstd", [](Bytes in) { return zstd(in); }}, {"xz", xz}};

// Half noise, so that it neither shrinks to nothing nor stays as it is; longer than a window.
const Octets& capture() {
  static const Octets file = [] {
    PcapWriter writer;
    for (unsigned i = 0; i < 1000; ++i) {
      Octets octets = some_octets(700, i);
      octets.resize(1400);
      writer.add(i * kMillisecond, octets);
    }
    return writer.octets();
  }();
  return file;
}

Octets operator+(Octets a, Bytes b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(Decompress, ReadsWhatGzipZstdAndXzWrote) {
  const Reading plain = read_all(capture());
  ASSERT_EQ(plain.frames.size(), 1000u);
  for (const Packer& p : kPackers) {
    const Octets packed = p.pack(capture());
    ASSERT_LT(packed.size(), capture().size());
    for (const std::size_t piece : {SIZE_MAX, std::size_t{1000}, std::size_t{7}}) {
      const Reading got = read_all(packed, piece);
      EXPECT_EQ(got.frames, plain.frames) << p.name << piece;
      EXPECT_EQ(got.error.message, "") << p.name << piece;
      EXPECT_EQ(got.position, packed.size()) << p.name;
      EXPECT_EQ(got.size, packed.size()) << p.name;
    }
  }
}

TEST(Decompress, ReadsConcatenatedMembersAsOneFile) {
  const Bytes whole = capture();
  for (const Packer& p : kPackers) {
    const Octets packed =
        p.pack(whole.first(30)) + p.pack(whole.subspan(30, 100'000)) + p.pack({}) + p.pack(whole.subspan(100'030));
    const Reading got = read_all(packed);
    EXPECT_EQ(got.frames.size(), 1000u) << p.name << got.error.message;
    EXPECT_EQ(got.error.message, "") << p.name;
  }
}

TEST(Decompress, ReadsPcapngInsideToo) {
  const Octets octets = some_octets(100, 1);
  for (const Packer& p : kPackers) {
    const Reading got = read_all(p.pack(PcapngWriter(true).interface().enhanced(0, 5, octets).octets()));
    ASSERT_EQ(got.frames.size(), 1u) << p.name;
    EXPECT_EQ(got.frames[0].octets, octets) << p.name;
  }
}

TEST(Decompress, AnEmptyCaptureIsNoErrorHereEither) {
  for (const Packer& p : kPackers) {
    const Reading got = read_all(p.pack(PcapWriter().octets()));
    EXPECT_TRUE(got.frames.empty());
    EXPECT_EQ(got.error.message, "") << p.name;
  }
}

TEST(Decompress, ATruncatedFileGivesThePacketsBeforeTheCutAndAnError) {
  for (const Packer& p : kPackers) {
    const Octets packed = p.pack(capture());
    const Reading got = read_all(Bytes(packed).first(packed.size() * 3 / 4));
    EXPECT_GT(got.frames.size(), 400u) << p.name;
    EXPECT_LT(got.frames.size(), 1000u) << p.name;
    EXPECT_NE(got.error.message.find(std::string("the ") + p.name + " data is damaged"), std::string::npos)
        << got.error.message;
    EXPECT_NE(got.error.message.find("ends too early"), std::string::npos) << got.error.message;
    EXPECT_EQ(got.error.offset, 24 + got.frames.size() * 1416) << p.name;
  }
}

TEST(Decompress, EveryCutOfASmallFileIsTold) {
  const Octets file = PcapWriter().add(0, some_octets(60, 1)).octets();
  for (const Packer& p : kPackers) {
    const Octets packed = p.pack(file);
    for (std::size_t cut = 6; cut < packed.size(); ++cut) {
      std::string message;
      try {
        message = read_all(Bytes(packed).first(cut)).error.message;
      } catch (const std::runtime_error& e) {
        message = e.what();
      }
      EXPECT_NE(message.find("ends too early"), std::string::npos) << p.name << cut << message;
    }
  }
}

// The damage may show at once, as an impossible packet, or only at the check sum behind everything.
TEST(Decompress, ACorruptStreamGivesThePacketsBeforeTheDamageAndAnError) {
  const Reading plain = read_all(capture());
  for (const Packer& p : kPackers) {
    Octets packed = p.pack(capture());
    for (std::size_t i = 0; i < 64; ++i) packed[packed.size() * 3 / 4 + i] ^= 0xa5;
    const Reading got = read_all(packed);
    ASSERT_GT(got.frames.size(), 300u) << p.name;
    EXPECT_TRUE(std::equal(plain.frames.begin(), plain.frames.begin() + 300, got.frames.begin())) << p.name;
    EXPECT_NE(got.error.message, "") << p.name;
    EXPECT_EQ(got.counters[Counter::capture_damaged], 1u) << p.name;
  }
}

TEST(Decompress, AWrongCheckSumIsTold) {
  const std::size_t from_the_end[] = {8, 4, 40};  // gzip: before the length; zstd: last; xz: before index and footer
  for (std::size_t i = 0; i < 3; ++i) {
    Octets packed = kPackers[i].pack(capture());
    packed[packed.size() - from_the_end[i]] ^= 1;
    const Reading got = read_all(packed);
    EXPECT_EQ(got.frames.size(), 1000u) << kPackers[i].name;
    EXPECT_NE(got.error.message.find(std::string("the ") + kPackers[i].name + " data is damaged"), std::string::npos)
        << got.error.message;
  }
}

TEST(Decompress, ZerosBehindAGzipMemberArePaddingAndOtherOctetsAreDamage) {
  const Octets packed = gzip(capture());
  const Reading padded = read_all(packed + Octets(512));
  EXPECT_EQ(padded.frames.size(), 1000u);
  EXPECT_EQ(padded.error.message, "");
  const Reading dirty = read_all(packed + as_bytes("garbage"));
  EXPECT_EQ(dirty.frames.size(), 1000u);
  EXPECT_NE(dirty.error.message.find("incorrect header check"), std::string::npos) << dirty.error.message;
}

TEST(Decompress, AFailureOfTheFileBelowIsPassedOn) {
  for (const Packer& p : kPackers) {
    const Octets packed = p.pack(capture());
    const Reading inside = read_all(Bytes(packed).first(packed.size() / 2), SIZE_MAX, 64, "reading failed: I/O error");
    EXPECT_NE(inside.error.message.find("reading failed: I/O error"), std::string::npos) << inside.error.message;
    const Reading behind = read_all(packed, SIZE_MAX, 64, "reading failed: I/O error");
    EXPECT_EQ(behind.frames.size(), 1000u);
    EXPECT_NE(behind.error.message.find("reading failed: I/O error"), std::string::npos) << p.name;
  }
}

TEST(Decompress, AWindowLargerThanTheBoundIsRefused) {
  try {
    read_all(zstd(capture(), 30));
    FAIL() << "read with a window of 1 GiB";
  } catch (const std::runtime_error& e) {
    EXPECT_NE(std::string(e.what()).find("too much memory"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace probe::test
