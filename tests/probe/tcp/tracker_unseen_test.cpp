// What one side of a connection tells about the other one, which is not seen.
#include <gtest/gtest.h>

#include "tests/probe/tcp/talk.h"

namespace probe::tcp {
namespace {

using namespace tcp_flag;

TEST(Unseen, ServerTellsTheLongestThatTheRoundTripToItsClientCanBe) {
  for (const bool banner : {false, true}) {
    Talk t;
    t.send(server().seq(0).flags(kSyn | kAck).ack(1));
    EXPECT_EQ(t.sending[kClient].path_rtt_us, 0u);
    t.after(30ms).send(banner ? server().ack(1).data(100) : server().ack(101));
    EXPECT_EQ(t.sending[kClient].path_rtt_us, 30'000u);
    t.after(50ms).send(server().seq(banner ? 101 : 1).ack(201).data(100));
    EXPECT_EQ(t.sending[kClient].path_rtt_us, 30'000u);
    EXPECT_EQ(t.rare(kServer).unseen_responses, 0u) << "what its client does is no response";
  }
}

TEST(Unseen, ServerThatRepeatsItsSynAckTellsNothing) {
  Talk t;
  t.send(server().seq(0).flags(kSyn | kAck).ack(1));
  t.after(1s).send(server().seq(0).flags(kSyn | kAck).ack(1));
  t.after(30ms).send(server().ack(101));
  EXPECT_EQ(t.sending[kClient].path_rtt_us, 0u);
}

TEST(Unseen, ClientTellsWhenItWasAnswered) {
  Talk t;
  t.send(client().seq(0).flags(kSyn));
  t.after(30ms).send(client().ack(1));
  t.send(client().ack(1).data(100));
  t.after(40ms).send(client().ack(1001));
  t.after(5ms).send(client().ack(2001));  // of the same answer
  t.after(1s).send(client().seq(101).ack(2001).data(100));
  t.after(60ms).send(client().seq(201).ack(3001).data(50));
  t.after(10ms).send(client().seq(251).ack(3001).fin());
  t.after(10ms).send(client().seq(252).ack(3002));
  EXPECT_EQ(t.rare(kClient).unseen_responses, 2u);
  EXPECT_EQ(t.rare(kClient).unseen_responses_us, 100'000u);
}

TEST(Unseen, WindowOfASynAckIsNotOneOfTheMean) {
  Talk t;
  t.send(client().seq(0).flags(kSyn).scale(0).data(100));
  t.send(server().seq(0).flags(kSyn | kAck).scale(0).ack(101).window(100));
  t.send(client().seq(101).data(100));
  t.after(10ms).send(server().ack(201).window(500));
  EXPECT_EQ(t.sending[kClient].windows, 1u);
  EXPECT_EQ(t.sending[kClient].window_sum, 500u);
}

}  // namespace
}  // namespace probe::tcp
