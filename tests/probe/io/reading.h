// A whole capture read at once, for expectations.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "probe/io/capture.h"
#include "tests/kit/capture_writer.h"
#include "tests/kit/memory_source.h"

namespace probe::test {

struct ReadFrame {
  Octets octets;
  std::uint32_t wire_length;
  LinkType link;
  std::uint16_t port;
  Nanos time;
  bool operator==(const ReadFrame&) const = default;
};

struct Reading {
  std::vector<ReadFrame> frames;
  io::CaptureError error;
  Counters counters;
  std::uint64_t position = 0, size = 0;
};

inline Reading drain(io::Capture& capture, std::size_t burst = 64) {
  Reading all;
  std::vector<Frame> frames(burst);
  while (const std::size_t n = capture.read(frames)) {
    for (std::size_t i = 0; i < n; ++i) {
      const Frame& f = frames[i];
      all.frames.push_back({{f.octets.begin(), f.octets.end()}, f.wire_length, f.link, f.port, f.time});
    }
  }
  all.error = capture.error();
  all.position = capture.position();
  all.size = capture.size();
  return all;
}

inline Reading read_all(Bytes file, std::size_t piece = SIZE_MAX, std::size_t burst = 64, std::string failure = {}) {
  Counters counters;
  const auto capture =
      io::Capture::open(std::make_unique<MemorySource>(file, piece, std::move(failure)), "test", counters);
  Reading all = drain(*capture, burst);
  all.counters = counters;
  return all;
}

inline Reading read_file(const std::string& path) {
  Counters counters;
  const auto capture = io::Capture::open(path, counters);
  Reading all = drain(*capture);
  all.counters = counters;
  return all;
}

// Octets that can be told from each other: no two frames of a test with different seeds are equal.
inline Octets some_octets(std::size_t size, unsigned seed) {
  Octets out(size);
  std::uint32_t state = seed * 2654435761u + 1;
  for (std::uint8_t& o : out) o = static_cast<std::uint8_t>((state = state * 1664525u + 1013904223u) >> 24);
  return out;
}

}  // namespace probe::test
