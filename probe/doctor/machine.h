// The machine as the kernel shows it: files of /proc and /sys, below another root in tests, and a few system calls.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace probe::doctor {

struct Rings {
  std::uint32_t receive = 0, most = 0;  // descriptors: now, and as many as the NIC has
};

struct ClockState {
  bool synchronised = false;
  std::uint64_t most_off_us = 0;  // the kernel's bound of the clock's error
};

// What no file tells.
class Calls {
 public:
  virtual ~Calls() = default;
  virtual std::optional<Rings> rings(const std::string& interface) const = 0;
  // Offloads that are on and join or cut segments, by the names that ethtool -K takes; absent: no such interface.
  virtual std::optional<std::vector<std::string>> offloads(const std::string& interface) const = 0;
  virtual std::optional<ClockState> clock() const = 0;
};
const Calls& system_calls();

class Machine {
 public:
  explicit Machine(std::filesystem::path root = "/", const Calls& calls = system_calls())
      : root_(std::move(root)), calls_(calls) {}

  // Paths without the leading slash. What is not there is absent, or an empty list.
  std::optional<std::string> text(std::string_view path) const;  // without the white space at its end
  std::optional<std::int64_t> number(std::string_view path) const;
  std::vector<std::string> names(std::string_view folder) const;      // sorted
  std::optional<std::string> link_name(std::string_view link) const;  // last part of where it leads
  bool exists(std::string_view path) const;
  const Calls& calls() const { return calls_; }

 private:
  std::filesystem::path root_;
  const Calls& calls_;
};

// "Name:   123 kB" out of a file of such lines, as /proc/meminfo has them.
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view name);
// "0-2,5" as numbers; what is no such list is empty.
std::vector<unsigned> cpu_list(std::string_view text);
std::string as_cpu_list(std::vector<unsigned> cpus);

}  // namespace probe::doctor
