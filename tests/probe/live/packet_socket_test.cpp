#include "probe/live/packet_socket.h"

#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <map>

#include "probe/live/merge.h"
#include "tests/kit/allocations.h"
#include "tests/probe/live/small_world.h"

namespace probe::live {
namespace {

class PacketSocket : public SmallWorld {};

std::unique_ptr<Port> open(PacketSocketOptions o = {}) {
  if (o.interface.empty()) o.interface = "wire1";
  return open_packet_socket(o);
}

// UDP with a number in its payload, filled up to a length.
kit::BuiltFrame numbered(std::uint32_t number, std::size_t payload = 30) {
  std::string text = std::to_string(number) + ".";
  text.resize(std::max(payload, text.size()), 'x');
  return kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(4000, 4001).payload(text).build();
}

std::uint32_t number_of(const kit::Octets& frame) {
  constexpr std::size_t kPayload = 14 + 20 + 8;
  return static_cast<std::uint32_t>(std::strtoul(reinterpret_cast<const char*>(frame.data()) + kPayload, nullptr, 10));
}

std::string refusal(const PacketSocketOptions& o) {
  try {
    open_packet_socket(o);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

bool has(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& l) { return l.find(part) != std::string::npos; });
}

TEST_F(PacketSocket, GivesEveryFrameThatWasSentWholeAndInOrder) {
  const auto port = open({.port = 3});
  std::vector<kit::Octets> sent;
  for (std::uint32_t i = 0; i < 5000; ++i) sent.push_back(numbered(i, 20 + i % 1400).octets);
  const Nanos before = clock_now();
  for (const kit::Octets& f : sent) wire->put(f);
  const std::vector<Kept> got = read_all(*port->queues()[0]);
  const Nanos after = clock_now();
  ASSERT_EQ(got.size(), sent.size());
  Nanos last = before;
  bool nanoseconds = false;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].octets, sent[i]);
    ASSERT_EQ(got[i].wire_length, sent[i].size());
    ASSERT_EQ(got[i].port, 3);
    ASSERT_EQ(got[i].link, LinkType::ethernet);
    ASSERT_GE(got[i].time, last);
    nanoseconds = nanoseconds || got[i].time % 1000 != 0;
    last = got[i].time;
  }
  EXPECT_LE(last, after);
  EXPECT_TRUE(nanoseconds);
  const PortCounts c = port->counts();
  EXPECT_EQ(c.received, sent.size());
  EXPECT_EQ(c.dropped_kernel, 0u);
  EXPECT_FALSE(c.dropped_nic.has_value()) << "a veth cannot tell";
  EXPECT_EQ(c.link_up, true);
}

TEST_F(PacketSocket, KeepsTheWireLengthOfWhatItCuts) {
  const auto port = open({.snap_length = 96});
  wire->put(numbered(1, 1000));
  const std::vector<Kept> got = read_all(*port->queues()[0]);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].octets.size(), 96u);
  EXPECT_EQ(got[0].wire_length, 14u + 20 + 8 + 1000);
}

TEST_F(PacketSocket, KeepsVlanTagsAsTheyWere) {
  const auto port = open();
  const kit::BuiltFrame sent[] = {
      kit::ethernet().vlan(0x6007).ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload("one tag").build(),
      kit::ethernet().add(kit::Vlan{5, 0x88a8}).vlan(6).ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload("two").build(),
      kit::ethernet().vlan(5).vlan(6).vlan(7).ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload("three").build(),
      kit::ethernet().vlan(0).ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload("priority only").build(),
  };
  for (const kit::BuiltFrame& f : sent) wire->put(f);
  const std::vector<Kept> got = read_all(*port->queues()[0]);
  ASSERT_EQ(got.size(), std::size(sent));
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].octets, sent[i].octets) << i;
    EXPECT_EQ(got[i].wire_length, sent[i].octets.size()) << i;
  }
}

TEST_F(PacketSocket, TellsEveryFrameThatFoundNoRoom) {
  const auto port = open({.blocks = 4, .block_octets = 65'536});
  std::size_t sent = 0, got = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5000; ++i, ++sent) wire->put(numbered(1, 400));
    got += read_all(*port->queues()[0]).size();
    const PortCounts c = port->counts();
    EXPECT_EQ(c.received, got);
    EXPECT_EQ(c.received + c.dropped_kernel.value(), sent);
  }
  EXPECT_GT(got, 100u);
  EXPECT_GT(port->counts().dropped_kernel, 5000u);
}

TEST_F(PacketSocket, LeavesFramesWhereTheyAreUntilTheyAreReleased) {
  const auto port = open({.blocks = 4, .block_octets = 65'536});
  Queue& queue = *port->queues()[0];
  for (std::uint32_t i = 0; i < 10; ++i) wire->put(numbered(i, 400));
  std::array<Frame, 64> first;
  std::size_t n = 0;
  while (n < 10) {
    queue.wait(kSecond);
    n += queue.read(std::span(first).subspan(n));
  }
  for (std::uint32_t i = 10; i < 5000; ++i) wire->put(numbered(i, 400));  // more than the ring holds
  for (std::uint32_t i = 0; i < n; ++i) EXPECT_EQ(number_of({first[i].octets.begin(), first[i].octets.end()}), i);
  queue.release(n);
  const std::size_t rest = read_all(queue).size();
  // One at a time: a block is the reader's after some milliseconds, however little is in it.
  for (std::uint32_t i = 0; i < 10; ++i) {
    wire->put(numbered(i, 400));
    EXPECT_EQ(read_all(queue).size(), 1u) << "all blocks went back";
  }
  const PortCounts c = port->counts();
  EXPECT_EQ(c.received, n + rest + 10);
  EXPECT_EQ(c.received + c.dropped_kernel.value(), 5010u);
}

TEST_F(PacketSocket, LeavesOutWhatThisMachineSends) {
  const auto quiet = open();
  const auto both = open({.ignore_outgoing = false});
  Sender("wire1").send(numbered(1));
  wire->put(numbered(2));
  const std::vector<Kept> in = read_all(*quiet->queues()[0]), all = read_all(*both->queues()[0]);
  ASSERT_EQ(in.size(), 1u);
  EXPECT_EQ(number_of(in[0].octets), 2u);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(number_of(all[0].octets), 1u);
}

TEST_F(PacketSocket, IsPromiscuousWhileItIsOpenUnlessAskedNotToBe) {
  const std::string count = "ip -d link show wire1 | grep -q 'promiscuity ";
  {
    const auto port = open();
    shell(count + "1'");
    EXPECT_FALSE(has(port->warnings(), "promiscuous"));
  }
  shell(count + "0'");
  const auto port = open({.promiscuous = false});
  shell(count + "0'");
  EXPECT_TRUE(has(port->warnings(), "promiscuous"));
}

TEST_F(PacketSocket, WaitsForALinkThatIsDown) {
  const auto port = open();
  Queue& queue = *port->queues()[0];
  wire->put(numbered(1));
  EXPECT_EQ(read_all(queue).size(), 1u);
  shell("ip link set wire1 down");
  EXPECT_EQ(port->counts().link_up, false);
  EXPECT_EQ(read_all(queue).size(), 0u);
  const Nanos before = clock_now();
  queue.wait(50 * kMillisecond);
  EXPECT_GE(clock_now() - before, 40 * kMillisecond) << "it must not spin";
  shell("ip link set wire1 up");
  EXPECT_EQ(port->counts().link_up, true);
  wire->put(numbered(2));
  EXPECT_EQ(read_all(queue).size(), 1u);
  wire->set_carrier(0);
  EXPECT_EQ(port->counts().link_up, false) << "no carrier";
}

TEST_F(PacketSocket, OpensALinkThatIsDownAndGetsItsFramesLater) {
  shell("ip link set wire1 down");
  const auto port = open();
  EXPECT_EQ(port->counts().link_up, false);
  EXPECT_EQ(read_all(*port->queues()[0]).size(), 0u);
  shell("ip link set wire1 up");
  wire->put(numbered(2));
  EXPECT_EQ(read_all(*port->queues()[0]).size(), 1u);
}

class Vanishing : public SmallWorld, public testing::WithParamInterface<std::size_t> {};

TEST_P(Vanishing, InterfaceIsOpenedAnewWhenItIsBack) {
  const auto port = open({.queues = GetParam()});
  const auto read_queues = [&] {
    std::size_t n = 0;
    for (const auto& q : port->queues()) n += read_all(*q).size();
    return n;
  };
  std::size_t sent = 0, got = 0;
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < 100; ++i, ++sent) wire->put(numbered(i));
    if (round != 1) got += read_queues();  // once they are still in the ring when it vanishes
    unplug();
    EXPECT_EQ(port->counts().link_up, false);
    EXPECT_TRUE(has(port->warnings(), "no interface wire1 any more"));
    EXPECT_EQ(port->queues()[0]->read({}), 0u);
    plug_in();
    EXPECT_EQ(port->counts().link_up, true);
    got += read_queues();
    EXPECT_FALSE(has(port->warnings(), "wire1 vanished"));
    const PortCounts c = port->counts();
    EXPECT_EQ(c.received, got);
    EXPECT_EQ(c.received + c.dropped_kernel.value(), sent);
  }
  EXPECT_EQ(got, 300u);
}

TEST_F(PacketSocket, SaysIfItMayNotOpenTheInterfaceThatIsBack) {
  const auto port = open();
  unplug();
  plug_in();
  std::thread([&] {
    ASSERT_EQ(syscall(SYS_setresuid, 65534, 65534, 65534), 0);
    EXPECT_EQ(port->counts().link_up, false);
  }).join();
  EXPECT_TRUE(has(port->warnings(), "was not opened again")) << "and why:";
  EXPECT_TRUE(has(port->warnings(), "CAP_NET_RAW"));
  EXPECT_EQ(port->counts().link_up, true);
  EXPECT_FALSE(has(port->warnings(), "was not opened again"));
}

TEST_F(PacketSocket, OfEachDirectionOfALinkAreMergedInOrderOfTime) {
  Wire other("wire2", IFF_TAP);
  const auto up = open(), down = open({.interface = "wire2", .port = 1});
  Counters counters;
  Merge merge({up->queues()[0].get(), down->queues()[0].get()}, {.window = 200 * kMillisecond},
              counters);  // however busy
  constexpr std::uint32_t kPairs = 3000;
  std::thread sender([&] {
    for (std::uint32_t i = 0; i < kPairs; ++i) {
      wire->put(numbered(2 * i));
      other.put(numbered(2 * i + 1));
      if (i % 100 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  std::array<Frame, 64> frames;
  std::uint32_t next = 0;
  for (const Nanos end = clock_now() + 5 * kSecond; next < 2 * kPairs && clock_now() < end;) {
    const std::size_t n = merge.read(frames, clock_now());
    for (const Frame& f : std::span(frames).first(n)) {
      EXPECT_EQ(number_of({f.octets.begin(), f.octets.end()}), next);
      EXPECT_EQ(f.port, next % 2);
      ++next;
    }
    merge.release(n);
    if (n == 0) merge.wait(10 * kMillisecond);
  }
  sender.join();
  EXPECT_EQ(next, 2 * kPairs);
  EXPECT_EQ(counters[Counter::capture_merge_late], 0u);
}

INSTANTIATE_TEST_SUITE_P(Queues, Vanishing, testing::Values(1u, 2u));

TEST_F(PacketSocket, GivesIpPacketsOfATunnel) {
  Wire tunnel("tun0", IFF_TUN);
  const auto port = open({.interface = "tun0"});
  const kit::BuiltFrame sent = kit::raw_ip().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload("inside").build();
  tunnel.put(sent);
  const std::vector<Kept> got = read_all(*port->queues()[0]);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].link, LinkType::raw_ip);
  EXPECT_EQ(got[0].octets, sent.octets);
  EXPECT_EQ(got[0].wire_length, sent.octets.size());
}

TEST_F(PacketSocket, RefusesWithTheRemedy) {
  EXPECT_NE(refusal({.interface = "eth9"}).find("There is no interface eth9; there are: "), std::string::npos);
  EXPECT_NE(refusal({.interface = "eth9"}).find("wire1"), std::string::npos);
  EXPECT_NE(refusal({.interface = "wire1", .queues = 0}).find("queues"), std::string::npos);
  EXPECT_NE(refusal({.interface = "wire1", .block_octets = 5000}).find("multiple of 4096"), std::string::npos);
  EXPECT_NE(refusal({.interface = "wire1", .snap_length = 10}).find("snap length"), std::string::npos);
  const std::string huge = refusal({.interface = "wire1", .blocks = 1'000'000, .block_octets = std::size_t{1} << 20});
  EXPECT_NE(huge.find("wire1: "), std::string::npos) << huge;
  EXPECT_NE(huge.find("1000000 blocks of 1048576 octets"), std::string::npos) << huge;
  EXPECT_EQ(refusal({.interface = "wire1"}), "");
}

TEST_F(PacketSocket, RefusesWhoMayNotCapture) {
  std::string what;
  std::thread([&] {  // the system call, unlike the function, changes one thread only
    ASSERT_EQ(syscall(SYS_setresuid, 65534, 65534, 65534), 0);
    what = refusal({.interface = "wire1"});
  })
      .join();
  EXPECT_NE(what.find("CAP_NET_RAW"), std::string::npos) << what;
}

TEST_F(PacketSocket, WarnsOfSegmentsThatWereNotCut) {
  const auto port = open();
  EXPECT_FALSE(has(port->warnings(), "longer than its MTU"));
  const kit::BuiltFrame frame =
      kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).payload(std::string(5 * 1448, 'x')).build();
  wire->put_uncut(frame, 1448);
  const std::vector<Kept> got = read_all(*port->queues()[0]);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].wire_length, frame.octets.size());
  EXPECT_TRUE(has(port->warnings(), "1 frames longer than its MTU"));
}

TEST_F(PacketSocket, TakesJumboFramesForWhatTheyAreWhenTheMtuAllowsThem) {
  const auto port = open();
  shell("ip link set wire1 mtu 9000");
  port->counts();
  wire->put(numbered(1, 8000));
  const std::vector<Kept> got = read_all(*port->queues()[0]);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].octets, numbered(1, 8000).octets);
  EXPECT_FALSE(has(port->warnings(), "longer than its MTU"));
}

TEST_F(PacketSocket, WarnsOfTheOtherEndOfAPairThatDoesNotCut) {
  shell("ip link add pair0 type veth peer name pair1");
  const auto port = open({.interface = "pair1"});
  EXPECT_TRUE(has(port->warnings(), "ethtool -K pair0 gso off tso off"));
}

TEST_F(PacketSocket, AsksNothingOfTheHeapOnceItIsOpen) {
  const auto port = open();
  Queue& queue = *port->queues()[0];
  for (std::uint32_t i = 0; i < 1000; ++i) wire->put(numbered(i));
  std::array<Frame, 64> frames;
  std::size_t got = 0;
  const std::uint64_t before = kit::allocations();
  for (int turn = 0; turn < 1000 && got < 1000; ++turn) {
    queue.wait(10 * kMillisecond);
    const std::size_t n = queue.read(frames);
    queue.release(n);
    got += n;
  }
  EXPECT_EQ(got, 1000u);
  EXPECT_EQ(kit::allocations(), before);
}

TEST_F(PacketSocket, LosesNothingUncountedWhileThreadsReadAndWatch) {
  constexpr std::size_t kFrames = 60'000;
  const auto port = open({.queues = 2, .blocks = 8, .block_octets = 131'072});
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> read = 0;
  for (const auto& q : port->queues())
    threads.emplace_back([&stop, &read, &queue = *q] {
      std::array<Frame, 64> frames;
      while (true) {
        const bool last = stop;
        const std::size_t n = queue.read(frames);
        queue.release(n);
        read += n;
        if (n == 0 && last) return;
        if (n == 0) queue.wait(kMillisecond);
      }
    });
  threads.emplace_back([&] {
    std::uint64_t seen = 0;
    while (!stop) {
      const std::uint64_t now = port->counts().received;
      EXPECT_GE(now, seen);
      seen = now;
    }
  });
  std::vector<kit::BuiltFrame> flows;
  for (int i = 0; i < 100; ++i)
    flows.push_back(kit::ethernet().ipv4("10.0.0." + std::to_string(i), "10.0.1.1").tcp(1000, 80).payload("x").build());
  for (std::size_t i = 0; i < kFrames; ++i) wire->put(flows[i % flows.size()]);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  stop = true;
  for (std::thread& t : threads) t.join();
  const PortCounts c = port->counts();
  EXPECT_EQ(c.received, read);
  EXPECT_EQ(c.received + c.dropped_kernel.value(), kFrames);
}

}  // namespace
}  // namespace probe::live
