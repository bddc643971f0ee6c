#include "probe/run/memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace probe::run {
namespace {

std::string megabytes(std::size_t octets) {
  const double mb = static_cast<double>(octets) / 1e6;
  return fmt::format("{:.{}f} MB", mb, mb < 10 ? 1 : 0);
}

}  // namespace

void MemoryPlan::add(const std::vector<MemoryItem>& more) {
  for (const MemoryItem& m : more) {
    const auto same = std::ranges::find(items, m.what, &MemoryItem::what);
    if (same == items.end())
      items.push_back(m);
    else
      same->octets += m.octets;
  }
}

std::size_t MemoryPlan::octets() const {
  std::size_t n = 0;
  for (const MemoryItem& m : items) n += m.octets;
  return n;
}

std::string MemoryPlan::text() const {
  std::string out =
      fmt::format("{} worker{} x {} flows = {}", workers, workers == 1 ? "" : "s", flows, megabytes(octets()));
  const char* separator = ": ";
  for (const MemoryItem& m : items) {
    out += fmt::format("{}{} {}", separator, m.what, megabytes(m.octets));
    separator = ", ";
  }
  return out;
}

}  // namespace probe::run
