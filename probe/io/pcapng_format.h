// The pcapng format (draft-ietf-opsawg-pcapng), parsed in place. Packets come from Enhanced and Simple Packet Blocks
// and from the obsolete Packet Block; all blocks but section headers and interfaces are passed over.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/io/parsed.h"
#include "probe/io/time_unit.h"
#include "probe/packet/frame.h"

namespace probe::io {

class PcapngFormat {
 public:
  // More interfaces in one section are damage: the room for them is reserved once.
  static constexpr std::size_t kMostInterfaces = 4096;

  PcapngFormat() { interfaces_.reserve(kMostInterfaces); }
  static bool has_magic(Bytes first);

  Parsed next(Bytes, Frame&);
  const std::string& damage() const { return damage_; }
  const char* record_name() const { return "a pcapng block"; }
  bool between_records() const { return expected_trailer_ == 0; }

 private:
  struct Interface {
    TimeUnit unit;
    std::uint32_t snap_length = 0;  // 0: no limit
    std::uint16_t port = 0;
    LinkType link = LinkType::unknown;
  };

  // Each gets a whole block and the cursor over its body.
  Parsed block(std::uint32_t type, OrderedCursor body, std::size_t octets, Frame&);
  Parsed section_header(OrderedCursor body, std::size_t octets);
  Parsed interface_description(OrderedCursor body, std::size_t octets);
  bool interface_options(OrderedCursor options, std::uint8_t& resolution, std::int64_t& offset);
  Parsed packet(OrderedCursor body, std::uint32_t interface, std::size_t octets, Frame&);
  Parsed simple_packet(OrderedCursor body, std::size_t octets, Frame&);
  Parsed deliver(const Interface&, Bytes captured, std::uint32_t wire, std::size_t octets, Frame&);

  Parsed trailer(Bytes);
  const Interface* find(std::uint32_t number);
  Parsed damaged(std::string why);

  std::vector<Interface> interfaces_;  // of the current section
  std::uint32_t ports_ = 0;            // interfaces of all sections so far
  Nanos last_time_ = 0;
  std::uint32_t expected_trailer_ = 0;  // of a block that was passed over; 0: none
  bool big_endian_ = false;
  std::string damage_;
};

}  // namespace probe::io
