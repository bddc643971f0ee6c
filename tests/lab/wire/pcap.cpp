#include "tests/lab/wire/pcap.h"

#include <array>
#include <cstdint>

#include "tests/lab/wire/text.h"

namespace probe::lab {
namespace {

constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d, kVersion2_4 = 0x00040002, kSnapLength = 262144, kEthernet = 1;

}  // namespace

File create_file(const std::string& path) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) fail_errno(path);
  return file;
}

PcapWriter::PcapWriter(const std::string& path) : file_(create_file(path)) {
  const std::array<std::uint32_t, 6> header = {kNanosecondMagic, kVersion2_4, 0, 0, kSnapLength, kEthernet};
  write(header.data(), sizeof header);
}

void PcapWriter::frame(Nanos wall_clock, Bytes frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  const std::array<std::uint32_t, 4> header = {static_cast<std::uint32_t>(wall_clock / kSecond),
                                               static_cast<std::uint32_t>(wall_clock % kSecond), size, size};
  write(header.data(), sizeof header);
  write(frame.data(), frame.size());
}

void PcapWriter::write(const void* data, std::size_t size) {
  if (std::fwrite(data, 1, size, file_.get()) != size) fail_errno("pcap write");
}

}  // namespace probe::lab
