#include "probe/monitor/ranks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <map>
#include <optional>

#include "probe/monitor/space_saving.h"

namespace probe::monitor {
namespace {

using Address = std::array<std::uint8_t, 17>;  // 4 or 6, then the octets

std::string text_of(const Address& a) {
  char text[INET6_ADDRSTRLEN];
  return inet_ntop(a[0] == 4 ? AF_INET : AF_INET6, a.data() + 1, text, sizeof text) ? text : "";
}

struct TalkerKey {
  Address client{}, server{};
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  auto operator<=>(const TalkerKey&) const = default;
};
struct ServerKey {
  Address server{};
  std::size_t kind = 0;
  auto operator<=>(const ServerKey&) const = default;
};
using SenderKey = Address;

struct Hash {
  static std::size_t octets(const Address& a) {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(a.data()), a.size()});
  }
  std::size_t operator()(const Address& a) const { return octets(a); }
  std::size_t operator()(const ServerKey& k) const { return octets(k.server) + k.kind; }
  std::size_t operator()(const TalkerKey& k) const {
    return octets(k.client) * 31 + octets(k.server) * 7 + k.port * 256u + k.protocol;
  }
};

struct TalkerValues {
  std::uint64_t octets = 0, packets = 0, flows = 0;
  std::string application;
  TalkerValues& operator+=(const TalkerValues& o) {
    octets += o.octets;
    packets += o.packets;
    flows += o.flows;
    if (!o.application.empty()) application = o.application;
    return *this;
  }
};
struct ServerValues {
  std::uint64_t count = 0, sum_us = 0, max_us = 0;
  ServerValues& operator+=(const ServerValues& o) {
    count += o.count;
    sum_us += o.sum_us;
    max_us = std::max(max_us, o.max_us);
    return *this;
  }
};
struct SenderValues {
  std::uint64_t retransmitted = 0, packets = 0;
  SenderValues& operator+=(const SenderValues& o) {
    retransmitted += o.retransmitted;
    packets += o.packets;
    return *this;
  }
};

// Of a record of any kind; kNoPlace if its kind has no such element.
template <schema::Name Field>
std::size_t place_of(const Record& r) {
  static constexpr schema::PlaceByKind kPlaces = schema::places_of(schema::find_element(Field.view()));
  return kPlaces[r.kind()];
}
template <schema::Name Field>
std::optional<std::uint64_t> number(const Record& r) {
  const std::size_t place = place_of<Field>(r);
  if (place == schema::kNoPlace || !r.has(place)) return std::nullopt;
  return r.number(place);
}
template <schema::Name V4, schema::Name V6>
std::optional<Address> address(const Record& r) {
  Address a{};
  if (const auto v4 = number<V4>(r)) {
    const std::uint32_t in_network_order = htonl(static_cast<std::uint32_t>(*v4));
    a[0] = 4;
    std::memcpy(a.data() + 1, &in_network_order, 4);
    return a;
  }
  if (const std::size_t v6 = place_of<V6>(r); v6 != schema::kNoPlace && r.has(v6)) {
    a[0] = 6;
    std::memcpy(a.data() + 1, r.octets(v6), 16);
    return a;
  }
  return std::nullopt;
}

constexpr std::size_t kFlow = schema::find_kind("flow");

// The sum of what both halves know, greatest first.
template <class Sketch, class Measure>
auto best_of(const Sketch& a, const Sketch& b, Measure&& measure) {
  using Key = decltype(a.entries()[0].key);
  using Values = decltype(a.entries()[0].values);
  std::map<Key, Values> sums;
  for (const Sketch* s : {&a, &b})
    for (const auto& e : s->entries()) sums[e.key] += e.values;
  std::vector<std::pair<Key, Values>> all(sums.begin(), sums.end());
  const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), RankingSink::kShown));
  std::ranges::partial_sort(all, end, std::greater(), [&](const auto& pair) { return measure(pair.second); });
  all.erase(end, all.end());
  return all;
}

}  // namespace

struct RankingSink::Flows {
  Clock::time_point begin;
  SpaceSaving<TalkerKey, TalkerValues, Hash> talkers{kKept};
  SpaceSaving<SenderKey, SenderValues, Hash> senders{kKept};

  void clear() {
    talkers.clear();
    senders.clear();
  }
  void count_sender(const Address& host, std::uint64_t retransmitted, std::uint64_t packets) {
    SenderValues* v = retransmitted > 0 ? &senders.add(host, retransmitted) : senders.find(host);
    if (v) *v += {retransmitted, packets};
  }
  void add(const Record& r, const Address& client, const Address& server) {
    const std::uint64_t there = number<"packetDeltaCount">(r).value_or(0),
                        back = number<"reversePacketDeltaCount">(r).value_or(0);
    const std::uint64_t octets =
        number<"octetDeltaCount">(r).value_or(0) + number<"reverseOctetDeltaCount">(r).value_or(0);
    const TalkerKey key{client, server, static_cast<std::uint16_t>(number<"destinationTransportPort">(r).value_or(0)),
                        static_cast<std::uint8_t>(number<"protocolIdentifier">(r).value_or(0))};
    const std::size_t application = place_of<"applicationName">(r);
    talkers.add(key, octets) +=
        {octets, there + back, 1, std::string(r.has(application) ? r.text(application) : std::string_view())};
    count_sender(client, number<"tcpRetransmittedPacketCount">(r).value_or(0), there);
    count_sender(server, number<"reverseTcpRetransmittedPacketCount">(r).value_or(0), back);
  }
};

struct RankingSink::Transactions {
  Clock::time_point begin;
  SpaceSaving<ServerKey, ServerValues, Hash> servers{kKept};

  void clear() { servers.clear(); }
  void add(const Record& r, const Address& server) {
    if (const auto us = number<"serverResponseTimeMicroseconds">(r))
      servers.add({server, r.kind()}, *us) += {1, *us, *us};
  }
};

template <class Part>
void RankingSink::Halves<Part>::begin(Clock::time_point now) {
  current = std::make_unique<Part>();
  previous = std::make_unique<Part>();
  current->begin = previous->begin = now;
}

template <class Part>
void RankingSink::Halves<Part>::turn(Clock::time_point now) {
  if (now - current->begin < length) return;
  std::swap(current, previous);
  current->clear();
  current->begin = now;
}

template <class Part>
double RankingSink::Halves<Part>::seconds(Clock::time_point now) const {
  return std::chrono::duration<double>(now - previous->begin).count();
}

RankingSink::RankingSink(std::chrono::nanoseconds longest_interval, std::function<Clock::time_point()> now)
    : now_(std::move(now)),
      flows_{std::max<std::chrono::nanoseconds>(kHalf, longest_interval), {}, {}},
      transactions_{kHalf, {}, {}} {
  flows_.begin(now_());
  transactions_.begin(now_());
}
RankingSink::~RankingSink() = default;

void RankingSink::put(const Record& r) {
  const auto client = address<"sourceIPv4Address", "sourceIPv6Address">(r);
  const auto server = address<"destinationIPv4Address", "destinationIPv6Address">(r);
  if (!client || !server) return;
  if (r.kind() == kFlow)
    flows_.current->add(r, *client, *server);
  else
    transactions_.current->add(r, *server);
}

void RankingSink::rank_flows(Ranks& to) const {
  const Flows &a = *flows_.previous, &b = *flows_.current;
  for (const auto& [k, v] : best_of(a.talkers, b.talkers, [](const TalkerValues& t) { return t.octets; }))
    to.talkers.push_back(
        {text_of(k.client), text_of(k.server), v.application, k.protocol, k.port, v.octets, v.packets, v.flows});
  for (const auto& [k, v] : best_of(a.senders, b.senders, [](const SenderValues& s) { return s.retransmitted; }))
    to.retransmitters.push_back({text_of(k), v.retransmitted, v.packets});
}

void RankingSink::rank_transactions(Ranks& to) const {
  const auto mean = [](const ServerValues& s) { return s.sum_us / std::max<std::uint64_t>(s.count, 1); };
  for (const auto& [k, v] : best_of(transactions_.previous->servers, transactions_.current->servers, mean))
    to.slowest.push_back({text_of(k.server), std::string(schema::kKinds[k.kind].name), v.count, mean(v), v.max_us});
}

void RankingSink::flush() {
  const Clock::time_point now = now_();
  Ranks next;
  next.seconds = transactions_.seconds(now);
  next.flow_seconds = flows_.seconds(now);
  rank_flows(next);
  rank_transactions(next);
  {
    const std::lock_guard lock(mutex_);
    shown_ = std::move(next);
  }
  flows_.turn(now);
  transactions_.turn(now);
}

Ranks RankingSink::ranks() const {
  const std::lock_guard lock(mutex_);
  return shown_;
}

}  // namespace probe::monitor
