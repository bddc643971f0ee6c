// For tests of the running probe: ports made of frames in memory, and what a replay of the same frames gives.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/record/sink.h"
#include "probe/live/port.h"
#include "probe/run/live_probe.h"
#include "probe/run/options.h"
#include "tests/kit/packet_builder.h"

namespace probe::test {

using Frames = std::vector<kit::BuiltFrame>;

// All frames of these captures of pcaps/, one behind the other: each begins two minutes after the one ahead of it.
Frames captured(const std::vector<std::string>& names);
// The same traffic `times` times, from other addresses each time.
Frames repeated(const Frames&, std::size_t times);
// As many parts as there are queues, by the hash of the flow, as a NIC with a symmetric key does it.
std::vector<Frames> by_flow(const Frames&, std::size_t queues);
// The two directions, as a TAP has them on two ports.
std::vector<Frames> by_direction(const Frames&);

// How a fake queue behaves.
struct FakeBehaviour {
  std::size_t offered_a_read = 64;     // frames that come between two reads
  std::size_t ring = ~std::size_t{0};  // of these, as many as there is room for; the others are lost, and counted
};

class FakeQueue final : public live::Queue {
 public:
  FakeQueue(Frames frames, const FakeBehaviour& behaviour) : frames_(std::move(frames)), behaviour_(behaviour) {}
  std::size_t read(std::span<Frame>) override;
  void release(std::size_t) override;
  void wait(Nanos most) override;

  std::optional<double> backlog() const override { return waiting; }

  bool empty() const { return next_.value() == frames_.size(); }
  std::size_t size() const { return frames_.size(); }

  std::atomic<bool> hangs = false;  // read() does not return
  std::atomic<bool> throws = false;
  std::atomic<bool> closed = false;  // nothing comes
  std::atomic<double> waiting = 0;   // what it says of its backlog
  Count received, lost, released;

 private:
  const Frames frames_;
  const FakeBehaviour behaviour_;
  Count next_;
};

class FakePort final : public live::Port {
 public:
  explicit FakePort(std::vector<Frames> queues, const FakeBehaviour& behaviour = {}, std::string name = "fake");
  ~FakePort() override { static_cast<void>(looked_.load(std::memory_order_acquire)); }
  const std::string& name() const override { return name_; }
  std::span<const std::unique_ptr<live::Queue>> queues() const override { return queues_; }
  live::PortCounts counts() override;
  std::vector<std::string> warnings() const override { return {}; }

  FakeQueue& queue(std::size_t i) { return static_cast<FakeQueue&>(*queues_[i]); }
  // All has been read.
  bool empty();

 private:
  const std::string name_;
  std::vector<std::unique_ptr<live::Queue>> queues_;
  // A signal ends the probe and its ports after another thread has looked: thread sanitizers do not see that order.
  std::atomic<bool> looked_ = false;
};

// Keeps records as JSON lines.
class Lines final : public Sink {
 public:
  void put(const Record&) override;
  void turn() override;
  void finish() override {}
  std::vector<std::string> sorted() const;
  std::size_t size() const;

  std::atomic<bool> stuck = false;  // put() does not return
  std::atomic<Nanos> slow = 0;      // put() takes so long

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string target(const std::string& file) const { return "file:" + path_ + "/" + file; }

 private:
  std::string path_;
};

// Nothing is shed: tests are slow, and want all records.
run::Options small_options();
// What a replay with one worker makes of these frames.
std::vector<std::string> replayed(const Frames&, const run::Options& = small_options());

// Waits until a condition holds; false after ten seconds.
template <class Condition>
bool eventually(Condition&& holds) {
  for (const Nanos end = run::steady_now() + 20 * kSecond; run::steady_now() < end;) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return holds();
}

inline run::LivePorts one_port(std::unique_ptr<FakePort> p) {
  run::LivePorts ports;
  ports.ports.push_back(std::move(p));
  return ports;
}

}  // namespace probe::test
