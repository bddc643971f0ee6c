// Targets whose collector goes, comes again, is slow, or was never there.
#include "exporter/run/target.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "exporter/collector/collector.h"
#include "exporter/ipfix/reader.h"
#include "exporter/transport/address.h"
#include "tests/exporter/run/target_kit.h"
#include "tests/exporter/samples.h"
#include "tests/exporter/wire.h"

namespace probe {
namespace {

using namespace std::chrono_literals;
using namespace test;
using samples::Values;

TEST(Target, DatagramsThatNobodyTakesAreCounted) {
  std::string url;
  { url = Running("udp").url; }
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(url, live, counters);
  Source source(6);
  EXPECT_TRUE(go_on(*target, source, [&] { return target->report().given == 150; }));
  target->finish();
  const TargetReport r = target->report();
  EXPECT_EQ(r.failed, 150u);
  EXPECT_EQ(r.sent, 0u);
  EXPECT_EQ(r.trouble, "nobody listens at " + url);
}

TEST(Target, ACollectorThatComesBackOverUdpUnderstandsWhatItGets) {
  auto first = std::make_unique<Running>("udp");
  const std::string url = first->url;
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(url, live, counters);
  Source source(7);
  EXPECT_TRUE(go_on(*target, source, [&] { return target->report().sent >= 50; }));
  first->end();
  const std::size_t before = first->kept.rows.size();
  first.reset();
  EXPECT_TRUE(go_on(*target, source, [&] { return target->report().failed >= 50; }));
  Kept kept;
  Collector second({}, {&kept});
  second.listen(url);
  std::atomic<bool> stop = false;
  std::thread thread([&] { second.run(stop); });
  const std::uint64_t sent = target->report().sent;
  EXPECT_TRUE(go_on(*target, source, [&] { return target->report().sent >= sent + 50; }));
  target->wait_until(std::chrono::steady_clock::now() + 1s);
  target->finish();
  std::this_thread::sleep_for(100ms);
  stop = true;
  thread.join();
  const TargetReport r = target->report();
  EXPECT_EQ(r.given, r.sent + r.failed);
  EXPECT_EQ(second.report().sets_without_template, 0u);
  EXPECT_EQ(second.report().lost_records, 0u);
  EXPECT_EQ(r.sent, before + kept.rows.size());
}

TEST(Target, AReplaySaysThatNobodyListens) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_NE(complaint("tcp://127.0.0.1:1").find("Connection refused"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(Target, ALiveOneGoesOnWithoutACollectorAndCounts) {
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target("tcp://127.0.0.1:1?queue=65536", live, counters);
  Source source(6);
  for (int i = 0; i < 2000; ++i) source.put(*target);
  const TargetReport r = target->report();
  EXPECT_GT(r.failed, 1000u);
  EXPECT_EQ(r.sent, 0u);
  EXPECT_NE(r.trouble.find("Connection refused"), std::string::npos);
}

// A server that is in the test's hands.
struct Server {
  explicit Server(const char* scheme, int receive_buffer = 0) {
    const Url url = parse_url(std::string(scheme) + "://127.0.0.1:0");
    const SocketAddress a = resolve(url, true).front();
    const bool udp = url.scheme == Url::Scheme::udp;
    listener = Descriptor(socket(a.family(), udp ? SOCK_DGRAM : SOCK_STREAM, 0));
    if (receive_buffer > 0) setsockopt(listener.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    EXPECT_EQ(bind(listener.get(), a.get(), a.length), 0);
    if (!udp) {
      EXPECT_EQ(listen(listener.get(), 5), 0);
    }
    SocketAddress bound;
    bound.length = sizeof bound.storage;
    getsockname(listener.get(), bound.get(), &bound.length);
    address = std::string(scheme) + "://" + bound.text();
  }
  Descriptor accept_one() { return Descriptor(accept(listener.get(), nullptr, nullptr)); }
  Descriptor listener;
  std::string address;
};

// Messages of a TCP connection until it has given so many, or ends.
std::vector<std::vector<std::uint8_t>> messages_from(int socket, std::size_t most) {
  std::vector<std::vector<std::uint8_t>> out;
  while (out.size() < most) {
    std::vector<std::uint8_t> m(16);
    if (recv(socket, m.data(), 16, MSG_WAITALL) != 16) break;
    const std::size_t length = std::size_t{m[2]} << 8 | m[3];
    m.resize(length);
    if (recv(socket, m.data() + 16, length - 16, MSG_WAITALL) != static_cast<ssize_t>(length - 16)) break;
    out.push_back(m);
  }
  return out;
}

struct Nobody : ipfix::RecordReceiver {
  void record(const Record&) override {}
};

bool has_data(const std::vector<std::uint8_t>& octets) {
  wire::Message m;
  EXPECT_TRUE(wire::take_apart(octets, m));
  for (const wire::Set& s : m.sets)
    if (s.id >= 256 && m.domain != 0) return true;
  return false;
}

TEST(Target, AfterAReconnectTheTemplatesComeFirst) {
  Server server("tcp");
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(server.address, live, counters);
  Source source(7);
  for (int i = 0; i < 500; ++i) source.put(*target);
  target->turn();
  {
    Descriptor first = server.accept_one();
    target->turn();
    target->flush();
    EXPECT_EQ(messages_from(first.get(), 5).size(), 5u);
  }  // and it is gone, with unread octets: a reset
  for (int i = 0; i < 20 && target->report().connections < 2; ++i) {
    for (int k = 0; k < 20; ++k) source.put(*target);
    target->flush();
    std::this_thread::sleep_for(50ms);
    target->turn();
  }
  Descriptor second = server.accept_one();
  std::thread finish([&] { target->finish(); });
  const auto messages = messages_from(second.get(), 100'000);
  finish.join();
  EXPECT_EQ(target->report().connections, 2u);

  // Types and templates, then data; nothing of it without its template, and no gap in the sequence.
  ASSERT_FALSE(messages.empty());
  EXPECT_FALSE(has_data(messages.front()));
  Nobody nobody;
  ipfix::Reader reader(schema::kDocumentationPen, nobody);
  for (const auto& m : messages) EXPECT_EQ(reader.read(m), nullptr);
  EXPECT_EQ(reader.counts().sets_without_template, 0u);
  EXPECT_TRUE(reader.losses().empty());
  EXPECT_GT(reader.counts().records[0], 0u);
}

TEST(Target, ALiveOneDropsTheOldestWhenTheCollectorStopsReading) {
  Server server("tcp", 4096);
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(server.address + "?queue=100000", live, counters);
  Source source(8);
  source.put(*target);
  target->flush();
  const Descriptor connection = server.accept_one();
  for (int i = 0; i < 30'000; ++i) source.put(*target);  // nobody reads: if it waited it would for ever
  const TargetReport r = target->report();
  EXPECT_GT(r.queue_full, 1000u);
  EXPECT_EQ(r.connections, 1u);
}

TEST(Target, AReplayWaitsForASlowCollectorAndLosesNothing) {
  Server server("tcp", 4096);
  Counters counters;
  std::vector<std::vector<std::uint8_t>> messages;
  std::thread reader([&] {
    const Descriptor connection = server.accept_one();
    std::this_thread::sleep_for(500ms);
    messages = messages_from(connection.get(), 1'000'000);
  });
  auto target = open_target(server.address, {}, counters);
  Source source(9);
  for (int i = 0; i < 20'000; ++i) source.put(*target);
  target->finish();
  EXPECT_TRUE(target->report().complete());
  EXPECT_EQ(target->report().sent, 20'000u);
  reader.join();
  EXPECT_EQ(messages.size(), target->report().messages);
}

TEST(Target, OverUdpTheTemplatesComeAgain) {
  Server server("udp");
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(server.address + "?refresh=1", live, counters);
  Source source(10);
  std::map<std::uint16_t, int> times;  // by template id
  const auto listen = [&] {
    std::vector<std::uint8_t> octets(65536);
    for (ssize_t n; (n = recv(server.listener.get(), octets.data(), octets.size(), MSG_DONTWAIT)) > 0;) {
      wire::Message m;
      EXPECT_TRUE(wire::take_apart(Bytes(octets).first(static_cast<std::size_t>(n)), m));
      for (const wire::Set& s : m.sets)
        if (s.id == 2)
          for (const auto& t : wire::templates_of(s)) ++times[t.id];
    }
  };
  for (int i = 0; i < 50; ++i) {
    source.put(*target);
    target->turn();
    listen();
  }
  target->flush();
  listen();
  ASSERT_FALSE(times.empty());
  for (const auto& [id, n] : times) EXPECT_EQ(n, 1) << id;
  std::this_thread::sleep_for(1100ms);
  target->turn();
  target->finish();
  listen();
  for (const auto& [id, n] : times) EXPECT_EQ(n, 2) << id;
}

TEST(Target, UdpKeepsItsRate) {
  Server server("udp");
  Counters counters;
  const auto target = open_target(server.address + "?rate=1000000", {}, counters);
  Source source(11);
  const auto begin = std::chrono::steady_clock::now();
  while (target->report().octets < 400'000) source.put(*target);
  target->finish();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_GT(seconds, 0.3);
  EXPECT_LT(seconds, 5);
}

TEST(Target, BasicSaysThatItDoesNotCarryTransactions) {
  Counters counters;
  const auto target = open_target("null:?profile=basic", {}, counters);
  Source source(12);
  for (int i = 0; i < 500; ++i) source.put(*target);
  target->finish();
  const TargetReport r = target->report();
  EXPECT_GT(r.unsuitable, 0u);
  EXPECT_GT(r.sent, 0u);
  EXPECT_GT(r.data_records, r.sent);
  EXPECT_TRUE(r.complete());
}

}  // namespace
}  // namespace probe
