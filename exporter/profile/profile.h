// Profiles: how a record becomes the data records that a kind of collector understands.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "exporter/record/record.h"
#include "exporter/record/view.h"

namespace probe {

// One per target; not for two threads.
class Profile : public Shapes {
 public:
  std::string_view name() const { return name_; }
  bool own_elements() const { return own_elements_; }  // RFC 5610 records about them make sense

  // What the record becomes: several views, or none if the profile does not carry it. Valid until the next call and
  // as long as the record.
  virtual std::span<const RecordView> views(const Record&) = 0;

 protected:
  Profile(std::string_view name, bool own_elements) : name_(name), own_elements_(own_elements) {}

 private:
  std::string_view name_;
  bool own_elements_;
};

// nullptr if there is no profile of that name.
std::unique_ptr<Profile> make_profile(std::string_view name);
inline constexpr std::string_view kProfileNames = "native, basic";

}  // namespace probe
