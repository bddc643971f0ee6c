// A line on the terminal that tells how far long work has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace probe::run {

// Silent if standard error is no terminal.
class Progress {
 public:
  explicit Progress(bool wanted);
  ~Progress() { clear(); }
  // Cheap; writes at most a few times a second. `size` 0: not known.
  void show(const std::string& what, std::uint64_t position, std::uint64_t size, std::uint64_t packets);
  void clear();

 private:
  const bool wanted_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point start_, next_;
};

}  // namespace probe::run
