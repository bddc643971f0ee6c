// Messages from anywhere: broken, hostile, or from other exporters.
#include <gtest/gtest.h>

#include <initializer_list>

#include "exporter/ipfix/encoder.h"
#include "exporter/ipfix/reader.h"
#include "exporter/profile/profile.h"
#include "tests/exporter/samples.h"

namespace probe {
namespace {

using Octets = std::vector<std::uint8_t>;

struct Arrivals : ipfix::RecordReceiver {
  void record(const Record& r) override { all.push_back(samples::values_of(r)); }
  std::vector<samples::Values> all;
};

// Writes messages by hand.
struct Draw {
  Octets out;
  Draw& n(std::uint64_t value, int octets) {
    for (int i = octets; i-- > 0;) out.push_back(static_cast<std::uint8_t>(i < 8 ? value >> (8 * i) : 0));
    return *this;
  }
  Draw& header(std::uint32_t sequence = 0, std::uint32_t domain = 1) {
    return n(10, 2).n(0, 2).n(0, 4).n(sequence, 4).n(domain, 4);
  }
  Draw& set(std::uint16_t id, const Octets& body) {
    n(id, 2).n(body.size() + 4, 2);
    out.insert(out.end(), body.begin(), body.end());
    return *this;
  }
  Octets message() {
    out[2] = static_cast<std::uint8_t>(out.size() >> 8);
    out[3] = static_cast<std::uint8_t>(out.size());
    return out;
  }
};

struct F {
  std::uint32_t pen;
  std::uint16_t id, octets;
};
Octets template_record(std::uint16_t id, std::initializer_list<F> fields) {
  Draw d;
  d.n(id, 2).n(fields.size(), 2);
  for (const F& f : fields) {
    d.n(f.pen != 0 ? f.id | 0x8000u : f.id, 2).n(f.octets, 2);
    if (f.pen != 0) d.n(f.pen, 4);
  }
  return d.out;
}

struct Hostile : testing::Test {
  Arrivals arrivals;
  ipfix::Reader reader{schema::kDocumentationPen, arrivals};
  const char* read(const Octets& m) { return reader.read(m); }
};

TEST_F(Hostile, ReadsWhatAnotherExporterSharesWithUs) {
  // As softflowd has it: totals we know, and things that we do not.
  const Octets t = template_record(1024, {{0, 8, 4},
                                          {0, 12, 4},
                                          {0, 21, 4},
                                          {0, 1, 4},
                                          {0, 2, 4},
                                          {0, 10, 4},
                                          {35632, 57, 65535},
                                          {0, 7, 2},
                                          {0, 11, 2},
                                          {0, 4, 1},
                                          {0, 6, 2},
                                          {0, 60, 1}});
  Draw data;
  data.n(0x0a000001, 4).n(0x0a000002, 4).n(5, 4).n(123456, 4).n(77, 4).n(1, 4).n(3, 1).n(0x616263, 3);
  data.n(4242, 2).n(80, 2).n(6, 1).n(0x001b, 2).n(4, 1);
  EXPECT_EQ(read(Draw().header().set(2, t).set(1024, data.out).message()), nullptr);
  ASSERT_EQ(arrivals.all.size(), 1u);
  EXPECT_EQ(arrivals.all[0], (samples::Values{{"sourceIPv4Address", "167772161"},
                                              {"destinationIPv4Address", "167772162"},
                                              {"octetDeltaCount", "123456"},
                                              {"packetDeltaCount", "77"},
                                              {"sourceTransportPort", "4242"},
                                              {"destinationTransportPort", "80"},
                                              {"protocolIdentifier", "6"},
                                              {"tcpControlBits", "27"}}));
  EXPECT_EQ(reader.catalogue().ignored_fields(), 4u);
}

TEST_F(Hostile, LearnsNamesFromTypeRecords) {
  Draw options;
  options.n(300, 2).n(3, 2).n(2, 2).n(346, 2).n(4, 2).n(303, 2).n(2, 2).n(341, 2).n(65535, 2);
  Draw type;
  type.n(35632, 4).n(57, 2).n(5, 1).n('h', 1).n('e', 1).n('l', 1).n('l', 1).n('o', 1);
  const Octets t = template_record(256, {{0, 8, 4}, {35632, 57, 2}});
  EXPECT_EQ(read(Draw().header(0, 0).set(3, options.out).set(300, type.out).message()), nullptr);
  EXPECT_EQ(read(Draw().header().set(2, t).set(256, {10, 0, 0, 1, 0, 0}).message()), nullptr);
  EXPECT_EQ(reader.catalogue().ignored_names(), std::vector<std::string>{"35632/57 hello"});
  EXPECT_EQ(reader.counts().options_records, 1u);
  EXPECT_EQ(arrivals.all.size(), 1u);
}

TEST_F(Hostile, TakesATemplateThatChangesWithinAMessage) {
  const Octets before = template_record(256, {{0, 8, 4}, {0, 7, 2}}), after = template_record(256, {{0, 12, 4}});
  const Octets m = Draw()
                       .header()
                       .set(2, before)
                       .set(256, {10, 0, 0, 1, 0, 80})
                       .set(2, after)
                       .set(256, {10, 0, 0, 2, 10, 0, 0, 3})
                       .message();
  EXPECT_EQ(read(m), nullptr);
  ASSERT_EQ(arrivals.all.size(), 3u);
  EXPECT_EQ(arrivals.all[0], (samples::Values{{"sourceIPv4Address", "167772161"}, {"sourceTransportPort", "80"}}));
  EXPECT_EQ(arrivals.all[2], (samples::Values{{"destinationIPv4Address", "167772163"}}));
}

TEST_F(Hostile, ForgetsAWithdrawnTemplate) {
  const Octets t = template_record(256, {{0, 8, 4}});
  const Octets withdrawal = {1, 0, 0, 0}, all = {0, 2, 0, 0};
  EXPECT_EQ(
      read(Draw().header().set(2, t).set(256, {10, 0, 0, 1}).set(2, withdrawal).set(256, {10, 0, 0, 1}).message()),
      nullptr);
  EXPECT_EQ(arrivals.all.size(), 1u);
  EXPECT_EQ(reader.counts().sets_without_template, 1u);
  EXPECT_EQ(read(Draw().header(1).set(2, t).set(2, all).set(256, {10, 0, 0, 1}).message()), nullptr);
  EXPECT_EQ(reader.counts().sets_without_template, 2u);
}

TEST_F(Hostile, RefusesWhatIsBrokenAndKeepsWhatWasBefore) {
  const Octets good = template_record(256, {{0, 8, 4}});
  const Octets data = {10, 0, 0, 1};
  const auto prefix = [&] { return Draw().header().set(2, good).set(256, data); };
  std::vector<Octets> broken;
  broken.push_back(prefix().n(256, 2).n(3, 2).message());                            // set shorter than its header
  broken.push_back(prefix().n(256, 2).n(9, 2).n(1, 4).message());                    // longer than the message
  broken.push_back(prefix().n(0, 3).message());                                      // octets behind the last set
  broken.push_back(prefix().set(2, {1, 1, 0, 2, 0, 8, 0, 4}).message());             // template cut
  broken.push_back(prefix().set(2, {1, 1, 255, 255, 0, 8, 0, 4}).message());         // too many fields
  broken.push_back(prefix().set(2, template_record(257, {{0, 210, 0}})).message());  // records of no octets
  broken.push_back(prefix().set(2, template_record(255, {{0, 8, 4}})).message());    // id of no data set
  broken.push_back(prefix().set(3, {1, 1, 0, 1, 0, 0, 0, 8, 0, 4}).message());       // options without a scope
  broken.push_back(
      prefix().set(2, template_record(257, {{0, 8, 4}, {0, 96, 65535}})).set(257, {10, 0, 0, 1, 200}).message());
  broken.push_back(
      prefix().set(2, template_record(257, {{0, 8, 4}, {0, 96, 65535}})).set(257, {10, 0, 0, 1, 255, 1}).message());
  for (std::size_t i = 0; i < broken.size(); ++i) {
    Arrivals a;
    ipfix::Reader r(schema::kDocumentationPen, a);
    EXPECT_NE(r.read(broken[i]), nullptr) << i;
    EXPECT_EQ(a.all.size(), 1u) << i;
    EXPECT_EQ(r.counts().bad_messages, 1u) << i;
    EXPECT_EQ(r.read(prefix().message()), nullptr) << i;  // and goes on with the next message
    EXPECT_EQ(a.all.size(), 2u) << i;
  }
}

TEST_F(Hostile, RefusesWhatIsNoMessage) {
  EXPECT_NE(read({}), nullptr);
  EXPECT_NE(read({0, 10, 0, 4}), nullptr);
  Octets wrong = Draw().header().message();
  EXPECT_EQ(read(wrong), nullptr);
  wrong[1] = 9;
  EXPECT_NE(read(wrong), nullptr);
  wrong[1] = 10;
  wrong[3] = 17;
  EXPECT_NE(read(wrong), nullptr);
}

TEST_F(Hostile, AFieldOfTheWrongLengthIsIgnored) {
  const Octets t = template_record(256, {{0, 8, 4}, {0, 12, 3}, {0, 7, 9}, {0, 96, 4}, {0, 4, 1}, {0, 27, 65535}});
  Draw data;
  data.n(0x0a000001, 4).n(1, 3).n(2, 9).n(3, 4).n(17, 1).n(2, 1).n(7, 2);
  EXPECT_EQ(read(Draw().header().set(2, t).set(256, data.out).message()), nullptr);
  ASSERT_EQ(arrivals.all.size(), 1u);
  EXPECT_EQ(arrivals.all[0], (samples::Values{{"sourceIPv4Address", "167772161"}, {"protocolIdentifier", "17"}}));
}

TEST_F(Hostile, AnElementTwiceIsReadOnce) {
  const Octets t = template_record(256, {{0, 8, 4}, {0, 7, 2}, {0, 7, 2}, {0, 8, 4}});
  EXPECT_EQ(read(Draw().header().set(2, t).set(256, {10, 0, 0, 1, 0, 1, 0, 2, 10, 0, 0, 2}).message()), nullptr);
  ASSERT_EQ(arrivals.all.size(), 1u);
  EXPECT_EQ(arrivals.all[0], (samples::Values{{"sourceIPv4Address", "167772161"}, {"sourceTransportPort", "1"}}));
}

TEST_F(Hostile, TextsThatAreNotUtf8BecomeIt) {
  const Octets t = template_record(256, {{0, 8, 4}, {0, 96, 65535}});
  EXPECT_EQ(read(Draw().header().set(2, t).set(256, {10, 0, 0, 1, 2, 'a', 0xff}).message()), nullptr);
  ASSERT_EQ(arrivals.all.size(), 1u);
  EXPECT_EQ(arrivals.all[0]["applicationName"], "a\xef\xbf\xbd");
}

TEST_F(Hostile, MemoryStaysBoundedWhateverIsTold) {
  // Every domain, template id and element once; what does not fit is refused.
  std::mt19937_64 random(3);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const auto pen = static_cast<std::uint32_t>(random());
    const Octets t = template_record(static_cast<std::uint16_t>(256 + i % 60'000),
                                     {{0, 8, 4},
                                      {pen | 1, static_cast<std::uint16_t>(random() % 32768), 4},
                                      {0, 210, static_cast<std::uint16_t>(1 + i % 9000)}});
    read(Draw().header(0, i).set(2, t).message());
  }
  EXPECT_GT(reader.counts().bad_messages, 10'000u);
  EXPECT_LE(reader.catalogue().ignored_names().size(), 256u);
  const Octets t = template_record(300, {{0, 8, 4}});
  EXPECT_NE(read(Draw().header(0, 0xffffffff).set(2, t).message()), nullptr);
}

// Real messages with some octets changed, cut or put in twice: an answer, never a crash.
TEST_F(Hostile, ChangedMessagesDoNoHarm) {
  struct Messages : ipfix::MessageReceiver {
    void message(Bytes octets, const ipfix::MessageInfo&) override { all.emplace_back(octets.begin(), octets.end()); }
    std::vector<Octets> all;
  } sent;
  std::mt19937_64 random(4);
  RecordPools pools(samples::slots(1));
  const auto profile = make_profile("native");
  ipfix::Encoder encoder({}, *profile, sent);
  encoder.types();
  for (int i = 0; i < 60; ++i) {
    const std::size_t kind = random() % schema::kKindCount;
    Record* r = samples::make(pools, random, kind, samples::random_groups(random, kind));
    encoder.append(profile->views(*r));
    pools.give(r);
  }
  encoder.flush();
  for (int i = 0; i < 20'000; ++i) {
    Octets m = sent.all[random() % sent.all.size()];
    for (std::uint64_t n = random() % 6; n > 0; --n) m[random() % m.size()] = static_cast<std::uint8_t>(random());
    if (random() % 8 == 0) m.resize(random() % m.size());
    if (m.size() >= 4) {
      m[0] = 0;
      m[1] = 10;
      m[2] = static_cast<std::uint8_t>(m.size() >> 8);
      m[3] = static_cast<std::uint8_t>(m.size());
    }
    m.shrink_to_fit();
    reader.read(m);
  }
  EXPECT_GT(reader.counts().bad_messages, 1000u);
  EXPECT_GT(arrivals.all.size(), 1000u);
}

}  // namespace
}  // namespace probe
