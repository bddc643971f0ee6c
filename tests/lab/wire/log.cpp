#include "tests/lab/wire/log.h"

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdio>

namespace probe::lab {
namespace {

std::string link_text(const LinkCounts& c) {
  return "{\"in\":" + std::to_string(c.in) + ",\"out\":" + std::to_string(c.out) +
         ",\"lost\":" + std::to_string(c.lost) + ",\"queue_drops\":" + std::to_string(c.queue_drops) +
         ",\"dup\":" + std::to_string(c.duplicated) + ",\"held\":" + std::to_string(c.held) + "}";
}

std::string lateness_text(std::vector<Nanos>& lateness) {
  std::sort(lateness.begin(), lateness.end());
  const auto micros = [&](double quantile) {
    const auto at = static_cast<std::size_t>(quantile * static_cast<double>(lateness.size() - 1));
    return static_cast<double>(lateness[at]) / static_cast<double>(kMicrosecond);
  };
  if (lateness.empty()) lateness.push_back(0);
  char text[128];
  std::snprintf(text, sizeof text, R"({"p50":%.1f,"p90":%.1f,"p99":%.1f,"max":%.1f})", micros(.5), micros(.9),
                micros(.99), micros(1));
  return text;
}

std::string sack_text(const Summary& s) {
  std::string out;
  for (const auto& [left, right] : s.sack)
    out += std::string(out.empty() ? "" : ",") + "[" + std::to_string(left) + "," + std::to_string(right) + "]";
  return out;
}

}  // namespace

void TruthLog::write(const LogEntry& e, const Summary& s) {
  if (!file_) return;
  std::fprintf(
      file_.get(),
      R"({"t":%)" PRId64 R"(,"ev":"%s","why":"%s","link":"%c","dir":"%s","id":%)" PRIu64 R"(,"rx":%)" PRId64
      R"(,"extra":%)" PRId64
      R"(,"src":"%s","dst":"%s","proto":%d,"sp":%d,"dp":%d,"flags":"%s","seq":%u,"ack":%u,"win":%u,"len":%u,"ip":%u,"tos":%u,"sack":[%s]})"
      "\n",
      e.time, e.event, e.why, e.link, name(e.direction), e.id, e.received, e.extra, s.source.c_str(),
      s.destination.c_str(), s.protocol, s.source_port, s.destination_port, flag_text(s.flags).c_str(), s.sequence,
      s.acknowledgement, s.window, s.payload, s.ip_octets, s.traffic_class, sack_text(s).c_str());
}

void TruthLog::finish(Totals& totals) {
  std::string text = R"({"ev":"summary","frames":)" + std::to_string(totals.frames);
  for (std::size_t link = 0; link < totals.links.size(); ++link)
    for (const auto d : kDirections)
      text += std::string(",\"link_") + "ab"[link] + '_' + name(d) + "\":" + link_text(totals.links[link][index(d)]);
  text += ",\"late_us\":" + lateness_text(totals.lateness) +
          ",\"delivery_errors\":" + std::to_string(totals.delivery_errors) +
          ",\"mirror_errors\":" + std::to_string(totals.mirror_errors) + "}";
  if (file_) std::fprintf(file_.get(), "%s\n", text.c_str());
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace probe::lab
