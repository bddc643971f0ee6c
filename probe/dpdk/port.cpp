#include "probe/dpdk/port.h"

#include <net/if.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf_dyn.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include "probe/dpdk/buffers.h"
#include "probe/dpdk/device.h"
#include "probe/dpdk/drivers.h"
#include "probe/dpdk/eal.h"
#include "probe/dpdk/queue.h"
#include "probe/dpdk/rss.h"
#include "probe/dpdk/said.h"
#include "probe/live/link_info.h"

namespace probe::dpdk {
namespace {

class Port final : public live::Port {
 public:
  explicit Port(const PortOptions& options);
  ~Port() override;

  const std::string& name() const override { return options_.device; }
  std::span<const std::unique_ptr<live::Queue>> queues() const override { return queues_; }
  live::PortCounts counts() override;
  std::vector<std::string> warnings() const override;
  const Driver& driver() const { return driver_; }
  std::string_view driver_name() const { return info_.driver_name; }

 private:
  std::runtime_error trouble(const std::string& why) const {
    return std::runtime_error("DPDK port '" + options_.device + "': " + why);
  }
  void check_queues();
  rte_eth_conf configuration();
  void start();
  bool set_up(const rte_eth_conf& conf, std::uint16_t senders);
  bool set_up_queues(std::uint16_t receivers, std::uint16_t senders, std::uint16_t to_send);
  void check_key();
  void see_everything();
  void find_stamps();
  void open_queues();
  // As the kernel knows it, if it is to be asked.
  std::string interface() const;
  std::optional<bool> link_up();

  PortOptions options_;
  std::vector<Pool> pools_;  // goes last: the device and the queues hold buffers
  Device device_;
  const rte_eth_dev_info& info_;
  const Driver& driver_;
  std::optional<live::LinkReader> kernel_;  // where the driver says "up" whatever happens
  StampField stamps_;
  bool hashed_ = false;
  std::vector<std::unique_ptr<live::Queue>> queues_;
  rte_eth_stats before_ = {};
  std::vector<std::string> warnings_;
};

Port::Port(const PortOptions& options)
    : options_(options), device_(options.device), info_(device_.info()), driver_(dpdk::driver(info_.driver_name)) {
  if (!driver_.tells_link && info_.if_index > 0) kernel_.emplace();
  if (!driver_.warning.empty()) warnings_.emplace_back(driver_.warning);
  check_queues();
  start();
  see_everything();
  if (hashed_) check_key();
  find_stamps();
  open_queues();
  rte_eth_stats_get(device_.port(), &before_);
}

Port::~Port() {
  for (const auto& queue : queues_) static_cast<Queue&>(*queue).drain();
  queues_.clear();
}

void Port::check_queues() {
  const unsigned most = info_.max_rx_queues;
  if (options_.queues == 0 || options_.queues > most)
    throw trouble(std::to_string(options_.queues) + " queues are wanted, its driver " + info_.driver_name + " has " +
                  (most == 1 ? "one: set capture.queues = 1, a dispatcher then feeds the workers"
                             : "from 1 to " + std::to_string(most)));
  if (options_.queues == 1) return;
  const std::string queues = std::to_string(options_.queues) + " queues";
  if (driver_.spread == Spread::rss && (info_.flow_type_rss_offloads & kHashed) == 0)
    throw trouble(
        queues + " are wanted, but its driver " + info_.driver_name +
        " does not spread packets by flow (no RSS): set capture.queues = 1, a dispatcher then feeds the workers");
  if (driver_.spread == Spread::sender)
    warnings_.push_back("both directions of a flow are in the same one of " + options_.device + "'s " + queues +
                        " only if whoever fills them sees to it");
}

rte_eth_conf Port::configuration() {
  rte_eth_conf conf = {};
  const std::uint32_t overhead = info_.max_mtu != UINT16_MAX && info_.max_rx_pktlen > info_.max_mtu
                                     ? info_.max_rx_pktlen - info_.max_mtu
                                     : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  const std::uint32_t most = std::min<std::uint32_t>(info_.max_mtu, info_.max_rx_pktlen - overhead);
  conf.rxmode.mtu = std::min<std::uint32_t>(options_.mtu, most);
  if (conf.rxmode.mtu < options_.mtu)
    warnings_.push_back("the driver " + std::string(info_.driver_name) + " takes an MTU of " + std::to_string(most) +
                        " at most, not " + std::to_string(options_.mtu) + ": longer frames may be lost");
  const bool long_frames = longest_frame(options_.mtu) > 2048;
  if (long_frames) conf.rxmode.offloads |= info_.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
  if (options_.hardware_time) conf.rxmode.offloads |= info_.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TIMESTAMP;
  hashed_ = options_.queues > 1 && (info_.flow_type_rss_offloads & kHashed) != 0;
  if (hashed_) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = info_.flow_type_rss_offloads & kHashed;
    conf.rx_adv_conf.rss_conf.rss_key = const_cast<std::uint8_t*>(kSymmetricKey.data());  // DPDK only reads it
    conf.rx_adv_conf.rss_conf.rss_key_len =
        info_.hash_key_size ? std::min<std::uint8_t>(info_.hash_key_size, kSymmetricKey.size()) : 40;
  }
  return conf;
}

// A passive port sends nothing, but some drivers do not start without queues to send.
void Port::start() {
  const rte_eth_conf conf = configuration();
  const std::uint16_t queues = std::min(options_.queues, info_.max_tx_queues);
  const Said said;
  if (!driver_.needs_tx && set_up(conf, 0)) return;
  if (queues > 0 && set_up(conf, queues)) return;
  const std::string why = said.text();
  throw trouble("its driver " + std::string(info_.driver_name) + " does not start (" +
                (why.empty() ? rte_strerror(rte_errno) : why) +
                "): look at dpdk.descriptors, capture.queues and dpdk.mtu");
}

bool Port::set_up(const rte_eth_conf& conf, std::uint16_t senders) {
  const std::uint16_t port = device_.port();
  rte_errno = 0;
  int result = rte_eth_dev_configure(port, options_.queues, senders, &conf);
  std::uint16_t to_receive = options_.descriptors, to_send = 64;
  if (result == 0) result = rte_eth_dev_adjust_nb_rx_tx_desc(port, &to_receive, &to_send);
  if (result == 0 && pools_.empty()) {
    const bool scatter = conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_SCATTER;
    const BufferPlan plan = plan_buffers(options_, to_receive, scatter);
    for (unsigned i = 0; i < options_.queues; ++i)
      pools_.push_back(
          make_pool("rx_" + std::to_string(port) + "_" + std::to_string(i), plan, rte_eth_dev_socket_id(port)));
  }
  if (result == 0 && set_up_queues(to_receive, senders, to_send))
    result = rte_eth_dev_start(port);
  else if (result == 0)
    result = -EINVAL;
  if (result != 0 && rte_errno == 0) rte_errno = -result;
  return result == 0;
}

bool Port::set_up_queues(std::uint16_t to_receive, std::uint16_t senders, std::uint16_t to_send) {
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(device_.port()));
  for (std::uint16_t i = 0; i < options_.queues; ++i)
    if (rte_eth_rx_queue_setup(device_.port(), i, to_receive, socket, nullptr, pools_[i].get()) != 0) return false;
  for (std::uint16_t i = 0; i < senders; ++i)
    if (rte_eth_tx_queue_setup(device_.port(), i, to_send, socket, nullptr) != 0) return false;
  return true;
}

void Port::see_everything() {
  if (!options_.promiscuous) return;
  if (const int error = rte_eth_promiscuous_enable(device_.port());
      error != 0 && rte_eth_allmulticast_enable(device_.port()) != 0)
    if (driver_.spread == Spread::rss)
      warnings_.push_back(options_.device + " is not in promiscuous mode (" + rte_strerror(-error) +
                          "): it sees only what is addressed to it; allow it in the hypervisor or in the NIC");
}

// A driver may take a key and use its own.
void Port::check_key() {
  std::array<std::uint8_t, kSymmetricKey.size()> key = {};
  rte_eth_rss_conf now = {};
  now.rss_key = key.data();
  now.rss_key_len = info_.hash_key_size ? std::min<std::uint8_t>(info_.hash_key_size, key.size()) : 40;
  const bool told = rte_eth_dev_rss_hash_conf_get(device_.port(), &now) == 0;
  if (!told || !std::equal(key.begin(), key.begin() + now.rss_key_len, kSymmetricKey.begin()))
    warnings_.push_back(
        "the driver " + std::string(info_.driver_name) +
        " does not confirm the symmetric key of RSS: the directions of a flow may be in different queues; "
        "set capture.queues = 1 if flows come in halves");
}

void Port::find_stamps() {
  if (!options_.hardware_time) return;
  const int flag = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, nullptr);
  const int offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, nullptr);
  if (flag >= 0 && offset >= 0) stamps_ = {std::uint64_t{1} << flag, offset};
}

void Port::open_queues() {
  std::uint32_t held = 64;
  while (held < options_.held) held *= 2;
  for (std::uint16_t i = 0; i < options_.queues; ++i) {
    rte_eth_rxq_info queue = {};
    const bool known = rte_eth_rx_queue_info_get(device_.port(), i, &queue) == 0;
    queues_.push_back(std::make_unique<Queue>(QueueOptions{.port = device_.port(),
                                                           .queue = i,
                                                           .interface = options_.interface,
                                                           .held = held,
                                                           .descriptors = known ? queue.nb_desc : std::uint16_t{0},
                                                           .join_octets = options_.join_octets,
                                                           .stamps = stamps_,
                                                           .stamp = driver_.stamp}));
  }
}

live::PortCounts Port::counts() {
  live::PortCounts counts;
  for (const auto& queue : queues_) {
    counts.received += static_cast<const Queue&>(*queue).received();
    counts.cut += static_cast<const Queue&>(*queue).cut();
  }
  rte_eth_stats now = {};
  if (rte_eth_stats_get(device_.port(), &now) == 0) {
    if (driver_.counts_missed) counts.dropped_nic = now.imissed - before_.imissed;
    if (driver_.counts_no_memory) counts.dropped_memory = now.rx_nombuf - before_.rx_nombuf;
    if (driver_.counts_errors) counts.dropped_errors = now.ierrors - before_.ierrors;
  }
  counts.link_up = link_up();
  return counts;
}

// Empty: it is gone.
std::string Port::interface() const {
  char name[IF_NAMESIZE];
  return if_indextoname(info_.if_index, name) == nullptr ? "" : name;
}

std::vector<std::string> Port::warnings() const {
  std::vector<std::string> all = warnings_;
  if (kernel_ && interface().empty())
    all.push_back("the interface of " + options_.device +
                  " is gone; another one of its name is not read from: start the probe again");
  return all;
}

std::optional<bool> Port::link_up() {
  if (kernel_) {
    const std::optional<live::LinkInfo> link = kernel_->read(interface());
    return link && link->up;
  }
  if (!driver_.tells_link) return std::nullopt;
  rte_eth_link link = {};
  if (rte_eth_link_get_nowait(device_.port(), &link) != 0) return std::nullopt;
  return link.link_status == RTE_ETH_LINK_UP;
}

}  // namespace

std::size_t memory_needed(const PortOptions& options) {
  // As if the driver could not spread frames over buffers: it is not known before EAL has started.
  return options.queues * octets_of(plan_buffers(options, options.descriptors, false));
}

bool spread_alike(std::span<live::Port* const> ports) {
  const auto same = [&](const live::Port* p) {
    const auto& one = static_cast<const Port&>(*p);
    return one.driver_name() == static_cast<const Port&>(*ports[0]).driver_name() &&
           (one.queues().size() == 1 || one.driver().spread != Spread::itself);
  };
  return std::all_of(ports.begin(), ports.end(), same);
}

std::unique_ptr<live::Port> open_port(const PortOptions& options) {
  if (!eal_started()) throw std::runtime_error("DPDK port '" + options.device + "': DPDK was not started");
  return std::make_unique<Port>(options);
}

}  // namespace probe::dpdk
