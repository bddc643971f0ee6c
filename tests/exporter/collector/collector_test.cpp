// The collector against peers that are slow, broken, many, or no IPFIX exporters at all.
#include "exporter/collector/collector.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "exporter/run/target.h"
#include "exporter/transport/address.h"
#include "tests/exporter/samples.h"

namespace probe {
namespace {

using namespace std::chrono_literals;
using Octets = std::vector<std::uint8_t>;

struct Counting : Sink {
  void put(const Record&) override { ++records; }
  void turn() override { ++turns; }
  void finish() override { ++finished; }
  std::uint64_t records = 0, turns = 0, finished = 0;
};

struct Bench : testing::Test {
  void run_for_idle(std::chrono::milliseconds idle) {
    CollectorOptions o;
    o.stop_when_idle = idle;
    collector = std::make_unique<Collector>(o, std::vector<Sink*>{&sink});
  }
  Bench() { run_for_idle(500ms); }

  // Messages of so many flow records, as a file holds them.
  static Octets messages(int records, std::uint64_t seed, const char* options = "") {
    const std::string path = testing::TempDir() + "collector_test." + std::to_string(getpid());
    Counters counters;
    const auto target = open_target("file:" + path + options, {}, counters);
    std::mt19937_64 random(seed);
    RecordPools pools(samples::slots(1));
    for (int i = 0; i < records; ++i) {
      Record* r = samples::make(pools, random, 0, samples::random_groups(random, 0));
      target->put(*r);
      pools.give(r);
    }
    target->finish();
    Octets out(10 << 20);
    std::FILE* f = std::fopen(path.c_str(), "rb");
    out.resize(std::fread(out.data(), 1, out.size(), f));
    std::fclose(f);
    std::remove(path.c_str());
    return out;
  }

  static std::string written(const Octets& octets) {
    const std::string path = testing::TempDir() + "collector_file." + std::to_string(getpid());
    std::FILE* f = std::fopen(path.c_str(), "wb");
    const std::size_t written = octets.empty() ? 0 : std::fwrite(octets.data(), 1, octets.size(), f);
    EXPECT_EQ(written, octets.size());
    std::fclose(f);
    return path;
  }

  Descriptor connected(const char* scheme) {
    const std::string any = std::string(scheme) + "://127.0.0.1:";
    const Url url = parse_url(any + std::to_string(collector->listen(any + "0")));
    const SocketAddress a = resolve(url, false).front();
    Descriptor s(socket(a.family(), url.scheme == Url::Scheme::udp ? SOCK_DGRAM : SOCK_STREAM, 0));
    EXPECT_EQ(connect(s.get(), a.get(), a.length), 0);
    return s;
  }

  Counting sink;
  std::unique_ptr<Collector> collector;
  std::atomic<bool> stop{false};
};

std::uint32_t sequence_of(const Octets& message) {
  Cursor c(message);
  c.skip(8);
  return c.u32();
}

using CollectorSockets = Bench;
using CollectorFiles = Bench;

TEST_F(CollectorSockets, TakesAStreamInPiecesOfAnySize) {
  const Descriptor s = connected("tcp");
  const Octets all = messages(300, 1);
  std::thread sender([&] {
    for (std::size_t at = 0, n = 1; at < all.size(); at += n, n = n * 7 % 3001 + 1) {
      n = std::min(n, all.size() - at);
      ASSERT_EQ(send(s.get(), all.data() + at, n, 0), static_cast<ssize_t>(n));
    }
    shutdown(s.get(), SHUT_WR);
  });
  collector->run(stop);
  sender.join();
  EXPECT_EQ(collector->report().all_records(), 300u);
  EXPECT_EQ(sink.records, 300u);
  EXPECT_GT(sink.turns, 2u);
  EXPECT_EQ(sink.finished, 0u);
  EXPECT_TRUE(collector->report().troubles.empty());
}

TEST_F(CollectorSockets, TellsOfAConnectionThatEndsWithinAMessage) {
  Octets all = messages(100, 2);
  Descriptor s = connected("tcp");
  send(s.get(), all.data(), all.size() - 5, 0);
  s.reset();
  collector->run(stop);
  const CollectorReport r = collector->report();
  EXPECT_GT(r.all_records(), 0u);
  EXPECT_LT(r.all_records(), 100u);
  ASSERT_EQ(r.troubles.size(), 1u);
  EXPECT_NE(r.troubles[0].find("within a message"), std::string::npos);
}

TEST_F(CollectorSockets, ClosesAConnectionThatSpeaksSomethingElse) {
  const Descriptor s = connected("tcp");
  const std::string hello = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  send(s.get(), hello.data(), hello.size(), 0);
  std::thread runner([&] { collector->run(stop); });
  char c;
  EXPECT_LE(recv(s.get(), &c, 1, 0), 0);  // it hangs up
  runner.join();
  const CollectorReport r = collector->report();
  ASSERT_EQ(r.troubles.size(), 1u);
  EXPECT_NE(r.troubles[0].find("not IPFIX"), std::string::npos);
}

TEST_F(CollectorSockets, KeepsTheTemplatesOfItsPeersApart) {
  // The same template ids with different contents, from two ports and over two transports.
  const Descriptor one = connected("udp"), two = connected("udp"), three = connected("tcp");
  const auto datagrams = [](const Descriptor& s, const Octets& all) {
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t n = std::size_t{all[at + 2]} << 8 | all[at + 3];
      ASSERT_EQ(send(s.get(), all.data() + at, n, 0), static_cast<ssize_t>(n));
      at += n;
    }
  };
  datagrams(one, messages(50, 3));
  datagrams(two, messages(60, 4));
  const Octets stream = messages(70, 5);
  send(three.get(), stream.data(), stream.size(), 0);
  collector->run(stop);
  const CollectorReport r = collector->report();
  EXPECT_EQ(r.all_records(), 180u);
  EXPECT_EQ(r.bad_messages, 0u);
  EXPECT_EQ(r.lost_records, 0u);
}

TEST_F(CollectorSockets, TellsOfDatagramsThatAreNoMessages) {
  const Descriptor s = connected("udp");
  send(s.get(), "hello", 5, 0);
  send(s.get(), "", 0, 0);
  collector->run(stop);
  const CollectorReport r = collector->report();
  EXPECT_EQ(r.bad_messages, 2u);
  EXPECT_EQ(r.troubles.size(), 2u);
}

TEST_F(CollectorSockets, NamesThePeerWhoseRecordsWereLost) {
  const Descriptor s = connected("udp");
  const Octets all = messages(400, 6, "?types=off");
  std::vector<Octets> datagrams;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t n = std::size_t{all[at + 2]} << 8 | all[at + 3];
    datagrams.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                           all.begin() + static_cast<std::ptrdiff_t>(at + n));
    at += n;
  }
  // The last but one that holds data is lost.
  std::size_t lost = datagrams.size() - 2;
  while (datagrams[lost][16] == 0) --lost;
  for (std::size_t i = 0; i < datagrams.size(); ++i)
    if (i != lost) send(s.get(), datagrams[i].data(), datagrams[i].size(), 0);
  collector->run(stop);
  const CollectorReport r = collector->report();
  ASSERT_EQ(r.losses.size(), 1u);
  EXPECT_EQ(r.losses[0].domain, 1u);
  EXPECT_LT(r.all_records(), 400u);
  // RFC 7011 §3.1: sequence numbers count data records, continuations too.
  EXPECT_EQ(r.losses[0].records, sequence_of(datagrams[lost + 1]) - sequence_of(datagrams[lost]));
  EXPECT_EQ(r.losses[0].peer.rfind("127.0.0.1:", 0), 0u);
}

TEST_F(CollectorSockets, ForgetsTheOldestOfTooManyPeers) {
  const Octets all = messages(1, 7, "?types=off");
  std::vector<Descriptor> sockets;
  const Descriptor first = connected("udp");
  SocketAddress to;
  to.length = sizeof to.storage;
  getpeername(first.get(), to.get(), &to.length);
  for (int i = 0; i < 300; ++i) {
    sockets.emplace_back(socket(AF_INET, SOCK_DGRAM, 0));
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t n = std::size_t{all[at + 2]} << 8 | all[at + 3];
      sendto(sockets.back().get(), all.data() + at, n, 0, to.get(), to.length);
      at += n;
    }
  }
  collector->run(stop);
  EXPECT_EQ(collector->report().all_records(), 300u);
}

TEST_F(CollectorSockets, StopsWhenToldAndTakesWhatIsUnderWay) {
  run_for_idle(0ms);
  const Descriptor s = connected("tcp");
  const Octets all = messages(2000, 8);
  std::thread sender([&] { send(s.get(), all.data(), all.size(), 0); });
  std::this_thread::sleep_for(50ms);
  stop = true;
  collector->run(stop);
  sender.join();
  EXPECT_EQ(collector->report().all_records(), 2000u);
}

TEST_F(CollectorSockets, MistakesAreToldInSentences) {
  const auto complaint = [&](const char* url) {
    try {
      collector->listen(url);
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(complaint("file:/tmp/x").find("only udp:// and tcp:// can"), std::string::npos);
  EXPECT_NE(complaint("udp://127.0.0.1:0?profile=basic").find("has no options"), std::string::npos);
  EXPECT_NE(complaint("udp://192.0.2.99:4739").find("cannot listen"), std::string::npos);
  const std::string taken = "tcp://127.0.0.1:" + std::to_string(collector->listen("tcp://127.0.0.1:0"));
  EXPECT_NE(complaint(taken.c_str()).find("in use"), std::string::npos);
}

TEST_F(CollectorFiles, GivesWhatStandsBeforeTheDamage) {
  const Octets all = messages(1000, 9);
  struct Case {
    const char* what;
    Octets content;
  };
  Octets cut(all.begin(), all.end() - 100), header(all.begin(), all.end() - 100);
  header.insert(header.end(), all.begin(), all.begin() + 7);
  Octets garbage = all;
  garbage.insert(garbage.end(), 50, 0x55);
  const Case cases[] = {
      {"ends within a message", cut}, {"ends within a message", header}, {"no IPFIX message", garbage}};
  for (const Case& c : cases) {
    run_for_idle(0ms);
    const std::string path = written(c.content);
    EXPECT_FALSE(collector->read_file(path));
    const CollectorReport r = collector->report();
    EXPECT_GT(r.all_records(), 500u);
    ASSERT_EQ(r.troubles.size(), 1u);
    EXPECT_NE(r.troubles[0].find(path), std::string::npos) << r.troubles[0];
    EXPECT_NE(r.troubles[0].find("at octet"), std::string::npos);
    EXPECT_NE(r.troubles[0].find(c.what), std::string::npos);
    std::remove(path.c_str());
  }
}

TEST_F(CollectorFiles, GoesOnBehindAMessageThatIsBrokenInside) {
  Octets all = messages(2000, 10, "?types=off");
  std::size_t at = 0, n = 0, data = 0;  // breaks the length of the set in the second message with data
  for (; at < all.size(); at += n) {
    n = std::size_t{all[at + 2]} << 8 | all[at + 3];
    if (all[at + 16] != 0 && ++data == 2) break;
  }
  all[at + 18] = all[at + 19] = 0;
  const std::string path = written(all);
  EXPECT_FALSE(collector->read_file(path));
  const CollectorReport r = collector->report();
  EXPECT_EQ(r.bad_messages, 1u);
  EXPECT_GT(r.all_records(), 1000u);
  EXPECT_LT(r.all_records(), 2000u);
  std::remove(path.c_str());
}

TEST_F(CollectorFiles, AnEmptyOneIsGoodAndAMissingOneIsNot) {
  const std::string path = written({});
  EXPECT_TRUE(collector->read_file(path));
  EXPECT_EQ(collector->report().all_records(), 0u);
  std::remove(path.c_str());
  EXPECT_THROW(collector->read_file(path), std::runtime_error);
  EXPECT_FALSE(collector->read_file("/"));  // a directory opens, but cannot be read
}

}  // namespace
}  // namespace probe
