// IPFIX messages with any content: the reader answers, and what it delivers is whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "exporter/ipfix/reader.h"
#include "exporter/record/utf8.h"

namespace {

using namespace probe;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Checker : ipfix::RecordReceiver {
  void record(const Record& r) override {
    const schema::Layout& l = r.layout();
    std::uint8_t copy[2048];
    for (std::size_t p = 0; p < l.count; ++p) {
      if (!r.has(p)) continue;
      const schema::Element& e = schema::kElements[l.places[p].element];
      if (!e.is_text()) {
        sum = sum + r.octets(p)[schema::width(e.shape.type) - 1];
        continue;
      }
      const std::string_view text = r.text(p);
      check(!text.empty() && text.size() <= e.shape.limit);
      check(copy_utf8(copy, sizeof copy, text) == text.size());  // nothing had to be replaced
    }
    ++records;
  }
  std::uint64_t records = 0;
  volatile std::uint64_t sum = 0;
};

}  // namespace

// An input is what an IPFIX file is, messages one after another; version and length are put right, so that mutations
// get further than the header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHeader = 16;
  Checker checker;
  ipfix::Reader reader(schema::kDocumentationPen, checker);
  Bytes rest(data, size);
  std::vector<std::uint8_t> message;
  while (rest.size() >= kHeader) {
    const std::size_t told = std::size_t{rest[2]} << 8 | rest[3];
    const std::size_t length = std::clamp(told, kHeader, std::min<std::size_t>(rest.size(), 65535));
    message.assign(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(length));
    message.shrink_to_fit();  // so that the sanitizer sees the first octet beyond
    message[0] = 0;
    message[1] = 10;
    message[2] = static_cast<std::uint8_t>(length >> 8);
    message[3] = static_cast<std::uint8_t>(length);
    reader.read(message);
    rest = rest.subspan(length);
  }
  std::uint64_t all = 0;
  for (const std::uint64_t n : reader.counts().records) all += n;
  check(all == checker.records);
  return 0;
}
