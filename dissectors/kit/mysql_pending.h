// The commands of one session that wait for their answers, oldest first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dissectors/dissector.h"
#include "dissectors/kit/mysql_command.h"

namespace probe::mysql {

struct Pending {
  Exchange exchange;
  Draft<"sql"> draft;
  Notebook::Note note = nullptr;  // of PREPARE its statement; of what changes the schema in use the new one
  Command command{};
  Answer answer = Answer::none;
  std::uint8_t sequence = 0;    // of the client's last packet: the server goes on from there
  bool login = false;           // the login itself, which is a command of no number
  bool begun = false;           // the answer has
  bool changes_schema = false;  // to that of the note, which may not have found room
};

class PendingQueue {
 public:
  static constexpr std::size_t kMost = 8;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == kMost; }
  Pending& front() { return places_[first_]; }
  Pending& back() { return at(size_ - 1u); }
  Pending& at(std::size_t i) { return places_[(first_ + i) % kMost]; }
  Pending& push() {
    ++size_;
    return back();
  }
  Pending& push(Arrival at, std::uint64_t octets) {
    Pending& p = push();
    p.exchange.request_first = at.first;
    p.exchange.request_last = at.last;
    p.exchange.request_octets = octets;
    return p;
  }
  void pop_back() {
    back() = Pending();
    --size_;
  }
  void pop() {
    front() = Pending();
    first_ = static_cast<std::uint8_t>((first_ + 1u) % kMost);
    --size_;
  }

 private:
  std::array<Pending, kMost> places_;
  std::uint8_t first_ = 0;
  std::uint8_t size_ = 0;
};

}  // namespace probe::mysql
