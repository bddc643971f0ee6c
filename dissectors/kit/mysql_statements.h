// The prepared statements of one session: their texts by the number that the server gave them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "dissectors/notebook.h"

namespace probe::mysql {

// A statement in a note: its digest, whether more of it was there than is kept, and its text.
struct Statement {
  std::uint64_t digest = 0;
  bool cut = false;
  std::string_view text;  // lives as long as the note

  static constexpr std::size_t kMostKept = Notebook::kNoteOctets - 9;
  Notebook::Note keep(Notebook&) const;
  static Statement read(Notebook::Note);
};

// Bounded: a number shares its place with those that differ from it by a multiple of the size, and a newer statement
// takes it from the older. Servers count upwards, so the oldest goes. Its memory is notes, given back by clear().
class Statements {
 public:
  static constexpr std::size_t kPages = 4, kPlacesPerPage = Notebook::kNoteOctets / 16;
  static constexpr std::size_t kMost = kPages * kPlacesPerPage;

  // Takes over the note.
  void put(Notebook&, std::uint32_t id, Notebook::Note);
  Notebook::Note find(std::uint32_t id) const;  // nullptr: not known
  void drop(Notebook&, std::uint32_t id);
  void clear(Notebook&);

 private:
  struct Place {
    Notebook::Note note = nullptr;
    std::uint32_t id = 0;
  };
  static_assert(sizeof(Place) == 16);
  Place read(std::uint32_t id) const;
  void write(std::uint32_t id, const Place&);

  std::array<Notebook::Note, kPages> pages_{};  // each an array of places
};

}  // namespace probe::mysql
