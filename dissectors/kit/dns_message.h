// A DNS message (RFC 1035 §4.1), read as far as its records are intact: its counts are not to be trusted.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dissectors/kit/dns_name.h"
#include "dissectors/kit/text_writer.h"
#include "probe/base/bytes.h"

namespace probe::dns {

inline constexpr std::size_t kHeaderOctets = 12;

struct Message {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t questions = 0, answers_due = 0;  // as the header says
  std::uint32_t records_due = 0;                 // of all sections but the question

  bool is_response() const { return (flags & 0x8000) != 0; }
  unsigned opcode() const { return flags >> 11 & 15; }
  // RFC 6891 §6.1.3: the OPT record has the upper bits.
  std::uint16_t code() const { return static_cast<std::uint16_t>((flags & 15) | extended_code << 4); }

  // The first question; if there is none, the first record.
  bool has_subject = false;
  std::uint16_t type = 0, klass = 0;
  TextBuffer<1024> name_room;  // 255 octets, escaped
  TextWriter name{name_room};

  // Filled for responses only.
  std::uint16_t answers = 0;  // that are there
  TextBuffer<512> data_room;
  TextWriter data{data_room};
  TextBuffer<128> ttl_room;
  TextWriter ttl{ttl_room};
  bool text_cut = false;

  bool has_edns = false;
  std::uint16_t edns_size = 0;
  std::uint8_t extended_code = 0;

  bool whole = false;      // all that the header promised is there
  std::size_t octets = 0;  // if whole: what it takes
};

// The header alone; false if it is not all there.
bool parse_header(Bytes data, Message& m);
// cut: ends within the question; malformed: this cannot be DNS.
Read parse_message(Bytes data, Message& m);

}  // namespace probe::dns
