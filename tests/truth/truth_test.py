#!/usr/bin/env python3
"""The probe against a trace of which everything is known: truth_test.py AUGPROBE GEN_TRACE

Every flow, every retransmission in its class, every transaction with its texts and times, nothing missing and nothing
extra; the same from several workers, from standard input, compressed, and with two captures in one run.
"""
import gzip
import ipaddress
import shutil
import struct
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import trace

MICROSECOND = 1  # times are cut to microseconds: differences of two can be off by one
HANDSHAKE_REPEATED, ONE_SIDED, REQUEST_REPEATED, PIPELINED, HALF = 1 << 3, 1 << 2, 1 << 10, 1 << 11, 1 << 12
REPEAT_HIDDEN = 1 << 19
FIN, SYN, RST, ACK = 1, 2, 4, 16


def reverse(name):
    return "reverse" + name[0].upper() + name[1:]


class TraceTest(unittest.TestCase):
    probe = generator = None

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.capture, cls.truth = trace.scratch_trace(cls.generator, cls.folder)
        cls.records = trace.replay(cls.probe, [cls.capture])
        cls.by_flow = trace.by_flow(cls.records)

    def flows(self):
        """Each flow of the truth with its one record."""
        for number, flow in self.truth.flows.items():
            records = self.by_flow[flow["key"]]["flow"]
            self.assertEqual(len(records), 1, f"records of flow {number}, {flow['key']}")
            yield flow, records[0]

    def tcp_flows(self):
        return ((flow, record) for flow, record in self.flows() if flow["kind"] != "dns")

    def transactions(self, kind):
        """Each transaction of the truth with its record; their numbers are equal."""
        record_kind = "sql" if kind == "mysql" else kind
        for number, flow in self.truth.flows.items():
            expected = [t for t in self.truth.transactions[number] if t["kind"] == kind]
            records = self.by_flow[flow["key"]][record_kind]
            self.assertEqual(len(records), len(expected), f"{record_kind} records of flow {number}, {flow['key']}")
            for i, (transaction, record) in enumerate(zip(expected, records)):
                self.assertEqual(record["transactionId"], i + 1)
                yield flow, transaction, record


class Flows(TraceTest):
    def test_the_trace_holds_what_is_to_be_tested(self):
        ways = [flow[way] for flow in self.truth.flows.values() for way in ("up", "down")]
        for what in ("repeated_syns", "seen_twice", "filled", "filled_unseen", "reordered", "reordered_newer"):
            self.assertGreater(sum(way[what] for way in ways), 0, what)
        asked = [t for transactions in self.truth.transactions.values() for t in transactions]
        self.assertTrue(any(t["request_end_again"] > t["request_last"] for t in asked))
        self.assertTrue(any(t["request_complete"] > t["request_last"] for t in asked))
        self.assertTrue(any(t["response_complete"] > t["response_last"] for t in asked))

    def test_there_are_no_others(self):
        self.assertEqual(Counter(record["record"] for record in self.records)["flow"], len(self.truth.flows))

    def test_packets_octets_and_times(self):
        for flow, record in self.flows():
            up, down = flow["up"], flow["down"]
            expected = {
                "packetDeltaCount": up["packets"], "octetDeltaCount": up["octets"],
                reverse("packetDeltaCount"): down["packets"], reverse("octetDeltaCount"): down["octets"],
                "flowStartMicroseconds": up["first"], "flowEndMicroseconds": max(up["last"], down["last"]),
                "flowStartMilliseconds": up["first"] // 1000,
                "flowEndMilliseconds": max(up["last"], down["last"]) // 1000,
                "protocolIdentifier": 17 if flow["kind"] == "dns" else 6, "biflowDirection": 1}
            if flow["kind"] != "dns":
                expected["tcpControlBits"] = up["flags"]
                if down["packets"]:
                    expected[reverse("tcpControlBits")] = down["flags"]
            got = {name: record.get(name, 0) for name in expected}
            self.assertEqual(got, expected, flow["key"])

    def test_ends(self):
        for flow, record in self.flows():
            over = (flow["up"]["flags"] | flow["down"]["flags"]) & (FIN | RST)
            self.assertIn(record["flowEndReason"], (3,) if over else (1, 4), flow["key"])

    def test_protocols(self):
        for flow, record in self.flows():
            quiet = flow["kind"] != "dns" and not flow["down"]["flags"] & ACK or flow["down"]["flags"] & RST
            self.assertEqual(record.get("applicationName"), None if quiet else flow["kind"], flow["key"])

    def test_quality_marks(self):
        for flow, record in self.flows():
            expected = 0
            if flow["kind"] != "dns" and not flow["down"]["packets"]:
                expected |= ONE_SIDED
            if flow["up"]["repeated_syns"] and flow["down"]["flags"] & SYN:
                expected |= HANDSHAKE_REPEATED | REPEAT_HIDDEN  # the first answer may have been lost before the tap
            self.assertEqual(certain(flow, record["measurementQuality"]), certain(flow, expected), flow["key"])


def certain(flow, marks):
    """Where segments were lost or overtaken, one may hide that was sent again, or not: the generator does not tell."""
    faults = any(flow[way][what] for way in ("up", "down") for what in ("seen_twice", "filled", "reordered"))
    return marks & ~REPEAT_HIDDEN if faults else marks


class Tcp(TraceTest):
    def test_retransmissions_by_class(self):
        for flow, record in self.tcp_flows():
            for way, name_of in (("up", str), ("down", reverse)):
                truth = flow[way]
                if not truth["packets"]:
                    continue
                before = truth["filled"] - truth["filled_unseen"]  # a lost tail looks new: nobody can tell
                expected = {"tcpRetransmittedPacketCount": truth["seen_twice"] + before + truth["repeated_syns"],
                            "tcpRetransmittedBeforeProbePacketCount": before,
                            "tcpOutOfOrderPacketCount": truth["reordered"],
                            "tcpRetransmittedOctetCount": truth["repeated_octets"]}
                self.assertEqual({name: record[name_of(name)] for name in expected}, expected, (flow["key"], way))

    def test_nothing_is_called_needless_or_lost_by_the_capture(self):
        for flow, record in self.tcp_flows():
            if not flow["down"]["packets"]:
                continue
            # The generator's servers echo the timestamp of the first SYN: it had come, the second was needless.
            echoed = flow["timestamps"] and flow["down"]["flags"] & SYN
            needless = flow["up"]["repeated_syns"] if echoed else 0
            self.assertEqual(record["tcpSpuriousRetransmissionPacketCount"], needless, flow["key"])
            for name in (reverse("tcpSpuriousRetransmissionPacketCount"), "tcpCaptureLossOctetCount",
                         reverse("tcpCaptureLossOctetCount")):
                self.assertEqual(record[name], 0, flow["key"])

    def test_handshakes(self):
        for flow, record in self.tcp_flows():
            names = ("tcpServerHandshakeRttMicroseconds", "tcpClientHandshakeRttMicroseconds")
            if not flow["down"]["flags"] & SYN:
                self.assertFalse(any(name in record for name in names), flow["key"])
                continue
            # The server hesitates 5 µs; the truth is rounded, the packets' times are cut.
            for name, expected in zip(names, (flow["server_rtt"] + 5, flow["client_rtt"])):
                self.assertAlmostEqual(record[name], expected, delta=MICROSECOND, msg=flow["key"])

    def test_round_trips_of_data(self):
        """The generator's receivers acknowledge after 3 µs, a FIN at once."""
        exact = measured = 0
        for flow, record in self.tcp_flows():
            if "tcpClientRttMinMicroseconds" not in record:
                continue
            beyond = record["tcpClientRttMinMicroseconds"] - flow["client_rtt"]
            self.assertGreaterEqual(beyond, -MICROSECOND, flow["key"])
            self.assertGreaterEqual(record["tcpClientRttMeanMicroseconds"], record["tcpClientRttMinMicroseconds"])
            self.assertGreaterEqual(record["tcpClientRttMaxMicroseconds"], record["tcpClientRttMeanMicroseconds"])
            measured += 1
            exact += beyond <= 3 + MICROSECOND
        self.assertGreater(measured, 3400)
        self.assertGreater(exact / measured, 0.99)  # in some, acknowledgements waited for a repaired hole


class Transactions(TraceTest):
    def check(self, kind, fields_of):
        count = 0
        for flow, truth, record in self.transactions(kind):
            expected = fields_of(flow, truth)
            got = {name: record.get(name) for name in expected}
            for fields in (got, expected):
                if "transactionQuality" in fields:
                    fields["transactionQuality"] = certain(flow, fields["transactionQuality"])
            self.assertEqual(got, expected, (flow["key"], truth["i"]))
            self.check_times(flow, truth, record)
            count += 1
        self.assertGreater(count, 1000)

    def check_times(self, flow, truth, record):
        """q2 is the last copy of what the server waited for; r1 the first octet; r2 when all had come."""
        where = (flow["key"], truth["i"])
        self.assertEqual(record["transactionStartMicroseconds"], truth["request_first"], where)
        self.assertEqual(record["requestOctetCount"], truth["request_octets"], where)
        if not truth["response_octets"]:
            for name in ("responseTimeMicroseconds", "timeToLastByteMicroseconds", "responseOctetCount"):
                self.assertNotIn(name, record, where)
            return
        self.assertEqual(record["responseTimeMicroseconds"], truth["response_first"] - truth["request_all_again"], where)
        if truth["response_first"] == truth["response_begin"]:  # else its front was lost before the tap, and came later
            self.assertEqual(record["responseTimeMicroseconds"], int(truth["ttfb_us"]), where)
        self.assertEqual(record["timeToLastByteMicroseconds"], truth["response_complete"] - truth["request_first"], where)
        self.assertEqual(record["responseOctetCount"], truth["response_octets"], where)
        if flow["kind"] == "dns":
            return
        network = record["responseTimeMicroseconds"] - record["serverResponseTimeMicroseconds"]
        self.assertLessEqual(abs(network - flow["server_rtt"]), 5 + MICROSECOND, where)
        client = record["timeToFirstByteMicroseconds"] - (truth["response_first"] - truth["request_first"])
        self.assertLessEqual(abs(client - flow["client_rtt"]), 5 + MICROSECOND, where)

    @staticmethod
    def quality(flow, truth):
        marks = 0
        if flow["up"]["repeated_syns"]:
            marks |= HANDSHAKE_REPEATED | REPEAT_HIDDEN
        if truth["request_all_again"] > truth["request_complete"]:
            marks |= REQUEST_REPEATED
        return marks

    def test_http(self):
        pipelined = self.pipelined()

        def fields(flow, truth):
            marks = self.quality(flow, truth)
            if (truth["flow"], truth["i"]) in pipelined:
                marks |= PIPELINED
            return {"httpRequestMethod": truth["method_or_qtype"], "httpRequestHost": truth["host_or_result"],
                    "httpRequestTarget": truth["url_or_sql"], "httpStatusCode": int(truth["status"]),
                    "httpMessageVersion": "HTTP/1.1", "transactionQuality": marks}
        self.check("http", fields)
        self.assertGreater(len(pipelined), 10)

    def pipelined(self):
        """Requests that were sent before the response ahead of them was complete."""
        found = set()
        for transactions in self.truth.transactions.values():
            for ahead, t in zip(transactions, transactions[1:]):
                if t["kind"] == "http" and t["request_first"] < ahead["response_complete"]:
                    found.add((t["flow"], t["i"]))
        return found

    def test_mysql(self):
        def fields(flow, truth):
            statement, failed = truth["url_or_sql"], truth["host_or_result"] == "err"
            verb = statement.split()[0]
            expected = {"databaseSystem": "mysql", "databaseUser": "app", "databaseName": "shop",
                        "databaseServerVersion": "8.0.35", "databaseStatement": statement, "databaseOperation": verb,
                        "databaseErrorCode": None, "databaseRowCount": None, "databaseAffectedRowCount": None,
                        "transactionQuality": self.quality(flow, truth)}
            if failed:
                expected |= {"databaseErrorCode": 1146, "databaseSqlState": "42S02",
                             "databaseErrorMessage": f"Table 'shop.{statement.split()[-1]}' doesn't exist"}
            elif verb == "SELECT":
                expected["databaseRowCount"] = int(truth["outcome"])
            else:
                expected["databaseAffectedRowCount"] = 1
            return expected
        self.check("mysql", fields)

    def test_dns(self):
        def fields(flow, truth):
            expected = {"dnsQueryName": truth["host_or_result"], "dnsQueryType": int(truth["method_or_qtype"]),
                        "dnsQueryClass": 1, "dnsQueryCount": 1}
            if truth["status"] == "-1":
                return expected | {"dnsResponseCode": None, "dnsAnswer": None, "transactionQuality": HALF}
            answers = [str(ipaddress.ip_address(bytes.fromhex(word))) for word in truth["outcome"].split()]
            return expected | {"dnsResponseCode": int(truth["status"]), "dnsAnswerCount": len(answers),
                               "dnsAnswer": ",".join(answers) or None,
                               "dnsAnswerTtl": ",".join(["300"] * len(answers)) or None, "transactionQuality": 0}
        self.check("dns", fields)

    def test_there_are_no_others(self):
        got = Counter(record["record"] for record in self.records if record["record"] != "flow")
        asked = Counter(t["kind"] for transactions in self.truth.transactions.values() for t in transactions)
        self.assertEqual(got, {"http": asked["http"], "sql": asked["mysql"], "dns": asked["dns"]})


class Sameness(TraceTest):
    def same(self, records, expected=None):
        self.assertEqual(trace.as_set(records), trace.as_set(self.records if expected is None else expected))

    def test_again(self):
        self.assertEqual(trace.replay(self.probe, [self.capture]), self.records)

    def test_several_workers(self):
        for workers in ("2", "4"):
            self.same(trace.replay(self.probe, [self.capture], "--workers", workers))

    def test_standard_input(self):
        with open(self.capture, "rb") as capture:
            self.same(trace.replay(self.probe, ["-"], stdin=capture))

    def test_compressed(self):
        packed = self.folder / "trace.pcap.gz"
        with open(self.capture, "rb") as capture, gzip.open(packed, "wb", compresslevel=1) as file:
            shutil.copyfileobj(capture, file)
        self.same(trace.replay(self.probe, [packed]))

    def test_two_captures_in_one_run(self):
        first, second = self.halves()
        whole = trace.replay(self.probe, [first, second])
        self.same(whole, trace.replay(self.probe, [first]) + trace.replay(self.probe, [second]))
        self.same(trace.replay(self.probe, [second, first]), whole)

    def test_a_capture_in_two_files(self):
        """Cut in the middle of flows, its second part carries them on."""
        data = self.capture.read_bytes()
        at = self.record_after(data, len(data) // 2)
        parts = self.folder / "part1.pcap", self.folder / "part2.pcap"
        parts[0].write_bytes(data[:at])
        parts[1].write_bytes(data[:24] + data[at:])
        self.same(trace.replay(self.probe, parts))

    @staticmethod
    def record_after(data, least):
        at = 24
        while at < least:
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]
        return at

    def halves(self):
        """The trace's IPv4 and IPv6 packets: two captures that have no flow in common."""
        data, at = self.capture.read_bytes(), 24
        parts = {0x0800: [data[:24]], 0x86dd: [data[:24]]}
        while at < len(data):
            end = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
            parts[struct.unpack_from(">H", data, at + 16 + 12)[0]].append(data[at:end])
            at = end
        paths = self.folder / "ipv4.pcap", self.folder / "ipv6.pcap"
        for path, packets in zip(paths, parts.values()):
            path.write_bytes(b"".join(packets))
        return paths


if __name__ == "__main__":
    TraceTest.probe, TraceTest.generator = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
