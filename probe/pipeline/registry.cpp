#include "probe/pipeline/registry.h"

namespace probe {

#define DISSECTOR(name) extern const Dissector name##_dissector;
#include "dissectors/list.inc"
#undef DISSECTOR

namespace {
constexpr const Dissector* kAll[] = {
#define DISSECTOR(name) &name##_dissector,
#include "dissectors/list.inc"
#undef DISSECTOR
    nullptr};  // so that a tree without dissectors compiles
constexpr std::size_t kCount = std::size(kAll) - 1;
static_assert(kCount <= kMostDissectors);
}  // namespace

std::span<const Dissector* const> dissectors() { return std::span(kAll).first(kCount); }

}  // namespace probe
