// Bounded memory for texts that a session must remember: prepared statements, long names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "probe/base/counters.h"
#include "probe/base/pool.h"

namespace probe {

// Hands out notes of at most kNoteOctets. One per thread. An empty notebook answers with the empty note, which reads as
// "".
class Notebook {
 public:
  static constexpr std::size_t kNoteOctets = 1022;
  struct Page {
    std::uint16_t length;
    char octets[kNoteOctets];
  };
  using Note = Page*;

  explicit Notebook(std::size_t notes, Counters* counters = nullptr)
      : pages_(notes, sizeof(Page)), counters_(counters) {}

  Note keep(std::string_view text) {
    auto* page = static_cast<Page*>(take_page());
    if (!page) return nullptr;
    page->length = static_cast<std::uint16_t>(std::min(text.size(), kNoteOctets));
    if (page->length > 0) std::memcpy(page->octets, text.data(), page->length);
    return page;
  }
  static std::string_view read(Note n) { return n ? std::string_view(n->octets, n->length) : std::string_view(); }
  void drop(Note& n) {
    if (n) pages_.give(n);
    n = nullptr;
  }
  // A whole page, for what is no text; nullptr if there is none.
  void* take_page() {
    void* const page = pages_.take();
    if (!page && counters_) counters_->add(Counter::dissection_notes_full);
    return page;
  }
  void give_page(void* page) { pages_.give(page); }
  std::size_t in_use() const { return pages_.in_use(); }
  std::size_t octets() const { return pages_.octets(); }

 private:
  SlotPool pages_;
  Counters* const counters_;
};

}  // namespace probe
