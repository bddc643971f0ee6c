// Writes a classic pcap file with nanosecond times, link type Ethernet.
#pragma once

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "probe/base/bytes.h"
#include "probe/base/nanos.h"

namespace probe::lab {

struct CloseFile {
  void operator()(std::FILE* f) const { std::fclose(f); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;
File create_file(const std::string& path);

class PcapWriter {
 public:
  explicit PcapWriter(const std::string& path);
  void frame(Nanos wall_clock, Bytes frame);

 private:
  void write(const void* data, std::size_t size);
  File file_;
};

}  // namespace probe::lab
