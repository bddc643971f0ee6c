#!/usr/bin/env python3
"""What a running probe must survive outside itself: collectors that are killed, stopped and started again. Needs root.

Conversations of our captures come in all the time. The target whose collector stays gets every record that a replay of a capture of
others gives; what the others miss is counted by reason, up to what the kernel had taken when a collector was killed.

Usage: outage_test.py PROBE [WIRE]   (it needs no wire)
"""
import json
import os
import signal
import sys
import time
from collections import Counter

from kit import world
from kit.compare import replay
from kit.feeder import Feeder, mixture, pair
from kit.pcapfile import Frame, read, write
from kit.running import Collector, Judge, Probe, Tap, balance
from kit.world import wait_until

RATE = 2500  # frames a second
ROUNDS = 15  # of all captures: what is sent until it is told to stop
TIMES = {"flow.tcp_linger": "200ms", "flow.idle_timeout": "1s", "flow.udp_idle_timeout": "1s", "flow.active_timeout": "5s"}
OVER = 4.5  # seconds: longer than all of these but the active timeout, and the second in which the probe looks for them
SMALL_QUEUE = 65536
# What a collector and the kernel may have had in hand when it was killed: some messages and a file's buffer.
IN_HAND = 2500  # records


def lines(records):
    return Counter(json.dumps(record, sort_keys=True) for record in records)


def expected_of(program, capture):
    """A replay knows no time but that of packets: one after everything ends its flows, too, and has a flow of its own."""
    frames = read(capture)
    last = mixture(1, ["dns_answers"], 60_000)[0]
    write(capture, [*frames, Frame(frames[-1].time + 60 * 10**9, last.data)])
    settings = [part for key, value in TIMES.items() for part in ("--set", f"{key}={value}")]
    own = "10.234.96."  # 60000
    return frames, lines(r for r in replay(program, capture, *settings) if not r.get("sourceIPv4Address", "").startswith(own))


def by_url(probe):
    return {t["url"].partition("?")[0]: t for t in probe.statistics()["targets"]}


def outages(judge, probe, stays, small, tcp, udp):
    def target(c):
        return by_url(probe)[c.url]
    time.sleep(2)
    for c in (small, tcp, udp):
        c.stop(signal.SIGKILL)
    # More than the small queue holds; the other one waits.
    wait_until(lambda: target(small)["failed"] > 100, "a queue to be full while its collector is gone", 60)
    wait_until(lambda: target(udp)["failed"] > 0, "datagrams that nobody took to be counted")
    judge.check("while collectors are gone, records fail at the small queue and over UDP", True,
                {c.url: target(c)["failed"] for c in (small, tcp, udp)})
    judge.equal("and none at the large queue", (0, 0), tuple(target(tcp)[n] for n in ("failed", "queue_full")))
    judge.check("the probe says why", all(target(c).get("trouble") for c in (small, tcp, udp)), target(small).get("trouble"))
    for c in (small, tcp, udp):
        c.start()
    wait_until(lambda: target(small)["connections"] == 2 and target(tcp)["connections"] == 2, "the probe to come back", 40)
    wait_until(udp.lines, "the UDP collector to understand something", 20)
    small.signal(signal.SIGSTOP)
    wait_until(lambda: target(small)["queue_full"] > 100, "a queue to be full while its collector sleeps", 60)
    small.signal(signal.SIGCONT)
    sent = target(small)["sent"]
    wait_until(lambda: target(small)["sent"] > sent, "records to go out again")
    judge.check("nothing is dropped in front of the probe", "dropped_kernel" not in probe.said())
    judge.equal("the collector that stays was connected once", 1, target(stays)["connections"])


def judge_target(judge, c, report, truth, rough):
    got, name = lines(c.records()), c.url
    judge.equal(f"{name}: each record given is in one place", 0, balance(report))
    judge.check(f"{name}: nothing but what is true, and nothing twice", not got - truth, f"{got.total()} records")
    for text in list(got - truth)[:3]:
        print(f"            extra: {text}")
    in_hand = report["sent"] - got.total()
    judge.check(f"{name}: the rest is counted, but for what was in the hands of others", 0 <= in_hand <= rough,
                f"{report['given']} given, {report['sent']} sent, {report['queue_full']} queue full, {report['failed']} failed, "
                f"{in_hand} in hand")


def collectors(judge, program):
    with world.World(None, span=True) as w:
        pair(w, w.span)
        for name in ("tcp_rmem", "tcp_wmem"):  # so that a collector that sleeps is soon noticed
            w.run(w.span, ["sysctl", "-qw", f"net.ipv4.{name}=4096 16384 65536"])
        stays, small, tcp = (Collector(w, w.span, program, "tcp", 4740 + i).start() for i in range(3))
        udp = Collector(w, w.span, program, "udp", 4743).start()
        tap = Tap(w, w.span, "port")
        probe = Probe(w, w.span, program, "outages", {
            "capture.ports": ["socket:port"], "records.flow": 65536, **TIMES,
            "export.targets": [stays.url, f"{small.url}?queue={SMALL_QUEUE}", tcp.url, f"{udp.url}"]})
        time.sleep(0.5)
        feeder = Feeder(w, w.span, "feed", mixture(ROUNDS), RATE)
        outages(judge, probe, stays, small, tcp, udp)
        sent = feeder.stop()
        time.sleep(OVER)
        # All is said and nothing waits: a kill costs nothing now, and what comes afterwards goes to the next life.
        wait_until(lambda: all(balance(t) == 0 for t in probe.statistics()["targets"]), "all records to be gone")
        capture = tap.stop()
        reports = by_url(probe)
        code = probe.stop()
        for c in (stays, small, tcp, udp):
            c.stop()
        judge.clean_exit(probe, code)
        frames, truth = expected_of(program, capture)
        judge.equal("frames sent, captured and offered", (sent, str(sent)), (len(frames), probe.ended["offered"]))
        judge.equal("packets that were dropped for the sake of a collector", 0,
                    sum(probe.counters.get(name, 0) for name in ("record_exporter_behind", "record_pool_empty")))
        judge.same("the collector that stays", truth, lines(stays.records()))
        for c in (stays, small, tcp, udp):
            judge_target(judge, c, reports[c.url], truth, 0 if c is stays else IN_HAND)


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    program = os.path.abspath(sys.argv[1])
    good = True
    for name, test in (("collectors come and go", collectors),):
        judge = Judge(name)
        test(judge, program)
        good &= judge.report()
    sys.exit(0 if good else 1)


main()
