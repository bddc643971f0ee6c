#include "probe/pipeline/flow_scribe.h"

#include <algorithm>
#include <array>

#include "probe/base/quality.h"
#include "probe/pipeline/redact.h"
#include "probe/tcp/tracker.h"

namespace probe {
namespace {

std::uint64_t microseconds(Nanos n) { return static_cast<std::uint64_t>(std::max<Nanos>(n, 0) / kMicrosecond); }

std::array<std::uint8_t, 16> octets_of(const Address& a) {
  std::array<std::uint8_t, 16> out;
  for (std::size_t i = 0; i < 8; ++i) {
    out[i] = static_cast<std::uint8_t>(a.high >> (56 - 8 * i));
    out[8 + i] = static_cast<std::uint8_t>(a.low >> (56 - 8 * i));
  }
  return out;
}

// As far as the payload tells it, or else who began.
unsigned client_of(const Flow& f) {
  const int told = f.conversation ? f.conversation->client() : -1;
  return told < 0 ? f.initiator : static_cast<unsigned>(told);
}

// Whom a record is about: the client or the other side.
unsigned subject_of(const Exchange& e, const Flow& f) { return client_of(f) ^ (e.about_server ? 1u : 0u); }

// Response times of one transaction (docs/METRICS.md, application response times).
void write_times(Record& r, const Exchange& e, const Flow& f) {
  const bool asked = e.request_first != kNoTime, answered = e.response_first != kNoTime;
  set_in<"transactionStartMicroseconds">(r, asked ? e.request_first : e.response_first);
  if (!asked || !answered) return;
  const unsigned client = subject_of(e, f), server = client ^ 1u;
  const Nanos response = e.response_first - e.request_last;
  set_in<"responseTimeMicroseconds">(r, microseconds(response));
  if (e.response_last != kNoTime) {
    set_in<"timeToLastByteMicroseconds">(r, microseconds(e.response_last - e.request_first));
    set_in<"responseOctetCount">(r, e.response_octets);
  }
  if (!f.tracker) return;
  if (const Nanos rtt = f.tracker->network_rtt(server); rtt >= 0)
    set_in<"serverResponseTimeMicroseconds">(r, microseconds(response - rtt));
  if (const Nanos rtt = f.tracker->network_rtt(client); rtt >= 0)
    set_in<"timeToFirstByteMicroseconds">(r, microseconds(e.response_first - e.request_first + rtt));
}

// The request counts from the copy that the server got: one that was sent again after it seemed complete.
Exchange with_repeats(Exchange e, const Flow& f) {
  if (!f.tracker || e.request_last == kNoTime || e.response_first == kNoTime) return e;
  const Nanos repeat = f.tracker->last_repeat(subject_of(e, f));
  if (repeat > e.request_last && repeat < e.response_first) {
    e.request_last = repeat;
    e.quality |= bit_of(Quality::request_repeated);
  }
  return e;
}

}  // namespace

void write_identity(Record& r, const Flow& f, bool turned) {
  const FlowKey& k = f.key;
  const bool from_high = (f.initiator == 1) != turned;
  const Address& source = from_high ? k.high_address : k.low_address;
  const Address& destination = from_high ? k.low_address : k.high_address;
  set_in<"flowId">(r, f.id);
  set_in<"protocolIdentifier">(r, k.protocol);
  if (k.ip_version == 4) {
    set_in<"sourceIPv4Address">(r, static_cast<std::uint32_t>(source.low));
    set_in<"destinationIPv4Address">(r, static_cast<std::uint32_t>(destination.low));
  } else {
    set_in<"sourceIPv6Address">(r, octets_of(source));
    set_in<"destinationIPv6Address">(r, octets_of(destination));
  }
  if (k.protocol == ip_protocol::kTcp || k.protocol == ip_protocol::kUdp || k.protocol == ip_protocol::kSctp) {
    set_in<"sourceTransportPort">(r, from_high ? k.high_port : k.low_port);
    set_in<"destinationTransportPort">(r, from_high ? k.low_port : k.high_port);
  }
}

FlowEnds FlowScribe::ends() const {
  const FlowKey& k = flow_->key;
  const FlowEnd low{k.low_address.high, k.low_address.low, k.low_port};
  const FlowEnd high{k.high_address.high, k.high_address.low, k.high_port};
  return {client_of(*flow_) == 1 ? std::array{high, low} : std::array{low, high}, flow_->id,
          k.protocol == ip_protocol::kUdp};
}

Record* FlowScribe::take(std::size_t kind) {
  while (true) {
    if (Record* r = pools_.take(kind)) return r;
    if (!outlet_.reclaim()) break;
  }
  counters_.add(outlet_.behind(kind) ? Counter::record_exporter_behind : Counter::record_pool_empty);
  return nullptr;
}

void FlowScribe::put(Record* r, const Exchange& seen) {
  Flow& f = *flow_;
  const Exchange e = with_repeats(seen, f);
  write_identity(*r, f, subject_of(e, f) != f.initiator);
  set_in<"transactionId">(*r, std::uint64_t{++f.transactions});
  set_in<"requestOctetCount">(*r, e.request_octets);
  const std::uint32_t marks = e.quality | f.quality | (f.tracker ? f.tracker->quality() : 0);
  set_in<"transactionQuality">(*r, marks | (f.initiator_certain ? 0 : bit_of(Quality::direction_guessed)));
  write_times(*r, e, f);
  redact(*r, redaction_);
  counters_.add(Counter::record_transactions);
  if (f.conversation) ++dissection_.of(f.conversation->protocol_index()).transactions;
  outlet_.put(r);
}

void FlowScribe::commit_flow(Record* r) {
  counters_.add(Counter::record_flows);
  outlet_.put(r);
}

}  // namespace probe
