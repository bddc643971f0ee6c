// Targets against real sockets and files; the collector on the other side.
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
#include "tests/exporter/samples.h"
#include "tests/exporter/wire.h"

namespace probe {
namespace {

using namespace std::chrono_literals;
using samples::Values;
using Rows = std::vector<Values>;

struct Kept : Sink {
  void put(const Record& r) override {
    rows.push_back(samples::values_of(r));
    rows.back()["record"] = schema::kKinds[r.kind()].name;
  }
  void finish() override {}
  Rows rows;
};

// A collector on a free port of the loopback, in a thread.
struct Running {
  explicit Running(const std::string& scheme) : collector({}, {&kept}) {
    url = scheme + "://127.0.0.1:" + std::to_string(collector.listen(scheme + "://127.0.0.1:0"));
    thread = std::thread([this] { collector.run(stop); });
  }
  CollectorReport end() {
    stop = true;
    if (thread.joinable()) thread.join();
    return collector.report();
  }
  ~Running() { end(); }
  Kept kept;
  Collector collector;
  std::string url;
  std::atomic<bool> stop{false};
  std::thread thread;
};

struct Source {
  explicit Source(std::uint64_t seed) : random(seed) {
    for (int i = 0; i < 20; ++i) {
      const std::size_t kind = random() % schema::kKindCount;
      sets.push_back({kind, samples::random_groups(random, kind)});
    }
  }
  void put(Sink& to) {
    const auto& [kind, groups] = sets[random() % sets.size()];
    Record* r = samples::make(pools, random, kind, groups);
    rows.push_back(samples::values_of(*r, samples::native_groups(*r)));
    rows.back()["record"] = schema::kKinds[kind].name;
    to.put(*r);
    pools.give(r);
  }
  std::mt19937_64 random;
  RecordPools pools{samples::slots(1)};
  std::vector<std::pair<std::size_t, schema::Groups>> sets;
  Rows rows;
};

std::string complaint(std::string_view url, const TargetOptions& options = {}) {
  Counters counters;
  try {
    open_target(url, options, counters);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

class Reaches : public testing::TestWithParam<const char*> {};

TEST_P(Reaches, ACollectorWithEveryRecord) {
  Running at(GetParam());
  Counters counters;
  const auto target = open_target(at.url, {}, counters);
  Source source(3);
  for (int i = 0; i < 3000; ++i) source.put(*target);
  target->finish();
  const TargetReport sent = target->report();
  EXPECT_EQ(sent.given, 3000u);
  EXPECT_TRUE(sent.complete()) << sent.trouble;
  const CollectorReport got = at.end();
  EXPECT_EQ(got.all_records(), 3000u);
  EXPECT_EQ(got.lost_records, 0u);
  EXPECT_EQ(got.messages, sent.messages);
  EXPECT_EQ(got.octets, sent.octets);
  EXPECT_TRUE(got.troubles.empty());
  ASSERT_EQ(at.kept.rows.size(), source.rows.size());
  for (std::size_t i = 0; i < source.rows.size(); ++i) ASSERT_EQ(at.kept.rows[i], source.rows[i]) << i;
  EXPECT_EQ(counters[Counter::export_records], 3000u);
  EXPECT_EQ(counters[Counter::export_octets], sent.octets);
}
INSTANTIATE_TEST_SUITE_P(Target, Reaches, testing::Values("udp", "tcp"));

TEST_P(Reaches, ACollectorWithWhatTheProbeTellsOfItself) {
  Running at(GetParam());
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(at.url, live, counters);
  Source source(9);
  ProbeStatistics s;
  for (int i = 0; i < 1000; ++i) {
    source.put(*target);
    target->turn();
    if (i % 100 != 0) continue;
    s.packets += 1000;
    s.ignored += 2;
    s.records_lost += 1;
    s.first_ignored = s.last_ignored = 1'760'000'000 * kSecond;
    target->flush();
    target->tell(s);
  }
  target->wait_until(std::chrono::steady_clock::now() + 10s);
  target->flush();
  for (int i = 0; i < 100 && target->report().sent < 1000; ++i) {
    std::this_thread::sleep_for(10ms);
    target->turn();
  }
  target->tell(s);
  target->finish();
  const TargetReport sent = target->report();
  EXPECT_TRUE(sent.complete()) << sent.trouble;
  const CollectorReport got = at.end();
  EXPECT_EQ(got.all_records(), 1000u);
  EXPECT_EQ(got.lost_records, 0u);
  EXPECT_EQ(got.sets_without_template, 0u);
  EXPECT_EQ(at.kept.rows, source.rows);
  ASSERT_EQ(got.exporters.size(), 1u);
  const ipfix::Told& told = got.exporters[0].told;
  EXPECT_EQ(told.packets, 10'000u);
  EXPECT_EQ(told.packets_ignored, 20u);
  EXPECT_EQ(told.records_not_sent, 10u);
  EXPECT_EQ(told.records, 1000u);
  EXPECT_EQ(told.messages, sent.messages - 1);  // all but the one that tells it
}

TEST(Target, ACollectorThatIsAwayFindsNoPileOfStatistics) {
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target("tcp://127.0.0.1:1", live, counters);
  for (int i = 0; i < 1000; ++i) {
    target->tell({});
    target->turn();
  }
  EXPECT_EQ(target->report().messages, 0u);
  const std::string off = testing::TempDir() + "target_test.off." + std::to_string(getpid()), on = off + ".on";
  for (const std::string& path : {off, on}) {
    const auto file = open_target("file:" + path + (path == off ? "?statistics=off" : ""), live, counters);
    file->tell({});
    file->finish();
    EXPECT_EQ(file->report().messages, path == off ? 0u : 1u);
    std::remove(path.c_str());
  }
}

TEST(Target, AFileHoldsEveryRecordAndIsTheSameEachTime) {
  const std::string path = testing::TempDir() + "target_test." + std::to_string(getpid());
  std::vector<std::string> contents;
  Rows rows;
  for (int run = 0; run < 2; ++run) {
    Counters counters;
    const auto target = open_target("file:" + path, {}, counters);
    Source source(4);
    for (int i = 0; i < 2000; ++i) source.put(*target);
    target->finish();
    EXPECT_TRUE(target->report().complete());
    rows = source.rows;
    std::string all;
    std::FILE* f = std::fopen(path.c_str(), "rb");
    char buffer[65536];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, f)) > 0;) all.append(buffer, n);
    std::fclose(f);
    contents.push_back(all);
    if (run == 0) std::this_thread::sleep_for(1100ms);  // the clock has moved on; export times have not
  }
  EXPECT_EQ(contents[0], contents[1]);
  Kept kept;
  Collector collector({}, {&kept});
  EXPECT_TRUE(collector.read_file(path));
  EXPECT_EQ(kept.rows, rows);
  std::remove(path.c_str());
}

TEST(Target, AFullDiskIsCountedAndTold) {
  Counters counters;
  const auto target = open_target("file:/dev/full", {}, counters);
  Source source(5);
  for (int i = 0; i < 2000; ++i) source.put(*target);
  target->finish();
  const TargetReport r = target->report();
  EXPECT_EQ(r.sent, 0u);
  EXPECT_EQ(r.failed, 2000u);
  EXPECT_NE(r.trouble.find("No space left"), std::string::npos);
  EXPECT_EQ(counters[Counter::export_records_failed], 2000u);
}

TEST(Target, MistakesAreToldInSentences) {
  EXPECT_NE(complaint("file:/no/such/directory/x").find("No such file"), std::string::npos);
  EXPECT_NE(complaint("null:?profile=ntop").find("there are native, basic"), std::string::npos);
  EXPECT_NE(complaint("null:?types=maybe").find("on or off"), std::string::npos);
  EXPECT_NE(complaint("null:?statistics=1").find("on or off"), std::string::npos);
  EXPECT_NE(complaint("null:?rate=1").find("there is no option rate here"), std::string::npos);
  EXPECT_NE(complaint("udp://127.0.0.1:1?rate=1").find("from 10000"), std::string::npos);
  EXPECT_NE(complaint("udp://no.such.host.invalid:1").find("cannot find the address"), std::string::npos);
  TargetOptions options;
  options.enterprise = 65536;
  EXPECT_NE(complaint("null:", options).find("from 1 to 65535"), std::string::npos);
  options = {};
  options.domain = 0;
  EXPECT_NE(complaint("null:", options).find("domain 0"), std::string::npos);
}

// Puts records and lets time go on, until `done`; false after ten seconds.
template <class Done>
bool go_on(Target& target, Source& source, Done&& done) {
  for (int i = 0; i < 1000 && !done(); ++i) {
    source.put(target);
    target.flush();
    std::this_thread::sleep_for(10ms);
    target.turn();
  }
  return done();
}

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
