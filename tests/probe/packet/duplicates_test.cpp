#include "probe/packet/duplicates.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <functional>
#include <limits>
#include <random>
#include <utility>

#include "tests/kit/allocations.h"
#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

constexpr Nanos kWindow = kMillisecond, kStart = 1'700'000'000 * kSecond;

DecodeOptions looking(Nanos window = kWindow) {
  DecodeOptions o;
  o.duplicate_window = window;
  return o;
}

// Decodes frames; says whether one was taken for a copy.
struct Looking {
  Decoding decoding;
  explicit Looking(const DecodeOptions& o = looking()) : decoding(o) {}
  bool is_copy(const kit::BuiltFrame& f) {
    const std::uint64_t copies = count();
    const bool decoded = decoding(f);
    const bool copy = count() == copies + 1;
    EXPECT_FALSE(decoded && copy);
    return copy;
  }
  bool is_copy(const kit::PacketBuilder& b) { return is_copy(b.build()); }
  std::uint64_t count() const { return decoding.count(Counter::capture_duplicates); }
};

// What a test changes of a packet, and where and when it is seen.
struct Made {
  kit::Ipv4 ip{"10.0.0.1", "10.0.0.2", 64, 0, 7, 0, {}, {}, {}};
  kit::Tcp tcp{4242, 80, 1000, 2000, 0x18, 512, {}, {}};
  std::string text = std::string(100, 'x');
  Nanos time = kStart;

  kit::PacketBuilder behind(kit::PacketBuilder b) const {
    b.add(ip).add(tcp);
    if (!text.empty()) b.payload(text);
    return b.time(time);
  }
  kit::PacketBuilder builder() const { return behind(kit::ethernet()); }
};

Made made(const std::function<void(Made&)>& change) {
  Made m;
  change(m);
  return m;
}
kit::PacketBuilder with(const std::function<void(Made&)>& change) { return made(change).builder(); }

Made acknowledgement(std::uint16_t id = 0) {
  return made([id](Made& m) {
    m.ip.id = id;
    m.tcp.flags = tcp_flag::kAck;
    m.text.clear();
  });
}

TEST(Duplicates, AreFoundWithinTheWindow) {
  Looking at;
  std::uint8_t ttl = 64;
  const auto when = [&ttl](Nanos t) {
    return with([&](Made& m) {
      m.time = kStart + t;
      m.ip.ttl = ttl--;
    });
  };
  constexpr Nanos kUnit = 1024;
  EXPECT_FALSE(at.is_copy(when(0)));
  EXPECT_TRUE(at.is_copy(when(kWindow - kUnit)));
  EXPECT_TRUE(at.is_copy(when(-kWindow + kUnit))) << "ports may be out of order";
  EXPECT_FALSE(at.is_copy(when(kWindow + 2 * kUnit))) << "this one is new";
  EXPECT_TRUE(at.is_copy(when(2 * kWindow))) << "and this its copy";
  EXPECT_EQ(at.count(), 3u);
  EXPECT_EQ(at.decoding.count(Counter::decode_packets), 2u);
}

TEST(Duplicates, AreNotLookedForWithoutAWindow) {
  Looking at{DecodeOptions{}};
  EXPECT_FALSE(at.is_copy(Made{}.builder()));
  EXPECT_FALSE(at.is_copy(Made{}.builder()));
  EXPECT_EQ(at.decoding.count(Counter::decode_packets), 2u);
}

TEST(Duplicates, WhatTheNetworkChangesDoesNotCount) {
  Looking at;
  EXPECT_FALSE(at.is_copy(Made{}.builder()));
  EXPECT_TRUE(at.is_copy(with([](Made& m) { m.ip.ttl = 63; }))) << "a router";
  EXPECT_TRUE(at.is_copy(with([](Made& m) { m.ip.tos = 0xb8; }))) << "marked on its way";
  EXPECT_TRUE(at.is_copy(Made{}.behind(kit::PacketBuilder(LinkType::ethernet).add(kit::Ethernet{9, 8, {}}))));
  EXPECT_TRUE(at.is_copy(Made{}.behind(kit::ethernet().vlan(7))));
  EXPECT_TRUE(at.is_copy(Made{}.behind(kit::ethernet().vlan(7).vlan(9).mpls(5))));
  EXPECT_TRUE(at.is_copy(Made{}.behind(kit::ethernet().pppoe(3))));
  EXPECT_TRUE(at.is_copy(Made{}.behind(kit::raw_ip())));
  EXPECT_TRUE(at.is_copy(Made{}.builder().padded(300)));
}

TEST(Duplicates, EverythingElseDoes) {
  const std::vector<std::function<void(Made&)>> changes = {
      [](Made& m) { m.ip.id = 8; },  // a retransmission
      [](Made& m) { m.ip.from = "10.0.0.3"; },
      [](Made& m) { m.ip.to = "10.0.0.3"; },
      [](Made& m) { std::swap(m.ip.from, m.ip.to); },
      [](Made& m) { m.tcp.source = 4243; },
      [](Made& m) { m.tcp.destination = 81; },
      [](Made& m) { m.tcp.seq += 1; },
      [](Made& m) { m.tcp.seq += 1u << 31; },
      [](Made& m) { m.tcp.ack += 1; },
      [](Made& m) { m.tcp.flags = 0x10; },
      [](Made& m) { m.tcp.window += 1; },
      [](Made& m) { m.tcp.options = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2}; },
      [](Made& m) { m.tcp.options = {1, 1, 8, 10, 0, 0, 0, 2, 0, 0, 0, 1}; },
      [](Made& m) { m.tcp.options = {1, 1, 5, 10, 0, 0, 0, 2, 0, 0, 0, 1}; },
      [](Made& m) { m.tcp.options = {2, 4, 5, 180, 3, 3, 7, 1, 1, 1, 1, 1}; },
      [](Made& m) { m.tcp.options = {2, 4, 5, 180, 3, 3, 8, 1, 1, 1, 1, 1}; },
      [](Made& m) { m.tcp.options = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}; },
      [](Made& m) {
        m.ip.options = {1, 1, 1, 1};
      },
      [](Made& m) { m.text += 'x'; },
      [](Made& m) { m.text.pop_back(); },
      [](Made& m) { m.text[0] = 'y'; },
      [](Made& m) { m.text[63] = 'y'; },
  };
  Looking at;
  EXPECT_FALSE(at.is_copy(Made{}.builder()));
  for (std::size_t i = 0; i < changes.size(); ++i) EXPECT_FALSE(at.is_copy(with(changes[i]))) << i;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    Made again = made(changes[i]);
    again.ip.ttl = 63;
    EXPECT_TRUE(at.is_copy(again.builder())) << i;
  }
}

// One packet with and without what proves that an equal one is a copy.
struct Sort {
  const char* name;
  kit::PacketBuilder (*behind)(kit::PacketBuilder, std::uint8_t ttl);
};
const Sort kUnidentified[] = {
    {"TCP without IP identification",
     [](kit::PacketBuilder b, std::uint8_t ttl) {
       return b.ipv4("10.0.0.1", "10.0.0.2").ttl(ttl).dont_fragment().tcp(1, 2).seq(3).payload("abc");
     }},
    {"SYN-ACK, which two timers may send at a time",
     [](kit::PacketBuilder b, std::uint8_t ttl) {
       return b.ipv4("10.0.0.1", "10.0.0.2").ttl(ttl).tcp(1, 2).flags(0x12);
     }},
    {"UDP without IP identification",
     [](kit::PacketBuilder b, std::uint8_t ttl) {
       return b.ipv4("10.0.0.1", "10.0.0.2").ttl(ttl).udp(1, 2).payload("count:1|c");
     }},
    {"IPv6", [](kit::PacketBuilder b, std::uint8_t ttl) { return b.ipv6("::1", "::2").ttl(ttl).tcp(1, 2).seq(3); }},
    {"ICMPv6", [](kit::PacketBuilder b, std::uint8_t ttl) { return b.ipv6("::1", "::2").ttl(ttl).icmpv6(128); }},
};

TEST(Duplicates, WithoutAnIdentificationEqualPacketsMayBothBeMeant) {
  for (const Sort& s : kUnidentified) {
    Looking at;
    for (int i = 0; i < 4; ++i) EXPECT_FALSE(at.is_copy(s.behind(kit::ethernet(), 64))) << s.name;
  }
}

TEST(Duplicates, WithoutAnIdentificationThoseSeenElsewhereAreCopies) {
  for (const Sort& s : kUnidentified) {
    Looking at;
    EXPECT_FALSE(at.is_copy(s.behind(kit::ethernet(), 64))) << s.name;
    EXPECT_TRUE(at.is_copy(s.behind(kit::ethernet(), 63))) << s.name;
    EXPECT_TRUE(at.is_copy(s.behind(kit::ethernet().vlan(7), 64))) << s.name;
    EXPECT_TRUE(at.is_copy(s.behind(kit::ethernet().mpls(7), 64))) << s.name;
    kit::BuiltFrame other_port = s.behind(kit::ethernet(), 64).build();
    other_port.port = 1;
    EXPECT_TRUE(at.is_copy(other_port)) << s.name;
    EXPECT_FALSE(at.is_copy(s.behind(kit::ethernet().vlan(7).vlan(7), 64).time(2 * kWindow))) << s.name;
  }
}

TEST(Duplicates, ASynIsNotRepeatedSoSoon) {
  Looking at;
  const auto syn = [] { return kit::ethernet().ipv6("::1", "::2").tcp(1, 2).flags(tcp_flag::kSyn); };
  EXPECT_FALSE(at.is_copy(syn()));
  EXPECT_TRUE(at.is_copy(syn()));
  EXPECT_FALSE(at.is_copy(syn().time(kSecond))) << "RFC 6298 §2.1";
}

// Two places show each packet once, in the order of the network, in whatever order the two are mixed.
TEST(Duplicates, DuplicateAcknowledgementsSeenAtTwoPlacesAreAsManyAsAtOne) {
  for (unsigned order = 0; order < 1u << 8; ++order) {
    const auto before = static_cast<int>(std::popcount(order));
    if (before != 4) continue;
    Looking at;
    int kept = 0;
    for (unsigned i = 0; i < 8; ++i) {
      Made m = acknowledgement();
      m.ip.ttl = (order >> i & 1) != 0 ? 64 : 63;
      m.time = kStart + i * kMicrosecond;
      kept += at.is_copy(m.builder()) ? 0 : 1;
    }
    EXPECT_EQ(kept, 4) << order;
  }
}

TEST(Duplicates, ASenderWithAlwaysTheSameIdentificationProvesNothing) {
  Looking at;
  EXPECT_FALSE(at.is_copy(with([](Made& m) { m.tcp.seq = 1; })));
  EXPECT_FALSE(at.is_copy(with([](Made& m) { m.tcp.seq = 101; })));
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(at.is_copy(acknowledgement(7).builder()), false) << "three duplicate acknowledgements are meant";
  EXPECT_FALSE(at.is_copy(acknowledgement(8).builder()));
  EXPECT_TRUE(at.is_copy(acknowledgement(8).builder())) << "now it counts";
}

TEST(Duplicates, AHostOfDatagramsIsKnownByAllOfThem) {
  const auto datagram = [](std::uint16_t port, std::uint16_t id) {
    return kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").id(id).udp(port, 514).payload("link up").time(kStart);
  };
  Looking constant;
  EXPECT_FALSE(constant.is_copy(datagram(1, 9)));
  EXPECT_FALSE(constant.is_copy(datagram(2, 9)));
  EXPECT_FALSE(constant.is_copy(datagram(2, 9)));
  Looking counting;
  EXPECT_FALSE(counting.is_copy(datagram(1, 9)));
  EXPECT_FALSE(counting.is_copy(datagram(2, 10)));
  EXPECT_TRUE(counting.is_copy(datagram(2, 10)));
}

TEST(Duplicates, FlowsThatTheOptionsKeepApartHaveNone) {
  DecodeOptions o = looking();
  o.vlan_in_key = true;
  Looking at(o);
  EXPECT_FALSE(at.is_copy(Made{}.behind(kit::ethernet().vlan(7))));
  EXPECT_FALSE(at.is_copy(Made{}.behind(kit::ethernet().vlan(8))));
  EXPECT_TRUE(at.is_copy(Made{}.behind(kit::ethernet().vlan(7))));
}

TEST(Duplicates, OfATunnelTheInnerPacketIsCompared) {
  Looking at;
  const auto mirrored = [](std::uint16_t session, std::uint16_t id) {
    return Made{}.behind(kit::ethernet().ipv4("192.0.2.1", "192.0.2.9").id(id).erspan(2, session).ethernet());
  };
  EXPECT_FALSE(at.is_copy(mirrored(1, 1)));
  EXPECT_TRUE(at.is_copy(mirrored(1, 2))) << "another outer packet";
  EXPECT_TRUE(at.is_copy(mirrored(2, 3))) << "another mirror session";
  EXPECT_TRUE(at.is_copy(Made{}.builder())) << "and not in a tunnel";
}

// A tag takes 4 octets of what the snap length leaves.
TEST(Duplicates, AreFoundThoughTheSnapLengthCutsThemDifferently) {
  for (const std::size_t snap : {70u, 80u, 96u, 128u}) {
    Looking at;
    EXPECT_FALSE(at.is_copy(Made{}.builder().build().cut(snap))) << snap;
    EXPECT_TRUE(at.is_copy(Made{}.behind(kit::ethernet().vlan(7)).build().cut(snap))) << snap;
  }
}

std::vector<kit::BuiltFrame> fragments(bool version6, std::uint32_t id, std::uint8_t ttl) {
  std::vector<kit::BuiltFrame> out;
  const kit::Octets payload = kit::raw_ip().udp(1000, 53).zeros(3000).octets();
  for (const kit::PayloadPiece& piece : kit::pieces(payload, 1480)) {
    kit::PacketBuilder b = kit::ethernet();
    if (version6)
      b.ipv6("2001:db8::1", "2001:db8::2").ttl(ttl).fragment_header(id, piece.offset, piece.more).protocol(17);
    else
      b.ipv4("10.0.0.1", "10.0.0.2").ttl(ttl).id(static_cast<std::uint16_t>(id)).fragment(piece.offset, piece.more);
    if (!version6) b.protocol(17);
    out.push_back(b.payload(piece.octets).time(kStart).build());
  }
  return out;
}

TEST(Duplicates, OfFragmentsAreLeftOutBeforeTheyArePutTogether) {
  for (const bool version6 : {false, true}) {
    for (const std::uint8_t ttl : {64, 63}) {
      Looking at;
      const auto once = fragments(version6, 5, 64), again = fragments(version6, 5, ttl);
      std::size_t packets = 0;
      for (std::size_t i = 0; i < once.size(); ++i) {
        packets += at.decoding(once[i]);
        if (packets == 1) {
          EXPECT_EQ(at.decoding.packet.packet_count, once.size());
        }
        EXPECT_TRUE(at.is_copy(again[i])) << i;
      }
      EXPECT_EQ(packets, 1u);
      EXPECT_EQ(at.count(), once.size());
      EXPECT_EQ(at.decoding.count(Counter::decode_fragment_duplicates), 0u);
      for (const auto& f : fragments(version6, 6, 64)) packets += at.decoding(f);
      EXPECT_EQ(packets, 2u) << "the next datagram is another one";
    }
  }
}

TEST(Duplicates, OfFragmentsInATunnelAreCountedOnce) {
  Looking at;
  for (const auto& f : fragments(false, 5, 64)) {
    const kit::BuiltFrame outer =
        kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(9, 4789).vxlan(5).payload(f.octets).build();
    at.decoding(outer);
    EXPECT_TRUE(at.is_copy(outer));
  }
  EXPECT_EQ(at.decoding.count(Counter::decode_datagrams_reassembled), 1u);
  EXPECT_EQ(at.decoding.count(Counter::decode_tunnel_unreadable), 0u);
}

TEST(Duplicates, NoneIsFoundAmongManyThatDifferInFewBits) {
  Looking at(looking(Duplicates::kLongestWindow));
  std::mt19937_64 random(1);
  kit::BuiltFrame f = with([](Made& m) { m.ip.id = 1; }).build();
  constexpr std::size_t kSequence = 14 + 20 + 4, kAcknowledgement = kSequence + 4, kFrames = 400'000;
  for (std::uint32_t n = 0; n < kFrames; ++n) {
    for (std::size_t i = 0; i < 4; ++i) {
      f.octets[kSequence + i] = static_cast<std::uint8_t>(n >> 8 * i);
      f.octets[kAcknowledgement + i] = static_cast<std::uint8_t>((n ^ random() % 4) >> 8 * (3 - i));
    }
    f.octets[14 + 8] = static_cast<std::uint8_t>(random());  // any TTL
    at.decoding(f);
  }
  EXPECT_EQ(at.count(), 0u);
  EXPECT_EQ(at.decoding.count(Counter::decode_packets), kFrames);
}

// One datagram from 2001:db8:0:1 to 2001:db8:0:2 with these interface identifiers; another TTL each time, so that an
// equal digest makes it a copy.
kit::PacketBuilder between(std::uint64_t low, std::uint64_t high, std::uint8_t ttl) {
  const auto address = [](int network, std::uint64_t identifier) {
    char text[64];
    const auto part = [identifier](int i) { return static_cast<unsigned>(identifier >> (48 - 16 * i) & 0xffff); };
    std::snprintf(text, sizeof text, "2001:db8:0:%d:%x:%x:%x:%x", network, part(0), part(1), part(2), part(3));
    return std::string(text);
  };
  return kit::ethernet().ipv6(address(1, low), address(2, high)).ttl(ttl).udp(1, 2).payload("x").time(kStart);
}

bool taken_for_copies(std::uint64_t key, const kit::PacketBuilder& one, const kit::PacketBuilder& other) {
  DecodeOptions o = looking();
  o.duplicate_key = key;
  Looking at(o);
  EXPECT_FALSE(at.is_copy(one));
  return at.is_copy(other);
}

// The constants of mix(), by which two factors of its product can be exchanged or one made 0.
constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15, kSecond = 0xd6e8feb86659fd93, kTop = std::uint64_t{1} << 63;

TEST(Duplicates, NoTwoPacketsHaveEqualDigestsWhateverTheKey) {
  std::mt19937_64 random(2);
  const std::uint64_t swapped = kFirst ^ kSecond;
  const std::pair<std::uint64_t, std::uint64_t> pairs[] = {
      {0, 0},           {swapped, 0},     {swapped, kTop},        {swapped ^ kTop, 0},           {swapped ^ kTop, kTop},
      {~swapped, 0},    {~swapped, kTop}, {~(swapped ^ kTop), 0}, {~swapped, ~std::uint64_t{0}}, {kFirst, kSecond},
      {kSecond, kFirst}};
  for (int i = 0; i < 20; ++i) {
    const std::uint64_t key = random();
    for (const auto& one : pairs)
      for (const auto& other : pairs) {
        const bool same = &one == &other;
        EXPECT_EQ(taken_for_copies(key, between(one.first, one.second, 64), between(other.first, other.second, 63)),
                  same);
      }
  }
}

TEST(Duplicates, WhoKnowsTheKeyCanMakeEqualDigestsAndAnotherKeyTellsThemApart) {
  constexpr std::uint64_t kKey = 0x0123456789abcdef;
  const auto one = between(1, kSecond - kKey, 64), other = between(2, kSecond - kKey, 63);
  EXPECT_TRUE(taken_for_copies(kKey, one, other)) << "the product is 0 whatever the other factor";
  std::mt19937_64 random(3);
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t key = random();
    EXPECT_FALSE(taken_for_copies(key, one, other)) << key;
  }
  EXPECT_FALSE(taken_for_copies(DecodeOptions{}.duplicate_key, one, other));
}

TEST(Duplicates, TheOldestAreForgottenWhenThereAreTooMany) {
  Looking at(looking(Duplicates::kLongestWindow));
  const auto nth = [](std::uint32_t n) {
    return with([n](Made& m) {
      m.tcp.seq = n;
      m.ip.id = static_cast<std::uint16_t>(n + 1);
      m.time = kStart + n * kMicrosecond;
    });
  };
  for (std::uint32_t n = 0; n < 60'000; ++n) ASSERT_FALSE(at.is_copy(nth(n)));
  int newest = 0, oldest = 0;
  for (std::uint32_t n = 59'000; n < 60'000; ++n) newest += at.is_copy(nth(n)) ? 1 : 0;
  for (std::uint32_t n = 0; n < 1000; ++n) oldest += at.is_copy(nth(n)) ? 1 : 0;
  EXPECT_EQ(newest, 1000);
  EXPECT_LT(oldest, 50);
}

TEST(Duplicates, AnyTimeWillDo) {
  Looking at;
  for (const Nanos t : {std::numeric_limits<Nanos>::min(), Nanos{-1}, Nanos{0}, std::numeric_limits<Nanos>::max()}) {
    EXPECT_FALSE(at.is_copy(acknowledgement().builder().time(t))) << t;
    EXPECT_FALSE(at.is_copy(acknowledgement().builder().time(t))) << t;
  }
}

TEST(Duplicates, AskNothingOfTheHeap) {
  const auto frame = Made{}.builder().build();
  const auto pieces = fragments(true, 5, 64);
  Counters counters;
  Decoder decoder(looking(), counters);
  Packet p;
  const std::uint64_t before = kit::allocations();
  for (int i = 0; i < 3; ++i) {
    decoder.new_burst();
    decoder.decode(frame.frame(), p);
    for (const auto& f : pieces) decoder.decode(f.frame(), p);
  }
  EXPECT_EQ(kit::allocations(), before);
  EXPECT_EQ(counters[Counter::capture_duplicates], 2 * (1 + pieces.size()));
}

TEST(Duplicates, TheirMemoryIsToldAndOnlyThereIfTheyAreLookedFor) {
  Counters counters;
  EXPECT_EQ(Decoder(looking(), counters).octets(), Decoder({}, counters).octets() + Duplicates::octets());
}

}  // namespace
}  // namespace probe
