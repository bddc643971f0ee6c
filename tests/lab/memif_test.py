#!/usr/bin/env python3
"""`augprobe run` on a port of DPDK (net_memif) that a sender of ours feeds: at a rate that it carries, and at more than it can
carry. No root.

Every frame that the sender got rid of must be in the probe's identity, and every packet counted in a flow must arrive in a flow
record at the collector.

Usage: memif_test.py PROBE LOAD_SEND CAPTURE
"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter

FRAMES = 4000  # of the capture at most
SLOW, FLOOD = 0.01, 30  # million frames a second
FEW, MANY = 64, 16_384  # rounds through the capture before addresses come again
MEMORY_BESIDES = 200 << 20  # octets: program, libraries, EAL

failures = []


def check(what, good, found):
    print(f"{'ok  ' if good else 'FAIL'} {what}: {found}")
    if not good:
        failures.append(what)


def wait_until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def text_of(path):
    with open(path) as file:
        return file.read()


class Probe:
    """`augprobe run` at a memif, and its collector."""

    def __init__(self, program, directory, *settings):
        self.directory = directory
        self.socket, self.log, self.json = (f"{directory}/{name}" for name in ("memif.sock", "run.log", "records.jsonl"))
        collected = f"{directory}/collect.log"
        self.collector = subprocess.Popen([program, "collect", "--listen", "tcp://127.0.0.1:0", "--json", self.json],
                                          stderr=open(collected, "w"))
        wait_until(lambda: re.search(r"\(port (\d+)\)", text_of(collected)), "the collector")
        port = re.search(r"\(port (\d+)\)", text_of(collected))[1]
        settings = (f'capture.ports=["dpdk:net_memif0,role=server,socket={self.socket},socket-abstract=no"]',
                    "dpdk.hugepages=never", *settings)
        self.process = subprocess.Popen(
            [program, "run", *(part for setting in settings for part in ("--set", setting)), "-e", f"tcp://127.0.0.1:{port}"],
            stderr=open(self.log, "w"))
        wait_until(lambda: "event=started" in text_of(self.log) or self.process.poll() is not None, "the probe")
        if self.process.poll() is not None:
            raise RuntimeError(text_of(self.log))

    def resident(self):
        return int(re.search(r"VmRSS:\s+(\d+) kB", text_of(f"/proc/{self.process.pid}/status"))[1]) << 10

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.code = self.process.wait(60)
        self.collector.send_signal(signal.SIGTERM)
        self.collector.wait(60)
        with open(self.json) as lines:
            self.records = [json.loads(line) for line in lines]
        log = text_of(self.log)
        self.ended = dict(re.findall(r"(\w+)=(\w+)", re.search(r"event=ended (.*)", log)[1]))
        self.counters = {name: int(value) for name, value in re.findall(r"^(\w+) +(\d+) \w+$", log, re.M)}
        self.planned = int(re.search(r"event=memory octets=(\d+)", log)[1])

    def kill(self):
        for process in (self.process, self.collector):
            if process.poll() is None:
                process.kill()
                process.wait()


def send(load_send, probe, rate, seconds, rounds, capture):
    """Frames that were offered to the port, those of them that it had no room for, and how many the capture has."""
    device = f"net_memif0,role=client,socket={probe.socket},socket-abstract=no"
    # What is still in the rings when the sender leaves is gone: a rate of nothing waits for it to be read.
    run = subprocess.run([load_send, "-d", device, "-r", f"{rate},0", "-s", str(seconds), "-n", str(FRAMES), "-a", str(rounds),
                          capture], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120)
    told, _, *rates = run.stdout.splitlines()
    numbers = [[int(word) for word in line.split()[3:5]] for line in rates]
    return sum(n[0] for n in numbers), sum(n[1] for n in numbers), int(told.split()[0])


def expect_all(name, probe, sent):
    check(f"{name}: exit code", probe.code == 0, probe.code)
    check(f"{name}: its identity holds", probe.ended["identity"] == "holds", probe.ended)
    check(f"{name}: what was sent is what was offered", int(probe.ended["offered"]) == sent, f"{sent} sent")
    flows = [r for r in probe.records if r["record"] == "flow"]
    packets = sum(f["packetDeltaCount"] + f.get("reversePacketDeltaCount", 0) for f in flows)
    lost = {name: probe.counters[name] for name in ("record_pool_empty", "record_exporter_behind") if probe.counters.get(name)}
    counted = int(probe.ended["counted"])
    check(f"{name}: packets in {len(flows)} flow records", packets == counted or (lost and packets < counted),
          f"{packets} of {counted}, lost records: {lost or 'none'}")


def carries(program, load_send, capture, directory):
    # A machine that is busy for a moment would have it leave out transactions.
    probe = Probe(program, directory, "records.flow=100000", "records.transaction=100000", "sampling.shed=false")
    try:
        offered, refused, frames = send(load_send, probe, SLOW, 3, MANY, capture)
        probe.stop()
    finally:
        probe.kill()
    check("at a low rate: nothing is refused", refused == 0, f"{refused} of {offered}")
    expect_all("at a low rate", probe, offered)
    once = subprocess.run([program, "replay", "--json", "-", capture], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout.splitlines()
    kinds, expected = Counter(r["record"] for r in probe.records), Counter(json.loads(line)["record"] for line in once)
    rounds = offered // frames
    for kind, n in expected.items():
        if kind != "flow":  # a round that was begun has some of them
            check(f"at a low rate: {kind} records of {rounds} rounds and a part", rounds * n <= kinds[kind] <= (rounds + 1) * n,
                  f"{kinds[kind]}, {n} a round")


def overload(program, load_send, capture, directory):
    probe = Probe(program, directory, "capture.workers=2", "capture.queues=1", "flow.capacity=4096", "dissect.sessions=1024")
    try:
        first = send(load_send, probe, FLOOD, 2, FEW, capture)
        resident = probe.resident()
        second = send(load_send, probe, FLOOD, 4, FEW, capture)
        grown = probe.resident() - resident
        probe.stop()
    finally:
        probe.kill()
    offered, refused = first[0] + second[0], first[1] + second[1]
    check("flooded: more comes than it can carry", refused + int(probe.ended["dropped"]) > 0,
          f"{offered} frames, {refused} refused by the port, {probe.ended['dropped']} dropped by the probe")
    expect_all("flooded", probe, offered - refused)
    check("flooded: memory stays", grown < 16 << 20 and resident < probe.planned + MEMORY_BESIDES,
          f"{resident >> 20} MB of {probe.planned >> 20} MB planned, and {grown >> 20} MB more later")


def main():
    program, load_send, capture = (os.path.abspath(argument) for argument in sys.argv[1:4])
    for test in (carries, overload):
        with tempfile.TemporaryDirectory(prefix="augprobe-memif-") as directory:
            test(program, load_send, capture, directory)
    sys.exit(1 if failures else 0)


main()
