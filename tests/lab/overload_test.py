#!/usr/bin/env python3
"""`augprobe run` on a port of DPDK (net_memif), for some seconds at twice what it can carry, by the truth of the sender. No root.

The sender knows of each flow which frames it got rid of. Every one of them must be in the probe's identity. Of each flow there
must be all packets in the records, or nothing; what is missing must be what the probe says it shed. Memory must stay, and after
the load has fallen flows must have their transactions again, and no sign of sampling.

Several workers have a dispatcher in front of them.

Usage: overload_test.py PROBE LOAD_FLOWS CAPTURE [SECONDS [WORKERS]]
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from array import array
from collections import Counter

from kit.running import Judge, Probe, read_text
from kit.world import wait_until

CALM = 0.25  # of what it can carry: before and after
AT_A_TIME = 1024  # copies of the capture
LATER = 4  # seconds: how long it is watched when everything is measured again
SETTLED = 0.5  # of the overload: memory must not grow from here on
GROWTH = 0.05  # of the memory that was planned
MEMORY_BESIDES = 200 << 20  # octets: program, libraries, EAL
SAMPLED_OUT, NOT_DISSECTED = 1 << 15, 1 << 16  # measurementQuality
LOST_RECORDS = ("record_pool_empty", "record_exporter_behind", "export_too_late")
SHED = ("shed_dissection", "shed_flows", "shed_packets", "shed_flows_joined")


class Here:
    """What kit.running.Probe wants of a world."""

    def __init__(self, directory):
        self.directory = directory

    def path(self, name):
        return os.path.join(self.directory, name)

    @staticmethod
    def spawn(_netns, command, **options):
        return subprocess.Popen(command, **options)


class Sender:
    """load_flows: `steps` as [(million frames a second, seconds), …]."""

    def __init__(self, program, memif, capture, truth, steps):
        self.steps, self.ended, self.truth = [f"{rate:.6f}:{seconds}" for rate, seconds in steps], [], truth
        device = f"net_memif0,role=client,socket={memif},socket-abstract=no,rsize=14"
        self.process = subprocess.Popen([program, "-d", device, "-p", ",".join(self.steps), "-k", str(AT_A_TIME), "-t", truth,
                                         capture], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.begun = []  # times
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            if line.startswith("begins"):
                self.begun.append(time.time_ns())
            else:
                words = line.split()
                self.ended.append({"offered": int(words[3]), "refused": int(words[5]), "seconds": float(words[7])})

    def wait(self, seconds):
        if self.process.wait(seconds) != 0:
            raise RuntimeError("the sender failed")
        wait_until(lambda: len(self.ended) == len(self.steps), "what the sender says")

    def total(self, what):
        return sum(step[what] for step in self.ended)


def workers():
    number = int(sys.argv[5]) if len(sys.argv) > 5 else 1
    return {"capture.workers": number, "capture.queues": 1}


def start(program, directory, name, **settings):
    os.makedirs(f"{directory}/{name}")
    here = Here(f"{directory}/{name}")
    memif, file = here.path("memif.sock"), here.path("records.ipfix")
    fixed = {"capture.ports": [f"dpdk:net_memif0,role=server,socket={memif},socket-abstract=no"], "dpdk.hugepages": "never",
             "export.targets": [f"file:{file}"], "flow.tcp_linger": "100ms", "flow.idle_timeout": "1s",
             "records.flow": 50_000, "records.transaction": 50_000}
    probe = Probe(here, None, program, name, {**fixed, **workers(), **settings})
    probe.memif, probe.file = memif, file
    return probe


def capacity(program, load_flows, capture, directory):
    """Million frames a second that are taken of the first rate that is much too much, with all flows measured."""
    probe = start(program, directory, "capacity", **{"sampling.shed": False})
    try:
        sender = Sender(load_flows, probe.memif, capture, probe.w.path("truth"), [(0.1 * 1.3**i, 1) for i in range(24)])
        wait_until(lambda: sender.ended and sender.ended[-1]["refused"] > 0.2 * sender.ended[-1]["offered"], "too high a rate", 60)
        step = sender.ended[-1]
        sender.process.send_signal(signal.SIGTERM)
        sender.process.wait(60)
        probe.stop()
    finally:
        probe.process.kill()
    return (step["offered"] - step["refused"]) / step["seconds"] / 1e6


def replay(program, capture):
    run = subprocess.run([program, "replay", "--json", "-", capture], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def seconds_of_a_copy(frames, rate):
    """How long one copy of the capture takes at that many million frames a second."""
    return AT_A_TIME * frames / (rate * 1e6)


class Watch:
    """Looks at a running probe now and then."""

    def __init__(self, probe):
        self.probe, self.looks = probe, []

    def look(self):
        level = max(w["shed_level"] for w in self.probe.statistics()["workers"])
        self.looks.append((time.time_ns(), level, self.probe.resident()))
        time.sleep(0.1)
        return level

    def steps(self):
        """When a level was seen that is another one than that before."""
        before = 0
        for when, level, _ in self.looks:
            if level != before:
                yield when, level
            before = level

    def most(self, begin, end, what):
        return max((look[what] for look in self.looks if begin <= look[0] <= end), default=0)


def until_all_is_measured(watch):
    """When that was; it is watched for some seconds more."""
    end = time.monotonic() + 150
    while time.monotonic() < end:
        if watch.look() > 0:
            continue
        again = time.time_ns()
        while watch.look() == 0:
            if time.time_ns() - again > LATER * 1e9:
                return again
    raise TimeoutError("it still sheds")


def overload(program, load_flows, capture, directory, carried, seconds):
    probe = start(program, directory, "overload")
    frames = sum(r["packetDeltaCount"] + r.get("reversePacketDeltaCount", 0) for r in replay(program, capture) if r["record"] == "flow")
    before = 2 + 2 * seconds_of_a_copy(frames, CALM * carried)
    try:
        sender = Sender(load_flows, probe.memif, capture, probe.w.path("truth"),
                        [(CALM * carried, before), (2 * carried, seconds), (CALM * carried, 200)])
        watch = Watch(probe)
        while len(sender.begun) < 3:
            watch.look()
        sender.again = until_all_is_measured(watch)
        sender.process.send_signal(signal.SIGTERM)
        sender.wait(60)
        code = probe.stop()
    finally:
        probe.process.kill()
    return probe, sender, watch, code


def number(address):
    return int.from_bytes(socket.inet_aton(address), "big")


class Truth:
    """What the sender wrote, and what a replay of its capture says of a flow that nothing happened to."""

    def __init__(self, path, program, capture):
        with open(path) as file:
            conversations = [line.split() for line in iter(lambda: file.readline().rstrip(), "")]
            rows = [array("q", map(int, line.split())) for line in file]
        self.frames = [int(c[5]) for c in conversations]
        self.kinds = {}
        for i, (low, low_port, high, high_port, *_) in enumerate(conversations):
            self.kinds[int(low_port), int(high_port)] = i, number(low)
            self.kinds[int(high_port), int(low_port)] = i, number(high)
        if len(self.kinds) != 2 * len(conversations):
            raise ValueError("conversations of the capture cannot be told apart by their ports")
        self.begin = array("q", (row[1] for row in rows))
        self.offered = array("H", (n for row in rows for n in row[2::2]))
        self.refused = array("H", (n for row in rows for n in row[3::2]))
        self.transactions = [0] * len(conversations)
        for record in replay(program, capture):
            if record["record"] != "flow":
                self.transactions[self.kinds[record["sourceTransportPort"], record["destinationTransportPort"]][0]] += 1

    def place(self, record):
        """Number of the record's flow."""
        kind, address = self.kinds[record["sourceTransportPort"], record["destinationTransportPort"]]
        return (number(record["sourceIPv4Address"]) ^ address) * len(self.frames) + kind

    def flows(self):
        for place, offered in enumerate(self.offered):
            if offered > self.refused[place]:
                copy, kind = divmod(place, len(self.frames))
                yield place, kind, self.begin[copy], offered - self.refused[place]

    def unharmed(self, place, kind):
        """All frames of the flow were sent and taken."""
        return self.offered[place] == self.frames[kind] and self.refused[place] == 0


class Told:
    """What the records say of each flow."""

    def __init__(self, n):
        self.records, self.packets, self.transactions = (array("L", bytes(8 * n)) for _ in range(3))
        self.quality, self.probability = array("L", bytes(8 * n)), array("d", [1]) * n

    def add(self, place, record):
        if record["record"] != "flow":
            self.transactions[place] += 1
            return
        self.records[place] += 1
        self.packets[place] += record["packetDeltaCount"] + record.get("reversePacketDeltaCount", 0)
        self.quality[place] |= record["measurementQuality"]
        self.probability[place] = min(self.probability[place], record.get("samplingProbability", 1))


def records_of(program, file):
    """Of an IPFIX file, which over TCP is what an exporter sends (RFC 5655 §8)."""
    collector = subprocess.Popen([program, "collect", "--listen", "tcp://127.0.0.1:0", "--json", "-"], stdout=subprocess.PIPE,
                                 stderr=open(f"{file}.log", "w"))
    wait_until(lambda: re.search(r"\(port (\d+)\)", read_text(f"{file}.log")), "the collector")
    port = int(re.search(r"\(port (\d+)\)", read_text(f"{file}.log"))[1])

    def feed():
        with open(file, "rb") as octets, socket.create_connection(("127.0.0.1", port)) as s:
            s.sendfile(octets)
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
        collector.send_signal(signal.SIGTERM)
    feeder = threading.Thread(target=feed)
    feeder.start()
    for line in collector.stdout:
        yield json.loads(line)
    feeder.join()


def judge_flows(judge, truth, told, probe, calm, times):
    lost = sum(probe.counters.get(name, 0) for name in LOST_RECORDS)
    halves, missing, missing_packets, undissected, bare = [], 0, 0, 0, []
    before, after, after_bad = Counter(), 0, []
    seen, estimated = 0, 0.0
    begin, end, again = times
    for place, kind, begun, received in truth.flows():
        whole, marks = told.records[place] > 0, told.quality[place]
        if not whole:
            missing, missing_packets = missing + 1, missing_packets + received
        elif told.packets[place] != received:
            halves.append((place, told.packets[place], received, told.records[place], hex(marks)))
        undissected += marks & NOT_DISSECTED != 0
        measured = whole and not marks & (NOT_DISSECTED | SAMPLED_OUT) and told.probability[place] == 1
        complete = not truth.unharmed(place, kind) or told.transactions[place] == truth.transactions[kind]
        if measured and not complete or (marks & NOT_DISSECTED and told.transactions[place]):
            bare.append((place, told.transactions[place], truth.transactions[kind], hex(marks)))
        if begun < begin - 1e9 * (seconds_of_a_copy(sum(truth.frames), calm) + 1):  # it had ended when the load rose
            before[measured] += 1
        elif begin + 10**9 < begun < end:
            seen, estimated = seen + received, estimated + told.packets[place] / told.probability[place]
        elif begun > again:
            after += 1
            if not measured:
                after_bad.append((place, told.records[place], told.probability[place], hex(marks)))
    judge.check("records: each flow is whole or absent", not halves, f"{len(halves)} are not {halves[:3]}")
    judge.check("records: transactions are those of flows that were dissected, and all of them", len(bare) <= lost,
                f"{len(bare)} flows differ {bare[:3]}, {lost} records lost")
    shed, packets = probe.counters.get("shed_flows", 0), probe.counters.get("shed_packets", 0)
    judge.check("flows without a record are those that were shed", shed <= missing <= shed + lost,
                f"{missing} missing, {shed} shed, {lost} records lost")
    judge.check("their packets as well", packets <= missing_packets and (lost > 0 or packets == missing_packets),
                f"{missing_packets} missing, {packets} shed")
    judge.check("flows before the overload are all measured", before[True] > 100 and before[False] <= lost, dict(before))
    judge.check("flows of the overload that were not dissected", undissected > 100, undissected)
    if lost == 0 and seen:
        judge.check("counts / samplingProbability estimate the traffic", 0.85 < estimated / seen < 1.15, f"{estimated / seen:.3f}")
    judge.check("flows after it are all measured, with their transactions and without a mark", after > 100 and not after_bad,
                f"{after} flows, {len(after_bad)} not {after_bad[:3]}")


def main():
    program, load_flows, capture = (os.path.abspath(argument) for argument in sys.argv[1:4])
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 8
    judge = Judge(f"{seconds:.0f} s at twice what it can carry")
    with tempfile.TemporaryDirectory(prefix="augprobe-overload-") as directory:
        carried = capacity(program, load_flows, capture, directory)
        judge.check("what it can carry", carried > 0.05, f"{carried:.3f} M frames/s")
        for attempt in range(3):
            probe, sender, watch, code = overload(program, load_flows, capture, f"{directory}/{attempt}", carried, seconds)
            begin, end = sender.begun[1:3]
            if watch.most(begin, end, 1) > 0:
                break
            carried *= 2  # others may have used the machine when it was measured
        times = begin, end, sender.again
        judge.clean_exit(probe, code)
        for name, step in zip(("before", "overload", "after"), sender.ended):
            rate = step["offered"] / step["seconds"] / 1e6
            judge.check(f"{name}: frames were offered", step["offered"] > 0,
                        f"{rate:.3f} M/s, {step['refused']} of {step['offered']} refused by the port")
        sent = sender.total("offered") - sender.total("refused")
        judge.check("offered = counted + dropped, and what was sent is what was offered",
                    int(probe.ended["offered"]) == sent == int(probe.ended["counted"]) + int(probe.ended["dropped"]),
                    f"{sent} sent, {', '.join(f'{probe.ended[what]} {what}' for what in ('offered', 'counted', 'dropped'))}")
        print("      ", {name: probe.counters.get(name, 0) for name in (*SHED, *LOST_RECORDS, "flow_evicted", "flow_created")})
        print("       levels:", *(f"{(when - begin) / 1e9:.1f} s: {level}" for when, level in watch.steps()))
        judge.check("it shed", watch.most(begin, end, 1) > 0,
                    f"level {watch.most(begin, end, 1)} at most, 0 again {(sender.again - end) / 1e9:.1f} s after the overload")
        settled = begin + int(SETTLED * (end - begin))
        early, late = watch.most(begin, settled, 2), watch.most(settled, end, 2)
        judge.check("memory stays", late - early < GROWTH * probe.planned and late < probe.planned + MEMORY_BESIDES,
                    f"{early >> 20} MB, later {late >> 20} MB; {probe.planned >> 20} MB planned")
        truth = Truth(sender.truth, program, capture)
        told = Told(len(truth.offered))
        for record in records_of(program, probe.file):
            if "sourceTransportPort" in record:
                told.add(truth.place(record), record)
        judge_flows(judge, truth, told, probe, CALM * carried, times)
    sys.exit(0 if judge.report() else 1)


main()
