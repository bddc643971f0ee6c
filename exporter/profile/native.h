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
  // What the parts of a record are follows from what it has, and few combinations come again and again.
  struct Dealt {
    std::size_t kind = schema::kNone;
    schema::Presence present;
    std::vector<schema::Groups> parts;
  };
  const Dealt& dealt(const Record&);

  static constexpr int kRecentBits = 9;
  std::vector<Dealt> recent_;  // at the hash of what a record has
  Dealt odd_;                  // of a record whose groups need not be complete
  std::vector<RecordView> views_;
};

}  // namespace probe
