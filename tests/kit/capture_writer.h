// Captures made in the test: pcap and pcapng in memory, in every variant that the reader knows, and files for them.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "probe/base/bytes.h"
#include "probe/base/nanos.h"

namespace probe::test {

using Octets = std::vector<std::uint8_t>;

// Numbers in a byte order that the test chooses.
class OctetWriter {
 public:
  explicit OctetWriter(bool big_endian = false) : big_endian_(big_endian) {}
  void set_big_endian(bool big_endian) { big_endian_ = big_endian; }

  void u8(std::uint8_t v) { octets_.push_back(v); }
  void u16(std::uint16_t v) { number(v, 2); }
  void u32(std::uint32_t v) { number(v, 4); }
  void u64(std::uint64_t v) { number(v, 8); }
  void append(Bytes b) { octets_.insert(octets_.end(), b.begin(), b.end()); }
  void pad_to_four() { octets_.resize((octets_.size() + 3) / 4 * 4); }

  const Octets& octets() const { return octets_; }
  bool big_endian() const { return big_endian_; }

 private:
  void number(std::uint64_t v, int octets) {
    for (int i = 0; i < octets; ++i) u8(static_cast<std::uint8_t>(v >> 8 * (big_endian_ ? octets - 1 - i : i)));
  }

  Octets octets_;
  bool big_endian_;
};

struct PcapOptions {
  bool big_endian = false;
  bool nanoseconds = true;
  bool modified = false;  // record headers of 24 octets; then microseconds
  std::uint32_t link = 1;
  std::uint32_t snap_length = 262144;
  std::uint16_t minor_version = 4;
};

class PcapWriter {
 public:
  explicit PcapWriter(PcapOptions options = {}) : options_(options), out_(options.big_endian) {
    out_.u32(options.modified ? 0xa1b2cd34 : options.nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4);
    out_.u16(2);
    out_.u16(options.minor_version);
    out_.u64(0);
    out_.u32(options.snap_length);
    out_.u32(options.link);
  }

  // wire_length 0: nothing was cut.
  PcapWriter& add(Nanos time, Bytes captured, std::uint32_t wire_length = 0) {
    const auto size = static_cast<std::uint32_t>(captured.size());
    header(time, size, wire_length ? wire_length : size);
    out_.append(captured);
    return *this;
  }
  // A record header that may lie.
  PcapWriter& header(Nanos time, std::uint32_t captured, std::uint32_t wire) {
    const bool nanoseconds = options_.nanoseconds && !options_.modified;
    out_.u32(static_cast<std::uint32_t>(time / kSecond));
    out_.u32(static_cast<std::uint32_t>(time % kSecond / (nanoseconds ? 1 : kMicrosecond)));
    out_.u32(captured);
    out_.u32(wire);
    if (options_.modified) out_.u64(0);
    return *this;
  }

  const Octets& octets() const { return out_.octets(); }

 private:
  PcapOptions options_;
  OctetWriter out_;
};

struct InterfaceOptions {
  std::uint16_t link = 1;
  std::uint32_t snap_length = 0;
  std::optional<std::uint8_t> resolution = {};
  std::optional<std::int64_t> offset = {};
};

class PcapngWriter {
 public:
  explicit PcapngWriter(bool big_endian = false) { section(big_endian); }

  PcapngWriter& section(bool big_endian, std::uint16_t major_version = 1) {
    out_.set_big_endian(big_endian);
    OctetWriter body(big_endian);
    body.u32(0x1a2b3c4d);
    body.u16(major_version);
    body.u16(0);
    body.u64(~std::uint64_t{0});
    return block(0x0a0d0d0a, body.octets());
  }

  PcapngWriter& interface(InterfaceOptions options = {}) {
    OctetWriter body = ordered();
    body.u16(options.link);
    body.u16(0);
    body.u32(options.snap_length);
    option(body, 2, as_bytes("eth0"));  // if_name: an option that readers pass over
    if (options.resolution) option(body, 9, Octets{*options.resolution});
    if (options.offset) {
      OctetWriter value = ordered();
      value.u64(static_cast<std::uint64_t>(*options.offset));
      option(body, 14, value.octets());
    }
    option(body, 0, {});
    return block(1, body.octets());
  }

  // `units` since 1970, in what the interface counts.
  PcapngWriter& enhanced(std::uint32_t interface, std::uint64_t units, Bytes captured, std::uint32_t wire_length = 0) {
    OctetWriter body = ordered();
    body.u32(interface);
    packet(body, units, captured, wire_length);
    option(body, 2, Octets{0, 0, 0, 1});  // epb_flags: inbound
    option(body, 0, {});
    return block(6, body.octets());
  }
  PcapngWriter& obsolete(std::uint16_t interface, std::uint64_t units, Bytes captured, std::uint32_t wire_length = 0) {
    OctetWriter body = ordered();
    body.u16(interface);
    body.u16(0xffff);  // drops: not known
    packet(body, units, captured, wire_length);
    return block(2, body.octets());
  }
  PcapngWriter& simple(Bytes captured, std::uint32_t wire_length = 0) {
    OctetWriter body = ordered();
    body.u32(wire_length ? wire_length : static_cast<std::uint32_t>(captured.size()));
    body.append(captured);
    body.pad_to_four();
    return block(3, body.octets());
  }
  PcapngWriter& block(std::uint32_t type, Bytes body) {
    const auto length = static_cast<std::uint32_t>((body.size() + 3) / 4 * 4 + 12);
    return block(type, body, length, length);
  }
  // A block whose lengths may lie.
  PcapngWriter& block(std::uint32_t type, Bytes body, std::uint32_t front, std::uint32_t behind) {
    out_.u32(type);
    out_.u32(front);
    out_.append(body);
    out_.pad_to_four();
    out_.u32(behind);
    return *this;
  }

  OctetWriter ordered() const { return OctetWriter(out_.big_endian()); }
  static void option(OctetWriter& body, std::uint16_t code, Bytes value) {
    body.u16(code);
    body.u16(static_cast<std::uint16_t>(value.size()));
    body.append(value);
    body.pad_to_four();
  }

  const Octets& octets() const { return out_.octets(); }

 private:
  static void packet(OctetWriter& body, std::uint64_t units, Bytes captured, std::uint32_t wire_length) {
    const auto size = static_cast<std::uint32_t>(captured.size());
    body.u32(static_cast<std::uint32_t>(units >> 32));
    body.u32(static_cast<std::uint32_t>(units));
    body.u32(size);
    body.u32(wire_length ? wire_length : size);
    body.append(captured);
    body.pad_to_four();
  }

  OctetWriter out_;
};

// A file that goes away with the test.
class TemporaryFile {
 public:
  explicit TemporaryFile(Bytes content) {
    const char* folder = getenv("TMPDIR");
    path_ = std::string(folder ? folder : "/tmp") + "/augprobe_test_XXXXXX";
    const int descriptor = mkstemp(path_.data());
    if (descriptor < 0) throw std::runtime_error("no temporary file: " + path_);
    close(descriptor);
    std::ofstream out(path_, std::ios::binary);
    out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw std::runtime_error("temporary file not written: " + path_);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace probe::test
