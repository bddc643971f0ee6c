// Fragments of a few datagrams in any order, against a plain model that looks at each octet by itself.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <vector>

#include "probe/packet/defragmenter.h"

namespace {

using namespace probe;

void check(bool holds) {
  if (!holds) std::abort();
}

// First copy wins, octet by octet. It follows the answers of the defragmenter and checks what is joined.
struct Model {
  std::vector<std::int16_t> octets = std::vector<std::int16_t>(65536, -1);  // -1: not come yet
  std::uint32_t total = 0;
  std::uint32_t fragments = 0;
  std::uint32_t captured_to = 65535;

  void keep(const Fragment& f) {
    ++fragments;
    for (std::size_t i = 0; i < f.data.octets.size(); ++i)
      if (octets[f.offset + i] < 0) octets[f.offset + i] = f.data.octets[i];
    if (f.data.octets.size() < f.data.wire)
      captured_to = std::min(captured_to, f.offset + static_cast<std::uint32_t>(f.data.octets.size()));
    if (!f.more) total = f.offset + f.data.wire;
  }

  void expect(const Datagram& d) const {
    check(d.fragments == fragments);
    check(d.data.wire == total);
    check(d.data.octets.size() == std::min(total, captured_to));
    for (std::size_t i = 0; i < d.data.octets.size(); ++i) check(octets[i] == d.data.octets[i]);
  }
};

// A fragment is five octets: datagram (5 bits) and flags, offset in units (16 bits), length in units (8 bits), content;
// three times in four the length is small, so that datagrams become complete.
bool read(Cursor& c, std::vector<std::uint8_t>& content, Fragment& f) {
  const std::uint8_t head = c.u8();
  const std::uint32_t offset = c.u16(), length = c.u8(), fill = c.u8();
  if (!c.ok()) return false;
  const bool more = (head & 0x80) != 0, cut = (head & 0x40) != 0, odd = (head & 0x20) != 0;
  f.key.id = head & 3;
  f.key.ip_version = (head & 4) != 0 ? 6 : 4;
  f.key.source = {0, 1};
  f.offset = (offset & 0xc000) == 0xc000 ? (offset & 0x1fff) * 8 : (offset & 0x0f) * 8;
  f.more = more;
  const std::uint32_t wire = (offset & 0x2000) != 0 ? length * 64 : (length & 7) * 8 + (odd ? 3 : 0);
  content.assign(cut ? wire / 2 : wire, static_cast<std::uint8_t>(fill & 3));
  f.data = {content, wire};
  f.ip_octets = wire + 20;
  f.time += (head & 0x18) == 0x18 ? Nanos{fill} * kSecond / 4 : 1;
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Cursor c(Bytes(data, size));
  const std::uint8_t bits = c.u8();
  DefragmentLimits limits;
  limits.datagrams = 1 + bits % 9;  // there are eight
  limits.octets = (bits & 0x80) != 0 ? 65535 + 2048 * 3 : 1u << 20;
  Counters counters;
  Defragmenter defragmenter(limits, counters);
  std::map<std::uint32_t, Model> models;
  std::vector<std::uint8_t> content;
  Fragment f;
  while (read(c, content, f)) {
    const std::uint64_t lost =
        counters[Counter::decode_datagrams_timed_out] + counters[Counter::decode_datagrams_evicted];
    Datagram whole;
    const Counter answer = defragmenter.add(f, whole);
    // Which datagram was lost is not told: the model starts again with what is known for sure.
    const std::uint32_t name = f.key.id << 8 | f.key.ip_version;
    const bool others_lost =
        lost != counters[Counter::decode_datagrams_timed_out] + counters[Counter::decode_datagrams_evicted];
    if (others_lost || answer == Counter::decode_fragments_no_memory) return 0;
    if (answer == Counter::decode_fragments_waiting || answer == kFine) models[name].keep(f);
    // What was refused once starts from nothing if it ever comes again.
    const bool malformed = f.data.wire == 0 || (f.more && f.data.wire % 8 != 0);
    if (answer == Counter::decode_fragments_refused || answer == Counter::decode_fragments_too_many ||
        (answer == Counter::decode_fragments_bad && f.key.ip_version == 6 && !malformed))
      models.erase(name);
    if (answer == kFine) {
      models[name].expect(whole);
      models.erase(name);
      defragmenter.new_burst();
    }
  }
  return 0;
}
