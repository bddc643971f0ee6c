#include "probe/run/doctor.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/transport/url.h"

namespace probe::run {

doctor::Wanted wanted_of(const Options& o) {
  doctor::Wanted w;
  w.workers = o.capture_workers;
  w.udp_export = std::ranges::any_of(o.export_targets,
                                     [](const std::string& t) { return parse_url(t).scheme == Url::Scheme::udp; });
  return w;
}

int examine_machine(const Options& options, bool json) {
  const std::vector<doctor::Examined> all = doctor::examine(doctor::Machine(), wanted_of(options));
  fmt::print("{}", json ? doctor::as_json(all) : doctor::as_table(all));
  return doctor::worst_of(all) == doctor::Verdict::problem ? 1 : 0;
}

}  // namespace probe::run
