#include "probe/dpdk/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_dev.h>
#include <rte_malloc.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "tests/probe/dpdk/ring_sender.h"

namespace probe::dpdk {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

std::string error_of(const PortOptions& options) {
  try {
    open_port(options);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

std::vector<std::uint8_t> copy(const Frame& frame) { return {frame.octets.begin(), frame.octets.end()}; }

TEST(RingPort, HandsOutFramesUnchangedAndInOrder) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_order", .interface = 3});
  ASSERT_EQ(port->queues().size(), 1u);
  live::Queue& queue = *port->queues()[0];
  std::array<Frame, 64> frames;
  EXPECT_EQ(queue.read(frames), 0u);
  unsigned sent = 0, got = 0;
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < round * 2; ++i, ++sent)
      ASSERT_TRUE(sender.send("net_ring_order", 0, octets_of_frame(sent, 60 + sent % 196)));
    while (const std::size_t n = queue.read(frames)) {
      for (std::size_t i = 0; i < n; ++i, ++got) {
        ASSERT_EQ(copy(frames[i]), octets_of_frame(got, 60 + got % 196)) << got;
        EXPECT_EQ(frames[i].wire_length, 60 + got % 196);
        EXPECT_EQ(frames[i].port, 3);
        EXPECT_EQ(frames[i].link, LinkType::ethernet);
      }
      queue.release(n);
    }
  }
  EXPECT_EQ(got, sent);
  EXPECT_EQ(sender.free_buffers(), RingSender::kBuffers);
  const live::PortCounts counts = port->counts();
  EXPECT_EQ(counts.received, sent);
  EXPECT_EQ(counts.cut, 0u);
  EXPECT_FALSE(counts.dropped_nic) << "a ring does not know what did not fit into it";
  EXPECT_EQ(counts.link_up, true);
}

TEST(RingPort, StampsABurstWithTheTimeOfThePoll) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_time"});
  for (unsigned i = 0; i < 3; ++i) sender.send("net_ring_time", 0, octets_of_frame(i, 60));
  const auto before = std::chrono::system_clock::now();
  std::array<Frame, 64> frames;
  ASSERT_EQ(port->queues()[0]->read(frames), 3u);
  const auto after = std::chrono::system_clock::now();
  EXPECT_GE(frames[0].time, std::chrono::nanoseconds(before.time_since_epoch()).count());
  EXPECT_LE(frames[2].time, std::chrono::nanoseconds(after.time_since_epoch()).count());
  EXPECT_EQ(frames[0].time, frames[2].time);
  EXPECT_TRUE(frames[0].polled && frames[1].polled && frames[2].polled);
  port->queues()[0]->release(3);
}

TEST(RingPort, KeepsTheStampsOfASender) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_stamps"});
  constexpr Nanos kTime = 1'234'567'890'123'456'789;
  sender.send("net_ring_stamps", 0, octets_of_frame(0, 60), kTime);
  sender.send("net_ring_stamps", 0, octets_of_frame(1, 60));
  std::array<Frame, 64> frames;
  ASSERT_EQ(port->queues()[0]->read(frames), 2u);
  EXPECT_EQ(frames[0].time, kTime);
  EXPECT_FALSE(frames[0].polled);
  EXPECT_TRUE(frames[1].polled);
  EXPECT_GT(frames[1].time, kTime) << "without a stamp: now";
  port->queues()[0]->release(2);
}

TEST(RingPort, PutsFramesOfSeveralBuffersTogether) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_join"});
  live::Queue& queue = *port->queues()[0];
  std::array<Frame, 64> frames;
  const std::size_t sizes[] = {9018, 60, 256, 257, 512, 513, 60'000, 64};
  for (unsigned round = 0; round < 40; ++round) {  // several times round the area
    for (unsigned i = 0; i < std::size(sizes); ++i)
      ASSERT_TRUE(sender.send("net_ring_join", 0, octets_of_frame(i + round, sizes[i])));
    ASSERT_EQ(queue.read(frames), std::size(sizes));
    for (unsigned i = 0; i < std::size(sizes); ++i) {
      EXPECT_EQ(copy(frames[i]), octets_of_frame(i + round, sizes[i]));
      EXPECT_EQ(frames[i].wire_length, sizes[i]);
    }
    queue.release(std::size(sizes));
    EXPECT_EQ(sender.free_buffers(), RingSender::kBuffers);
  }
  EXPECT_EQ(port->counts().cut, 0u);
}

TEST(RingPort, CutsAFrameThatItHasNoRoomToPutTogether) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_cut", .join_octets = 2000});
  live::Queue& queue = *port->queues()[0];
  for (unsigned i = 0; i < 3; ++i) ASSERT_TRUE(sender.send("net_ring_cut", 0, octets_of_frame(i, 900)));
  ASSERT_TRUE(sender.send("net_ring_cut", 0, octets_of_frame(3, 2001)));
  std::array<Frame, 64> frames;
  ASSERT_EQ(queue.read(frames), 4u);
  EXPECT_EQ(copy(frames[1]), octets_of_frame(1, 900));
  for (const unsigned i : {2u, 3u}) {
    std::vector<std::uint8_t> first = octets_of_frame(i, i == 2 ? 900 : 2001);
    EXPECT_EQ(frames[i].wire_length, first.size());
    first.resize(RingSender::kRoom);
    EXPECT_EQ(copy(frames[i]), first);
  }
  EXPECT_EQ(port->counts().cut, 2u);
  queue.release(1);
  ASSERT_TRUE(sender.send("net_ring_cut", 0, octets_of_frame(9, 900)));
  ASSERT_EQ(queue.read(frames), 1u) << "the first frame's place is free again";
  EXPECT_EQ(copy(frames[0]), octets_of_frame(9, 900));
  queue.release(4);
  EXPECT_EQ(sender.free_buffers(), RingSender::kBuffers);
  EXPECT_EQ(port->counts().cut, 2u);
}

TEST(RingPort, WaitsForTheReaderWhenItHoldsAsManyFramesAsItMay) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_hold", .held = 64});
  live::Queue& queue = *port->queues()[0];
  for (unsigned i = 0; i < 100; ++i) ASSERT_TRUE(sender.send("net_ring_hold", 0, octets_of_frame(i, 100)));
  std::array<Frame, 64> first, more;
  EXPECT_EQ(queue.read(first), 64u);
  EXPECT_EQ(queue.read(more), 0u);
  queue.release(10);
  EXPECT_EQ(queue.read(more), 10u);
  EXPECT_EQ(copy(first[63]), octets_of_frame(63, 100)) << "frames that were not released stay";
  EXPECT_EQ(copy(more[9]), octets_of_frame(73, 100));
  queue.release(64);
  EXPECT_EQ(queue.read(more), 26u);
  queue.release(26);
  EXPECT_EQ(sender.free_buffers(), RingSender::kBuffers);
}

TEST(RingPort, RecoversWhenAllBuffersWereTaken) {
  RingSender sender;
  const auto port = open_port({.device = "net_ring_full"});
  live::Queue& queue = *port->queues()[0];
  std::array<Frame, 64> frames;
  for (int round = 0; round < 3; ++round) {
    unsigned sent = 0;
    while (sender.send("net_ring_full", 0, octets_of_frame(sent, 200))) ++sent;
    EXPECT_EQ(sent, RingSender::kBuffers);
    unsigned got = 0;
    while (const std::size_t n = queue.read(frames)) got += n;
    EXPECT_EQ(got, sent);
    EXPECT_FALSE(sender.send("net_ring_full", 0, octets_of_frame(0, 200)));
    queue.release(got);
    EXPECT_EQ(sender.free_buffers(), RingSender::kBuffers);
  }
}

TEST(RingPort, GivesBackWhatWasNeverReadOrReleasedWhenItCloses) {
  RingSender sender;
  for (int round = 0; round < 3; ++round) {  // and its name can be used again
    const auto port = open_port({.device = "net_ring_close"});
    for (unsigned i = 0; i < 100; ++i) ASSERT_TRUE(sender.send("net_ring_close", 0, octets_of_frame(i, 700)));
    std::array<Frame, 64> frames;
    ASSERT_EQ(port->queues()[0]->read(frames), 64u);
    port->queues()[0]->release(5);
  }
  EXPECT_EQ(sender.free_buffers(), RingSender::kBuffers);
}

TEST(RingPort, ReadsEachQueueInAThreadOfItsOwn) {
  constexpr unsigned kQueues = 3, kFrames = 20'000;
  RingSender sender;
  const auto port = open_port({.device = "net_ring_many", .queues = kQueues});
  EXPECT_THAT(port->warnings(), Contains(HasSubstr("only if whoever fills them sees to it")));
  std::atomic<bool> end = false;
  std::array<std::uint64_t, kQueues> got{};
  std::vector<std::thread> readers;
  for (unsigned q = 0; q < kQueues; ++q)
    readers.emplace_back([&, q] {
      std::array<Frame, 64> frames;
      for (;;) {
        const bool last = end;
        const std::size_t n = port->queues()[q]->read(frames);
        for (std::size_t i = 0; i < n; ++i) got[q] += frames[i].octets.size() == 60 + q;
        port->queues()[q]->release(n);
        if (n == 0 && last) return;
        if (n == 0) std::this_thread::yield();
      }
    });
  for (unsigned i = 0; i < kFrames; ++i)
    while (!sender.send("net_ring_many", i % kQueues, octets_of_frame(i, 60 + i % kQueues))) std::this_thread::yield();
  end = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(got[0] + got[1] + got[2], kFrames);
  EXPECT_EQ(port->counts().received, kFrames);
}

TEST(Port, WrongNamesGiveASentence) {
  EXPECT_THAT(error_of({.device = "eth1"}),
              HasSubstr("neither an address of PCI (0000:03:00.0), nor a virtual device"));
  EXPECT_THAT(error_of({.device = ""}), HasSubstr("neither an address"));
  EXPECT_THAT(error_of({.device = "net_nosuchdriver0"}), HasSubstr("is its name that of a driver"));
  EXPECT_THAT(error_of({.device = "net_pcap0,rx_pcap=/nonexistent/file"}), HasSubstr("/nonexistent/file"));
  EXPECT_THAT(error_of({.device = "net_af_packet0,iface=nosuchinterface"}), HasSubstr("net_af_packet0"));
  EXPECT_THAT(error_of({.device = "7f:1f.7"}), HasSubstr("bound to vfio-pci"));
}

TEST(Port, ANameThatIsInUseGivesASentence) {
  const auto port = open_port({.device = "net_ring_mine"});
  EXPECT_THAT(error_of({.device = "net_ring_mine"}), HasSubstr("in use already"));
  EXPECT_THAT(error_of({.device = "net_ring_mine,nodeaction=x"}), HasSubstr("is there already"));
  EXPECT_EQ(port->counts().link_up, true);
}

TEST(Port, MoreQueuesThanTheDriverHasNeedADispatcher) {
  EXPECT_THAT(error_of({.device = "net_ring_queues", .queues = 17}), HasSubstr("17 queues are wanted"));
  EXPECT_THAT(error_of({.device = "net_ring_queues", .queues = 0}), HasSubstr("from 1 to 16"));
  EXPECT_EQ(error_of({.device = "net_ring_queues", .queues = 16, .descriptors = 64, .held = 64}), "");
}

TEST(Port, ReadsAPortThatIsThereAlready) {
  ASSERT_EQ(rte_eal_hotplug_add("vdev", "net_null_there", "size=100,copy=1"), 0);
  {
    const auto port = open_port({.device = "net_null_there", .descriptors = 256, .held = 256});
    std::array<Frame, 32> frames;
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(port->queues()[0]->read(frames), 32u);
      EXPECT_EQ(frames[31].octets.size(), 100u);
      port->queues()[0]->release(32);
    }
    EXPECT_EQ(port->counts().received, 3200u);
  }
  EXPECT_EQ(rte_eal_hotplug_remove("vdev", "net_null_there"), 0);
}

unsigned pools() {
  unsigned n = 0;
  rte_mempool_walk([](rte_mempool*, void* count) { ++*static_cast<unsigned*>(count); }, &n);
  return n;
}

TEST(Port, FreesItsBuffersWhenItCloses) {
  const unsigned before = pools();
  for (int round = 0; round < 3; ++round) {
    const auto port = open_port({.device = "net_null_pool,size=64", .queues = 2, .descriptors = 64, .held = 1024});
    EXPECT_EQ(pools(), before + 2);
    std::array<Frame, 64> frames;
    for (const auto& queue : port->queues()) {
      std::size_t got = 0;
      while (const std::size_t n = queue->read(frames)) got += n;
      EXPECT_EQ(got, 1024u);
      queue->release(1000);
      EXPECT_EQ(queue->read(frames), 64u);
    }
  }
  EXPECT_EQ(pools(), before);
}

std::size_t memory_taken() {
  rte_malloc_socket_stats stats = {};
  rte_malloc_get_socket_stats(0, &stats);
  return stats.heap_allocsz_bytes;
}

TEST(Port, TakesNoMoreMemoryThanItSaid) {
  for (const std::uint16_t mtu : {std::uint16_t{1500}, std::uint16_t{9000}}) {
    const PortOptions options{.device = "net_null_memory,size=64", .queues = 2, .descriptors = 1024, .mtu = mtu};
    const std::size_t before = memory_taken();
    const auto port = open_port(options);
    const std::size_t taken = memory_taken() - before;
    EXPECT_GT(taken, std::size_t{2} * 5120 * mtu);
    EXPECT_LT(taken, memory_needed(options));
    EXPECT_GT(taken * 10, memory_needed(options) * 9) << "and not much less";
  }
}

TEST(Port, WithoutMemoryForItsBuffersGivesASentence) {
  EXPECT_THAT(error_of({.device = "net_null_memory,size=64", .queues = 4, .mtu = 9000}),
              AllOf(HasSubstr("80 MB for the buffers of a queue"), HasSubstr("give DPDK more memory")));
}

}  // namespace
}  // namespace probe::dpdk
