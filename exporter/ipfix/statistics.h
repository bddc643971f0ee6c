// RFC 7011 §4: what the metering process and the exporting process tell of themselves.
#pragma once

#include <cstdint>

#include "exporter/ipfix/encoder.h"

namespace probe::ipfix {

// One message in observation domain 0, in front of whose records stand their `templates` if these are wanted;
// `sequence` counts the records of domain 0.
void write_statistics(const EncoderOptions& options, std::uint32_t time, const ProcessStatistics&, bool templates,
                      std::uint32_t& sequence, MessageReceiver& receiver);

}  // namespace probe::ipfix
