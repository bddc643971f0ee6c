#include "probe/run/live_lane.h"

#include <algorithm>
#include <bit>

#include "probe/run/lane.h"

namespace probe::run {

unsigned deepest_level(const Options& o) {
  if (!o.sampling_shed) return 0;
  return Shedding::kFirstHalf - 1 + static_cast<unsigned>(std::bit_width(o.sampling_shed_most) - 1);
}

PipelineOptions live_options(const Options& o, Shared* shared) {
  PipelineOptions p = pipeline_options(o, shared);
  p.may_shed = o.sampling_shed;
  return p;
}

LiveLane::LiveLane(const Options& o, Exporter& exporter, Shared* shared)
    : slots_(record_slots(o)),
      flow_capacity_(o.flow_capacity),
      sampled_flows_(o.sampling_flows),
      pools_(slots_),
      outlet_(slots_),
      pipeline_(live_options(o, shared), pools_, outlet_, counters_),
      policy_(deepest_level(o)) {
  exporter.add_lane(outlet_.records(), outlet_.back());
}

void LiveLane::on_burst(std::span<const Packet> packets, Nanos newest, Nanos steady) {
  if (clock_.advance(newest, steady)) {
    counters_.add(Counter::flow_time_set_back);
    pipeline_.finish();
  }
  pipeline_.on_burst(packets, clock_.newest());
  attend(steady);
}

void LiveLane::look(double backlog, Nanos steady) {
  // A record that finds no memory is lost, whatever it says: then fewer are better. The flows that are in the table
  // will have theirs all the same, so the room behind a half is for them.
  own_level_ = policy_.look(std::max(backlog, outlet_.backlog()), steady);
  set_level();
}

void LiveLane::shed_with(unsigned level) {
  if (level == dispatchers_level_) return;
  dispatchers_level_ = level;
  set_level();
}

void LiveLane::set_level() {
  const unsigned level = std::max(own_level_, dispatchers_level_);
  if (level == pipeline_.shed_level()) return;
  pipeline_.shed(level);
  shed_level_ = level;
}

void LiveLane::rest(Nanos steady) {
  if (steady - rested_ < kRest) return;
  rested_ = steady;
  if (clock_.started()) pipeline_.on_burst({}, clock_.now(steady));
  attend(steady);
}

void LiveLane::finish(std::function<bool()> wait) {
  outlet_.wait_for_exporter(std::move(wait));
  pipeline_.finish();
  publish();
}

void LiveLane::attend(Nanos steady) {
  outlet_.take_back();
  if (steady - published_ < kPublish) return;
  published_ = steady;
  publish();
}

void LiveLane::publish() {
  flows_ = pipeline_.flows();
  away_ = outlet_.away();
  for (std::size_t k = 0; k < schema::kKindCount; ++k) records_[k] = pools_.in_use(k);
}

std::vector<MemoryItem> LiveLane::memory() const {
  return {{"flows", pipeline_.flow_octets()},
          {"dissection", pipeline_.dissection().octets()},
          {"records", pools_.octets() + 2 * outlet_.capacity() * sizeof(Record*)}};
}

void LiveLane::fill_in(WorkerStatistics& s) const {
  s.counters = counters_;
  for (std::size_t i = 0; i < dissectors().size(); ++i) s.dissection.push_back(pipeline_.dissection().of(i));
  s.shed_level = static_cast<std::uint32_t>(shed_level_.value());
  s.flow_sampling = sampled_flows_ << Shedding::halvings_of(s.shed_level);
  s.flows = {flows_, flow_capacity_};
  s.exporting = {away_, outlet_.capacity()};
  for (std::size_t k = 0; k < schema::kKindCount; ++k) s.records[k] = {records_[k], slots_[k]};
}

}  // namespace probe::run
