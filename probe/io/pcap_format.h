// The classic pcap format (draft-ietf-opsawg-pcap), parsed in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "probe/io/parsed.h"
#include "probe/packet/frame.h"

namespace probe::io {

class PcapFormat {
 public:
  static constexpr std::size_t kFileHeader = 24;

  // From the file header, which must be there as a whole if the magic number is one of pcap's; nothing if it is not.
  static std::optional<PcapFormat> from_header(Bytes);
  static bool has_magic(Bytes first);

  Parsed next(Bytes, Frame&);

  // After Parsed::damage.
  std::string damage() const;
  // What a file that ends early was inside of, and whether it may end here.
  const char* record_name() const { return "a packet record"; }
  bool between_records() const { return true; }

 private:
  PcapFormat() = default;

  LinkType link_ = LinkType::unknown;
  bool big_endian_ = false;
  bool lengths_may_be_swapped_ = false;
  std::uint8_t record_header_ = 16;
  std::uint32_t largest_frame_ = 0;
  std::uint32_t damaged_length_ = 0;
  Nanos fraction_unit_ = kMicrosecond;
};

}  // namespace probe::io
