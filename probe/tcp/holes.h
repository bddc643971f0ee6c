// Octets of one sender that have not been seen although later ones have.
#pragma once

#include <array>
#include <cstdint>

namespace probe::tcp {

struct Hole {
  std::uint32_t begin, end;      // sequence numbers [begin, end)
  std::uint32_t before_us;       // when the segment before it passed: its octets were sent after that
  std::uint32_t opened_us;       // when the segment behind it passed
  std::uint32_t timestamp;       // TSval of that segment, if the sender uses timestamps
  std::uint32_t segments;        // with new data before that one (Sending::segments)
  std::uint8_t numbers_missing;  // and so many IPv4 identifications, 3 or more: of what was sent in between
  bool behind_hidden = false;    // a segment before it may have been a repetition (Quality::repeat_hidden)
};

// A few of them, ordered. Octets of a hole that had to be forgotten count as seen.
class Holes {
 public:
  static constexpr unsigned kCapacity = 8;

  Holes() {}  // only `count_` of `holes_` are ever read: nothing else is worth clearing

  struct Fill {
    std::uint32_t octets = 0;        // that lay in holes
    std::uint32_t acknowledged = 0;  // of these: the receiver had them already
    bool forgot = false;             // there was no room for what is left of the hole
    Hole hole{};                     // the first that was touched, as it was
  };

  bool empty() const { return count_ == 0; }
  void clear() { count_ = 0; }

  // All octets of a new hole lie behind those of the others, or before them. Whether the hole that was forgotten for
  // it, if any, could still have been filled: octets before `acknowledged` are not sent again.
  bool open(const Hole&, std::uint32_t acknowledged);
  // [begin, end) has been seen.
  Fill fill(std::uint32_t begin, std::uint32_t end, std::uint32_t acknowledged);
  // How many octets of [begin, end) are in holes.
  std::uint32_t octets(std::uint32_t begin, std::uint32_t end) const;

 private:
  void insert(unsigned at, const Hole&);
  void erase(unsigned at);

  std::array<Hole, kCapacity> holes_;
  std::uint8_t count_ = 0;  // last: whoever asks whether there are any reads no more than what follows
};

}  // namespace probe::tcp
