#include "probe/doctor/doctor.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace probe::doctor {
namespace {

struct Check {
  std::string_view name;
  Findings (*function)(const Machine&, const Wanted&);
};
constexpr Check kChecks[] = {
#define CHECK(function, name, looks_at) {name, check::function},
#include "probe/doctor/checks.inc"
#undef CHECK
};

std::string plural(std::size_t n, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

}  // namespace

std::string_view to_string(Verdict v) {
  return v == Verdict::good ? "good" : v == Verdict::advice ? "advice" : "PROBLEM";
}

std::vector<Examined> examine(const Machine& machine, const Wanted& wanted) {
  std::vector<Examined> all;
  for (const Check& c : kChecks)
    for (Finding& f : c.function(machine, wanted)) all.push_back({c.name, std::move(f)});
  return all;
}

Verdict worst_of(const std::vector<Examined>& all) {
  Verdict worst = Verdict::good;
  for (const Examined& e : all) worst = std::max(worst, e.finding.verdict);
  return worst;
}

std::string as_table(const std::vector<Examined>& all) {
  std::size_t name = 5, subject = 0;
  for (const Examined& e : all) {
    name = std::max(name, e.check.size());
    subject = std::max(subject, e.finding.subject.size());
  }
  if (subject > 0) subject += 2;
  std::string out = fmt::format("{:9}{:{}}{:{}}{}\n", "verdict", "check", name + 2, "", subject, "found");
  std::size_t advice = 0, problems = 0;
  for (const Examined& e : all) {
    const Finding& f = e.finding;
    out += fmt::format("{:9}{:{}}{:{}}{}\n", to_string(f.verdict), e.check, name + 2, f.subject, subject, f.found);
    if (!f.gain.empty()) out += fmt::format("{:11}why   {}\n", "", f.gain);
    if (!f.remedy.empty()) out += fmt::format("{:11}type  {}\n", "", f.remedy);
    advice += f.verdict == Verdict::advice;
    problems += f.verdict == Verdict::problem;
  }
  if (advice + problems == 0) return out + "Nothing to change.\n";
  return out + fmt::format("{}, {}.\n", plural(problems, "problem", "problems"),
                           plural(advice, "piece of advice", "pieces of advice"));
}

std::string as_json(const std::vector<Examined>& all) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Examined& e : all) {
    const Finding& f = e.finding;
    nlohmann::ordered_json row{{"check", e.check}};
    if (!f.subject.empty()) row["subject"] = f.subject;
    row["found"] = f.found;
    row["verdict"] = f.verdict == Verdict::problem ? "problem" : to_string(f.verdict);
    if (!f.gain.empty()) row["gain"] = f.gain;
    if (!f.remedy.empty()) row["remedy"] = f.remedy;
    out.push_back(std::move(row));
  }
  // Names of files and devices may hold any octets.
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace probe::doctor
