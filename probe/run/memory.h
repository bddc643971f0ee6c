// How much memory a configuration reserves, and for what.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace probe::run {

struct MemoryItem {
  std::string_view what;
  std::size_t octets = 0;
};

struct MemoryPlan {
  std::size_t workers = 0;
  std::size_t flows = 0;  // of each
  std::vector<MemoryItem> items;

  // Sums what has the same name.
  void add(const std::vector<MemoryItem>&);
  std::size_t octets() const;
  // "2 workers x 262144 flows = 640 MB: flows 320 MB, …"
  std::string text() const;
};

}  // namespace probe::run
