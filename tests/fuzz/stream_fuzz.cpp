// Any segments in any order, cuts, acknowledgements and answers of the reader: what a stream hands on is what was sent,
// every octet once or in a gap, and all memory comes back. Octets of the stream follow from their position, so that
// each copy of them is the same.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "probe/tcp/stream.h"

namespace {

using namespace probe;
using namespace probe::tcp;

constexpr std::uint32_t kStart = 0xfffff000;  // wraps around soon

std::uint8_t octet_at(std::uint64_t position) { return static_cast<std::uint8_t>(position * 131 + (position >> 8)); }

StreamOptions poor() {
  StreamOptions o;
  o.tiny_blocks = o.small_blocks = o.medium_blocks = 6;
  o.large_blocks = 1;
  o.held_octets = 9000;
  o.held_segments = 10;
  return o;
}

class Run {
 public:
  Run(Bytes input, StreamPool& pool) : input_(input), pool_(pool) { stream_.start(kStart); }

  void all() {
    while (input_.left() > 0) {
      StreamReader reader(stream_, pool_, counters_);
      const std::uint8_t what = input_.u8();
      if (what % 8 == 0) {
        reader.acknowledged(kStart + input_.u16(), clock_ += 3 * kMillisecond, what & 64);
      } else {
        segment(reader, what);
      }
      read(reader);
    }
    StreamReader reader(stream_, pool_, counters_);
    reader.finish(true);
    read(reader);
    if (!stream_.ended()) abort();
    stream_.release(pool_);
    if (pool_.in_use() != 0) abort();
  }

 private:
  void segment(StreamReader& reader, std::uint8_t what) {
    const std::uint32_t offset = input_.u16();
    const std::uint32_t length = what & 16 ? input_.u16() % 5000 : input_.u8();
    const std::uint32_t cut = what & 32 ? length / 3 : 0;
    data_ = std::vector<std::uint8_t>(length - cut);
    for (std::size_t i = 0; i < data_.size(); ++i) data_[i] = octet_at(offset + i);
    data_.shrink_to_fit();
    const Segment s{kStart + offset, length, data_, clock_ += kMicrosecond, what == 255};
    if (!stream_.pass(s)) reader.segment(s);
  }

  void read(StreamReader& reader) {
    unsigned pieces = 0;
    for (Piece p; reader.next(p);) {
      if (++pieces > 200'000) abort();
      switch (p.what) {
        case Piece::What::data:
          check(p);
          answer(reader, p);
          break;
        case Piece::What::passed:
          used_ += skip_;
          break;
        case Piece::What::gap:
          if (p.gap == 0) abort();
          break;
        case Piece::What::end:
          return;
      }
    }
  }

  void check(const Piece& p) {
    const std::uint64_t position =
        used_ + counters_[Counter::stream_gap_octets] + counters_[Counter::stream_octets_dropped];
    if (p.data.empty() || p.first > p.last) abort();
    for (std::size_t i = 0; i < p.data.size(); ++i)
      if (p.data[i] != octet_at(position + i)) abort();
  }

  // A third each; without input left it uses all, so that every run ends.
  void answer(StreamReader& reader, const Piece& p) {
    const std::uint8_t how = input_.u8();
    const std::uint64_t n = input_.u16();
    if (!input_.ok() || how % 3 == 0) {
      const std::uint64_t octets = input_.ok() ? 1 + n % p.data.size() : p.data.size();
      used_ += octets;
      reader.used(octets);
    } else if (how % 3 == 1 && p.data.size() < StreamPool::kMostKept) {
      reader.need(p.data.size() + 1 + n % (StreamPool::kMostKept - p.data.size()));
    } else {
      skip_ = how == 254 ? Stream::kToTheEnd : 1 + n % 20'000;
      reader.skip(skip_);
    }
  }

  Cursor input_;
  StreamPool& pool_;
  Stream stream_;
  Counters counters_;
  Nanos clock_ = 0;
  std::uint64_t used_ = 0;  // by the reader, skips included
  std::uint64_t skip_ = 0;
  std::vector<std::uint8_t> data_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static StreamPool scarce(poor()), plenty{StreamOptions{}};
  if (size > 20'000) return 0;
  Run(Bytes(data, size), scarce).all();
  Run(Bytes(data, size), plenty).all();
  return 0;
}
