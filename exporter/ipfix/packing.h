// The fixed-length fields of a record as one run of octets, as they go on the wire: planned once per template.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "exporter/record/view.h"

namespace probe::ipfix {

// libfixbuf takes a call and a loop over octets for every field of every record; forty fields of a flow cost it more
// than all else that is done to write one. So the fields of fixed length are put into network order here, and libfixbuf
// is told a template of the same octets: an octetArray as long as all of them, then the texts. What it writes by that
// is what the true template, the one that collectors get, describes.
class Packing {
 public:
  // How a record lies in memory and which of it goes on the wire, texts last. Throws std::logic_error if memory has no
  // such field, or if a text is not last: a mistake in a profile.
  Packing(std::span<const Field> memory, std::span<const Field> wire);

  // Fills a block of block_octets() from a record's body; returns the octets that the record takes in a message.
  std::size_t pack(const std::byte* body, std::byte* block) const;
  std::size_t block_octets() const { return texts_.size() * kTextSlot + octets_; }

  // What libfixbuf is told: how the block is laid out, and the record in the message.
  std::vector<Field> block_fields() const;
  std::vector<Field> message_fields() const;

 private:
  struct Move {
    std::uint16_t from, to;
  };
  static constexpr std::array<std::size_t, 7> kWidths = {8, 4, 2, 1, 16, 6, 3};
  static constexpr std::size_t kTextSlot = schema::width(schema::Type::text);

  std::uint16_t octets_ = 0;                          // of all fields of fixed length
  std::array<std::uint16_t, kWidths.size()> ends_{};  // in moves_, of the fields of each width
  std::vector<Move> moves_;
  std::vector<std::uint16_t> texts_;  // where they stand in memory
  std::vector<Field> text_fields_;
};

}  // namespace probe::ipfix
