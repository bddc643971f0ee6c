#include "probe/io/capture.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "probe/io/decompress.h"
#include "probe/io/pcap_format.h"
#include "probe/io/pcapng_format.h"
#include "probe/io/record_reader.h"
#include "probe/io/window.h"

namespace probe::io {
namespace {

using namespace std::string_view_literals;

constexpr const char* kExpected =
    "Expected a pcap or pcapng capture, plain or compressed with gzip, zstd or xz; editcap and mergecap of Wireshark "
    "convert others.";

// What people take for a capture, or once was one, so that the refusal can name it.
struct Foreign {
  std::string_view magic, name;
};
constexpr Foreign kForeign[] = {
    {"snoop\0\0\0"sv, "a snoop file (RFC 1761)"},
    {"BZh"sv, "compressed with bzip2"},
    {"\x04\x22\x4d\x18"sv, "compressed with lz4"},
    {"PK\x03\x04"sv, "a zip archive"},
    {"\x1c\x00\x01\xac"sv, "an Ixia capture"},
    {"\x1c\x00\x01\xab"sv, "an Ixia capture"},
    {"XCP\0"sv, "a NetXray capture"},
    {"GMBU"sv, "a Microsoft Network Monitor capture"},
    {"RTSS"sv, "a Microsoft Network Monitor capture"},
    {"TRSNIFF data    \x1a"sv, "a Sniffer capture"},
    {"# "sv, "a text file"},
    {"{"sv, "a JSON file"},
};

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw std::runtime_error(name + ": " + what + ". " + kExpected);
}

std::string describe(std::string_view first) {
  for (const Foreign& f : kForeign) {
    if (first.starts_with(f.magic)) return "is " + std::string(f.name);
  }
  return "does not begin like a capture file";
}

// The window over what is to be parsed: over the file itself, or over what a decompressor makes of it.
std::unique_ptr<Window> decompressed(std::unique_ptr<Window> file) {
  constexpr std::size_t kLongestMagic = 6;
  file->need(kLongestMagic);
  const Compression compression = compression_of(file->view());
  if (compression == Compression::none) return file;
  return std::make_unique<Window>(decompress(compression, std::move(file)), kLargestRecord);
}

}  // namespace

std::unique_ptr<Capture> Capture::open(const std::string& path, Counters& counters) {
  return open(open_file(path), path == "-" ? "standard input" : path, counters);
}

std::unique_ptr<Capture> Capture::open(std::unique_ptr<ByteSource> source, const std::string& name,
                                       Counters& counters) {
  auto window = decompressed(std::make_unique<Window>(std::move(source), kLargestRecord));
  const bool whole = window->need(PcapFormat::kFileHeader);
  const Bytes first = window->view();
  if (PcapngFormat::has_magic(first)) {
    return std::make_unique<RecordReader<PcapngFormat>>(name, std::move(window), PcapngFormat(), counters);
  }
  if (auto format = PcapFormat::from_header(first)) {
    window->drop(PcapFormat::kFileHeader);
    return std::make_unique<RecordReader<PcapFormat>>(name, std::move(window), *format, counters);
  }
  if (!whole && !window->source().failure().empty()) refuse(name, window->source().failure());
  if (first.empty()) refuse(name, "is empty");
  if (!whole && PcapFormat::has_magic(first)) refuse(name, "ends inside its pcap file header");
  refuse(name, describe(as_text(first)));
}

}  // namespace probe::io
