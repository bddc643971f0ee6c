#include "probe/io/capture.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "probe/io/byte_source.h"
#include "tests/kit/compress.h"
#include "tests/probe/io/reading.h"

namespace probe::test {
namespace {

std::string refusal(Bytes file, std::string failure = {}) {
  try {
    read_all(file, SIZE_MAX, 64, std::move(failure));
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

Octets many_frames(unsigned count) {
  PcapWriter writer;
  for (unsigned i = 0; i < count; ++i) writer.add(i, some_octets(i * 37 % 1500, i));
  return writer.octets();
}

TEST(Capture, RefusesWhatIsNoCaptureAndSaysWhatWasExpected) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> cases[] = {
      {""sv, "test: is empty. Expected a pcap or pcapng capture"},
      {"\xd4\xc3\xb2\xa1\x02"sv, "test: ends inside its pcap file header. Expected"},
      {"snoop\0\0\0\0\0\0\2\0\0\0\4"sv, "test: is a snoop file (RFC 1761). Expected"},
      {"BZh91AY&SY"sv, "test: is compressed with bzip2. Expected"},
      {"{\"a\": 1}"sv, "test: is a JSON file. Expected"},
      {"GET / HTTP/1.1\r\nHost: example.org\r\n"sv, "test: does not begin like a capture file. Expected"},
      {"\x0a\x0d\x0d\x0a\x1c\0\0\0abcd"sv, "test: does not begin like a capture file. Expected"},
  };
  for (const auto& [file, message] : cases) {
    EXPECT_TRUE(refusal(as_bytes(file)).starts_with(message)) << refusal(as_bytes(file));
  }
  EXPECT_TRUE(refusal(gzip(as_bytes("just text"))).starts_with("test: does not begin like"));
  EXPECT_TRUE(refusal(gzip({})).starts_with("test: is empty"));
}

TEST(Capture, AFileThatCannotBeReadIsRefusedWithTheReason) {
  EXPECT_TRUE(refusal({}, "reading failed: I/O error").starts_with("test: reading failed: I/O error"));
  Octets broken = gzip(many_frames(3));
  broken[10] = 0xff;  // the first deflate block
  EXPECT_TRUE(refusal(broken).starts_with("test: the gzip data is damaged")) << refusal(broken);
}

TEST(Capture, GivesTheSameFramesHoweverSmallThePiecesAndTheBursts) {
  const Octets file = many_frames(3000);
  const Reading whole = read_all(file);
  ASSERT_EQ(whole.frames.size(), 3000u);
  for (const std::size_t piece : {1u, 100u, 65'536u}) EXPECT_EQ(read_all(file, piece).frames, whole.frames) << piece;
  for (const std::size_t burst : {1u, 3u, 5000u}) {
    EXPECT_EQ(read_all(file, SIZE_MAX, burst).frames, whole.frames) << burst;
  }
}

TEST(Capture, AllFramesOfOneCallAreValidUntilTheNext) {
  const Octets file = many_frames(3000);
  Counters counters;
  const auto capture = io::Capture::open(std::make_unique<MemorySource>(file, 3000), "test", counters);
  std::vector<Frame> frames(64);
  unsigned next = 0;
  while (const std::size_t n = capture->read(frames)) {
    for (std::size_t i = 0; i < n; ++i, ++next) {
      const Octets expected = some_octets(next * 37 % 1500, next);
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), frames[i].octets.begin(), frames[i].octets.end()));
    }
  }
  EXPECT_EQ(next, 3000u);
}

TEST(Capture, StaysAtItsEnd) {
  const Octets file = many_frames(2);
  for (const std::size_t size : {file.size(), file.size() - 1}) {
    Counters counters;
    const auto capture = io::Capture::open(std::make_unique<MemorySource>(Bytes(file).first(size)), "test", counters);
    Frame frames[64];
    while (capture->read(frames) > 0) {
    }
    const std::string message = capture->error().message;
    EXPECT_EQ(message.empty(), size == file.size());
    EXPECT_EQ(capture->read(frames), 0u);
    EXPECT_EQ(capture->error().message, message);
    EXPECT_EQ(counters[Counter::capture_damaged], size == file.size() ? 0u : 1u);
  }
}

TEST(Capture, CountsFramesOctetsCutsAndTimesThatGoBack) {
  const Octets octets = some_octets(60, 1);
  const Reading got = read_all(PcapWriter()
                                   .add(5 * kSecond, octets)
                                   .add(4 * kSecond, octets, 1500)
                                   .add(4 * kSecond, octets)
                                   .add(6 * kSecond, octets, 61)
                                   .octets(),
                               SIZE_MAX, 2);
  EXPECT_EQ(got.counters[Counter::capture_frames], 4u);
  EXPECT_EQ(got.counters[Counter::capture_octets], 60u + 1500 + 60 + 61);
  EXPECT_EQ(got.counters[Counter::capture_frames_cut], 2u);
  EXPECT_EQ(got.counters[Counter::capture_time_backwards], 1u);
}

TEST(Capture, ReadsAFileByItsPathAndKnowsItsSize) {
  const Octets file = many_frames(100);
  const TemporaryFile on_disk(file);
  const Reading got = read_file(on_disk.path());
  EXPECT_EQ(got.frames, read_all(file).frames);
  EXPECT_EQ(got.position, file.size());
  EXPECT_EQ(got.size, file.size());
}

// Seconds with nine decimals, wire and captured length of each frame, as tshark prints them; empty without tshark.
std::string tshark_says(const std::string& path) {
  const std::string command =
      "tshark -r '" + path + "' -T fields -e frame.time_epoch -e frame.len -e frame.cap_len 2>/dev/null";
  FILE* pipe = popen(command.c_str(), "r");
  if (!pipe) return "";
  std::string out;
  char piece[4096];
  while (const std::size_t n = fread(piece, 1, sizeof piece, pipe)) out.append(piece, n);
  return pclose(pipe) == 0 ? out : "";
}

std::string we_say(const Reading& reading) {
  std::string out;
  for (const ReadFrame& f : reading.frames) {
    char line[96];
    snprintf(line, sizeof line, "%lld.%09lld\t%u\t%zu\n", static_cast<long long>(f.time / kSecond),
             static_cast<long long>(f.time % kSecond), f.wire_length, f.octets.size());
    out += line;
  }
  return out;
}

TEST(Capture, SeesTheSameTimesAndLengthsAsTshark) {
  if (system("tshark --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "tshark is not installed";
  constexpr Nanos kTime = 1'700'000'000 * kSecond + 123'456'789;
  PcapWriter little, big({.big_endian = true, .nanoseconds = false}), modified({.modified = true});
  PcapngWriter sections(true);
  sections.interface({.resolution = 9}).interface({.snap_length = 80, .resolution = 0x80 | 20, .offset = 1000});
  for (unsigned i = 0; i < 50; ++i) {
    const Octets octets = some_octets(60 + i, i);
    for (PcapWriter* w : {&little, &big, &modified}) w->add(kTime + i * 1'234'567, octets, 60 + i * 3);
    const bool second_section = i > 25, odd = i % 2;
    const std::uint64_t units_per_second = second_section ? (odd ? 1'000 : 1'000'000) : (odd ? 1 << 20 : 1'000'000'000);
    if (i == 26) sections.section(false).interface().interface({.resolution = 3});
    sections.enhanced(odd, 1'700'000'000 * units_per_second + i * 1001, octets, 60 + i * 2);
  }
  for (const Octets& file : {little.octets(), big.octets(), modified.octets(), sections.octets(), gzip(big.octets())}) {
    const TemporaryFile on_disk(file);
    const Reading got = read_file(on_disk.path());
    EXPECT_EQ(got.frames.size(), 50u) << got.error.message;
    EXPECT_EQ(we_say(got), tshark_says(on_disk.path()));
  }
}

}  // namespace
}  // namespace probe::test
