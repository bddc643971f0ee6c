// The export targets of a running probe: they can be exchanged while records come.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "exporter/run/target.h"
#include "probe/run/live_thread.h"
#include "probe/run/options.h"

namespace probe::run {

// One target with the counters that it writes.
struct LiveTarget {
  Counters counters;
  std::unique_ptr<Target> target;
  std::string url;
};
using TargetSet = std::vector<std::shared_ptr<LiveTarget>>;

// The targets of these options. Those of `current` that stay are taken over; all others are opened. Throws
// std::runtime_error with a sentence if one cannot be.
TargetSet open_targets(const Options&, const TargetSet& current);

// What the exporter thread sees: one sink. A record goes to all targets of one set, and to no other.
class LiveTargets final : public Sink {
 public:
  // `others`: sinks beside the targets, which stay. A target that leaves has so long to send what waits for it.
  LiveTargets(TargetSet first, std::vector<Sink*> others, Nanos leave_time);
  ~LiveTargets() override;

  void put(const Record&) override;
  void turn() override;
  void flush() override;
  void finish() override;

  // By one thread, not the exporter's.
  const TargetSet& current() const { return wanted_; }
  // From the next record on these are the targets. What waits for one that leaves is still sent, in the background.
  // False if the exporter did not look for so long: nothing has changed then.
  bool replace(TargetSet next, Nanos most);
  // The end comes: from now on targets wait for their collectors, until this much later.
  void drain(Nanos most);

  // By any thread.
  void tell(const ProbeStatistics&);          // collectors hear it with the next flush(), or at the end
  std::vector<TargetReport> reports() const;  // of the last second, summed by URL; those that left at the end
  Counters counters() const;
  // After the exporter has ended: until those that left have sent what they could, which has its end.
  void wait_for_leaving() { reap(true); }
  std::string trouble() const;  // what a sink threw; empty: nothing. Records are lost from then on
  Heart& heart() { return heart_; }

 private:
  void adopt();
  std::optional<ProbeStatistics> news();
  void publish();
  void publish_locked();
  void leave(std::shared_ptr<LiveTarget>);
  void reap(bool all);
  template <class Work>
  void guarded(Work&&);

  // The exporter's.
  TargetSet active_;
  const std::vector<Sink*> others_;
  const Nanos leave_time_;
  bool begun_ = false, draining_ = false;
  Counters counters_;

  Heart heart_{"exporter"};
  std::atomic<bool> exchange_{false};  // next_ is to be taken
  std::atomic<Nanos> end_{-1};         // steady: no record is taken any more, once the end has come
  std::atomic<bool> failed_{false};
  TargetSet wanted_;  // the replacing thread's
  struct Leaving {
    std::shared_ptr<std::atomic<bool>> done;
    std::thread thread;
  };
  std::vector<Leaving> leaving_;  // the replacing thread's

  mutable std::mutex mutex_;  // for all below
  std::condition_variable taken_;
  TargetSet next_, in_use_;
  struct Going {  // it sends what waits for it, in the background
    std::shared_ptr<LiveTarget> target;
    TargetReport report;  // of when it left
  };
  std::vector<Going> going_;
  std::optional<ProbeStatistics> news_;
  std::vector<TargetReport> reports_, gone_;
  Counters gone_counters_;
  std::string trouble_;
};

}  // namespace probe::run
