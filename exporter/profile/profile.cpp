#include "exporter/profile/profile.h"

#include "exporter/profile/basic.h"
#include "exporter/profile/native.h"

namespace probe {

std::unique_ptr<Profile> make_profile(std::string_view name) {
  if (name == "native") return std::make_unique<Native>();
  if (name == "basic") return std::make_unique<Basic>();
  return nullptr;
}

}  // namespace probe
