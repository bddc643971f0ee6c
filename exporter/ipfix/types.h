// RFC 5610: records that tell a collector the names and types of our own elements.
#pragma once

#include <cstdint>

#include "exporter/ipfix/encoder.h"

namespace probe::ipfix {

// As many messages as needed, each within options.message_octets; `sequence` counts the records of domain 0.
void write_types(const EncoderOptions& options, std::uint32_t time, std::uint32_t& sequence, MessageReceiver& receiver);

void put_export_time(std::uint8_t* message, std::uint32_t seconds);
void put_sequence(std::uint8_t* message, std::uint32_t sequence);

}  // namespace probe::ipfix
