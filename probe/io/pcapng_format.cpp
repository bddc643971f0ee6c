#include "probe/io/pcapng_format.h"

#include <algorithm>
#include <utility>

#include "probe/io/link_types.h"

namespace probe::io {
namespace {

// Block types and options, draft-ietf-opsawg-pcapng §4.
constexpr std::uint32_t kSectionHeader = 0x0a0d0d0a, kInterfaceDescription = 1, kObsoletePacket = 2, kSimplePacket = 3,
                        kEnhancedPacket = 6;
constexpr std::uint32_t kByteOrderMagic = 0x1a2b3c4d;
constexpr std::uint16_t kEndOfOptions = 0, kTimestampResolution = 9, kTimestampOffset = 14;

constexpr std::size_t kBlockHeader = 8, kTrailer = 4;
// A section header's byte order is told only behind the two fields that all blocks begin with.
constexpr std::size_t kSmallestBlock = kBlockHeader + 4;

bool holds_what_we_read(std::uint32_t type) {
  return type == kSectionHeader || type == kInterfaceDescription || type == kObsoletePacket || type == kSimplePacket ||
         type == kEnhancedPacket;
}

std::string text(std::uint64_t n) { return std::to_string(n); }

}  // namespace

bool PcapngFormat::has_magic(Bytes first) {
  OrderedCursor c(first, true);
  if (c.u32() != kSectionHeader) return false;
  c.skip(4);
  const Bytes magic = c.take(4);
  return OrderedCursor(magic, true).u32() == kByteOrderMagic || OrderedCursor(magic, false).u32() == kByteOrderMagic;
}

Parsed PcapngFormat::next(Bytes octets, Frame& frame) {
  if (expected_trailer_ != 0) return trailer(octets);
  if (octets.size() < kSmallestBlock) return Parsed::need(kSmallestBlock);
  // The type of a section header reads the same in both orders.
  const std::uint32_t type = OrderedCursor(octets, big_endian_).u32();
  if (type == kSectionHeader) {
    if (!has_magic(octets)) return damaged("a section header has no byte-order magic");
    big_endian_ = OrderedCursor(octets.subspan(kBlockHeader), true).u32() == kByteOrderMagic;
  }
  const std::uint32_t length = OrderedCursor(octets.subspan(4), big_endian_).u32();
  if (length < kSmallestBlock) return damaged("a block says that it has " + text(length) + " octets, too few for any");
  // Some writers do not count the padding, as libpcap and Wireshark know too.
  const std::uint64_t padded = (std::uint64_t{length} + 3) & ~std::uint64_t{3};
  if (!holds_what_we_read(type)) {
    expected_trailer_ = length;
    return Parsed::skipped(padded - kTrailer);
  }
  if (padded > kLargestRecord) {
    return damaged("a block of type " + text(type) + " says that it has " + text(length) + " octets, more than the " +
                   text(kLargestRecord) + " that this program reads");
  }
  const std::size_t whole = static_cast<std::size_t>(padded);
  if (octets.size() < whole) return Parsed::need(whole);
  const std::uint32_t again = OrderedCursor(octets.subspan(whole - kTrailer), big_endian_).u32();
  if (again != length)
    return damaged("a block has the length " + text(length) + " in front and " + text(again) + " behind");
  const Bytes body = octets.subspan(kBlockHeader, whole - kBlockHeader - kTrailer);
  return block(type, OrderedCursor(body, big_endian_), whole, frame);
}

// Behind a block that was passed over, which may have been longer than what is in memory at a time.
Parsed PcapngFormat::trailer(Bytes octets) {
  if (octets.size() < kTrailer) return Parsed::need(kTrailer);
  const std::uint32_t length = OrderedCursor(octets, big_endian_).u32();
  if (length != expected_trailer_) {
    return damaged("a block has the length " + text(expected_trailer_) + " in front and " + text(length) + " behind");
  }
  expected_trailer_ = 0;
  return Parsed::nothing(kTrailer);
}

Parsed PcapngFormat::block(std::uint32_t type, OrderedCursor body, std::size_t octets, Frame& frame) {
  switch (type) {
    case kEnhancedPacket: {
      const std::uint32_t interface = body.u32();
      return packet(body, interface, octets, frame);
    }
    case kObsoletePacket: {
      const std::uint32_t interface = body.u16();
      body.skip(2);  // how many packets were lost before it: not every writer's truth
      return packet(body, interface, octets, frame);
    }
    case kSimplePacket:
      return simple_packet(body, octets, frame);
    case kInterfaceDescription:
      return interface_description(body, octets);
    default:
      return section_header(body, octets);
  }
}

Parsed PcapngFormat::section_header(OrderedCursor body, std::size_t octets) {
  body.skip(4);  // byte-order magic
  const std::uint16_t major = body.u16(), minor = body.u16();
  body.skip(8);  // section length: a hint for those who want to pass over it
  if (!body.ok()) return damaged("a section header is too short");
  if (major != 1) {
    return damaged("a section has version " + text(major) + "." + text(minor) + " of the format; this program reads 1");
  }
  interfaces_.clear();
  return Parsed::nothing(octets);
}

Parsed PcapngFormat::interface_description(OrderedCursor body, std::size_t octets) {
  Interface interface;
  interface.link = link_type_of(body.u16());
  body.skip(2);
  interface.snap_length = body.u32();
  if (!body.ok()) return damaged("an interface description is too short");
  std::uint8_t resolution = 6;
  std::int64_t offset = 0;
  if (!interface_options(body, resolution, offset)) return damaged("an interface description has a broken option");
  interface.unit = TimeUnit(resolution, offset);
  if (interfaces_.size() == kMostInterfaces) return damaged("a section has more interfaces than this program reads");
  interface.port = static_cast<std::uint16_t>(std::min<std::uint32_t>(ports_, UINT16_MAX));
  ++ports_;
  interfaces_.push_back(interface);
  return Parsed::nothing(octets);
}

bool PcapngFormat::interface_options(OrderedCursor options, std::uint8_t& resolution, std::int64_t& offset) {
  while (options.left() > 0) {  // each round takes at least the 4 octets of code and length
    const std::uint16_t code = options.u16(), length = options.u16();
    const Bytes value = options.take((std::size_t{length} + 3) & ~std::size_t{3});
    if (!options.ok()) return false;
    if (code == kEndOfOptions) break;
    if (code == kTimestampResolution) {
      if (length != 1) return false;
      resolution = value[0];
    } else if (code == kTimestampOffset) {
      if (length != 8) return false;
      offset = static_cast<std::int64_t>(OrderedCursor(value, big_endian_).u64());
    }
  }
  return true;
}

Parsed PcapngFormat::packet(OrderedCursor body, std::uint32_t number, std::size_t octets, Frame& frame) {
  const std::uint64_t high = body.u32(), low = body.u32();
  const std::uint32_t captured = body.u32(), wire = body.u32();
  if (!body.ok()) return damaged("a packet block is too short");
  const Interface* interface = find(number);
  if (!interface) return Parsed::damage();
  if (captured > body.left() || captured > largest_frame(interface->snap_length)) {
    return damaged("a packet block says that it has a frame of " + text(captured) + " octets, and has room for " +
                   text(std::min<std::size_t>(body.left(), largest_frame(interface->snap_length))));
  }
  last_time_ = interface->unit.nanos(high << 32 | low);
  return deliver(*interface, body.take(captured), wire, octets, frame);
}

// §4.4: of the section's first interface, cut at its snap length, without a time. It gets that of the packet before,
// the only one known not to be after it.
Parsed PcapngFormat::simple_packet(OrderedCursor body, std::size_t octets, Frame& frame) {
  const std::uint32_t wire = body.u32();
  if (!body.ok()) return damaged("a packet block is too short");
  const Interface* interface = find(0);
  if (!interface) return Parsed::damage();
  const std::uint32_t captured = interface->snap_length ? std::min(wire, interface->snap_length) : wire;
  if (captured > body.left()) {
    return damaged("a packet block must have a frame of " + text(captured) + " octets, and has room for " +
                   text(body.left()));
  }
  return deliver(*interface, body.take(captured), wire, octets, frame);
}

Parsed PcapngFormat::deliver(const Interface& interface, Bytes captured, std::uint32_t wire, std::size_t octets,
                             Frame& frame) {
  frame.octets = captured;
  frame.wire_length = std::max(wire, static_cast<std::uint32_t>(captured.size()));
  frame.link = interface.link;
  frame.port = interface.port;
  frame.time = last_time_;
  return Parsed::frame(octets);
}

const PcapngFormat::Interface* PcapngFormat::find(std::uint32_t number) {
  if (number < interfaces_.size()) return &interfaces_[number];
  damaged("a packet is of interface " + text(number) + ", but its section has described " + text(interfaces_.size()));
  return nullptr;
}

Parsed PcapngFormat::damaged(std::string why) {
  damage_ = std::move(why);
  return Parsed::damage();
}

}  // namespace probe::io
