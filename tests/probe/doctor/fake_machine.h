// A tree of /proc and /sys in a temporary folder, and the answers of system calls.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "probe/doctor/doctor.h"

namespace probe::doctor {

class FakeCalls final : public Calls {
 public:
  std::map<std::string, Rings> rings_of;
  std::map<std::string, std::vector<std::string>> offloads_of;
  std::optional<ClockState> clock_state;

  std::optional<Rings> rings(const std::string& interface) const override {
    const auto it = rings_of.find(interface);
    return it == rings_of.end() ? std::nullopt : std::optional(it->second);
  }
  std::optional<std::vector<std::string>> offloads(const std::string& interface) const override {
    const auto it = offloads_of.find(interface);
    return it == offloads_of.end() ? std::nullopt : std::optional(it->second);
  }
  std::optional<ClockState> clock() const override { return clock_state; }
};

class FakeMachine {
 public:
  FakeMachine() {
    std::string name = std::filesystem::temp_directory_path() / "doctorXXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~FakeMachine() { std::filesystem::remove_all(root_); }
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  FakeMachine& file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << '\n';
    return *this;
  }
  FakeMachine& link(const std::string& path, const std::string& to) {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::filesystem::remove(root_ / path);
    std::filesystem::create_symlink(to, root_ / path);
    return *this;
  }
  FakeMachine& interface(const std::string& name, const std::string& flags = "0x1003",
                         const std::string& carrier = "1") {
    return file("sys/class/net/" + name + "/flags", flags).file("sys/class/net/" + name + "/carrier", carrier);
  }
  FakeMachine& nic(const std::string& address, const std::string& driver, const std::string& node = "0") {
    const std::string device = "sys/bus/pci/devices/" + address;
    return file(device + "/class", "0x020000")
        .file(device + "/numa_node", node)
        .link(device + "/driver", "../../drivers/" + driver);
  }
  Machine machine() const { return Machine(root_, calls); }

  FakeCalls calls;

 private:
  std::filesystem::path root_;
};

}  // namespace probe::doctor
