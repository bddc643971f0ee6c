#!/usr/bin/env python3
"""SIGHUP a hundred times while nginx, unbound and MariaDB talk. Needs root.

Of the export targets one stays, the others take turns; the filter lets noise pass or not; now and then the file has a mistake.
All records that the targets of turns got together, and those of the one that stays, must be what a replay of a capture of others
gives: none is lost, none is split, none comes twice. The noise is in flows or filtered, to the packet.

Usage: reload_test.py PROBE WIRE [RELOADS]
"""
import json
import os
import sys
import threading
import time
from collections import Counter

from kit import world
from kit.compare import replay
from kit.pcapfile import ip_part, read, write
from kit.running import Collector, Judge, Probe, Tap, as_arguments
from kit.servers import Mariadb, Unbound

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../pcaps/make"))

import curl  # noqa: E402  (found through the line above)
import dns  # noqa: E402
import http_plain  # noqa: E402
import mysql  # noqa: E402

NOISE = 9  # the port of discard
FILTERS = ("", f"not udp port {NOISE}")
BURST = 20  # signals at once
# So that many flows end, and records go out, while it is reloaded.
TIMES = {"flow.tcp_linger": "200ms", "flow.idle_timeout": "1s", "flow.udp_idle_timeout": "700ms", "flow.active_timeout": "1500ms"}
QUIET = 4.5  # seconds: longer than all of these and the second in which the probe looks for them
MISTAKES = ({"capture_filter": "tcp port eighty"}, {"export_targets": ["tcp://nowhere"]},
            {"export_targets": ["file:/no/such/folder/x"]}, {"flow_idle_timeout": "for ever"})
NOISY = f"""
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    s.sendto(b"noise", ("{world.SERVER}", {NOISE}))
    time.sleep(0.002)
"""


class Traffic:
    """Clients that ask again and again until they are told to stop."""

    def __init__(self, w):
        self.w, self.going, self.rounds, self.trouble = w, True, Counter(), []
        http_plain.serve(w)
        Unbound(w, dns.ZONE, dns.RECORDS, dns.SERVER)
        Mariadb(w, mysql.SETUP)
        pages = ["/a.html", "/b.html", "/missing", "/text.txt", ["-d", "x=1", "/form"], "/large.bin"]
        self.asking = [threading.Thread(target=self.repeat, args=part) for part in (
            ("http", lambda: curl.curl(w, *pages * 4)),
            ("http alone", lambda: curl.curl(w, "/c.txt")),
            ("dns", lambda: dns.dig(w, "www.lab.example A", "gone.lab.example A", "+tcp lab.example MX", options=("+nocookie",))),
            ("sql", lambda: mysql.client(w, "SELECT * FROM big;\nSELECT nothing FROM item;\nUPDATE item SET price = 1;\n")))]
        self.noise = w.spawn(w.a, [sys.executable, "-c", NOISY])
        for thread in self.asking:
            thread.start()

    def repeat(self, name, ask):
        try:
            while self.going:
                ask()
                self.rounds[name] += 1
        except Exception as e:  # told by the thread that waits
            self.trouble.append(f"{name}: {e}")

    def stop(self):
        self.going = False
        for thread in self.asking:
            thread.join()
        self.w.kill(self.noise)
        time.sleep(QUIET)  # all flows are over
        if self.trouble:
            raise RuntimeError("; ".join(self.trouble))


class Falling:
    """Counters of the statistics that fell."""

    def __init__(self):
        self.before, self.found = {}, set()

    def look(self, statistics):
        now = statistics["counters"] | {f"{t['url']} {name}": t[name] for t in statistics["targets"]
                                        for name in ("given", "sent", "messages")}
        self.found |= {name for name, value in self.before.items() if now.get(name, 0) < value and name != "export_templates"}
        self.before |= now


def is_noise(record):
    return record["record"] == "flow" and record.get("destinationTransportPort") == NOISE


def lines(records):
    return Counter(json.dumps(record, sort_keys=True) for record in records if not is_noise(record))


def noise_frames(frames):
    def noisy(ip):
        return ip and ip[1] == 17 and int.from_bytes(ip[4][2:4], "big") == NOISE
    return sum(bool(noisy(ip_part(f.data))) for f in frames)


def reload_under_load(judge, probe, stays, turns, reloads):
    falling, refused, taken = Falling(), 0, 0
    for i in range(reloads):
        if i % 10 == 7:
            before = dict(probe.settings)
            wrong = not probe.reload(**MISTAKES[i // 10 % len(MISTAKES)])
            judge.check(f"reload {i}: a mistake is refused", wrong)
            probe.settings = before
            refused += 1
        else:
            good = probe.reload(export_targets=[stays.url, turns[i % len(turns)].url], capture_filter=FILTERS[i % 2])
            judge.check(f"reload {i}: is taken", good)
            taken += 1
        falling.look(probe.statistics())
        time.sleep(0.01 * (i % 5))
    s = probe.statistics()
    judge.equal("reloads that were taken, and refused", (taken, refused), (s["reloads"], s["reloads_refused"]))
    judge.equal("counters never fall", set(), falling.found)
    return taken, refused


# Signals that come while one waits are one: the kernel keeps no count. The file as it is then is what counts.
def reload_in_bursts(judge, probe, stays, turns, so_far):
    for i in range(BURST):
        probe.reload(wait=False, export_targets=[stays.url, turns[i % len(turns)].url], capture_filter=FILTERS[i % 2])
    last = probe.settings["capture.filter"]
    world.wait_until(lambda: (probe.events("reloaded") or [{}])[-1].get("filter", "").strip('"') == last, "the last of a burst")
    time.sleep(0.5)
    taken = probe.statistics()["reloads"] - so_far
    judge.equal("reloads without a target", 0, sum(e.get("targets") != "2" for e in probe.events("reloaded")))
    judge.check(f"{BURST} signals at once are from 1 to {BURST} reloads", 1 <= taken <= BURST, taken)


def judge_records(judge, probe, program, capture, stays, turns):
    frames = read(capture)
    # A replay knows no time but that of packets: noise after everything ends its flows, too.
    late = next(f for f in frames if noise_frames([f]))._replace(time=frames[-1].time + 60 * 10**9)
    write(capture, [*frames, late])
    expected = lines(replay(program, capture, *as_arguments(TIMES)))
    judge.check("there is something to compare", expected.total() > 200, expected.total())
    of_stays = stays.records()
    judge.same("the target that stays", expected, lines(of_stays))
    judge.same("targets that take turns", expected, sum((lines(c.records()) for c in turns), Counter()))
    for c in turns:
        judge.check(f"{c.url} had records", bool(c.lines()))
    judge.equal("frames offered", str(len(frames)), probe.ended.get("offered"))
    noise, filtered = noise_frames(frames), probe.counters.get("capture_filtered", 0)
    counted = sum(r["packetDeltaCount"] for r in of_stays if is_noise(r))
    judge.equal("noise, to the packet", noise, counted + filtered)
    judge.check("noise was counted, and filtered", counted > 0 and filtered > 0, f"{counted} and {filtered} of {noise}")


def test(judge, program, wire, reloads):
    with world.World(wire, "--link-a", "delay=1ms", "--link-b", "delay=2ms", span=True) as w:
        stays = Collector(w, w.span, program, "tcp", 4740).start()
        turns = [Collector(w, w.span, program, scheme, 4741 + i).start() for i, scheme in enumerate(("tcp", "udp", "tcp"))]
        tap = Tap(w, w.span, "span0")
        probe = Probe(w, w.span, program, "reloads", {
            "capture.ports": ["socket:span0"], "capture.workers": 2, "sampling.shed": False,
            "export.targets": [stays.url, turns[0].url], **TIMES})
        time.sleep(0.5)
        traffic = Traffic(w)
        taken, _ = reload_under_load(judge, probe, stays, turns, reloads)
        reload_in_bursts(judge, probe, stays, turns, taken)
        traffic.stop()
        judge.clean_exit(probe, probe.stop())
        for c in (stays, *turns):
            c.stop()
        s = {name: probe.counters.get(name, 0) for name in ("export_records_queue_full", "export_records_failed")}
        judge.equal("records that a target lost", {name: 0 for name in s}, s)
        print(f"       rounds of clients: {dict(traffic.rounds)}")
        judge_records(judge, probe, program, tap.stop(), stays, turns)


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    program, wire = os.path.abspath(sys.argv[1]), sys.argv[2]
    judge = Judge("reloads under load")
    test(judge, program, wire, int(sys.argv[3]) if len(sys.argv) > 3 else 100)
    sys.exit(0 if judge.report() else 1)


main()
