// What every collector understands: IANA's elements only, two uniflow records for a biflow.
#pragma once

#include <array>

#include "exporter/profile/profile.h"

namespace probe {

class Basic : public Profile {
 public:
  Basic();
  std::span<const std::vector<Field>> layouts() const override { return layouts_; }  // initiator's side, responder's
  Shape shape(std::size_t layout, schema::Groups groups, bool core_only) const override;
  std::span<const RecordView> views(const Record&) override;

 private:
  static constexpr std::size_t kFlow = schema::find_kind("flow");
  // A flow record's memory, and behind it what basic adds: ipVersion.
  static constexpr std::size_t kOctets = schema::kLayouts[kFlow].fixed_octets + 1;

  void fill(std::size_t side, const Record&);

  std::vector<std::vector<Field>> layouts_;
  alignas(16) std::array<std::array<std::byte, (kOctets + 15) / 16 * 16>, 2> bodies_{};
  std::array<RecordView, 2> views_{};
};

}  // namespace probe
