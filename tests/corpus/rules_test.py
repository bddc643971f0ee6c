#!/usr/bin/env python3
"""The rules that captures are judged by, on hand-made segments: no capture, no tool."""
import unittest

from reference import handshake, round_trips
from reference.segments import ACK, FIN, SYN, Segment, copies

MS = 1000


class Talk:
    """a2b sends; times are microseconds, numbers begin at 1, identifications count."""

    def __init__(self):
        self.segments = []

    def say(self, us, way, sequence, payload, acknowledged, flags=ACK, window=1000, ip_id=None):
        frame = len(self.segments) + 1
        self.segments.append(Segment(frame, us, way, sequence, payload, flags, acknowledged, window,
                                     frame if ip_id is None else ip_id, (), (), False))
        return self

    def send(self, us, sequence, payload=100, **more):
        return self.say(us, "a2b", sequence, payload, 1, **more)

    def answer(self, us, acknowledged, **more):
        return self.say(us, "b2a", 1, 0, acknowledged, **more)

    def judge(self):
        return round_trips.of(self.segments)["a2b"]


class Rules(unittest.TestCase):
    def expect(self, talk, definition, tcptrace, **causes):
        found = talk.judge()
        self.assertEqual(found["definition"]["n"], definition)
        self.assertEqual(found["tcptrace_rules"]["n"], tcptrace)
        self.assertEqual({k.replace(" ", "_"): v for k, v in found["causes"]["round trips"].items()}, causes)
        return found

    def test_the_acknowledgement_of_the_end_of_a_segment_dates_it(self):
        found = self.expect(Talk().send(0, 1).answer(10 * MS, 101), 1, 1)
        self.assertEqual(found["definition"]["mean_us"], 10 * MS)

    def test_a_segment_that_was_sent_again_and_those_behind_it_give_none(self):
        found = self.expect(Talk().send(0, 1).send(1, 101).send(50 * MS, 1).answer(60 * MS, 201), 0, 0)
        self.assertEqual((found["definition"]["seen_twice"], found["tcptrace_rules"]["rexmt"]), (1, 1))

    def test_a_filled_hole_is_dated_and_what_waited_behind_it_is_not(self):
        talk = Talk().send(0, 1).send(1, 201).answer(10 * MS, 101).send(50 * MS, 101).answer(60 * MS, 201)
        found = self.expect(talk.answer(61 * MS, 301), 2, 2)
        self.assertEqual((found["definition"]["holes_filled"], found["tcptrace_rules"]["outoforder"]), (1, 1))

    def test_syn_and_fin_are_samples_of_tcptrace_only(self):
        talk = Talk().send(0, 0, 0, flags=SYN).answer(10 * MS, 1, flags=SYN | ACK).send(11 * MS, 1, 0, flags=FIN | ACK)
        self.expect(talk.answer(20 * MS, 2), 0, 2, syn=1, fin=1)

    def test_a_copy_made_by_the_network_is_no_repetition(self):
        talk = Talk().send(0, 1).send(1, 101, ip_id=7).send(2, 101, ip_id=7).answer(10 * MS, 201)
        found = self.expect(talk, 1, 0, copy=-1)
        self.assertEqual(found["causes"]["tcptrace"], {"copy taken for rexmt": 1})

    def test_identifications_that_are_always_the_same_prove_no_copy(self):
        talk = Talk().send(0, 1, ip_id=7).send(50 * MS, 1, ip_id=7).answer(60 * MS, 101)
        self.assertEqual(copies(talk.segments), set())

    def test_a_segment_acknowledged_in_parts_is_dated_by_its_end(self):
        talk = Talk().send(0, 1, 200).answer(9 * MS, 101).answer(10 * MS, 201)
        found = self.expect(talk, 1, 0, acknowledged_in_parts=-1)
        self.assertEqual(found["definition"]["max_us"], 10 * MS)

    def test_one_octet_below_the_top_keeps_alive(self):
        talk = Talk().send(0, 1).answer(10 * MS, 101).send(5000 * MS, 100, 1).answer(5010 * MS, 101)
        self.assertEqual(self.expect(talk, 1, 1)["causes"]["tcptrace"], {"keep-alive taken for rexmt": 1})

    def test_what_passes_against_a_closed_window_is_dated(self):
        talk = Talk().send(0, 1).answer(1 * MS, 1, window=0).send(2 * MS, 101).answer(10 * MS, 101, window=0)
        self.expect(talk.answer(12 * MS, 201), 2, 1, closed_window=-1)

    def test_an_empty_segment_tells_what_was_sent_before_it(self):
        talk = Talk().send(0, 1).send(1, 201, 0).send(300 * MS, 101).answer(310 * MS, 201)
        self.assertEqual(self.expect(talk, 1, 1)["definition"]["holes_filled"], 1)

    def test_time_that_runs_backwards_gives_none(self):
        self.expect(Talk().send(20 * MS, 1).answer(10 * MS, 101), 0, 1, time_disorder=1)

    def test_an_acknowledgement_without_news_is_a_duplicate_while_something_is_outstanding(self):
        talk = Talk().send(0, 1).send(1, 201).answer(10 * MS, 101).answer(11 * MS, 101).answer(12 * MS, 101, window=900)
        talk.answer(20 * MS, 301).answer(21 * MS, 301)
        self.assertEqual(round_trips.of(talk.segments)["b2a"]["definition"]["duplicate_acks"], 1)


class Handshakes(unittest.TestCase):
    def shake(self, *segments):
        """(us, way, sequence, acknowledged, flags, value and echo of the timestamp)"""
        return handshake.of([Segment(i, us, way, sequence, 0, flags, acknowledged, 1000, i, times, (), False)
                             for i, (us, way, sequence, acknowledged, flags, times) in enumerate(segments)])

    def test_the_last_of_two_syns_counts(self):
        h = self.shake((0, "a2b", 0, 0, SYN, ()), (1000 * MS, "a2b", 0, 0, SYN, ()), (1020 * MS, "b2a", 0, 1, SYN | ACK, ()),
                       (1030 * MS, "a2b", 1, 1, ACK, ()))
        self.assertEqual((h["server_side_s"], h["server_side_from_first_s"], h["client_side_s"]), (0.02, 1.02, 0.01))
        self.assertTrue(h["ambiguous"])

    def test_the_first_of_two_syn_acks_counts_if_the_answer_names_it(self):
        h = self.shake((0, "a2b", 0, 0, SYN, ("1", "0")), (20 * MS, "b2a", 0, 1, SYN | ACK, ("7", "1")),
                       (25 * MS, "b2a", 0, 1, SYN | ACK, ("8", "1")), (30 * MS, "a2b", 1, 1, ACK, ("2", "7")))
        self.assertEqual((h["client_side_s"], h["client_side_from_last_s"]), (0.01, 0.005))

    def test_a_connection_that_both_sides_open_has_none(self):
        h = self.shake((0, "a2b", 0, 0, SYN, ()), (1, "b2a", 0, 0, SYN, ()), (2, "b2a", 0, 1, SYN | ACK, ()))
        self.assertNotIn("server_side_s", h)


if __name__ == "__main__":
    unittest.main()
