// What the kernel tells of an interface (rtnetlink).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace probe::live {

struct LinkInfo {
  int index = 0;
  std::uint16_t hardware = 0;  // ARPHRD_…
  bool up = false;             // switched on, and there is a carrier
  bool on = false;             // switched on
  std::uint32_t mtu = 0;
  std::string kind;  // "veth", "vlan", … ; empty: a device of its own, or the loopback
  std::string peer;  // the other end of a veth pair, if it is in the same namespace
  // Since the interface exists. Drivers of virtual devices leave the first two 0 whatever happens.
  std::uint64_t missed = 0, errors = 0;
  std::uint64_t dropped = 0;
};

class LinkReader {
 public:
  LinkReader();  // throws std::runtime_error
  ~LinkReader();
  LinkReader(const LinkReader&) = delete;
  LinkReader& operator=(const LinkReader&) = delete;

  // Nothing if there is no such interface.
  std::optional<LinkInfo> read(const std::string& name);

 private:
  int socket_ = -1;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> buffer_;
};

// Names, for a person who got one wrong.
std::string interface_list();

}  // namespace probe::live
