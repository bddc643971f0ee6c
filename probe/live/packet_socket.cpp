#include "probe/live/packet_socket.h"

#include <net/if_arp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "probe/live/link_info.h"
#include "probe/live/offloads.h"
#include "probe/live/packet_ring.h"

namespace probe::live {
namespace {

struct Ring {
  std::unique_ptr<PacketRing> socket;
  RingCounts counts;  // of its whole life

  void ask() {
    const RingCounts more = socket->take_counts();
    counts.offered += more.offered;
    counts.dropped += more.dropped;
  }
};

class SocketQueue final : public Queue {
 public:
  SocketQueue(PacketRing& ring, Nanos block_timeout) : ring_(&ring), block_timeout_(block_timeout) {}

  std::size_t read(std::span<Frame> frames) override {
    const std::size_t n = ring_->read(frames);
    if (n == 0 && successor_.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
      change();
    return n;
  }
  void release(std::size_t frames) override { ring_->release(frames); }
  void wait(Nanos most) override { ring_->wait(most); }
  std::optional<double> backlog() const override { return ring_->backlog(); }
  // A block is handed over at the second tick of its timer that finds it open, and ticks are as coarse as the kernel's.
  Nanos delay() const override { return 2 * (block_timeout_ + kTick); }

  // From another thread: another ring takes over when the present one is drained.
  void succeed(PacketRing& ring) { successor_.store(&ring, std::memory_order_release); }
  bool changing() const { return successor_.load(std::memory_order_acquire) != nullptr; }

 private:
  static constexpr Nanos kTick = 4 * kMillisecond;  // CONFIG_HZ=250

  void change() {
    if (!ring_->drained()) return;
    ring_ = successor_.load(std::memory_order_acquire);
    successor_.store(nullptr, std::memory_order_release);
  }

  PacketRing* ring_;
  const Nanos block_timeout_;
  std::atomic<PacketRing*> successor_{nullptr};
};

// What a counter of an interface has grown since the start; it begins at 0 anew when the interface does.
class Growth {
 public:
  explicit Growth(std::uint64_t start) : last_(start) {}
  void add(std::uint64_t now) {
    sum_ += now >= last_ ? now - last_ : now;
    last_ = now;
  }
  std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t last_, sum_ = 0;
};

void check(const PacketSocketOptions& o) {
  constexpr std::size_t kPage = 4096;
  const auto refuse = [&](const std::string& what) { throw std::runtime_error(o.interface + ": " + what); };
  if (o.queues == 0 || o.queues > 64) refuse("has from 1 to 64 queues, not " + std::to_string(o.queues) + ".");
  if (o.blocks < 2 || o.blocks > 1'000'000)
    refuse("a ring has from 2 to 1000000 blocks, not " + std::to_string(o.blocks) + ".");
  if (o.block_octets % kPage != 0 || o.block_octets < 16 * kPage || o.block_octets > (std::size_t{1} << 30))
    refuse("a block of its ring is a multiple of 4096 octets from 65536 to 1073741824, not " +
           std::to_string(o.block_octets) + ".");
  if (o.snap_length < 64) refuse("a snap length below 64 octets leaves no headers to be read.");
  if (o.block_timeout < kMillisecond || o.block_timeout > kSecond)
    refuse("the timeout of a block is from 1 ms to 1 s.");
}

// Drivers that know what they had no room for. Those of virtual devices say 0 whatever happens.
bool counts_drops(const std::string& interface, const LinkInfo& link) {
  if (link.hardware != ARPHRD_ETHER || !link.kind.empty()) return false;
  const std::string driver = read_driver(interface);
  constexpr std::array kSilent = {"", "virtio_net", "veth", "tun"};
  return std::find(kSilent.begin(), kSilent.end(), driver) == kSilent.end();
}

class PacketSocket final : public Port {
 public:
  PacketSocket(const PacketSocketOptions& o, const LinkInfo& link)
      : options_(o),
        index_(link.index),
        counts_drops_(live::counts_drops(o.interface, link)),
        virtual_(!link.kind.empty() || link.hardware == ARPHRD_LOOPBACK),
        missed_(link.missed),
        errors_(link.errors),
        backlog_(link.dropped),
        rings_(open_rings(link)) {
    for (const Ring& r : rings_) {
      auto queue = std::make_unique<SocketQueue>(*r.socket, o.block_timeout);
      sockets_.push_back(queue.get());
      queues_.push_back(std::move(queue));
    }
    for (const Ring& r : rings_) r.socket->start();
  }

  const std::string& name() const override { return options_.interface; }
  std::span<const std::unique_ptr<Queue>> queues() const override { return queues_; }
  PortCounts counts() override;
  std::vector<std::string> warnings() const override;

 private:
  std::vector<Ring> open_rings(const LinkInfo&) const;
  void retire();
  void reopen(const LinkInfo&);

  const PacketSocketOptions options_;
  mutable std::mutex mutex_;  // between those who watch
  mutable LinkReader links_;
  int index_;
  const bool counts_drops_;
  // What comes from another part of the kernel waits in a queue of its processor (net.core.netdev_max_backlog). While
  // somebody captures everything, an interface's rx_dropped rises for nothing else; but drivers of NICs count more in
  // it.
  const bool virtual_;
  Growth missed_, errors_, backlog_;
  std::uint64_t received_before_ = 0, dropped_before_ = 0;  // by rings that are gone
  std::string trouble_;
  std::vector<Ring> old_;  // until their queues have changed to the others
  std::vector<Ring> rings_;
  std::vector<SocketQueue*> sockets_;
  std::vector<std::unique_ptr<Queue>> queues_;
};

std::vector<Ring> PacketSocket::open_rings(const LinkInfo& link) const {
  std::vector<Ring> rings;
  int group = options_.queues > 1 ? PacketRing::kNewGroup : PacketRing::kAlone;
  for (std::size_t i = 0; i < options_.queues; ++i) {
    rings.push_back({std::make_unique<PacketRing>(options_, link, group), {}});
    group = rings.back().socket->group();
  }
  return rings;
}

// The queues have left these rings, each empty. What came between is lost, and told.
void PacketSocket::retire() {
  for (Ring& r : old_) {
    r.ask();
    received_before_ += r.socket->received();
    dropped_before_ += r.counts.offered - r.socket->received();
  }
  old_.clear();
}

// The interface is another one of the same name: packet sockets stay with the one that is gone.
void PacketSocket::reopen(const LinkInfo& link) try {
  std::vector<Ring> fresh = open_rings(link);
  old_ = std::exchange(rings_, std::move(fresh));
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    rings_[i].socket->start();
    sockets_[i]->succeed(*rings_[i].socket);
  }
  index_ = link.index;
  trouble_.clear();
} catch (const std::runtime_error& e) {
  trouble_ = options_.interface + " vanished and is back, but was not opened again. " + e.what();
}

PortCounts PacketSocket::counts() {
  const std::lock_guard lock(mutex_);
  const std::optional<LinkInfo> link = links_.read(options_.interface);
  const auto changing = [](const SocketQueue* q) { return q->changing(); };
  if (!old_.empty() && std::none_of(sockets_.begin(), sockets_.end(), changing)) retire();
  if (link && link->on && link->index != index_ && old_.empty()) reopen(*link);

  if (link) {
    missed_.add(link->missed);
    errors_.add(link->errors);
    backlog_.add(link->dropped);
    for (const Ring& r : rings_) r.socket->set_mtu(link->mtu);
  }

  PortCounts c;
  c.received = received_before_;
  c.dropped_kernel = dropped_before_;
  for (std::vector<Ring>* rings : {&old_, &rings_}) {
    for (Ring& r : *rings) {
      r.ask();
      c.received += r.socket->received();
      *c.dropped_kernel += r.counts.dropped;
    }
  }
  if (virtual_) *c.dropped_kernel += backlog_.sum();
  c.link_up = link && link->up && link->index == index_;
  if (counts_drops_) {
    c.dropped_nic = missed_.sum();
    c.dropped_errors = errors_.sum();
  }
  return c;
}

std::vector<std::string> PacketSocket::warnings() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  if (!trouble_.empty()) all.push_back(trouble_);
  const std::optional<LinkInfo> link = links_.read(options_.interface);
  if (!link) {
    all.push_back("There is no interface " + options_.interface + " any more; it is waited for.");
    return all;
  }
  const Offloads peer = link->peer.empty() ? Offloads() : read_offloads(link->peer);
  for (std::string& w :
       offload_warnings(options_.interface, *link, read_offloads(options_.interface), peer, !options_.ignore_outgoing))
    all.push_back(std::move(w));
  std::uint64_t oversized = 0;
  for (const Ring& r : rings_) oversized += r.socket->oversized();
  if (oversized > 0 && link->hardware != ARPHRD_LOOPBACK)
    all.push_back(options_.interface + " handed over " + std::to_string(oversized) + " frames longer than its MTU of " +
                  std::to_string(link->mtu) +
                  ": segments were put together, or not cut yet, and packets are counted wrong. Turn off gro and lro "
                  "here, gso and tso where the frames come from (ethtool -K).");
  if (!options_.promiscuous)
    all.push_back(options_.interface +
                  " is not promiscuous: of a mirror port it shows next to nothing. Set capture.promiscuous = true.");
  return all;
}

}  // namespace

std::unique_ptr<Port> open_packet_socket(const PacketSocketOptions& o) {
  check(o);
  const std::optional<LinkInfo> link = LinkReader().read(o.interface);
  if (!link)
    throw std::runtime_error("There is no interface " + o.interface + "; there are: " + interface_list() + ".");
  if (link->mtu + std::size_t{256} > o.block_octets)
    throw std::runtime_error(o.interface + ": a block of its ring has to hold a frame of its MTU, " +
                             std::to_string(link->mtu) + " octets, and headers; 131072 will do for any.");
  return std::make_unique<PacketSocket>(o, *link);
}

}  // namespace probe::live
