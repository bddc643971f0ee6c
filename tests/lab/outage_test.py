#!/usr/bin/env python3
"""What happens to a running probe from outside: collectors are killed, stopped and started again, its port goes down and up and
vanishes. Needs root.

Conversations of our captures come in. The target whose collector stays gets every record that a replay of captures of others
gives; what the others miss is counted by reason, up to what the kernel had taken when a collector was killed.

Usage: outage_test.py PROBE [WIRE [TIMES]]   (it needs no wire; TIMES: how often the port goes down)
"""
import json
import os
import signal
import sys
import time
from collections import Counter

from kit import world
from kit.compare import replay, without_times
from kit.feeder import Feeder, mixture, pair
from kit.pcapfile import Frame, read, write
from kit.running import Collector, Judge, Probe, Tap, as_arguments, balance
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
    own = "10.234.96."  # 60000
    return frames, lines(r for r in replay(program, capture, *as_arguments(TIMES)) if not r.get("sourceIPv4Address", "").startswith(own))


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
            "capture.ports": ["socket:port"], "sampling.shed": False, "records.flow": 65536, **TIMES,
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


LINKS = {"socket": ("socket:port", {}), "two queues": ("socket:port", {"capture.workers": 2}),
         "DPDK": ("dpdk:net_af_packet0,iface=port", {"dpdk.hugepages": "never"})}
# However long it takes, no flow ends meanwhile.
LONG = {"flow.tcp_linger": "1h", "flow.idle_timeout": "1h", "flow.udp_idle_timeout": "1h", "flow.active_timeout": "1h"}
TOLD_WITHIN = 10  # seconds: statistics ask the port whenever they are asked, the log every second


class Watched:
    """A probe at the port with a collector of its own."""

    def __init__(self, w, program, name, number):
        port, settings = LINKS[name]
        self.name = name
        self.collector = Collector(w, w.span, program, "tcp", 4750 + number).start()
        self.probe = Probe(w, w.span, program, f"link{number}",
                           {"capture.ports": [port], "sampling.shed": False, "export.targets": [self.collector.url], **LONG,
                            **settings})

    def link_up(self):
        return self.probe.statistics()["ports"][0].get("link_up")

    def told(self):
        return [event["up"] for event in self.probe.events("link")]


def down_and_up(w, watched, parts):
    """Feeds every part, the odd ones while the port is down. Captures of what came."""
    captures, sent, told = [], 0, []
    for i, part in enumerate(parts):
        if i % 2 == 0:
            w.run(w.span, ["ip", "link", "set", "port", "up"])
            told += ["true"] if i > 0 else []
            tap = Tap(w, w.span, "port", f"part{i}")
            sent += Feeder(w, w.span, "feed", part, RATE).wait()
            time.sleep(0.3)
            captures.append(tap.stop())
        else:
            w.run(w.span, ["ip", "link", "set", "port", "down"])
            told += ["false"]
            Feeder(w, w.span, "feed", part, RATE).wait()
        for p in watched:
            wait_until(lambda: p.link_up() == (i % 2 == 0), f"{p.name}: the state of the link in the statistics", TOLD_WITHIN)
            wait_until(lambda: p.told() == told, f"{p.name}: the state of the link in the log", TOLD_WITHIN)
    return captures, sent


def vanish(judge, w, watched, part):
    """The interface goes, and another one of its name comes. What came there, which ports of DPDK never see."""
    w.run(w.span, ["ip", "link", "del", "feed"])
    for p in watched:
        wait_until(lambda: p.link_up() is False, f"{p.name}: to see that its port is gone", TOLD_WITHIN)
        why = "is gone" if p.name == "DPDK" else "There is no interface port any more"
        wait_until(lambda: why in p.probe.said(), f"{p.name}: to say why", TOLD_WITHIN)
    pair(w, w.span)
    for p in watched:
        wait_until(lambda: p.name == "DPDK" or p.link_up(), f"{p.name}: to open its port again", TOLD_WITHIN)
    tap = Tap(w, w.span, "port", "vanished")
    sent = Feeder(w, w.span, "feed", part, RATE).wait()
    time.sleep(0.5)
    judge.equal("DPDK: has no link where its interface is gone", False, watched[-1].link_up())
    frames = read(tap.stop())
    judge.equal("frames at the port that came back", sent, len(frames))
    return frames


def of_a_poll(records):
    """What a poll's times leave as it is: they tell reordering from retransmissions."""
    return [{name: value for name, value in record.items() if not name.startswith(("tcp", "reverseTcp"))}
            for record in without_times(records)]


def links(judge, program, times=2):
    with world.World(None, span=True) as w:
        pair(w, w.span)
        watched = [Watched(w, program, name, i) for i, name in enumerate(LINKS)]
        time.sleep(0.5)
        frames = mixture(1)
        size = len(frames) // (2 * times + 2) + 1
        *parts, last = (frames[at:at + size] for at in range(0, len(frames), size))
        captures, sent = down_and_up(w, watched, parts)
        came = [f for capture in captures for f in read(capture)]
        judge.equal("frames that came while the port was up", sent, len(came))
        more = vanish(judge, w, watched, last)
        for p in watched:
            judge.clean_exit(p.probe, p.probe.stop())
            p.collector.stop()
        for p in watched:
            seen, exact = (came, of_a_poll) if p.name == "DPDK" else (came + more, lambda records: records)
            write(captures[0], seen)
            truth = replay(program, captures[0], *as_arguments(LONG))
            judge.equal(f"{p.name}: frames offered", str(len(seen)), p.probe.ended["offered"])
            judge.same(p.name, lines(exact(truth)), lines(exact(p.collector.records())))


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    program, times = os.path.abspath(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 2
    good = True
    for name, test in (("collectors come and go", collectors), ("links go down and up", lambda *who: links(*who, times))):
        judge = Judge(name)
        test(judge, program)
        good &= judge.report()
    sys.exit(0 if good else 1)


main()
