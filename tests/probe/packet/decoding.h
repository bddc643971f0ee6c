// A decoder with its counters, for tests: one call decodes a built frame and keeps it alive for the packet's views.
#pragma once

#include <string_view>

#include "probe/packet/decoder.h"
#include "tests/kit/packet_builder.h"

namespace probe {

class Decoding {
 public:
  explicit Decoding(const DecodeOptions& options = {}) : decoder_(options, counters) {}

  bool operator()(kit::BuiltFrame frame) {
    frame_ = std::move(frame);
    packet.payload = {};
    return decoder_.decode(frame_.frame(), packet);
  }
  bool operator()(const kit::PacketBuilder& builder) { return (*this)(builder.build()); }
  void new_burst() { decoder_.new_burst(); }

  std::string_view text() const { return as_text(packet.payload); }
  std::uint64_t count(Counter c) const { return counters[c]; }
  std::uint16_t source_port() const { return packet.from_high ? packet.key.high_port : packet.key.low_port; }
  std::uint16_t destination_port() const { return packet.from_high ? packet.key.low_port : packet.key.high_port; }
  Address source() const { return packet.from_high ? packet.key.high_address : packet.key.low_address; }

  Counters counters;
  Packet packet;

 private:
  kit::BuiltFrame frame_;
  Decoder decoder_;
};

}  // namespace probe
