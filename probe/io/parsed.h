// What a capture format says about the octets at its front: pcap_format and pcapng_format answer in this way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "probe/base/bytes.h"

namespace probe::io {

struct Parsed {
  enum class Kind : std::uint8_t {
    frame,    // a frame was filled in; it lies within the first `octets`
    nothing,  // `octets` octets say nothing about packets, or say it to the parser
    need,     // at least `octets` must be there before anything can be said; never more than kLargestRecord
    damage    // the capture cannot be read on from here
  };
  Kind kind = Kind::damage;
  bool skipped_block = false;  // with nothing: a block that this reader has no use for
  std::uint64_t octets = 0;    // with nothing it may be more than there are: skip them

  static Parsed frame(std::size_t octets) { return {Kind::frame, false, octets}; }
  static Parsed nothing(std::uint64_t octets) { return {Kind::nothing, false, octets}; }
  static Parsed skipped(std::uint64_t octets) { return {Kind::nothing, true, octets}; }
  static Parsed need(std::size_t octets) { return {Kind::need, false, octets}; }
  static Parsed damage() { return {Kind::damage, false, 0}; }
};

// libpcap's MAXIMUM_SNAPLEN: what a frame may have whatever the snap length says. Segmentation offload on a virtual
// interface makes frames of more than 64 KiB ("BIG TCP"), a snap length may allow for larger ones.
inline constexpr std::uint32_t kUsualLargestFrame = std::uint32_t{256} << 10;
// Whatever a file says: a longer frame, or a record that takes more room, is damage.
inline constexpr std::uint32_t kLargestFrame = std::uint32_t{1} << 20;
inline constexpr std::uint32_t kLargestRecord = kLargestFrame + (std::uint32_t{64} << 10);

// The most that a frame of a capture with this snap length may have (0: no limit was set).
inline constexpr std::uint32_t largest_frame(std::uint32_t snap_length) {
  if (snap_length < kUsualLargestFrame) return kUsualLargestFrame;
  return snap_length < kLargestFrame ? snap_length : kLargestFrame;
}

// A Cursor whose byte order is known when it runs.
class OrderedCursor {
 public:
  OrderedCursor(Bytes b, bool big_endian) : cursor_(b), big_endian_(big_endian) {}
  std::uint16_t u16() { return big_endian_ ? cursor_.u16() : cursor_.u16_le(); }
  std::uint32_t u32() { return big_endian_ ? cursor_.u32() : cursor_.u32_le(); }
  std::uint64_t u64() { return big_endian_ ? cursor_.u64() : cursor_.u64_le(); }
  Bytes take(std::size_t n) { return cursor_.take(n); }
  void skip(std::size_t n) { cursor_.skip(n); }
  std::size_t left() const { return cursor_.left(); }
  bool ok() const { return cursor_.ok(); }

 private:
  Cursor cursor_;
  bool big_endian_;
};

}  // namespace probe::io
