// Any octets as a capture file: no crash, no frame outside of its bounds, and the same answer however the octets
// arrive. The first octet of the input chooses the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "probe/base/hash.h"
#include "probe/io/capture.h"
#include "tests/kit/memory_source.h"

namespace {

using namespace probe;

struct Outcome {
  std::uint64_t frames = 0, digest = 0, offset = 0;
  std::string message;
  bool operator==(const Outcome&) const = default;
};

void add(Outcome& outcome, const Frame& f) {
  if (f.octets.size() > f.wire_length || f.octets.size() > std::size_t{1} << 20) abort();
  ++outcome.frames;
  outcome.digest = mix(outcome.digest, static_cast<std::uint64_t>(f.time));
  outcome.digest = mix(outcome.digest, std::uint64_t{f.wire_length} << 24 | f.port << 8 | static_cast<int>(f.link));
  for (const std::uint8_t octet : f.octets) outcome.digest = outcome.digest * 31 + octet;
}

Outcome read(Bytes file, std::size_t piece, std::size_t burst) {
  // A small compressed file may be gigabytes of packets. That takes time but no memory: enough is enough.
  constexpr std::uint64_t kEnoughFrames = 20'000;
  Outcome outcome;
  Counters counters;
  try {
    const auto capture = io::Capture::open(std::make_unique<test::MemorySource>(file, piece), "input", counters);
    Frame frames[64];
    while (outcome.frames < kEnoughFrames) {
      const std::size_t n = capture->read(std::span(frames).first(burst));
      if (n == 0) break;
      if (n > burst) abort();
      // Only now, so that a frame which the same call made void would be seen.
      for (std::size_t i = 0; i < n && outcome.frames < kEnoughFrames; ++i) add(outcome, frames[i]);
    }
    if (counters[Counter::capture_damaged] != !capture->error().message.empty()) abort();
    outcome.message = capture->error().message;
    outcome.offset = capture->error().offset;
  } catch (const std::runtime_error& refusal) {
    outcome.message = refusal.what();
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Bytes file(data + 1, size - 1);
  const Outcome whole = read(file, SIZE_MAX, 64), pieces = read(file, std::size_t{data[0]} + 1, data[0] % 64 + 1);
  // What a decompressor hands out before it finds damage, and how far it says it had read, depends on the pieces.
  const auto tells = [](const Outcome& o) { return o.message.find("compressed file") != std::string::npos; };
  const bool compressed = tells(whole) || tells(pieces);
  if (!compressed && whole.frames < 20'000 && !(whole == pieces)) abort();
  return 0;
}
