// Sends made-up flows through a real target, and writes them as JSON lines: for the interoperation tests.
// send_sample URL EXPECTED.jsonl [COUNT]
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <random>

#include "exporter/run/target.h"
#include "exporter/text/json_lines.h"

namespace {

using namespace probe;

constexpr std::size_t kFlow = schema::find_kind("flow"), kHttp = schema::find_kind("http");
constexpr Nanos kBegin = 1'760'000'000 * kSecond;

struct Maker {
  std::mt19937_64 random{42};
  std::uint64_t up_to(std::uint64_t most) { return 1 + random() % most; }

  void ends(Record& r, std::uint32_t n, bool six) {
    if (six) {
      const std::array<std::uint8_t, 16> a = {
          0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, std::uint8_t(n >> 8), std::uint8_t(n)};
      const std::array<std::uint8_t, 16> b = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1};
      set_in<"sourceIPv6Address">(r, a);
      set_in<"destinationIPv6Address">(r, b);
    } else {
      set_in<"sourceIPv4Address">(r, 0x0a000000u + n);
      set_in<"destinationIPv4Address">(r, 0xc0000201u);
    }
    set_in<"flowId">(r, std::uint64_t{1000} + n);
    set_in<"sourceTransportPort">(r, static_cast<std::uint16_t>(1024 + n));
    set_in<"destinationTransportPort">(r, std::uint16_t{443});
  }

  void tcp(Record& r) {
    set_in<"tcpControlBits">(r, static_cast<std::uint8_t>(0x02 | (random() & 0x1d)));
    set_in<"reverseTcpControlBits">(r, static_cast<std::uint8_t>(0x12 | (random() & 0x0d)));
    set_in<"tcpServerHandshakeRttMicroseconds">(r, static_cast<std::uint32_t>(up_to(100'000)));
    set_in<"tcpClientHandshakeRttMicroseconds">(r, static_cast<std::uint32_t>(up_to(100'000)));
    set_in<"applicationName">(r, std::string_view("tls"));
  }

  void flow(Record& r, std::uint32_t n) {
    const bool answered = n % 5 != 0, is_tcp = n % 3 != 0;
    const Nanos start = kBegin + static_cast<Nanos>(n) * 10 * kMillisecond;
    const Nanos end = start + static_cast<Nanos>(random() % 5000) * kMillisecond + 700 * kMillisecond;
    ends(r, n, n % 4 == 0);
    set_in<"protocolIdentifier">(r, static_cast<std::uint8_t>(is_tcp ? 6 : 17));
    set_in<"flowStartMilliseconds">(r, start);
    set_in<"flowEndMilliseconds">(r, end);
    set_in<"flowStartMicroseconds">(r, start);
    set_in<"flowEndMicroseconds">(r, end);
    set_in<"octetDeltaCount">(r, up_to(1'000'000));
    set_in<"packetDeltaCount">(r, up_to(1000));
    set_in<"flowEndReason">(r, std::uint8_t{3});
    set_in<"biflowDirection">(r, std::uint8_t{1});
    set_in<"measurementQuality">(r, 0u);
    set_in<"ipClassOfService">(r, static_cast<std::uint8_t>(n % 2 != 0 ? 0xb8 : 0));
    set_in<"minimumTTL">(r, std::uint8_t{60});
    set_in<"reverseOctetDeltaCount">(r, answered ? (std::uint64_t{1} << 33) + n : 0);
    set_in<"reversePacketDeltaCount">(r, answered ? up_to(1000) : 0);
    if (is_tcp) tcp(r);
    if (!answered) r.clear(place_in<"flow", "reverseTcpControlBits">());
    if (!answered) return;
    set_in<"reverseMinimumTTL">(r, std::uint8_t{50});
    set_in<"reverseFlowStartMilliseconds">(r, start + 20 * kMillisecond);
    set_in<"reverseFlowEndMilliseconds">(r, end - 30 * kMillisecond);
  }

  void http(Record& r, std::uint32_t n) {
    ends(r, n, false);
    set_in<"protocolIdentifier">(r, std::uint8_t{6});
    set_in<"transactionId">(r, std::uint64_t{1});
    set_in<"transactionStartMicroseconds">(r, kBegin + static_cast<Nanos>(n) * kMillisecond);
    set_in<"requestOctetCount">(r, std::uint64_t{100});
    set_in<"transactionQuality">(r, 0u);
    set_in<"httpRequestMethod">(r, std::string_view("GET"));
    set_in<"httpRequestHost">(r, std::string_view("www.example.org"));
    set_in<"httpRequestTarget">(r, "/" + std::string(n % 600, 'x'));
    set_in<"httpStatusCode">(r, std::uint16_t{200});
  }
};

int send(const char* url, const char* expected, std::uint32_t count) {
  std::array<std::size_t, schema::kKindCount> slots;
  slots.fill(1);
  RecordPools pools(slots);
  Counters counters;
  const auto target = open_target(url, {}, counters);
  JsonLines lines(expected);
  Maker make;
  for (std::uint32_t n = 1; n <= count; ++n) {
    const std::size_t kind = n % 10 == 0 ? kHttp : kFlow;
    Record* r = pools.take(kind);
    kind == kHttp ? make.http(*r, n) : make.flow(*r, n);
    target->put(*r);
    lines.put(*r);
    pools.give(r);
    if (n % 97 == 0) target->tell({n, std::uint64_t{n} * 10, n > 500 ? n : 0u, kBegin, kBegin + kSecond, 3});
  }
  target->finish();
  lines.finish();
  const TargetReport report = target->report();
  if (!report.complete()) std::fprintf(stderr, "%s\n", report.trouble.c_str());
  return report.complete() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) try {
  if (count < 3) {
    std::fprintf(stderr, "usage: %s URL EXPECTED.jsonl [COUNT]\n", arguments[0]);
    return 2;
  }
  return send(arguments[1], arguments[2],
              count > 3 ? static_cast<std::uint32_t>(std::strtoul(arguments[3], nullptr, 10)) : 1000);
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
