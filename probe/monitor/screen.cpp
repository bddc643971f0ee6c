#include "probe/monitor/screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace probe::monitor {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kUnknown = "?";

// "0", "12.3", "1.23 k", "45.6 M": three digits.
std::string short_number(double n) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  for (; std::abs(n) >= 999.5 && unit + 1 < std::size(kUnits); ++unit) n /= 1000;
  if (unit == 0 && n == std::floor(n)) return fmt::format("{:.0f}", n);
  const int digits = std::abs(n) < 9.995 ? 2 : std::abs(n) < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f}{}", n, digits, kUnits[unit]);
}
std::string number(const Json& of, const char* key) {
  return of.contains(key) ? short_number(of[key].get<double>()) : kUnknown;
}
std::string milliseconds(const Json& of, const char* key) { return fmt::format("{:.1f}", of.value(key, 0.0) / 1000); }
std::string percent(double share) { return fmt::format("{:.0f} %", share * 100); }
std::string fill(const Json& f) {
  const double capacity = f.value("capacity", 0.0);
  return fmt::format("{} {:>5}", short_number(f.value("used", 0.0)),
                     capacity > 0 ? percent(f.value("used", 0.0) / capacity) : "");
}

// Keeps both ends: of an address both tell something, and of names the beginning.
std::string fit(const std::string& text, std::size_t width) {
  if (text.size() <= width || width < 3) return text.substr(0, width);
  const std::size_t head = (width - 2 + 1) / 2;
  return text.substr(0, head) + ".." + text.substr(text.size() - (width - 2 - head));
}
std::string duration(double seconds) {
  const auto s = static_cast<long long>(seconds);
  if (s >= 86'400) return fmt::format("{}d {:02}h", s / 86'400, s / 3600 % 24);
  if (s >= 3600) return fmt::format("{}h {:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}m {:02}s", s / 60, s % 60);
}

// Of all reasons; absent ones are not known.
double sum_of_drops(const Json& port) {
  double sum = 0;
  if (port.contains("dropped"))
    for (const Json& n : port["dropped"]) sum += n.get<double>();
  return sum;
}

class Lines {
 public:
  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    lines_.push_back(fmt::format(format, std::forward<Values>(values)...));
  }
  void space() { lines_.emplace_back(); }
  std::string text(std::size_t width, std::size_t height) const {
    std::string out;
    const std::size_t n = height == 0 ? lines_.size() : std::min(height, lines_.size());
    for (std::size_t i = 0; i < n; ++i) {
      std::string line = lines_[i].substr(0, width);
      // Host names and the like came from packets: nothing of them reaches the terminal as a control.
      for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '.';
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  std::vector<std::string> lines_;
};

void head(const Json& s, Lines& out) {
  const Json rates = s.value("per_second", Json::object());
  double lost = 0;
  for (const Json& p : s["ports"]) lost += sum_of_drops(p);
  out.add("augprobe {}   up {}   {} worker{}   {} reserved   {} dropped in all", s.value("version", ""),
          duration(s.value("uptime", 0.0)), s["workers"].size(), s["workers"].size() == 1 ? "" : "s",
          short_number(s.value("memory_reserved", 0.0)) + "B", short_number(lost));
  const std::string bits = rates.contains("octets") ? short_number(rates["octets"].get<double>() * 8) : kUnknown;
  out.add("packets/s {:<9} bits/s {:<9} new flows/s {:<9} transactions/s {}", number(rates, "packets"), bits,
          number(rates, "flows"), number(rates, "transactions"));
}

void ports(const Json& s, Lines& out) {
  out.space();
  out.add("{:<32}{:>11}{:>11}{:>12}{:>13}", "PORT", "packets/s", "dropped/s", "dropped", "link");
  for (const Json& p : s["ports"]) {
    // The driver of a port may not be able to tell.
    const std::string dropped = p.contains("dropped") ? short_number(sum_of_drops(p)) : kUnknown;
    out.add("{:<32}{:>11}{:>11}{:>12}{:>13}", fit(p.value("name", ""), 31), number(p, "received_per_second"),
            number(p, "dropped_per_second"), dropped,
            !p.contains("link_up")     ? kUnknown
            : p["link_up"].get<bool>() ? "up"
                                       : "DOWN");
  }
}

std::string state_of(const Json& w) {
  if (!w.contains("cpu_seconds")) return "ENDED";
  if (w.value("silent_seconds", 0.0) >= 3) return fmt::format("SILENT {:.0f} s", w["silent_seconds"].get<double>());
  if (w.value("flow_sampling", 1) > 1) return fmt::format("1 in {}", w["flow_sampling"].get<std::uint64_t>());
  if (w.value("shed_level", 0) > 0) return fmt::format("shedding {}", w["shed_level"].get<std::uint64_t>());
  return "all";
}

void workers(const Json& s, Lines& out) {
  out.space();
  out.add("{:<20}{:>7}{:>7}{:>15}{:>19}{:>11}", "THREAD", "cpu", "busy", "flows", "waiting for export", "measures");
  const auto share = [](const Json& t, const char* name) {
    return t.contains(name) ? percent(t[name].get<double>()) : kUnknown;
  };
  for (const Json& w : s["workers"])
    out.add("{:<20}{:>7}{:>7}{:>15}{:>19}{:>11}", fit(w.value("name", ""), 19), share(w, "cpu_share"),
            share(w, "busy_share"), fill(w["flows"]), fill(w["exporting"]), state_of(w));
  for (const char* name : {"dispatcher", "exporter"})
    if (s.contains(name)) {
      const std::string state = state_of(s[name]);
      out.add("{:<20}{:>7}{:>7}{:>45}", name, share(s[name], "cpu_share"), share(s[name], "busy_share"),
              state == "all" ? "" : state);
    }
}

void targets(const Json& s, Lines& out) {
  if (s["targets"].empty()) return;
  out.space();
  out.add("{:<44}{:>11}{:>12}{:>12}", "TARGET", "records/s", "sent", "lost");
  for (const Json& t : s["targets"]) {
    out.add("{:<44}{:>11}{:>12}{:>12}", fit(t.value("url", ""), 43), number(t, "sent_per_second"), number(t, "sent"),
            short_number(t.value("queue_full", 0.0) + t.value("failed", 0.0)));
    if (t.contains("trouble")) out.add("  {}", t["trouble"].get<std::string>());
  }
}

std::string service_of(const Json& talker) {
  const std::string application = talker.value("application", "");
  const int number = talker.value("protocol", 0);
  const std::string protocol = number == 6 ? "tcp" : number == 17 ? "udp" : fmt::format("{}", number);
  return application.empty() ? protocol : fmt::format("{}/{}", application, protocol);
}

void ranks(const Json& s, Lines& out) {
  const Json& r = s["ranks"];
  const double seconds = std::max(r.value("flow_seconds", 0.0), 1.0);
  out.space();
  out.add("{:<50}{:<12}{:>9}{:>8}", fmt::format("TALKERS of the last {:.0f} s: client > server", seconds), "service",
          "bits/s", "flows");
  for (const Json& t : r["talkers"]) {
    const std::string server = fmt::format("{}:{}", t.value("server", ""), t.value("port", 0));
    out.add("{:<50}{:<12}{:>9}{:>8}", fmt::format("{} > {}", fit(t.value("client", ""), 21), fit(server, 25)),
            fit(service_of(t), 11), short_number(t.value("octets", 0.0) * 8 / seconds), number(t, "flows"));
  }
  out.space();
  out.add("{:<40}{:<8}{:>12}{:>10}{:>10}", fmt::format("SLOWEST SERVERS of the last {:.0f} s", r.value("seconds", 0.0)),
          "", "transactions", "mean ms", "most ms");
  for (const Json& h : r["slowest"])
    out.add("{:<40}{:<8}{:>12}{:>10}{:>10}", fit(h.value("server", ""), 39), h.value("kind", ""),
            number(h, "transactions"), milliseconds(h, "mean_microseconds"), milliseconds(h, "max_microseconds"));
  out.space();
  out.add("{:<48}{:>12}{:>10}{:>10}", fmt::format("WHO SENDS AGAIN, of the last {:.0f} s", seconds), "segments", "of",
          "share");
  for (const Json& h : r["retransmitters"]) {
    const double packets = h.value("packets", 0.0);
    out.add("{:<48}{:>12}{:>10}{:>10}", fit(h.value("host", ""), 47), number(h, "retransmitted"), number(h, "packets"),
            packets > 0 ? fmt::format("{:.1f} %", 100 * h.value("retransmitted", 0.0) / packets) : kUnknown);
  }
}

}  // namespace

std::string screen_of(const Json& snapshot, std::size_t width, std::size_t height) {
  Lines out;
  head(snapshot, out);
  ports(snapshot, out);
  workers(snapshot, out);
  targets(snapshot, out);
  ranks(snapshot, out);
  return out.text(width, height);
}

}  // namespace probe::monitor
