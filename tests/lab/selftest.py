#!/usr/bin/env python3
"""Checks wire against real kernel TCP stacks. Needs root. Usage: selftest.py WIRE"""
import json
import statistics
import subprocess
import sys
import time

from kit import pcapfile, world
from kit.world import SERVER, SERVER6, World

PORT = 8000
SERVER_CODE = """
import socket, threading
def serve(c):
    while d := c.recv(65536):
        c.sendall(b"x" * int(d.split()[0]))
    c.close()
s = socket.create_server(("::", 8000), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""
CLIENT_CODE = """
import socket, sys, time
host, size = sys.argv[1], int(sys.argv[2])
start = time.monotonic()
c = socket.create_connection((host, 8000), timeout=20)
connected, got = time.monotonic() - start, 0
c.sendall(b"%d\\n" % size)
while got < size:
    got += len(c.recv(65536))
print(connected)
"""


class Lab(World):
    def __enter__(self):
        super().__enter__()
        try:
            self.serve([sys.executable, "-c", SERVER_CODE], PORT)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def fetch(self, size, host=SERVER):
        """Seconds until connected."""
        return float(self.client([sys.executable, "-c", CLIENT_CODE, host, str(size)]))

    def finish(self):
        events, summary = self.stop_wire()
        return pcapfile.read(self.pcap), events, summary


class Judge:
    failed = 0

    def __call__(self, name, ok, detail=""):
        print(f"{'ok  ' if ok else 'FAIL'} {name}{': ' if detail else ''}{detail}")
        self.failed += not ok


check = Judge()


def handshakes(frames):
    """Milliseconds from SYN to SYN-ACK and from there to the ACK, as the tap sees them."""
    syn, synack, server, client = {}, {}, [], []
    for s in pcapfile.segments(frames):
        if s.flags & (pcapfile.SYN | pcapfile.ACK) == pcapfile.SYN:
            syn[s.source_port] = s.time
        elif s.flags & pcapfile.SYN:
            synack[s.destination_port] = s.time
            server.append((s.time - syn[s.destination_port]) / 1e6)
        elif s.destination_port == PORT and s.source_port in synack:
            client.append((s.time - synack.pop(s.source_port)) / 1e6)
    return server, client


def handshake_halves(wire):
    with Lab(wire, "--link-a", "delay=20ms", "--link-b", "delay=30ms", ipv6=True) as lab:
        lab.fetch(10, SERVER6)
        connected = statistics.median(lab.fetch(10) * 1e3 for _ in range(5))
        frames, _, summary = lab.finish()
    server, client = (statistics.median(half) for half in handshakes(frames))
    check("connecting takes 2*(20+30) ms", 100 <= connected < 115, f"median {connected:.2f} ms")
    check("the tap sees 2*30 ms on the server side", 60 <= server < 62.5, f"median {server:.2f} ms")
    check("the tap sees 2*20 ms on the client side", 40 <= client < 42.5, f"median {client:.2f} ms")
    check("IPv6 crosses", any(f.data[12:14] == b"\x86\xdd" for f in frames))
    print("     timer lateness us:", summary["late_us"])


def a_rule_drops_exactly_its_segment(wire):
    # From B, link b lies before the tap (the lost copy is never seen there) and link a behind it.
    for link, copies in (("a", 2), ("b", 1)):
        with Lab(wire, "--link-a", "delay=5ms", "--link-b", "delay=10ms", "--rule",
                 f"link={link},dir=b2a,match=data,nth=5") as lab:
            lab.fetch(100_000)
            frames, events, _ = lab.finish()
        drops = [e for e in events if e["ev"] == "drop"]
        seen = sum(1 for s in pcapfile.segments(frames)
                   if s.source_port == PORT and s.payload and s.seq == drops[0]["seq"])
        check(f"the 5th data segment is lost on link {link}", len(drops) == 1 and seen == copies,
              f"{len(drops)} drop, seen {seen} time(s) at the tap")


def chance(wire):
    with Lab(wire, "--link-a", "delay=2ms,dup=3%", "--link-b", "delay=4ms,loss=2%,reorder=2%:6ms", "--seed",
             "7") as lab:
        for _ in range(5):
            lab.fetch(200_000)
        frames, events, summary = lab.finish()
    counts = {kind: sum(1 for e in events if e["ev"] == kind) for kind in ("drop", "dup", "hold", "tap", "out")}
    links = [summary[f"link_{link}_{direction}"] for link in "ab" for direction in ("a2b", "b2a")]
    check("loss, duplication and reordering happen by chance", all(n > 5 for n in counts.values()), str(counts))
    check("the log agrees with the summary", counts["drop"] == sum(link["lost"] for link in links)
          and counts["dup"] == sum(link["dup"] for link in links)
          and counts["hold"] == sum(link["held"] for link in links))
    into_tap = summary["link_a_a2b"]["out"] + summary["link_b_b2a"]["out"]
    check("the pcap holds every frame at the tap", len(frames) == into_tap == counts["tap"],
          f"{len(frames)} of {into_tap}")
    check("capture times increase", all(x.time < y.time for x, y in zip(frames, frames[1:])))


def mirror(wire):
    def received(netns):
        links = json.loads(subprocess.run(["ip", "-n", netns, "-s", "-j", "link", "show", "span0"], check=True,
                                          capture_output=True, text=True).stdout)
        return links[0]["stats64"]["rx"]["packets"]
    with Lab(wire, "--link-a", "delay=1ms", span=True) as lab:
        before = received(lab.span)
        lab.fetch(500_000)
        time.sleep(0.2)
        mirrored = received(lab.span) - before
        _, _, summary = lab.finish()
    check("the mirror port gets every frame", mirrored == summary["frames"], f"{mirrored} of {summary['frames']}")


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    for test in (handshake_halves, a_rule_drops_exactly_its_segment, chance, mirror):
        test(sys.argv[1])
    sys.exit(1 if check.failed else 0)


main()
