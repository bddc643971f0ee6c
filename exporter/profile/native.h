// Everything we know: one RFC 5103 biflow record, our own elements under our enterprise number.
#pragma once

#include <array>

#include "exporter/profile/profile.h"

namespace probe {

class Native : public Profile {
 public:
  Native();
  std::span<const std::vector<Field>> layouts() const override { return layouts_; }  // one per kind of record
  Shape shape(std::size_t layout, schema::Groups groups, bool core_only) const override;
  std::span<const RecordView> views(const Record&) override;

 private:
  std::vector<std::vector<Field>> layouts_;
  std::array<std::size_t, schema::kKindCount> marks_;
  std::array<schema::Groups, schema::kKindCount> own_groups_;
  std::vector<RecordView> views_;  // one, or a part of the record each
};

}  // namespace probe
