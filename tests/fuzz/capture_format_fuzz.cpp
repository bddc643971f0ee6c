// The two capture formats without windows and sources around them, so that many more inputs a second go through and
// the first octet read outside of what was given is seen: each record is parsed again from a copy of its exact size.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

#include "probe/io/pcap_format.h"
#include "probe/io/pcapng_format.h"

namespace {

using namespace probe;
using io::Parsed;

bool same(const Frame& a, const Frame& b) {
  return std::equal(a.octets.begin(), a.octets.end(), b.octets.begin(), b.octets.end()) &&
         a.wire_length == b.wire_length && a.time == b.time && a.port == b.port && a.link == b.link;
}

template <class Format>
void check_frame(Format& format, Bytes record, const Frame& frame) {
  if (frame.octets.size() > frame.wire_length || frame.octets.size() > io::kLargestFrame) abort();
  const std::vector<std::uint8_t> exact(record.begin(), record.end());
  Frame again;
  const Parsed parsed = format.next(exact, again);
  if (parsed.kind != Parsed::Kind::frame || parsed.octets != exact.size() || !same(frame, again)) abort();
  const std::vector<std::uint8_t> shorter(record.begin(), record.end() - 1);
  const Parsed less = format.next(shorter, again);
  if (less.kind != Parsed::Kind::need || less.octets <= shorter.size() || less.octets > exact.size()) abort();
}

template <class Format>
void run(Format format, Bytes octets) {
  while (true) {
    Frame frame;
    const Parsed parsed = format.next(octets, frame);
    switch (parsed.kind) {
      case Parsed::Kind::damage:
        if (std::string(format.damage()).empty()) abort();
        return;
      case Parsed::Kind::need:
        if (parsed.octets <= octets.size() || parsed.octets > io::kLargestRecord) abort();
        return;
      case Parsed::Kind::nothing:
        if (parsed.octets == 0) abort();
        if (parsed.octets > octets.size()) return;
        break;
      case Parsed::Kind::frame:
        if (parsed.octets == 0 || parsed.octets > octets.size()) abort();
        check_frame(format, octets.first(static_cast<std::size_t>(parsed.octets)), frame);
        break;
    }
    octets = octets.subspan(static_cast<std::size_t>(parsed.octets));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes file(data, size);
  if (const auto pcap = io::PcapFormat::from_header(file)) {
    run(*pcap, file.subspan(io::PcapFormat::kFileHeader));
  } else if (io::PcapngFormat::has_magic(file)) {
    run(io::PcapngFormat(), file);
  }
  return 0;
}
