#include "probe/traffic/first_packets.h"

#include <algorithm>
#include <charconv>

namespace probe::traffic {

namespace {

// Each step looks whether there is room, which spares readers and compilers to add up the lengths.
class TextWriter {
 public:
  explicit TextWriter(std::span<char> out) : out_(out) {}
  void put(char c) {
    if (used_ < out_.size()) out_[used_++] = c;
  }
  void number(std::uint32_t n) {
    const std::span<char> room = out_.subspan(used_);
    if (const auto [end, failed] = std::to_chars(room.data(), room.data() + room.size(), n); failed == std::errc())
      used_ += static_cast<std::size_t>(end - room.data());
  }
  std::string_view text() const { return {out_.data(), used_}; }

 private:
  std::span<char> out_;
  std::size_t used_ = 0;
};

}  // namespace

void FirstPackets::add(const Packet& p) {
  const Nanos gap = count_ == 0 ? 0 : std::max<Nanos>(p.time - before_, 0);
  before_ = p.time;
  gaps_us_[count_] = static_cast<std::uint32_t>(std::min<Nanos>(gap / kMicrosecond, 0xffffffff));
  octets_[count_] = static_cast<std::uint16_t>(std::min<std::uint32_t>(p.payload_length, 0xffff));
  from_high_ = static_cast<std::uint16_t>(from_high_ | p.from_high << count_);
  ++count_;
}

std::uint8_t FirstPackets::directions(unsigned initiator) const {
  unsigned bits = 0;
  for (unsigned i = 0; i < std::min<unsigned>(count_, 8); ++i) bits |= (from_responder(i, initiator) ? 1u : 0u) << i;
  return static_cast<std::uint8_t>(bits);
}

std::string_view FirstPackets::write(unsigned initiator, std::span<char, kTextOctets> out) const {
  TextWriter text(out);
  for (unsigned i = 0; i < std::min<unsigned>(count_, kMost); ++i) {
    if (i > 0) text.put(',');
    if (from_responder(i, initiator)) text.put('-');
    text.number(octets_[i]);
    text.put('/');
    text.number(gaps_us_[i]);
  }
  return text.text();
}

}  // namespace probe::traffic
