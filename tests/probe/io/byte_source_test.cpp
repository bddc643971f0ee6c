#include "probe/io/byte_source.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stdexcept>
#include <thread>

#include "tests/probe/io/reading.h"

namespace probe::io {
namespace {

using test::Octets;
using test::TemporaryFile;

std::string refusal(const std::string& path) {
  try {
    open_file(path);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

Octets drain(ByteSource& source) {
  Octets all, piece(1000);
  while (const std::size_t n = source.read(piece)) {
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(n));
  }
  return all;
}

TEST(ByteSource, ReadsAFileToItsEndAndKnowsHowFarItIs) {
  const Octets octets = test::some_octets(12'345, 1);
  const TemporaryFile file(octets);
  const auto source = open_file(file.path());
  EXPECT_EQ(source->size(), 12'345u);
  EXPECT_EQ(source->position(), 0u);
  EXPECT_EQ(drain(*source), octets);
  EXPECT_EQ(source->position(), 12'345u);
  EXPECT_EQ(source->failure(), "");
}

TEST(ByteSource, SaysWhyAFileCannotBeOpened) {
  EXPECT_EQ(refusal("/nowhere/at all.pcap"), "/nowhere/at all.pcap: cannot be opened: No such file or directory");
  EXPECT_EQ(refusal("/"), "/: is a directory, not a capture file");
}

// A thread that writes octets into a descriptor in small pieces, and closes it.
std::thread write_slowly(int descriptor, const Octets& octets) {
  return std::thread([descriptor, &octets] {
    for (std::size_t at = 0; at < octets.size();) {
      const ssize_t n = write(descriptor, octets.data() + at, std::min<std::size_t>(777, octets.size() - at));
      if (n <= 0) break;
      at += static_cast<std::size_t>(n);
      std::this_thread::yield();
    }
    close(descriptor);
  });
}

TEST(ByteSource, ReadsAFifoThatIsWrittenSlowly) {
  const TemporaryFile name(Bytes{});
  unlink(name.path().c_str());
  ASSERT_EQ(mkfifo(name.path().c_str(), 0600), 0);
  const Octets octets = test::some_octets(300'000, 1);
  std::thread writer([&] { write_slowly(open(name.path().c_str(), O_WRONLY), octets).join(); });
  const auto source = open_file(name.path());
  EXPECT_EQ(drain(*source), octets);
  EXPECT_EQ(source->size(), 0u);
  writer.join();
}

TEST(ByteSource, WaitsForStandardInputEvenIfItDoesNotBlock) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
  const int before = dup(STDIN_FILENO);
  ASSERT_EQ(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  close(ends[0]);
  const Octets octets = test::some_octets(300'000, 1);
  std::thread writer = write_slowly(ends[1], octets);
  EXPECT_EQ(drain(*open_file("-")), octets);
  writer.join();
  if (before >= 0) {
    dup2(before, STDIN_FILENO);
    close(before);
  }
}

TEST(ByteSource, TellsAFailingRead) {
  // Write-only descriptors cannot be read; /proc/self/mem at offset 0 can be opened but not read.
  const auto source = open_file("/proc/self/mem");
  Octets piece(16);
  EXPECT_EQ(source->read(piece), 0u);
  EXPECT_EQ(source->failure(), "reading failed: Input/output error");
}

}  // namespace
}  // namespace probe::io
