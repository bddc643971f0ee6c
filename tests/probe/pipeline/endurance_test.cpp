// What lasts long, is large, is cut into intervals or comes in disorder: no figure may break.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

constexpr int kAck = tcp_flag::kAck, kSyn = tcp_flag::kSyn, kFin = tcp_flag::kFin;
constexpr unsigned kClient = 0, kServer = 1;

// Segments of one connection, by numbers relative to the SYN's. Each sender counts its packets as Linux does.
class Story {
 public:
  explicit Story(std::uint32_t client_first = 1000, std::uint32_t server_first = 5000)
      : first_{client_first, server_first} {}

  Story& after(Nanos t) { return now_ += t, *this; }
  Nanos now() const { return now_; }
  Story& segment(unsigned from, int flags, std::uint32_t at, std::uint32_t upto, std::uint32_t octets = 0,
                 std::uint16_t window = 60000) {
    frames.push_back(build(from, flags, at, upto, octets, window));
    return *this;
  }
  Story& data(unsigned from, std::uint32_t at, std::uint32_t octets = 1000, std::uint32_t upto = 101) {
    return segment(from, kAck, at, from == kServer ? upto : 1, octets);
  }
  Story& acknowledge(unsigned from, std::uint32_t upto, std::uint16_t window = 60000) {
    return segment(from, kAck, from == kClient ? 101 : 1, upto, 0, window);
  }
  Story& open() {
    segment(kClient, kSyn, 0, 0).after(20 * kMillisecond).segment(kServer, kSyn | kAck, 0, 1);
    return after(10 * kMillisecond).segment(kClient, kAck, 1, 1);
  }
  // The number that the next packet would have: it gets lost before the probe.
  Story& lose(unsigned from) { return ++id_[from], *this; }
  kit::BuiltFrame build(unsigned from, int flags, std::uint32_t at, std::uint32_t upto, std::uint32_t octets,
                        std::uint16_t window, std::size_t captured = 65535) {
    const char* const address[] = {"10.0.0.1", "10.0.0.2"};
    const std::uint16_t port[] = {40000, 80};
    kit::PacketBuilder b = kit::ethernet();
    b.ipv4(address[from], address[1 - from]).id(id_[from]++);
    if (captured < octets) b.ip_length(static_cast<std::uint16_t>(40 + octets));
    b.tcp(port[from], port[1 - from]).seq(first_[from] + at).flags(flags).window(window);
    if ((flags & kAck) != 0) b.ack(first_[1 - from] + upto);
    if ((flags & kSyn) != 0) b.window_scale(2);
    if (captured >= octets) return b.zeros(octets).time(now_).build();
    kit::BuiltFrame cut = b.time(now_).build();
    cut.wire_length = static_cast<std::uint32_t>(cut.octets.size()) + octets;
    return cut;
  }

  std::vector<kit::BuiltFrame> frames;

 private:
  std::uint32_t first_[2];
  std::uint16_t id_[2] = {100, 60000};
  Nanos now_ = kStart;
};

// A download in which everything happens once: a segment lost before the probe, one lost behind it, a needless
// repetition, one that the network brings late, a copy of the network, a closed window.
Story troubles(std::uint32_t client_first = 1000, std::uint32_t server_first = 5000) {
  Story s(client_first, server_first);
  s.open().data(kClient, 1, 100).after(20 * kMillisecond).data(kServer, 1);
  s.lose(kServer).after(kMillisecond).data(kServer, 2001).data(kServer, 3001).data(kServer, 4001);
  s.after(10 * kMillisecond).acknowledge(kClient, 1001).acknowledge(kClient, 1001).acknowledge(kClient, 1001);
  s.after(20 * kMillisecond).data(kServer, 1001);  // what never passed
  s.after(kMillisecond).data(kServer, 4001);       // what got lost behind the probe
  s.after(10 * kMillisecond).acknowledge(kClient, 5001);
  s.after(25 * kMillisecond).data(kServer, 5001).after(10 * kMillisecond).acknowledge(kClient, 6001);
  s.after(25 * kMillisecond).data(kServer, 5001);  // needless
  s.after(20 * kMillisecond).data(kServer, 6001).data(kServer, 7001).data(kServer, 8001).after(kMillisecond);
  std::swap(s.frames[s.frames.size() - 2], s.frames.back());
  std::swap(s.frames[s.frames.size() - 2].time, s.frames.back().time);
  s.frames.push_back(s.frames.back());  // a copy of the network
  s.frames.back().time = s.now();
  s.after(10 * kMillisecond).acknowledge(kClient, 9001, 0).after(500 * kMillisecond).acknowledge(kClient, 9001);
  s.after(20 * kMillisecond).segment(kServer, kAck | kFin, 9001, 101);
  s.after(10 * kMillisecond).segment(kClient, kAck | kFin, 101, 9002);
  s.after(20 * kMillisecond).segment(kServer, kAck, 9002, 102);
  return s;
}

constexpr const char* kCounts[] = {"packetDeltaCount",
                                   "octetDeltaCount",
                                   "tcpRetransmittedPacketCount",
                                   "tcpOutOfOrderPacketCount",
                                   "tcpZeroWindowCount",
                                   "tcpDuplicateAckCount",
                                   "tcpServerRttCount",
                                   "tcpClientRttCount",
                                   "reversePacketDeltaCount",
                                   "reverseOctetDeltaCount",
                                   "reverseTcpRetransmittedPacketCount",
                                   "reverseTcpRetransmittedOctetCount",
                                   "reverseTcpRetransmittedBeforeProbePacketCount",
                                   "reverseTcpSpuriousRetransmissionPacketCount",
                                   "reverseTcpOutOfOrderPacketCount",
                                   "reverseTcpCaptureLossOctetCount"};

// Counts of all records together.
std::map<std::string, std::uint64_t> totals(const std::vector<Seen>& flows) {
  std::map<std::string, std::uint64_t> out;
  for (const char* name : kCounts)
    for (const Seen& f : flows) out[name] += f.contains(name) ? f[name].number() : 0;
  return out;
}

TEST(Endurance, TheStoryIsToldAsItWas) {
  Probing p;
  p.play(troubles().frames).finish();
  auto t = totals(p.flows());
  EXPECT_EQ(t["reverseTcpRetransmittedPacketCount"], 3u);
  EXPECT_EQ(t["reverseTcpRetransmittedBeforeProbePacketCount"], 1u);
  EXPECT_EQ(t["reverseTcpSpuriousRetransmissionPacketCount"], 1u);
  EXPECT_EQ(t["reverseTcpOutOfOrderPacketCount"], 1u);
  EXPECT_EQ(t["tcpZeroWindowCount"], 1u);
  EXPECT_EQ(t["tcpDuplicateAckCount"], 2u);
  EXPECT_EQ(t["reverseTcpCaptureLossOctetCount"], 0u);
}

TEST(Endurance, NumbersMayWrapAnywhere) {
  Probing p;
  p.play(troubles().frames).finish();
  Seen expected = p.flow();
  expected.values.erase("flowId");
  for (std::uint32_t before = 0; before <= 9200; before += 100) {
    Probing wrapping;
    wrapping.play(troubles(0u - before / 80, 0u - before).frames).finish();
    Seen got = wrapping.flow();
    got.values.erase("flowId");
    ASSERT_EQ(got.values, expected.values) << "wraps " << before << " octets behind the SYN";
  }
}

TEST(Endurance, AnActiveTimeoutMayFallAnywhere) {
  const Story whole = troubles();
  Probing p;
  p.play(whole.frames).finish();
  const auto expected = totals(p.flows());
  for (std::size_t i = 1; i < whole.frames.size(); ++i) {
    PipelineOptions options = small_pipeline();
    options.active_timeout = std::max<Nanos>(kMillisecond, whole.frames[i].time - whole.frames[0].time);
    Probing cut(options);
    cut.play(whole.frames).finish();
    if (whole.frames[i].time != whole.frames[0].time) {
      EXPECT_GT(cut.flows().size(), 1u) << i;
    }
    ASSERT_EQ(totals(cut.flows()), expected) << "interval ends at packet " << i;
  }
}

TEST(Endurance, FourGibibytesAreCountedAndFollowed) {
  constexpr std::uint32_t kOctets = 60'000, kSegments = 80'000, kLostEach = 1000;  // 4.8e9 octets
  constexpr std::uint64_t kAll = std::uint64_t{kOctets} * kSegments;
  static_assert(kAll > 0xffffffffu);
  PipelineOptions options = small_pipeline();
  options.active_timeout = 86'400 * kSecond;
  Probing p(options);
  Story s;
  p.play(s.open().data(kClient, 1, 100).frames);
  std::uint32_t at = 1;
  for (std::uint32_t i = 0; i < kSegments; ++i, at += kOctets) {
    std::vector<kit::BuiltFrame> burst{s.after(kMillisecond).build(kServer, kAck, at, 101, kOctets, 60000, 0)};
    if (i % kLostEach == kLostEach - 1)
      burst.push_back(s.after(35 * kMillisecond).build(kServer, kAck, at, 101, kOctets, 60000, 0));
    burst.push_back(s.after(10 * kMillisecond).build(kClient, kAck, 101, at + kOctets, 0, 60000));
    p.play(burst);
  }
  p.finish();
  const Seen flow = p.flow();
  constexpr std::uint32_t kLost = kSegments / kLostEach;
  EXPECT_EQ(flow["reverseOctetDeltaCount"], kAll + std::uint64_t{kLost} * kOctets + 40u * (kSegments + kLost) + 44u);
  EXPECT_EQ(flow["reverseTcpRetransmittedPacketCount"], kLost);
  EXPECT_EQ(flow["reverseTcpRetransmittedOctetCount"], std::uint64_t{kLost} * kOctets);
  EXPECT_EQ(flow["reverseTcpCaptureLossOctetCount"], 0u);
  EXPECT_EQ(flow["reverseTcpSpuriousRetransmissionPacketCount"], 0u);
  EXPECT_EQ(flow["tcpClientRttCount"], kSegments - kLost);
  EXPECT_EQ(flow["tcpClientRttMinMicroseconds"], 10'000u);
  EXPECT_EQ(flow["tcpClientRttMaxMicroseconds"], 10'000u);
  EXPECT_EQ(flow["tcpClientRttMeanMicroseconds"], 10'000u);
  EXPECT_FALSE(is(flow, Quality::capture_loss));
}

TEST(Endurance, AConnectionMayLastADay) {
  constexpr Nanos kMinute = 60 * kSecond;
  constexpr int kMinutes = 25 * 60;  // the clock of microseconds wraps each 71 minutes
  for (const Nanos active : {86'400 * kSecond, 300 * kSecond}) {
    PipelineOptions options = small_pipeline();
    options.active_timeout = active;
    options.idle_timeout = 600 * kSecond;
    Story s;
    s.open().data(kClient, 1, 100);
    std::uint32_t at = 1;
    for (int i = 0; i < kMinutes; ++i, at += 1000) {
      s.after(kMinute).data(kServer, at).after(10 * kMillisecond).acknowledge(kClient, at + 1000);
      if (i % 100 == 99) s.after(kMinute).segment(kServer, kAck, at + 999, 101);  // keep-alive
    }
    Probing p(options);
    p.play(s.frames).finish();
    auto t = totals(p.flows());
    EXPECT_EQ(t["reversePacketDeltaCount"], 1u + kMinutes + kMinutes / 100);
    EXPECT_EQ(t["reverseTcpRetransmittedPacketCount"], 0u);
    EXPECT_EQ(t["reverseTcpOutOfOrderPacketCount"], 0u);
    EXPECT_EQ(t["tcpClientRttCount"], std::uint64_t{kMinutes});
    std::set<std::string> ids;
    for (const Seen& f : p.flows()) {
      ids.insert(f["flowId"].text);
      if (!f.contains("tcpClientRttMinMicroseconds")) continue;
      EXPECT_EQ(f["tcpClientRttMinMicroseconds"], 10'000u);
      EXPECT_EQ(f["tcpClientRttMaxMicroseconds"], 10'000u);
      EXPECT_EQ(f["measurementQuality"], 0u);
    }
    EXPECT_EQ(ids.size(), 1u);
  }
}

// Two mirror ports, one of which is read later than the other: the times are right, the order is not.
TEST(Endurance, ACaptureMayBeInDisorder) {
  const Story whole = troubles();
  Probing orderly;
  orderly.play(whole.frames).finish();
  const auto expected = totals(orderly.flows());
  for (const unsigned late : {kClient, kServer}) {
    for (const Nanos lag : {kMillisecond, 15 * kMillisecond, 40 * kMillisecond, 100 * kMillisecond}) {
      std::vector<std::pair<Nanos, kit::BuiltFrame>> read;
      for (const auto& f : whole.frames) {
        const bool server = f.octets[29] == 2;  // last octet of the source address
        read.emplace_back(f.time + (server == (late == kServer) ? lag : 0), f);
      }
      std::ranges::stable_sort(read, {}, &std::pair<Nanos, kit::BuiltFrame>::first);
      std::vector<kit::BuiltFrame> frames;
      for (auto& [time, frame] : read) frames.push_back(frame);
      Probing p;
      p.play(frames).finish();
      auto t = totals(p.flows());
      const std::string where = (late == kServer ? "server " : "client ") + std::to_string(lag / kMillisecond) + " ms";
      const bool disorder = !std::ranges::is_sorted(frames, {}, &kit::BuiltFrame::time);
      EXPECT_EQ(p.flows().size(), 1u) << where;
      EXPECT_EQ(is(p.flows().front(), Quality::time_disorder), disorder) << where;
      EXPECT_EQ(t["packetDeltaCount"] + t["reversePacketDeltaCount"], whole.frames.size()) << where;
      EXPECT_EQ(t["tcpZeroWindowCount"], 1u) << where;
      EXPECT_EQ(t["reverseTcpCaptureLossOctetCount"], 0u) << where;
      for (const auto& [name, value] : expected) {
        if (disorder && name.find("tcp") == name.npos && name.find("Tcp") == name.npos) continue;
        // What came behind its acknowledgement cannot be told from what was sent again behind it.
        const bool needless = name.find("Spurious") != name.npos;
        EXPECT_LE(t[name], needless ? t["reverseTcpRetransmittedPacketCount"] : value) << where << name;
        EXPECT_TRUE(disorder || t[name] == value) << where << name;
      }
      for (const Seen& f : p.flows())
        for (const char* side : {"Server", "Client"})
          for (const char* which : {"RttMaxMicroseconds", "HandshakeRttMicroseconds"}) {
            const std::string name = std::string("tcp") + side + which;
            if (f.contains(name)) {
              EXPECT_LE(f[name].number(), 200'000u) << where << name;
            }
          }
    }
  }
}

}  // namespace
}  // namespace probe::test
