// What EAL and drivers write to DPDK's log: handed on line by line, and kept for a while, so that an error of ours can
// quote the reason.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace probe::dpdk {

// One line without its end. Called by whichever thread DPDK logs from, one at a time.
using LogSink = std::function<void(std::string_view line)>;

// From now on DPDK's log goes to `sink` (notices and what is worse); without one, to standard error.
void take_over_log(LogSink sink);

// Collects what is said from here on.
class Said {
 public:
  Said();
  // Warnings and errors, in one line; empty if nothing was said.
  std::string text() const;

 private:
  std::uint64_t from_;
};

}  // namespace probe::dpdk
