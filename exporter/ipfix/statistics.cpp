#include "exporter/ipfix/statistics.h"

#include <span>

#include "exporter/ipfix/writer.h"

namespace probe::ipfix {
namespace {

constexpr std::uint32_t kStatisticsDomain = 0;

using Value = std::uint64_t (*)(const ProcessStatistics&, const EncoderOptions&);
struct Told {
  std::uint16_t element;  // of IANA
  std::uint16_t octets;
  Value value;
};
using S = const ProcessStatistics&;
using O = const EncoderOptions&;

constexpr Told kDomain = {149, 4, [](S, O o) { return std::uint64_t{o.domain}; }};      // observationDomainId
constexpr Told kMetering = {143, 4, [](S s, O) { return std::uint64_t{s.process}; }};   // meteringProcessId
constexpr Told kExporting = {144, 4, [](S s, O) { return std::uint64_t{s.process}; }};  // exportingProcessId
constexpr std::uint16_t kMilliseconds = 323;                                            // observationTimeMilliseconds

// §4.1, and what the metering process has seen.
constexpr Told kMeteringFields[] = {
    kDomain,
    kMetering,
    {41, 8, [](S s, O) { return s.messages; }},  // exportedMessageTotalCount
    {42, 8, [](S s, O) { return s.records; }},   // exportedFlowRecordTotalCount
    {40, 8, [](S s, O) { return s.octets; }},    // exportedOctetTotalCount
    {163, 8, [](S s, O) { return s.flows; }},    // observedFlowTotalCount
    {86, 8, [](S s, O) { return s.packets; }},   // packetTotalCount
};
// §4.2 and §4.3. Octets of what was ignored or not sent are not known. The times are there if there is something to
// tell, in another template: the first time, then the last.
constexpr Told kIgnoredFields[] = {
    kDomain,
    kMetering,
    {164, 8, [](S s, O) { return s.ignored.n; }},  // ignoredPacketTotalCount
    {kMilliseconds, 8, [](S s, O) { return s.ignored.first; }},
    {kMilliseconds, 8, [](S s, O) { return s.ignored.last; }},
};
constexpr Told kNotSentFields[] = {
    kExporting,
    {166, 8, [](S s, O) { return s.not_sent.n; }},  // notSentFlowTotalCount
    {kMilliseconds, 8, [](S s, O) { return s.not_sent.first; }},
    {kMilliseconds, 8, [](S s, O) { return s.not_sent.last; }},
};
constexpr std::size_t kTimes = 2;

// Templates of domain 0 behind that of the type records.
struct Layout {
  std::uint16_t id, scope;
  std::span<const Told> fields;
};
constexpr Layout kLayouts[] = {
    {257, 2, kMeteringFields}, {258, 2, std::span(kIgnoredFields).first(std::size(kIgnoredFields) - kTimes)},
    {259, 2, kIgnoredFields},  {260, 1, std::span(kNotSentFields).first(std::size(kNotSentFields) - kTimes)},
    {261, 1, kNotSentFields},
};

void write_templates(Writer& w) {
  const Set set(w, 3);  // options template set
  for (const Layout& l : kLayouts) {
    w.number(l.id, 2);
    w.number(l.fields.size(), 2);
    w.number(l.scope, 2);
    for (const Told& t : l.fields) {
      w.number(t.element, 2);
      w.number(t.octets, 2);
    }
  }
}

void write_record(Writer& w, const Layout& l, const ProcessStatistics& s, const EncoderOptions& o) {
  const Set set(w, l.id);
  for (const Told& t : l.fields) w.number(t.value(s, o), t.octets);
}

}  // namespace

void write_statistics(const EncoderOptions& options, std::uint32_t time, const ProcessStatistics& s, bool templates,
                      std::uint32_t& sequence, MessageReceiver& receiver) {
  Writer w;
  write_header(w, time, sequence, kStatisticsDomain);
  if (templates) write_templates(w);
  write_record(w, kLayouts[0], s, options);
  write_record(w, kLayouts[s.ignored.n > 0 ? 2 : 1], s, options);
  write_record(w, kLayouts[s.not_sent.n > 0 ? 4 : 3], s, options);
  w.length_at(2, w.size());
  sequence += 3;
  receiver.message(w.octets(), {});
}

}  // namespace probe::ipfix
