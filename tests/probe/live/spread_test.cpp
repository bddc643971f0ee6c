#include "probe/live/spread.h"

#include <functional>
#include <map>

#include "probe/live/packet_socket.h"
#include "tests/probe/live/small_world.h"

namespace probe::live {
namespace {

using kit::BuiltFrame;
using kit::PacketBuilder;

// A packet of conversation n in the one or the other direction; what it has in front is given.
using Make = std::function<BuiltFrame(PacketBuilder below, unsigned n, bool back)>;

struct Ends {
  std::string from, to;
  std::uint16_t source, destination;
};

Ends ends(unsigned n, bool back, const char* network, const char* other) {
  Ends e{network + std::to_string(1 + n % 200), other + std::to_string(1 + n / 200),
         static_cast<std::uint16_t>(20'000 + 7 * n), 443};
  if (back) {
    std::swap(e.from, e.to);
    std::swap(e.source, e.destination);
  }
  return e;
}

BuiltFrame tcp4(PacketBuilder below, unsigned n, bool back) {
  const Ends e = ends(n, back, "10.1.2.", "192.168.7.");
  return below.ipv4(e.from, e.to).tcp(e.source, e.destination).payload(back ? "an answer" : "q").build();
}
BuiltFrame tcp6(PacketBuilder below, unsigned n, bool back) {
  const Ends e = ends(n, back, "fd00:1::", "fd00:2::7:");
  return below.ipv6(e.from, e.to).tcp(e.source, e.destination).payload("x").build();
}
BuiltFrame udp4(PacketBuilder below, unsigned n, bool back) {
  const Ends e = ends(n, back, "10.1.2.", "192.168.7.");
  return below.ipv4(e.from, e.to).udp(e.source, e.destination).payload("x").build();
}
// A tunnel whose port of origin is a hash of the inner packet: another one in each direction.
BuiltFrame tunnel(PacketBuilder below, unsigned n, bool back) {
  const Ends e = ends(n, back, "10.1.2.", "192.168.7.");
  return below.ipv4(e.from, e.to).udp(static_cast<std::uint16_t>(50'000 + 3 * n + (back ? 1 : 0)), 4789).build();
}
BuiltFrame options4(PacketBuilder below, unsigned n, bool back) {
  const Ends e = ends(n, back, "10.1.2.", "192.168.7.");
  kit::Ipv4 ip{.from = e.from, .to = e.to};
  if (back) ip.options = {1, 1, 1, 1};  // the ports are elsewhere
  return below.add(ip).tcp(e.source, e.destination).payload("x").build();
}
// Between two hosts only, so that the ports have to tell them apart.
BuiltFrame one_pair(PacketBuilder below, unsigned n, bool back) {
  const auto port = static_cast<std::uint16_t>(30'000 + n);
  return back ? below.ipv4("10.0.0.2", "10.0.0.1").tcp(3306, port).payload("x").build()
              : below.ipv4("10.0.0.1", "10.0.0.2").tcp(port, 3306).payload("x").build();
}

PacketBuilder plain() { return kit::ethernet(); }
PacketBuilder tagged() { return std::move(kit::ethernet().vlan(7)); }
PacketBuilder twice_tagged() { return std::move(kit::ethernet().add(kit::Vlan{5, 0x88a8}).vlan(7)); }
PacketBuilder labelled() { return std::move(kit::ethernet().add(kit::Mpls{16}).add(kit::Mpls{17})); }
PacketBuilder dialled() { return std::move(kit::ethernet().add(kit::Pppoe{})); }

constexpr unsigned kConversations = 300;

// Which queue each frame went to.
class Spread : public SmallWorld {
 protected:
  void open(std::size_t queues, bool ignore_outgoing = true) {
    port_ = open_packet_socket({.interface = "wire1",
                                .queues = queues,
                                .blocks = 256,
                                .block_octets = 65'536,
                                .ignore_outgoing = ignore_outgoing});
  }
  std::map<kit::Octets, std::size_t> places() {
    std::map<kit::Octets, std::size_t> out;
    for (std::size_t i = 0; i < port_->queues().size(); ++i)
      for (Kept& k : read_all(*port_->queues()[i]))
        EXPECT_TRUE(out.emplace(std::move(k.octets), i).second) << "a frame came twice";
    return out;
  }
  // Both directions of each conversation come from one queue, and the conversations from all.
  void expect_together(const PacketBuilder& below, const Make& make, const std::string& name,
                       Sender* answers = nullptr) {
    for (unsigned n = 0; n < kConversations; ++n) {
      wire->put(make(below, n, false));
      const BuiltFrame back = make(below, n, true);
      answers != nullptr ? answers->send(back) : wire->put(back);
    }
    const auto at = places();
    std::vector<unsigned> share(port_->queues().size());
    for (unsigned n = 0; n < kConversations; ++n) {
      const auto a = at.find(make(below, n, false).octets), b = at.find(make(below, n, true).octets);
      ASSERT_TRUE(a != at.end() && b != at.end()) << name << " " << n;
      ASSERT_EQ(a->second, b->second) << name << " " << n;
      ++share[a->second];
    }
    for (const unsigned s : share) EXPECT_GT(s, kConversations / share.size() / 2) << name;
  }

  std::unique_ptr<Port> port_;
};

TEST_F(Spread, KeepsBothDirectionsTogetherWhateverTheyAreIn) {
  open(3);
  expect_together(plain(), tcp4, "IPv4");
  expect_together(plain(), tcp6, "IPv6");
  expect_together(plain(), udp4, "UDP");
  expect_together(plain(), tunnel, "VXLAN");
  expect_together(plain(), options4, "IPv4 options");
  expect_together(plain(), one_pair, "one pair of hosts");
  expect_together(tagged(), tcp4, "VLAN");
  expect_together(twice_tagged(), tcp4, "two tags");
  expect_together(labelled(), tcp4, "MPLS");
  expect_together(labelled(), tcp6, "MPLS with IPv6");
  expect_together(dialled(), tcp4, "PPPoE");
}

TEST_F(Spread, KeepsWhatIsSentTogetherWithWhatIsReceived) {
  open(2, false);
  Sender here("wire1");
  expect_together(plain(), tcp4, "IPv4", &here);
  expect_together(plain(), tcp6, "IPv6", &here);
  expect_together(tagged(), tcp4, "VLAN", &here);
}

TEST_F(Spread, KeepsFragmentsWithTheirFlow) {
  open(4);
  struct Datagrams {
    BuiltFrame whole, first, second;
  };
  std::vector<Datagrams> all;
  for (unsigned n = 1; n <= 50; ++n) {
    const kit::Ipv4 ip{.from = "10.1.2." + std::to_string(n), .to = "192.168.7.1"};
    kit::Ipv4 first = ip, second = ip;
    first.fragment_field = 0x2000;
    second.fragment_field = 2;
    second.protocol = 17;
    const auto over = [](const kit::Ipv4& header) { return std::move(kit::ethernet().add(header)); };
    all.push_back({over(ip).udp(53, 5353).payload("whole").build(),
                   over(first).udp(53, 5353).payload("12345678").build(),
                   over(second).payload("the second half").build()});
  }
  for (const Datagrams& d : all)
    for (const BuiltFrame* f : {&d.whole, &d.first, &d.second}) wire->put(*f);
  const auto at = places();
  std::map<std::size_t, unsigned> share;
  for (const Datagrams& d : all) {
    EXPECT_EQ(at.at(d.first.octets), at.at(d.second.octets));
    EXPECT_EQ(at.at(d.first.octets), at.at(d.whole.octets));
    ++share[at.at(d.whole.octets)];
  }
  EXPECT_EQ(share.size(), 4u);
}

TEST_F(Spread, GivesTheFirstQueueWhatHasNoIp) {
  open(2);
  const kit::Octets arp = kit::ethernet().add(kit::Raw{kit::Octets(46, 1), {.ether_type = 0x0806}}).build().octets;
  const kit::Octets cut = kit::ethernet().add(kit::Raw{{0x45, 0, 0, 20}, {.ether_type = 0x0800}}).build().octets;
  const kit::Octets labels = [] {
    PacketBuilder b = kit::ethernet();
    for (std::uint32_t i = 0; i < 20; ++i) b.add(kit::Mpls{i + 16});
    return b.ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).build().octets;
  }();
  for (const kit::Octets& f : {arp, cut, labels}) wire->put(f);
  const auto at = places();
  for (const kit::Octets& f : {arp, cut, labels}) {
    ASSERT_TRUE(at.contains(f));
    EXPECT_EQ(at.at(f), 0u);
  }
}

}  // namespace
}  // namespace probe::live
