#!/usr/bin/env python3
"""The judge is judged: truth and comparison on hand-made events. No root."""
import unittest

from kit import cells, compare, judge, kernel, pairs, truth

MS = 1_000_000
NUMBER = 0


def sent(way, at, seq, length=100, flags="PA", ack=1, window=500, drop=None, passes=None):
    """The wire's events of one frame: sent at `at` ms, at the tap 1 ms later, at the other side 2 ms later."""
    global NUMBER
    NUMBER += 1
    client, server = ("10.0.0.1", 4000), ("10.0.0.2", 80)
    source, target = (client, server) if way == "up" else (server, client)
    first, second = ("a", "b") if way == "up" else ("b", "a")
    base = {"id": NUMBER, "rx": at * MS, "dir": "a2b" if way == "up" else "b2a", "proto": 6, "flags": flags, "seq": seq,
            "ack": ack, "len": length, "ip": length + 40, "win": window, "src": source[0], "sp": source[1],
            "dst": target[0], "dp": target[1]}
    if drop == "before":
        return [base | {"ev": "drop", "t": at * MS, "link": first}]
    events = [base | {"ev": "tap", "t": (passes or at + 1) * MS, "link": first}]
    if drop == "after":
        return events + [base | {"ev": "drop", "t": (at + 1) * MS, "link": second}]
    return events + [base | {"ev": "out", "t": (at + 2) * MS, "link": second}]


def truth_of(*frames, captured=None):
    return truth.truth_of([event for frame in frames for event in frame], captured)["tcp"][0]


class Truth(unittest.TestCase):
    def test_a_segment_lost_after_the_tap_is_seen_twice(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, drop="after"), sent("down", 9, 101))["down"]
        self.assertEqual((down["retransmitted"], down["dropped_after"], down["tap_retransmitted"]), (1, 1, 1))
        self.assertNotIn("tap_retransmitted_before", down)

    def test_a_segment_lost_before_the_tap_fills_a_hole(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, drop="before"), sent("down", 2, 201),
                        sent("down", 9, 101))["down"]
        self.assertEqual((down["tap_retransmitted"], down["tap_retransmitted_before"]), (1, 1))

    def test_a_tail_lost_before_the_tap_looks_new(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, drop="before"), sent("down", 9, 101))["down"]
        self.assertEqual((down["retransmitted"], down["tap_looks_new"]), (1, 1))
        self.assertNotIn("tap_retransmitted", down)

    def test_a_tail_lost_before_the_tap_is_known_by_an_acknowledgement_behind_it(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, drop="before"),
                        sent("down", 5, 201, length=0, flags="A"), sent("down", 9, 101))["down"]
        self.assertEqual((down["tap_retransmitted"], down["tap_retransmitted_before"]), (1, 1))
        self.assertNotIn("tap_looks_new", down)

    def test_a_delayed_original_is_reordered_and_not_retransmitted(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, passes=5), sent("down", 2, 201))["down"]
        self.assertEqual(down["tap_reordered"], 1)
        self.assertNotIn("retransmitted", down)

    def test_a_repeat_of_what_had_arrived_is_unneeded(self):
        down = truth_of(sent("down", 0, 1), sent("down", 9, 1))["down"]
        self.assertEqual((down["unneeded"], down["tap_unneeded"]), (1, 1))

    def test_a_keep_alive_is_not_a_retransmission(self):
        up = truth_of(sent("up", 0, 1), sent("up", 9, 100, length=1, flags="A"), sent("up", 10, 100, length=0, flags="A"))["up"]
        self.assertNotIn("retransmitted", up)

    def test_sequence_numbers_wrap(self):
        down = truth_of(sent("down", 0, 2**32 - 100), sent("down", 1, 0, drop="after"), sent("down", 9, 0))["down"]
        self.assertEqual(down["tap_retransmitted"], 1)

    def test_the_handshake_is_timed_from_the_copy_that_was_answered(self):
        c = truth_of(sent("up", 0, 9, 0, "S", drop="after"), sent("up", 1000, 9, 0, "S"),
                     sent("down", 1002, 50, 0, "SA"), sent("up", 1004, 10, 0, "A"))
        self.assertEqual(c["handshake"], {"repeated": True, "server_rtt_ns": 2 * MS, "client_rtt_ns": 2 * MS})

    def test_what_the_capture_misses_but_the_receiver_got_is_never_seen(self):
        frames = [sent("down", i, 1 + 100 * i) for i in range(3)]
        down = truth_of(*frames, sent("up", 8, 1, 0, "A", ack=301), captured={1 * MS, 3 * MS, 9 * MS})["down"]
        self.assertEqual((down["tap_packets"], down["tap_never_seen_octets"]), (2, 100))

    def test_a_turn_ends_where_the_next_request_begins(self):
        c = truth_of(sent("up", 0, 1), sent("up", 1, 101), sent("down", 10, 1), sent("down", 11, 101),
                     sent("up", 20, 201), sent("down", 23, 201))
        self.assertEqual(c["turns"], [[3 * MS, 10 * MS, 11 * MS, 2 * MS, 11 * MS],
                                      [22 * MS, 23 * MS, 23 * MS, 21 * MS, 24 * MS]])


class Judgement(unittest.TestCase):
    FLOW = {"record": "flow", "sourceIPv4Address": "10.0.0.1", "sourceTransportPort": 4000,
            "destinationIPv4Address": "10.0.0.2", "destinationTransportPort": 80, "packetDeltaCount": 1,
            "octetDeltaCount": 140, "reversePacketDeltaCount": 2, "reverseOctetDeltaCount": 280,
            "reverseTcpRetransmittedPacketCount": 1, "reverseTcpRetransmittedOctetCount": 100,
            "tcpServerRttMinMicroseconds": 2100,
            "measurementQuality": 0}

    def judge(self, **changed):
        events = [sent("up", 0, 1), sent("down", 2, 1, ack=101, drop="after"), sent("down", 9, 1, ack=101)]
        facts = truth.truth_of([e for f in events for e in f]) | {"server": {}, "wire": {"server_delay_ms": 1}}
        return compare.Comparison(facts, [self.FLOW | changed]).run()

    def test_agreement_is_agreement(self):
        result = self.judge()
        self.assertEqual(result.faults, [])
        self.assertGreater(result.checks, 15)

    def test_every_wrong_count_is_told(self):
        for name in ("packetDeltaCount", "reverseOctetDeltaCount", "tcpRetransmittedPacketCount", "tcpOutOfOrderPacketCount",
                     "reverseTcpRetransmittedBeforeProbePacketCount", "tcpCaptureLossOctetCount", "tcpZeroWindowCount"):
            self.assertEqual(len(self.judge(**{name: 7}).faults), 1, name)

    def test_a_round_trip_is_right_to_a_fifth_of_a_millisecond(self):
        self.assertEqual(self.judge(tcpServerRttMinMicroseconds=2190).faults, [])
        self.assertEqual(len(self.judge(tcpServerRttMinMicroseconds=2210).faults), 1)

    def test_no_record_is_a_fault(self):
        self.assertEqual(len(self.judge(sourceTransportPort=4001).faults), 1)


def events_of(*frames):
    return [event for frame in frames for event in frame]


def ack(at, number, **more):
    """A pure acknowledgement of the client, at the tap 1 ms later."""
    return sent("up", at, 1, 0, "A", ack=number, **more)


class Pairs(unittest.TestCase):
    def samples(self, *frames):
        """Of the server's data, in ms."""
        return [ns / MS for ns in judge.facts_of(events_of(*frames))["tcp"][0]["down"]["rtt_samples_ns"]]

    def test_the_acknowledgement_of_exactly_its_end_dates_a_segment(self):
        self.assertEqual(self.samples(sent("down", 0, 1), sent("down", 1, 101), ack(9, 101), ack(12, 201)), [9, 11])

    def test_of_several_it_dates_the_newest_only(self):
        self.assertEqual(self.samples(sent("down", 0, 1), sent("down", 1, 101), ack(9, 201)), [8])
        self.assertEqual(self.samples(sent("down", 0, 1), sent("down", 1, 101), ack(9, 151)), [])

    def test_a_segment_sent_again_gives_none_unless_it_was_acknowledged_before(self):
        self.assertEqual(self.samples(sent("down", 0, 1), sent("down", 5, 1), ack(9, 101)), [])
        self.assertEqual(self.samples(sent("down", 0, 1), ack(4, 101), sent("down", 5, 1)), [4])

    def test_what_waited_for_a_repair_gives_none(self):
        self.assertEqual(self.samples(sent("down", 0, 1, drop="after"), sent("down", 1, 101), sent("down", 9, 1),
                                      ack(19, 201)), [])

    def test_a_repetition_of_what_never_passed_gives_one(self):
        self.assertEqual(self.samples(sent("down", 0, 1, drop="before"), sent("down", 1, 101), sent("down", 9, 1),
                                      ack(19, 101)), [10])

    def test_numbers_wrap(self):
        self.assertEqual(self.samples(sent("down", 0, 2**32 - 100), sent("down", 1, 0), ack(9, 0), ack(10, 100)), [9, 9])


class Doubts(unittest.TestCase):
    """What the headers cannot tell is not asked of the probe."""

    def test_a_retransmission_overtaken_by_what_was_sent_later_looks_reordered(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, drop="before"), sent("down", 2, 101, passes=9),
                        sent("down", 3, 201))["down"]
        self.assertEqual((down["tap_looks_reordered"], down["tap_reordered"]), (1, 1))
        self.assertNotIn("tap_retransmitted", down)

    def test_an_acknowledgement_tells_of_a_lost_tail(self):
        down = truth_of(sent("down", 0, 1), sent("down", 1, 101, drop="before"), sent("down", 2, 201, 0, "A"),
                        sent("down", 300, 101))["down"]
        self.assertEqual((down["tap_retransmitted"], down["tap_retransmitted_before"]), (1, 1))

    def test_answers_to_a_copied_syn_are_undecidable(self):
        c = truth_of(sent("up", 0, 9, 0, "S"), sent("down", 2, 50, 0, "SA"), sent("down", 2.1, 50, 0, "SA"))
        self.assertEqual(c["down"]["tap_undecided"], 1)
        c = truth_of(sent("up", 0, 9, 0, "S"), sent("down", 2, 50, 0, "SA"), sent("down", 1002, 50, 0, "SA"))
        self.assertNotIn("tap_undecided", c["down"])


class Matrix(unittest.TestCase):
    def test_the_short_form_has_each_value_of_each_axis(self):
        for count in (1, 2):
            chosen = cells.diagonals(count)
            self.assertEqual({cell.loss for cell in chosen}, set(cells.LOSSES))
            self.assertEqual({cell.path for cell in chosen}, set(cells.PATHS) | set(cells.PATHS6))
            self.assertEqual({cell.control for cell in chosen}, set(cells.CONTROLS))
            self.assertEqual({cell.talk for cell in chosen}, set(cells.WORKLOADS))

    def test_each_cell_is_found_by_its_name(self):
        for cell in cells.every()[::41]:
            self.assertEqual(cells.named(cell.name), cell)

    def cell(self, quality=0, **changed):
        events = events_of(sent("up", 0, 1), sent("down", 2, 1, ack=101, drop="after"), sent("down", 9, 1, ack=101))
        flow = Judgement.FLOW | {"tcpServerRttMinMicroseconds": 2000, "tcpServerRttMeanMicroseconds": 2000,
                                 "tcpServerRttCount": 1, "measurementQuality": quality} | changed
        reports = [{"local": "10.0.0.2:80", "remote": "10.0.0.1:4000", "cut": False,
                    "info": {"state": 7, "bytes_retrans": changed.get("kernel", 100), "total_retrans": 1}}]
        return judge.CellJudge(cells.named("none/20ms/cubic/bulk"), judge.facts_of(events), [flow], reports).run()

    def test_verdicts(self):
        self.assertEqual(self.cell().verdict(), "ok")
        self.assertEqual(self.cell(reverseTcpRetransmittedPacketCount=0).verdict(), "OFF")
        self.assertEqual(self.cell(reverseTcpRetransmittedPacketCount=0, quality=1 << 7).verdict(), "marked")
        self.assertEqual(self.cell(reverseTcpRetransmittedPacketCount=0, quality=1 << 5).verdict(), "OFF")
        self.assertEqual(self.cell(tcpServerRttMeanMicroseconds=2050).verdict(), "OFF")
        self.assertEqual(self.cell(tcpServerRttMeanMicroseconds=2030).verdict(), "ok")
        self.assertEqual(self.cell(kernel=200).verdict(), "TRUTHS DIFFER")

    def hidden(self, quality, name="none/20ms/cubic/bulk"):
        """The verdict's words on a tail that was lost before the tap."""
        events = events_of(sent("up", 0, 1), sent("up", 1, 101, drop="before"), sent("up", 300, 101),
                           sent("down", 303, 1, ack=201, length=0))
        flow = Judgement.FLOW | {"measurementQuality": quality}
        result = judge.CellJudge(cells.named(name), judge.facts_of(events), [flow], []).run()
        return any("hides" in fault for fault in result.faults)

    def test_what_hides_must_be_marked(self):
        self.assertTrue(self.hidden(0))
        self.assertTrue(self.hidden(judge.HANDSHAKE_REPEATED))
        self.assertFalse(self.hidden(judge.REPEAT_HIDDEN))
        self.assertFalse(self.hidden(0, "none/20ms-v6/cubic/bulk"))

    def kernel(self, info=None, counts=None, **changed):
        """What the kernels' words make of a flow in which two of four repetitions were timers'."""
        frames = [sent("up", 0, 1)] + [sent("up", 10 + n, 1) for n in range(4)] + [sent("down", 20, 1, ack=101, length=0)]
        flow = Judgement.FLOW | {"tcpServerRttMinMicroseconds": 20_000, "tcpClientHandshakeRttMicroseconds": 10_000,
                                 "tcpRecoveryRetransmissionPacketCount": 2, "measurementQuality": 0} | changed
        reports = [{"local": "10.0.0.1:4000", "remote": "10.0.0.2:80", "cut": False,
                    "info": {"state": 1, "min_rtt": 30_100, "rtt": 30_000, "busy_time": 0, "rwnd_limited": 0} | (info or {})}]
        result = judge.CellJudge(cells.named("none/20ms/cubic/rst"), judge.facts_of(events_of(*frames)), [flow], reports, counts)
        result.client_address = "10.0.0.1:"
        return [fault for fault in result.run().faults if "kernel" in fault]

    def test_kernels_have_their_say(self):
        counts = {"up": dict.fromkeys(kernel.KEPT, 0) | {"TCPFastRetrans": 2}}
        self.assertEqual(self.kernel(), [])
        self.assertEqual(len(self.kernel(info={"min_rtt": 29_400})), 1)
        self.assertEqual(len(self.kernel(info={"min_rtt": 30_600})), 1)
        self.assertEqual(self.kernel(counts=counts), [])
        self.assertEqual(len(self.kernel(counts={"up": counts["up"] | {"TCPFastRetrans": 5}})), 1)


unittest.main()
