#include "tests/lab/wire/options.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tests/lab/wire/text.h"

namespace probe::lab {

const char* const kUsage = R"(wire - two TAP interfaces joined by an impaired cable with a tap in the middle

  --a NETNS:IF[:IPV4/LEN[:IPV6/LEN]]   endpoint A (NETNS and addresses may be empty)   cli:wa0:10.99.0.1/24
  --b NETNS:IF[:IPV4/LEN[:IPV6/LEN]]   endpoint B                                      srv:wb0:10.99.0.2/24
  --mirror NETNS:IF         copy every frame seen at the tap point to this TAP interface
  --link-a IMP              impair link A (A <-> tap), both directions
  --link-b IMP              impair link B (tap <-> B), both directions
  --link-a-up IMP, --link-a-down IMP, --link-b-up IMP, --link-b-down IMP
                            one direction only (up = A to B)
        IMP: delay=20ms,jitter=1ms,loss=0.5%,burst=0.2%:30%,dup=0.1%,reorder=1%:5ms,ce=2%,rate=100mbit,queue=200
             burst: begins and ends with these probabilities at each frame; ce: marks what has ECT
  --rule RULE               act on the nth matching frame, or on the nth to the last-th (repeatable)
        RULE: link=a|b,dir=a2b|b2a,match=any|syn|synack|ack|data|fin|rst|udp,nth=N
              [,last=N][,octet=N][,perflow=1|,flow=N][,action=drop|dup|hold][,hold=50ms]
              octet: only what carries this octet of the flow's payload, from 0 (implies perflow)
  --pcap FILE               nanosecond pcap of what the tap point sees
  --log FILE                JSON lines: every drop, duplicate and hold (and every frame with --log-all)
  --log-all
  --seed N                  random seed (default 1)
  --offload                 hosts hand over TCP segments of up to 64 KiB (TSO); the pcap then has no checksums
  --duration TIME           stop by itself, e.g. 30s (default: until SIGINT or SIGTERM)
  --spin TIME               wake this much early and poll, for less timer lateness (e.g. 80us)
  --rt                      run under SCHED_FIFO, so that a busy machine delays frames less

Prints READY on stdout once both interfaces are up.
)";

Options parse_options(int count, char** arguments) {
  Options o;
  const std::map<std::string_view, std::function<void()>> flags = {
      {"--help", [] { std::exit(std::fputs(kUsage, stdout) < 0); }},
      {"--log-all", [&] { o.log_all = true; }},
      {"--rt", [&] { o.realtime = true; }},
      {"--offload", [&] { o.offload = true; }},
  };
  const std::map<std::string_view, std::function<void(std::string_view)>> settings = {
      {"--a", [&](auto v) { o.ports[0] = parse_port(v); }},
      {"--b", [&](auto v) { o.ports[1] = parse_port(v); }},
      {"--mirror", [&](auto v) { o.mirror = parse_port(v); }},
      {"--link-a", [&](auto v) { o.links[0].fill(parse_impairment(v)); }},
      {"--link-b", [&](auto v) { o.links[1].fill(parse_impairment(v)); }},
      {"--link-a-up", [&](auto v) { o.links[0][index(Direction::a2b)] = parse_impairment(v); }},
      {"--link-a-down", [&](auto v) { o.links[0][index(Direction::b2a)] = parse_impairment(v); }},
      {"--link-b-up", [&](auto v) { o.links[1][index(Direction::a2b)] = parse_impairment(v); }},
      {"--link-b-down", [&](auto v) { o.links[1][index(Direction::b2a)] = parse_impairment(v); }},
      {"--rule", [&](auto v) { o.rules.push_back(parse_rule(v)); }},
      {"--pcap", [&](auto v) { o.pcap = v; }},
      {"--log", [&](auto v) { o.log = v; }},
      {"--seed", [&](auto v) { o.seed = static_cast<std::uint64_t>(parse_number(v)); }},
      {"--duration", [&](auto v) { o.duration = parse_time(v); }},
      {"--spin", [&](auto v) { o.spin = parse_time(v); }},
  };
  for (int i = 1; i < count; ++i) {
    const std::string_view key = arguments[i];
    if (const auto flag = flags.find(key); flag != flags.end()) {
      flag->second();
      continue;
    }
    const auto setting = settings.find(key);
    if (setting == settings.end()) fail("unknown option " + std::string(key) + " (see --help)");
    if (++i >= count) fail("missing value after " + std::string(key));
    setting->second(arguments[i]);
  }
  if (o.ports[0].interface.empty() || o.ports[1].interface.empty()) fail("--a and --b are required (see --help)");
  return o;
}

}  // namespace probe::lab
