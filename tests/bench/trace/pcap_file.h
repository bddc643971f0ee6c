// Writes the packets of flows as Ethernet frames to a classic pcap file with microseconds.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "tests/bench/trace/flow.h"

namespace trace {

class PcapFile {
 public:
  explicit PcapFile(const std::string& path);  // throws if the file cannot be made

  void write(Flow& flow, const Event& event);
  void close();  // throws if the disk is full

  std::uint64_t packets() const { return tcp_packets_ + udp_packets_; }
  std::uint64_t tcp_packets() const { return tcp_packets_; }
  std::uint64_t udp_packets() const { return udp_packets_; }
  std::uint64_t octets() const { return octets_; }

 private:
  std::size_t write_network(Flow& flow, int way, std::uint8_t protocol, std::size_t length);
  std::size_t write_tcp(Flow& flow, const Event& event);
  std::size_t write_udp(Flow& flow, const Event& event);
  std::uint16_t transport_checksum(const Flow& flow, std::uint8_t protocol, std::size_t at, std::size_t length) const;

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::array<std::uint8_t, 4096> frame_{};
  std::uint64_t tcp_packets_ = 0, udp_packets_ = 0, octets_ = 0;
};

}  // namespace trace
