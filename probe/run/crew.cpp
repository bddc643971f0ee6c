#include "probe/run/crew.h"

#include <algorithm>

#include "probe/packet/quote.h"
#include "probe/pipeline/registry.h"

namespace probe::run {

struct Crew::Alone {
  Alone(const Options& o, Exporter& exporter, Counters& counters)
      : pools(record_slots(o)), outlet(exporter), pipeline(pipeline_options(o), pools, outlet, counters) {}
  RecordPools pools;
  DirectOutlet outlet;
  Pipeline pipeline;
};

Crew::Crew(const Options& o, Exporter& exporter)
    : exporter_(exporter),
      filter_(o.capture_filter),
      decoder_(decode_options(o), counters_),
      sampler_(sampling_options(o), counters_) {
  if (o.capture_workers == 1) {
    alone_ = std::make_unique<Alone>(o, exporter, counters_);
    return;
  }
  for (const Dissector* d : dissectors())
    if (d->announces) announcing_.push_back(d);
  shared_ = std::make_unique<Shared>(shared_options(o));
  for (std::size_t i = 0; i < o.capture_workers; ++i) lanes_.push_back(std::make_unique<Lane>(o, exporter, *shared_));
  exporter_.start();
  for (const auto& lane : lanes_) {
    lane->start();
    open_.push_back(lane->take_batch());
  }
}

Crew::~Crew() = default;

void Crew::on_frames(std::span<const Frame> frames) {
  before_ = now_;
  decoder_.new_burst();
  std::size_t n = 0;
  for (const Frame& f : frames) {
    now_ = std::max(now_, f.time);
    if (!filter_.passes(f)) {
      counters_.add(Counter::capture_filtered);
      continue;
    }
    if (decoder_.decode(f, packets_[n]) && sampler_.takes(packets_[n])) ++n;
  }
  const std::span<const Packet> packets(packets_.data(), n);
  if (alone_) return alone_->pipeline.on_burst(packets, now_);
  for (const Packet& p : packets) hand_on(p);
}

void Crew::hand_on(const Packet& p) {
  if (is_icmp_error(p)) return hand_on_error(p);
  if (!p.payload.empty() && is_signalling(p)) return hand_on_signalling(p);
  add(lane_of(p.hash), p);
}

// An ICMP error, and what it says of another flow, which may be another worker's.
void Crew::hand_on_error(const Packet& p) {
  Quote q;
  if (!read_quote(p, q) || lane_of(q.key.hash()) == lane_of(p.hash)) return add(lane_of(p.hash), p);
  Packet copy = p;
  copy.part = Part::without_quote;
  add(lane_of(p.hash), copy);
  copy.part = Part::only_quote;
  copy.hash = q.key.hash();
  add(lane_of(copy.hash), copy);
}

bool Crew::is_signalling(const Packet& p) const {
  return std::ranges::any_of(announcing_, [&p](const Dissector* d) {
    const bool its_port = std::ranges::any_of(
        d->ports, [&p](std::uint16_t port) { return port == p.key.low_port || port == p.key.high_port; });
    return its_port && d->announces(p.payload);
  });
}

// What it announces must be known before packets that come later are looked at, by whichever worker: so that records do
// not depend on how many there are.
void Crew::hand_on_signalling(const Packet& p) {
  const std::size_t lane = lane_of(p.hash);
  add(lane, p);
  send(lane, before_);  // others of this burst are still to come
  lanes_[lane]->settle();
}

void Crew::add(std::size_t lane, const Packet& p) {
  if (!open_[lane]->fits(p)) send(lane, before_);  // others of this burst are still to come
  open_[lane]->add(p);
}

void Crew::send(std::size_t lane, Nanos now) {
  open_[lane]->now = now;
  lanes_[lane]->give_batch(open_[lane]);
  open_[lane] = lanes_[lane]->take_batch();
}

void Crew::end_flows() {
  if (alone_) alone_->pipeline.finish();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    open_[i]->end_flows = true;
    send(i, now_);
  }
  now_ = 0;
}

void Crew::finish() {
  if (alone_) {
    alone_->pipeline.finish();
    return exporter_.finish();
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    open_[i]->now = now_;
    open_[i]->last = true;
    lanes_[i]->give_batch(open_[i]);
  }
  for (const auto& lane : lanes_) lane->join();
  exporter_.stop();
}

Counters Crew::counters() const {
  Counters all = counters_;
  for (const auto& lane : lanes_) all += lane->counters();
  return all;
}

std::vector<DissectorCounters> Crew::dissection() const {
  std::vector<DissectorCounters> all(dissectors().size());
  const auto add = [&](const Pipeline& p) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += p.dissection().of(i);
  };
  if (alone_) add(alone_->pipeline);
  for (const auto& lane : lanes_) add(lane->pipeline());
  return all;
}

}  // namespace probe::run
