#include <algorithm>
#include <bit>
#include <new>

#include "probe/pipeline/conversation.h"

namespace probe {

DissectorCounters& DissectorCounters::operator+=(const DissectorCounters& other) {
  flows += other.flows;
  transactions += other.transactions;
  gaps += other.gaps;
  not_ours += other.not_ours;
  given_up += other.given_up;
  return *this;
}

Dissection::Dissection(const DissectionOptions& options, Counters& counters, std::span<const Dissector* const> all)
    : all_(all.first(std::min(all.size(), kMostDissectors))),
      counters_(counters),
      conversations_(options.conversations, sizeof(Conversation), PageSize::huge),
      streams_(options.streams),
      notes_(options.notes, &counters),
      own_shared_(options.shared ? nullptr : std::make_unique<Shared>(options.shared_options)),
      shared_(options.shared ? options.shared : own_shared_.get()) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    sessions_.push_back(std::make_unique<SlotPool>(options.sessions, all_[i]->session_octets, PageSize::huge));
    const std::uint64_t bit = std::uint64_t{1} << i;
    if (!(options.enabled & bit)) continue;
    if (all_[i]->over != Over::udp) over_tcp_ |= bit;
    if (all_[i]->over != Over::tcp) over_udp_ |= bit;
    for (const std::uint16_t port : all_[i]->ports) {
      const auto at = std::lower_bound(ports_.begin(), ports_.end(), port,
                                       [](const Port& p, std::uint16_t n) { return p.port < n; });
      if (at != ports_.end() && at->port == port)
        at->dissectors |= bit;
      else
        ports_.insert(at, {port, bit});
    }
  }
}

std::uint64_t Dissection::at_port(std::uint16_t port) const {
  const auto at =
      std::lower_bound(ports_.begin(), ports_.end(), port, [](const Port& p, std::uint16_t n) { return p.port < n; });
  return at != ports_.end() && at->port == port ? at->dissectors : 0;
}

Conversation* Dissection::open() {
  void* slot = conversations_.take();
  if (!slot) {
    counters_.add(Counter::dissection_conversations_full);
    return nullptr;
  }
  conversations_.prefetch_next();
  return new (slot) Conversation(*this);
}

void Dissection::close(Conversation* c) {
  c->~Conversation();
  conversations_.give(c);
}

std::size_t Dissection::in_use() const {
  std::size_t n = conversations_.in_use() + streams_.in_use() + notes_.in_use();
  for (const auto& pool : sessions_) n += pool->in_use();
  return n;
}

std::size_t Dissection::octets() const {
  std::size_t n = conversations_.octets() + streams_.octets() + notes_.octets();
  if (own_shared_) n += own_shared_->octets();
  for (const auto& pool : sessions_) n += pool->octets();
  return n;
}

}  // namespace probe
