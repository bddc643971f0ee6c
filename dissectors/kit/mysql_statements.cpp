#include "dissectors/kit/mysql_statements.h"

#include <algorithm>
#include <cstring>

namespace probe::mysql {

Notebook::Note Statement::keep(Notebook& notes) const {
  const Notebook::Note note = notes.keep("");
  if (!note) return nullptr;
  const std::size_t n = std::min(text.size(), kMostKept);
  std::memcpy(note->octets, &digest, sizeof digest);
  note->octets[sizeof digest] = cut || n < text.size();
  std::copy_n(text.data(), n, note->octets + sizeof digest + 1);
  note->length = static_cast<std::uint16_t>(sizeof digest + 1 + n);
  return note;
}

Statement Statement::read(Notebook::Note note) {
  Statement s;
  std::memcpy(&s.digest, note->octets, sizeof s.digest);
  s.cut = note->octets[sizeof s.digest] != 0;
  s.text = Notebook::read(note).substr(sizeof s.digest + 1);
  return s;
}

Statements::Place Statements::read(std::uint32_t id) const {
  const Notebook::Note page = pages_[id % kMost / kPlacesPerPage];
  Place p;
  if (page) std::memcpy(&p, page->octets + id % kMost % kPlacesPerPage * sizeof p, sizeof p);
  return p;
}

void Statements::write(std::uint32_t id, const Place& p) {
  const Notebook::Note page = pages_[id % kMost / kPlacesPerPage];
  std::memcpy(page->octets + id % kMost % kPlacesPerPage * sizeof p, &p, sizeof p);
}

void Statements::put(Notebook& notes, std::uint32_t id, Notebook::Note note) {
  Notebook::Note& page = pages_[id % kMost / kPlacesPerPage];
  if (!page) {
    page = notes.keep("");
    if (!page) return notes.drop(note);
    std::memset(page->octets, 0, sizeof page->octets);
  }
  Place p = read(id);
  notes.drop(p.note);
  write(id, {note, id});
}

Notebook::Note Statements::find(std::uint32_t id) const {
  const Place p = read(id);
  return p.id == id ? p.note : nullptr;
}

void Statements::drop(Notebook& notes, std::uint32_t id) {
  Notebook::Note note = find(id);
  if (!note) return;
  notes.drop(note);
  write(id, {});
}

void Statements::clear(Notebook& notes) {
  for (Notebook::Note& page : pages_) {
    if (!page) continue;
    for (std::size_t i = 0; i < kPlacesPerPage; ++i) {
      Place p;
      std::memcpy(&p, page->octets + i * sizeof p, sizeof p);
      notes.drop(p.note);
    }
    notes.drop(page);
  }
}

}  // namespace probe::mysql
