#include "probe/io/pcap_format.h"

#include <utility>

#include "probe/io/link_types.h"

namespace probe::io {
namespace {

struct Magic {
  std::uint32_t number;
  Nanos fraction_unit;
  std::uint8_t record_header;
};
// The modified format of A. Kuznetzov's libpcap patches has the interface index, the protocol and the packet type
// behind the usual 16 octets of each record.
constexpr Magic kMagics[] = {{0xa1b2c3d4, kMicrosecond, 16}, {0xa1b23c4d, 1, 16}, {0xa1b2cd34, kMicrosecond, 24}};

const Magic* find(std::uint32_t number) {
  for (const Magic& m : kMagics) {
    if (m.number == number) return &m;
  }
  return nullptr;
}

}  // namespace

bool PcapFormat::has_magic(Bytes first) {
  return find(OrderedCursor(first, true).u32()) || find(OrderedCursor(first, false).u32());
}

std::optional<PcapFormat> PcapFormat::from_header(Bytes header) {
  if (header.size() < kFileHeader || !has_magic(header)) return std::nullopt;
  PcapFormat format;
  format.big_endian_ = find(OrderedCursor(header, true).u32()) != nullptr;
  OrderedCursor c(header, format.big_endian_);
  const Magic& magic = *find(c.u32());
  format.fraction_unit_ = magic.fraction_unit;
  format.record_header_ = magic.record_header;
  c.skip(2);  // major version: 2 in every file that is left
  // Before version 2.3 the two lengths of a record stood in the other order, in 2.3 either way.
  format.lengths_may_be_swapped_ = c.u16() <= 3;
  c.skip(8);  // time zone and accuracy: 0 by specification
  format.largest_frame_ = largest_frame(c.u32());
  format.link_ = link_type_of(c.u32() & 0xffff);  // the upper half is about the frame check sequence
  return format;
}

Parsed PcapFormat::next(Bytes octets, Frame& frame) {
  if (octets.size() < record_header_) return Parsed::need(record_header_);
  OrderedCursor c(octets, big_endian_);
  const std::uint32_t seconds = c.u32(), fraction = c.u32();
  std::uint32_t captured = c.u32(), wire = c.u32();
  if (captured > wire) {
    if (lengths_may_be_swapped_) {
      std::swap(captured, wire);
    } else {
      wire = captured;
    }
  }
  if (captured > largest_frame_) {
    damaged_length_ = captured;
    return Parsed::damage();
  }
  const std::size_t record = std::size_t{record_header_} + captured;
  if (octets.size() < record) return Parsed::need(record);
  frame.octets = octets.subspan(record_header_, captured);
  frame.wire_length = wire;
  frame.link = link_;
  frame.port = 0;
  frame.time = seconds * kSecond + fraction * fraction_unit_;
  return Parsed::frame(record);
}

std::string PcapFormat::damage() const {
  return "a packet record says that it has " + std::to_string(damaged_length_) + " octets, more than the " +
         std::to_string(largest_frame_) + " that a frame of this capture can have";
}

}  // namespace probe::io
