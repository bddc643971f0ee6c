#!/usr/bin/env python3
"""`augprobe run` on a kernel socket (TPACKET_V3) of a veth, for some seconds at more than its worker can do: the worker has what
the sender leaves it of one processor. Needs root.

What the kernel says of the sender's interface is the truth: each frame must be in the probe's identity, dropped ones included, and
each packet that was counted in a record.

Usage: socket_overload_test.py PROBE LOAD_FLOWS CAPTURE [SECONDS]
"""
import json
import os
import re
import subprocess
import sys
import time

from kit import world
from kit.feeder import pair
from kit.running import Judge, Probe, read_text

OFFERED = 8  # million frames a second: more than any sender gets into a veth
AT_A_TIME = 1024  # copies of the capture
SETTINGS = {"capture.ports": ["socket:port"], "capture.ring_memory": 4 << 20, "flow.tcp_linger": "100ms",
            "flow.idle_timeout": "1s", "records.flow": 200_000, "records.transaction": 200_000}
GROWTH = 32 << 20  # octets, once the memory that was reserved has been touched
LOST_RECORDS = ("record_pool_empty", "record_exporter_behind", "export_too_late")


def starve_worker(pid, cpu):
    for task in os.listdir(f"/proc/{pid}/task"):
        if read_text(f"/proc/{pid}/task/{task}/comm").startswith("worker"):
            os.sched_setaffinity(int(task), {cpu})
            os.sched_setscheduler(int(task), os.SCHED_IDLE, os.sched_param(0))


def went_out(w, interface):
    """Frames that the interface was given: those that the other end had no room for count as dropped here."""
    told = json.loads(w.run(w.span, ["ip", "-s", "-j", "link", "show", interface]))[0]["stats64"]["tx"]
    return told["packets"] + told["dropped"]


def flood(w, load_flows, capture, cpu, name, seconds, first):
    """What the sender says of it."""
    device = "net_af_packet0,iface=feed,framesz=2048,blocksz=4096,framecnt=512"
    sender = w.spawn(w.span, ["taskset", "-c", str(cpu), load_flows, "-d", device, "-p", f"{OFFERED}:{seconds}", "-k", str(AT_A_TIME),
                              "-f", str(first), "-t", w.path(name), capture], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = sender.communicate(timeout=120)[0]
    return [int(n) for n in re.search(r"ends \S+ offered (\d+) refused (\d+)", said).groups()]


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    program, load_flows, capture = (os.path.abspath(argument) for argument in sys.argv[1:4])
    seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 1.5
    judge = Judge("a kernel socket of which more is wanted than its worker can do")
    with world.World(None, span=True) as w:
        pair(w, w.span)
        file = w.path("records.ipfix")
        probe = Probe(w, w.span, program, "probe", {**SETTINGS, "export.targets": [f"file:{file}"]})
        cpu = min(os.sched_getaffinity(0))
        starve_worker(probe.pid(), cpu)
        resident, levels = [], []
        for turn in range(2):
            offered, refused = flood(w, load_flows, capture, cpu, f"truth{turn}", seconds, turn << 20)
            judge.check("sent", offered - refused > 1000, f"{offered - refused} frames in {seconds} s, {refused} had no room to be sent")
            resident.append(probe.resident())
            levels.append(probe.statistics()["workers"][0]["shed_level"])
        time.sleep(0.5)
        judge.clean_exit(probe, probe.stop())
        sent = went_out(w, "feed")
        told = {name: int(probe.ended[name]) for name in ("offered", "counted", "dropped")}
        judge.equal("frames that the kernel gave to the interface", sent, told["offered"])
        judge.equal("offered = counted + dropped", told["offered"], told["counted"] + told["dropped"])
        kernel = int(re.search(r"^ *(\d+) port\.dropped_kernel", probe.said(), re.M)[1]) if "port.dropped_kernel" in probe.said() else 0
        shed = probe.counters.get("shed_packets", 0)
        judge.check("it was too much", kernel > 0, f"{kernel} dropped by the kernel, {shed} shed, level {max(levels)}, {told['counted']} counted")
        judge.check("it shed", max(levels) > 0 or shed > 0, f"levels {levels}")
        judge.check("memory stays", resident[1] - resident[0] < GROWTH, f"{resident[0] >> 20} MB, later {resident[1] >> 20} MB")
        lost = sum(probe.counters.get(name, 0) for name in LOST_RECORDS)
        query = "SELECT sum(packetDeltaCount + coalesce(reversePacketDeltaCount, 0)) FROM flow"
        answer = subprocess.run([program, "show", file, "--query", query], check=True, stdout=subprocess.PIPE, text=True).stdout
        packets = int(re.findall(r"^\s*(\d+)\s*$", answer, re.M)[0])
        judge.check("packets in flow records", packets == told["counted"] or (lost and packets < told["counted"]),
                    f"{packets}, {lost} records lost")
    sys.exit(0 if judge.report() else 1)


main()
