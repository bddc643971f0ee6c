// A port as DPDK knows it: found or plugged in, ours alone, closed and unplugged at the end.
#pragma once

#include <rte_ethdev.h>

#include <cstdint>
#include <string>

namespace probe::dpdk {

class Device {
 public:
  // An address of PCI, a virtual device ("net_af_packet0,iface=eth1"), or the name of a port that is there already.
  // Throws std::runtime_error.
  explicit Device(const std::string& wanted);
  ~Device();
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  std::uint16_t port() const { return port_; }
  const std::string& name() const { return name_; }
  const rte_eth_dev_info& info() const { return info_; }

 private:
  void find_or_plug(const std::string& wanted);
  void plug(const std::string& bus, const std::string& device, const std::string& arguments, const std::string& wanted);
  void own();

  std::uint16_t port_ = 0;
  std::string name_;
  std::string bus_, device_;  // plugged in by us: where
  rte_eth_dev_info info_ = {};
};

}  // namespace probe::dpdk
