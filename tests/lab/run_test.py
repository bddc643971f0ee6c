#!/usr/bin/env python3
"""`augprobe run` at a mirror port, while nginx, unbound and MariaDB talk across a fresh wire. Needs root.

Several probes and a capture of others (dumpcap) read the mirror at the same time. What the probes export must be, record for
record, what a replay of that capture gives; of kernel sockets to the nanosecond, of DPDK to its poll. The capture in turn must hold
what the wire mirrored, to the octet, and the records must agree with the wire's log.

Usage: run_test.py PROBE WIRE [socket|dpdk]
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter

from kit import world
from kit.compare import Comparison, replay, without_times
from kit.pcapfile import read, write
from kit.world import wait_until

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../pcaps/make"))

from capture import Capture, take  # noqa: E402  (found through the line above)
from live_test import mixture  # noqa: E402

MIRROR = 'capture.ports=["socket:span0"]'
TAP = 'capture.ports=["socket:tap-up", "socket:tap-down"]'
# A probe of each way to spread packets over threads, one with a filter, and those of a TAP.
SOCKETS = {
    "one worker": (MIRROR,),
    "two queues": (MIRROR, "capture.workers=2"),
    "dispatcher": (MIRROR, "capture.workers=2", "capture.queues=1"),
    "filter": (MIRROR, "capture.filter=tcp port 80 or udp"),
    "tap": (TAP,),
    "tap, two queues": (TAP, "capture.workers=2"),
}
DPDK = {"af_packet": ('capture.ports=["dpdk:net_af_packet0,iface=span0"]', "dpdk.hugepages=never")}
WORLDS = {
    "socket": (Capture("loss_and_disorder", "", mixture, delay_ms=(3, 7), client_up="loss=2%", server_down="loss=2%",
                       client_down="reorder=2%:2ms,dup=2%", seed=os.getpid()), SOCKETS),
    "dpdk": (Capture("no_fault", "", mixture, delay_ms=(3, 7)), DPDK),
}

SO_TIMESTAMPNS = 35


class Probe:
    """`augprobe run` in the namespace of the mirror, and the collector that it exports to."""

    def __init__(self, w, program, name, number, settings):
        self.name, self.settings = name, settings
        self.json, self.log = w.path(f"{number}.jsonl"), w.path(f"{number}.log")
        url = f"tcp://127.0.0.1:{4740 + number}"
        self.collector = w.spawn(w.span, [program, "collect", "--quiet", "--listen", url, "--json", self.json])
        wait_until(lambda: f":{4740 + number} " in w.run(w.span, ["ss", "-lntH"]), f"{name}'s collector")
        arguments = [part for setting in settings for part in ("--set", setting)]
        self.process = w.spawn(w.span, [program, "run", *arguments, "--export", url], stderr=open(self.log, "w"))
        wait_until(lambda: "event=started" in self.said() or self.process.poll() is not None, f"{name} to start")
        if self.process.poll() is not None:
            raise RuntimeError(f"{name} did not start: {self.said()}")

    def said(self):
        with open(self.log) as file:
            return file.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        # The connection has ended; what it carried is being written.
        self.collector.send_signal(signal.SIGTERM)
        self.collector.wait(30)
        with open(self.json) as lines:
            self.records = [json.loads(line) for line in lines]
        self.log_text = self.said()
        return code


def split(w):
    """As a TAP does it: each direction of what the mirror shows comes in on a port of its own."""
    w.run(w.span, ["tc", "qdisc", "add", "dev", "span0", "clsact"])
    for port, source in (("tap-up", world.CLIENT), ("tap-down", world.SERVER)):
        w.run(w.span, ["ip", "link", "add", f"{port}-in", "type", "veth", "peer", "name", port])
        for end in (f"{port}-in", port):
            w.run(w.span, ["sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1"])
            w.run(w.span, ["ip", "link", "set", end, "up"])
        w.run(w.span, ["tc", "filter", "add", "dev", "span0", "ingress", "protocol", "ip", "u32", "match", "ip", "src",
                       source, "action", "mirred", "egress", "mirror", "dev", f"{port}-in"])


class Mirror:
    """What reads the mirror port while the world talks."""

    def __init__(self, w, program, probes):
        # While one socket wants it, the kernel stamps each frame when it comes in: all who read it tell the same time.
        self.stamper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stamper.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        split(w)
        self.capture = w.path("mirror.pcapng")
        self.dumpcap = w.spawn(w.span, ["dumpcap", "-q", "-i", "span0", "-B", "64", "-w", self.capture],
                               stderr=open(w.path("dumpcap.log"), "w"))
        wait_until(lambda: os.path.exists(self.capture) and os.path.getsize(self.capture) > 0, "dumpcap")
        self.probes = [Probe(w, program, name, i, settings) for i, (name, settings) in enumerate(probes.items())]
        time.sleep(0.5)
        self.codes = {}

    def stop(self):
        time.sleep(0.5)
        for probe in self.probes:
            self.codes[probe.name] = probe.stop()
        self.dumpcap.send_signal(signal.SIGINT)
        self.dumpcap.wait(30)
        subprocess.run(["editcap", "-F", "nsecpcap", self.capture, f"{self.capture}.pcap"], check=True)
        self.frames = read(f"{self.capture}.pcap")
        self.stamper.close()


def lines(records):
    return Counter(json.dumps(record, sort_keys=True) for record in records)


class Judge:
    def __init__(self, name):
        self.name, self.faults = name, []

    def equal(self, what, expected, got):
        if expected != got:
            self.faults.append(f"{what}: expected {expected!r}, got {got!r}")

    def same_records(self, what, expected, got):
        expected, got = lines(expected), lines(got)
        self.equal(f"{what}: there are records", True, expected.total() > 10)
        self.equal(f"{what}: records", expected.total(), got.total())
        for missing in list((expected - got))[:3]:
            self.faults.append(f"{what}: only in the replay: {missing}")
        for extra in list((got - expected))[:3]:
            self.faults.append(f"{what}: only live: {extra}")

    def report(self):
        print(f"{'FAIL' if self.faults else 'ok  '} {self.name}")
        for fault in self.faults:
            print(f"       {fault}")
        return not self.faults


def judge(name, mirror, frames, facts, program):
    """`frames`: what the wire mirrored, with its own times."""
    judge = Judge(name)
    captured = mirror.frames
    judge.equal("frames of the capture", len(frames), len(captured))
    judge.equal("their octets", True, [f.data for f in frames] == [f.data for f in captured])
    late = [b.time - a.time for a, b in zip(frames, captured)]
    stamps_us = (max(late) - min(late)) / 1000
    exact = name == "socket"
    for probe in mirror.probes:
        settings = [part for setting in probe.settings for part in ("--set", setting)]
        expected = replay(program, mirror.copy, *settings)
        judge.equal(f"{probe.name}: exit code", 0, mirror.codes[probe.name])
        judge.equal(f"{probe.name}: its identity", [(str(len(captured)), "holds")],
                    re.findall(r"event=ended offered=(\d+) .* identity=(\w+)", probe.log_text))
        if exact:
            judge.same_records(probe.name, expected, probe.records)
        else:
            judge.same_records(probe.name, without_times(expected), without_times(probe.records))
    good = judge.report()
    if exact:
        print(f"       {len(frames)} frames, stamps within {stamps_us:.0f} µs of the wire's")
        good &= Comparison(json.loads(json.dumps(facts)), mirror.probes[0].records, stamps_us).run().report("wire's log")
    return good


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    program, wire, names = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:] or list(WORLDS)
    good = True
    for name in names:
        made, probes = WORLDS[name]
        mirror = None

        def watch(w):
            nonlocal mirror
            mirror = Mirror(w, program, probes)
            return mirror
        frames, facts, _ = take(made, wire, watch)
        with tempfile.NamedTemporaryFile(suffix=".pcap") as copy:
            mirror.copy = copy.name
            write(copy.name, mirror.frames)
            good &= judge(name, mirror, frames, facts, program)
    sys.exit(0 if good else 1)


main()
