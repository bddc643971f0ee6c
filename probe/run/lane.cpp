#include "probe/run/lane.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

namespace probe::run {
namespace {

// Waiting on another thread of a replay. Sleeping leaves the processor to it, and costs less than what it has to do.
void pause() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

std::size_t sum(const std::array<std::size_t, schema::kKindCount>& slots) {
  return std::accumulate(slots.begin(), slots.end(), std::size_t{0});
}

// The shares of the default, made larger or smaller as a whole.
tcp::StreamOptions stream_options(std::uint64_t octets) {
  tcp::StreamOptions s;
  const double scale = static_cast<double>(octets) / 33'554'432;
  for (std::size_t* blocks : {&s.tiny_blocks, &s.small_blocks, &s.medium_blocks, &s.large_blocks})
    *blocks = std::max<std::size_t>(static_cast<std::size_t>(static_cast<double>(*blocks) * scale), 1);
  return s;
}

}  // namespace

SharedOptions shared_options(const Options& o) {
  return {.media_endpoints = o.dissect_media_endpoints, .quic_connections = o.dissect_quic_connections};
}

PipelineOptions pipeline_options(const Options& o, Shared* shared) {
  PipelineOptions p;
  p.flows = o.flow_capacity;
  p.idle_timeout = o.flow_idle_timeout;
  p.udp_idle_timeout = o.flow_udp_idle_timeout;
  p.active_timeout = o.flow_active_timeout;
  p.tcp_linger = o.flow_tcp_linger;
  p.tcp_detail = o.metrics_tcp_detail;
  p.dissect = o.dissect_enabled;
  p.sampling = sampling_options(o);
  p.metrics = {o.metrics_path, o.metrics_packets, o.metrics_entropy};
  p.dissection.conversations = o.flow_capacity;
  p.dissection.sessions = o.dissect_sessions;
  p.dissection.notes = o.dissect_notes;
  p.dissection.shared = shared;
  p.dissection.shared_options = shared_options(o);
  p.dissection.streams = stream_options(o.dissect_stream_memory);
  p.redaction = {o.redact_literals, o.redact_url_queries, o.redact_user_names};
  if (o.dissect_protocols.empty()) return p;
  p.dissection.enabled = 0;
  for (std::size_t i = 0; i < dissectors().size(); ++i)
    if (std::ranges::find(o.dissect_protocols, dissectors()[i]->name) != o.dissect_protocols.end())
      p.dissection.enabled |= std::uint64_t{1} << i;
  return p;
}

DecodeOptions decode_options(const Options& o) {
  DecodeOptions d;
  d.open_tunnels = o.decode_open_tunnels;
  d.vlan_in_key = o.flow_vlan_in_key;
  d.vni_in_key = o.flow_vni_in_key;
  d.fragment_datagrams = o.decode_fragment_datagrams;
  d.fragment_octets = o.decode_fragment_memory;
  d.fragment_timeout = o.decode_fragment_timeout;
  d.duplicate_window = o.capture_duplicate_window;
  return d;
}

SamplingOptions sampling_options(const Options& o) { return {o.sampling_flows, o.sampling_packets}; }

std::array<std::size_t, schema::kKindCount> record_slots(const Options& o) {
  std::array<std::size_t, schema::kKindCount> slots;
  slots.fill(o.records_transaction);
  slots[schema::find_kind("flow")] = o.records_flow;
  return slots;
}

void RingOutlet::put(Record* r) {
  while (!records_.push(r)) pause();
  ++away_;
}

bool RingOutlet::take_back() {
  Record* r = nullptr;
  bool any = false;
  while (back_.pop(r)) {
    r->home().give(r);
    --away_;
    any = true;
  }
  return any;
}

bool RingOutlet::reclaim() {
  while (away_ > 0) {
    if (take_back()) return true;
    pause();
  }
  return false;
}

void Batch::add(const Packet& p) {
  Packet& mine = packets.emplace_back(p);
  std::memcpy(octets.get() + used, p.payload.data(), p.payload.size());
  mine.payload = Bytes(octets.get() + used, p.payload.size());
  used += p.payload.size();
}

void Batch::clear() {
  packets.clear();
  used = 0;
  end_flows = last = false;
}

Lane::Lane(const Options& o, Exporter& exporter, Shared& shared)
    : pools_(record_slots(o)),
      outlet_(sum(record_slots(o))),
      pipeline_(pipeline_options(o, &shared), pools_, outlet_, counters_),
      batches_(kBatches) {
  exporter.add_lane(outlet_.records(), outlet_.back());
  for (Batch& b : batches_) empty_.push(&b);
}

Lane::~Lane() {
  if (thread_.joinable()) thread_.join();
}

void Lane::start() {
  thread_ = std::thread([this] { loop(); });
}

Batch* Lane::take_batch() {
  Batch* b = nullptr;
  while (!empty_.pop(b)) pause();
  b->clear();
  return b;
}

void Lane::give_batch(Batch* b) {
  while (!full_.push(b)) pause();
}

void Lane::settle() const {
  while (empty_.size() + 1 < kBatches) pause();
}

// The time of the batch, which may be long after its first packets, ends flows only when its last ones have been seen.
void Lane::process(const Batch& b) {
  std::span<const Packet> rest = b.packets;
  while (rest.size() > Pipeline::kMostPackets) {
    const auto burst = rest.first(Pipeline::kMostPackets);
    pipeline_.on_burst(burst, std::ranges::max(burst, {}, &Packet::time).time);
    rest = rest.subspan(burst.size());
  }
  pipeline_.on_burst(rest, b.now);
}

void Lane::loop() {
  for (bool last = false; !last;) {
    Batch* b = nullptr;
    while (!full_.pop(b)) pause();
    process(*b);
    if (b->end_flows || b->last) pipeline_.finish();
    last = b->last;
    empty_.push(b);
  }
}

}  // namespace probe::run
