#!/usr/bin/env python3
"""Running probes in which everything bounded is as small as it can be, or as slow: each fills, says so in its counter, and no
record is wrong. Needs root.

All see the same frames at the same time: our captures, many at a time, and what is made for one pool each. A replay with room for
everything is the truth. A record of a probe without room must agree with it in what it says, or be marked.

Usage: pools_test.py PROBE [WIRE [ROUNDS]]   (it needs no wire)
"""
import json
import os
import signal
import sys
import time
from collections import defaultdict

from kit import packets, world
from kit.compare import endpoints, replay
from kit.feeder import Feeder, mixture, pair
from kit.pcapfile import Frame, read, write
from kit.running import Collector, Judge, Probe, Tap, as_arguments, read_text
from kit.world import wait_until

RATE = 2000  # frames a second of conversations: several probes under sanitizers share two processors
TIMES = {"flow.tcp_linger": "500ms", "flow.idle_timeout": "1s", "flow.udp_idle_timeout": "1s"}
OVER = 4  # seconds: longer than these, and the seconds in which the probe looks for them
LACK_OF_RESOURCES = 5  # flowEndReason
MANY = 80  # of what is made for a pool
QUARANTINE_MB = 8  # what the address sanitizer keeps of freed memory
FLAT = 24 << 20  # octets that a probe may grow by once everything is full

# What is small, and the counters that tell of it.
SMALL = {
    "flows": ({"flow.capacity": 16}, ("flow_evicted", "flow_table_full")),
    "sessions": ({"dissect.sessions": 1}, ("dissection_sessions_full",)),
    "streams": ({"dissect.stream_memory": 1048576}, ("stream_pool_empty",)),
    "notes": ({"dissect.notes": 0}, ("dissection_notes_full",)),
    "datagrams": ({"decode.fragment_datagrams": 1}, ("decode_datagrams_evicted", "decode_fragments_too_many")),
    "fragments": ({"decode.fragment_memory": 65536}, ("decode_fragments_no_memory",)),
    "records": ({"records.flow": 16, "records.transaction": 16}, ("record_pool_empty", "record_exporter_behind")),
}
# What a record's quality says of it: the rest of its content may differ from the truth's.
MARKS = {"flow": {0: "mid_stream", 1: "direction_guessed", 2: "one_sided", 5: "capture_loss", 7: "tracker_full"},
         "other": {0: "mid_stream", 8: "stream_gap", 12: "half_transaction", 13: "opaque", 14: "text_cut"}}
# What follows from a dissector that had no room: absent, or as it is without one.
OF_DISSECTION = ("applicationName", "measurementQuality", "biflowDirection")


def http_with_a_hole(number):
    """A page whose segments come out of order: the head of the response is split, and its beginning comes last."""
    c = packets.Connection(f"10.70.{number}.1", 40000 + number, f"10.70.{number}.2", 80)
    head = f"HTTP/1.1 200 OK\r\nX-Filling: {'f' * 5000}\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nhello\n".encode()
    asked = [*c.handshake(), c.say(0, f"GET /page/{number} HTTP/1.1\r\nHost: hole.example\r\n\r\n".encode())]
    behind, first = c.out_of_order(1, head, 1000)
    return asked, behind, [first, *c.end()]


def holes():
    parts = [http_with_a_hole(i) for i in range(MANY)]
    return [frame for step in range(3) for part in parts for frame in part[step]]


def datagrams_in_fragments():
    """All first fragments, then all second ones, …: all are under way at a time. And one in too many fragments."""
    each = [packets.fragments(f"10.71.{i}.1", f"10.71.{i}.2", 7, packets.datagram(5000, 5001, b"d" * 3000), 1480)
            for i in range(MANY)]
    tiny = packets.fragments("10.71.200.1", "10.71.200.2", 8, packets.datagram(5000, 5001, b"t" * 4800), 8)
    return [f for step in zip(*each) for f in step] + tiny


def strangers():
    """A packet each of many flows, in one burst."""
    return [packets.udp(f"10.72.{i % 250}.1", 6000 + i // 250, f"10.72.{i % 250}.2", 6001, b"?") for i in range(50 * MANY)]


def as_frames(octets):
    return [Frame(0, data) for data in octets]


def key_of(record):
    return (record["record"], *endpoints(record), record.get("protocolIdentifier"))


def start_of(transaction):
    return transaction["transactionStartMicroseconds"]


class Truth:
    def __init__(self, records):
        self.by_key = defaultdict(list)
        for r in records:
            self.by_key[key_of(r)].append(r)

    def flows(self, record):
        """Those between the same ends, whichever was taken for the client."""
        kind, a, b, protocol = key_of(record)
        return self.by_key[(kind, a, b, protocol)] + self.by_key[(kind, b, a, protocol)]

    def transactions(self, record):
        return [r for r in self.by_key[key_of(record)] if start_of(r) == start_of(record)]


def differs(record, truth, leave=()):
    return {name: (value, truth.get(name)) for name, value in record.items() if name not in leave and truth.get(name) != value}


def marks(record):
    kind = "flow" if record["record"] == "flow" else "other"
    quality = record.get("measurementQuality" if kind == "flow" else "transactionQuality", 0)
    return [name for bit, name in MARKS[kind].items() if quality >> bit & 1]


def judge_transaction(record, truth):
    """None, or what is wrong."""
    if marks(record):
        return None
    wrong = []
    for t in truth.transactions(record):
        leave = ["transactionId"]
        if record["flowId"] != t["flowId"]:  # the flow was begun anew: with a round trip of its own
            leave += ["flowId", "serverResponseTimeMicroseconds", "transactionQuality"]
        if record.get("databaseOperation") == "STMT_EXECUTE":  # of a statement that is not known
            leave += ["databaseOperation"]
        if record["record"] == "quic":  # counts what passed
            leave += ["requestOctetCount", "quicServerOctetCount"]
        wrong.append(differs(record, t, leave))
    if not wrong and any(record["flowId"] != t["flowId"] and start_of(t) < start_of(record)
                         for t in truth.by_key[key_of(record)]):
        return None  # the first copy of its request went with the flow of before
    return None if {} in wrong else wrong[0] if wrong else "nothing like it in the truth"


def packets_of(record):
    return record["packetDeltaCount"] + record.get("reversePacketDeltaCount", 0)


def octets_of(record):
    return record["octetDeltaCount"] + record.get("reverseOctetDeltaCount", 0)


def judge_flows(records, truth, whole):
    """What is wrong with the flow records between two ends."""
    true = truth.flows(records[0])
    for count in (packets_of, octets_of):
        got, most = sum(map(count, records)), sum(map(count, true))
        if got > most:
            return f"{count.__name__} {got} of {most}"
    alone = len(records) == 1 and len(true) == 1 and records[0]["flowEndReason"] != LACK_OF_RESOURCES
    if not alone or (not whole and packets_of(records[0]) != packets_of(true[0])):
        return None
    if marks(records[0]) != marks(true[0]):
        return None
    wrong = differs(records[0], true[0], leave=OF_DISSECTION)
    return wrong or None


def judge_records(judge, name, records, truth):
    # Where packets are left out, a flow may have fewer than the truth.
    whole = name not in ("flows", "datagrams", "fragments")
    flows, wrong, checked = defaultdict(list), [], 0
    for r in records:
        if r["record"] == "flow":
            flows[frozenset(endpoints(r)) | {r["protocolIdentifier"]}].append(r)
            continue
        checked += 1
        if why := judge_transaction(r, truth):
            wrong.append((key_of(r), why))
    for some in flows.values():
        checked += len(some)
        if why := judge_flows(some, truth, whole):
            wrong.append((key_of(some[0]), why))
    marked = sum(bool(marks(r)) for r in records)
    judge.check(f"{name}: no record is wrong", checked > 0 and not wrong, f"{checked} records, {marked} of them marked")
    for key, why in wrong[:8]:
        print(f"            {len(wrong)} wrong: {key}: {why}")


class Small:
    """A probe in which something is small."""

    def __init__(self, w, program, name, number):
        settings, self.expected = SMALL[name]
        self.name = name
        self.collector = Collector(w, w.span, program, "tcp", 4760 + number).start()
        self.probe = Probe(w, w.span, program, f"small-{name}", {
            "capture.ports": ["socket:port"], "sampling.shed": False, "export.targets": [self.collector.url],
            **TIMES, **settings})

    def end(self, judge, truth):
        judge.clean_exit(self.probe, self.probe.stop())
        self.collector.stop()
        counted = {name: self.probe.counters.get(name, 0) for name in self.expected}
        judge.check(f"{self.name}: full, and counted", all(counted.values()), counted)
        judge_records(judge, self.name, self.collector.records(), truth)


def feed(w, rounds, first):
    """Everything that fills something, and conversations meanwhile."""
    sent = Feeder(w, w.span, "feed", as_frames(holes() + datagrams_in_fragments()), RATE).wait()
    sent += Feeder(w, w.span, "feed", mixture(rounds, first=first), RATE).wait()
    return sent + Feeder(w, w.span, "feed", as_frames(strangers()), 0).wait()


def pools(judge, program, rounds):
    with world.World(None, span=True) as w:
        pair(w, w.span)
        tap = Tap(w, w.span, "port")
        small = [Small(w, program, name, i) for i, name in enumerate(SMALL)]
        time.sleep(0.5)
        sent = feed(w, rounds, 0)
        before = [s.probe.resident() for s in small]
        time.sleep(OVER)
        sent += feed(w, rounds, 2000)
        grown = {s.name: s.probe.resident() - b for s, b in zip(small, before)}
        judge.check("memory stays", all(g < FLAT for g in grown.values()), {name: f"{g >> 10} kB" for name, g in grown.items()})
        time.sleep(OVER)
        capture = tap.stop()
        frames = read(capture)
        # A replay knows no time but that of packets: one after everything ends its flows, too.
        write(capture, [*frames, frames[0]._replace(time=frames[-1].time + 60 * 10**9)])
        truth = Truth(replay(program, capture, *as_arguments(TIMES)))
        for s in small:
            s.end(judge, truth)
            judge.equal(f"{s.name}: frames offered", str(sent), s.probe.ended["offered"])


def starve_workers(pid):
    """Leaves them what its other threads do not want of one processor."""
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {min(os.sched_getaffinity(0))})
        if read_text(f"/proc/{pid}/task/{task}/comm").startswith("worker"):
            os.sched_setscheduler(int(task), os.SCHED_IDLE, os.sched_param(0))


def flood(judge, program, frames):
    """More than can be carried: a ring whose probe stands still, and a dispatcher whose workers are late."""
    with world.World(None, span=True) as w:
        pair(w, w.span)
        own = {"export.targets": ["null:"], "capture.ports": ["socket:port"], "sampling.shed": False}
        still = Probe(w, w.span, program, "still", {**own, "capture.ring_memory": 1 << 20})
        late = Probe(w, w.span, program, "late", {**own, "capture.workers": 2, "capture.queues": 1})
        starve_workers(late.pid())
        time.sleep(0.5)
        still.signal(signal.SIGSTOP)
        sent = Feeder(w, w.span, "feed", frames, 0).wait()
        still.signal(signal.SIGCONT)
        probes = {still: "port.dropped_kernel", late: "dispatch_full"}
        for probe, reason in probes.items():
            wait_until(lambda: f"event=loss reason={reason}" in probe.said(), f"{probe.name}: to say what it lost")
        resident = []
        for _ in range(2):  # the first time memory is touched that was only reserved
            sent += Feeder(w, w.span, "feed", frames, 0).wait()
            time.sleep(1)
            resident.append([probe.resident() for probe in probes])
        for probe, before, after in zip(probes, *resident):
            judge.check(f"{probe.name}: memory stays", after - before < FLAT, f"{after - before >> 10} kB")
        for probe in probes:
            judge.clean_exit(probe, probe.stop())
            judge.equal(f"{probe.name}: frames offered", str(sent), probe.ended["offered"])
            judge.check(f"{probe.name}: goes on after the flood", int(probe.ended["counted"]) > 0, probe.ended)


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    program, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 1
    os.environ["ASAN_OPTIONS"] = f"{os.environ.get('ASAN_OPTIONS', '')}:quarantine_size_mb={QUARANTINE_MB}".strip(":")
    good = True
    for name, test in (("pools are full", lambda j: pools(j, program, rounds)),
                       ("more comes than can be carried", lambda j: flood(j, program, mixture(3 * rounds, first=5000) * 5))):
        judge = Judge(name)
        test(judge)
        good &= judge.report()
    sys.exit(0 if good else 1)


main()
