"""One capture of our own: what it is, how it is made, and what is written beside it."""
import dataclasses
import json
import os
import sys
from typing import Callable

HERE = os.path.dirname(os.path.abspath(__file__))
PCAPS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(os.path.dirname(PCAPS), "tests", "lab"))

from kit import pcapfile, truth  # noqa: E402  (the lab is found only through the line above)
from kit.world import World  # noqa: E402

LARGEST = 300_000  # octets of a committed capture
# A capture is made again, and the best one kept, while a handshake is further than this from the configured delay.
EXACT_NS, USABLE_NS, ATTEMPTS = 200_000, 2_000_000, 4
TCP_UDP_ICMP = {1, 6, 17}

CAPTURES = {}


@dataclasses.dataclass
class Capture:
    name: str
    shows: str
    run: Callable  # of the World; returns what the servers and clients say: {"server": …, "client": …} by kind, and "software": […]
    delay_ms: tuple = (5, 10)  # one way on the client's link and on the server's link
    client_up: str = ""  # further impairments of each link and direction
    client_down: str = ""
    server_up: str = ""
    server_down: str = ""
    rules: tuple = ()
    seed: int = 1
    ipv6: bool = False
    sysctl: tuple = ()
    opaque: bool = False  # encrypted or compressed: no transaction can be told
    keep: Callable = None  # of the frames; returns those that stay in the capture

    def wire_options(self):
        out = []
        for link, delay, ways in (("a", self.delay_ms[0], (self.client_up, self.client_down)),
                                  ("b", self.delay_ms[1], (self.server_up, self.server_down))):
            for way, more in zip(("up", "down"), ways):
                out += [f"--link-{link}-{way}", f"delay={delay}ms" + (f",{more}" if more else "")]
        for rule in self.rules:
            out += ["--rule", rule]
        return out + ["--seed", str(self.seed)]


def capture(shows, **settings):
    """Registers the function as the capture of its name."""
    def register(function):
        CAPTURES[function.__name__] = Capture(function.__name__, " ".join(shows.split()), function, **settings)
        return function
    return register


def lateness(made, facts):
    """How far the worst handshake is from the configured delays, in nanoseconds: a busy machine delays frames."""
    worst = 0
    for connection in facts["tcp"]:
        for side, one_way in zip(("client", "server"), made.delay_ms):
            rtt = connection["handshake"].get(f"{side}_rtt_ns")
            if rtt:
                worst = max(worst, abs(rtt - 2 * one_way * 1_000_000))
    return worst


def take(made, wire, watch=None):
    """Runs it once: frames, truth, and what the programs said. `watch` is called with the World before anything is said, for
    whoever reads the mirror port; what it returns is told to stop() when the wire has ended."""
    with World(wire, *made.wire_options(), ipv6=made.ipv6, sysctl=made.sysctl, span=watch is not None) as world:
        watching = watch(world) if watch else None
        said = made.run(world)
        events, summary = world.stop_wire()
        if watching:
            watching.stop()
        kernel = world.kernel_retransmissions()
        frames = pcapfile.read(world.pcap)
    for frame in frames:
        if pcapfile.ip_part(frame.data)[1] not in TCP_UDP_ICMP:
            raise RuntimeError("a frame that is none of ours is on the wire")
    if made.keep:
        frames = made.keep(frames)
    facts = truth.truth_of(events, {frame.time for frame in frames})
    counted = sum(c[way].get("retransmitted", 0) for c in facts["tcp"] for way in ("up", "down"))
    if counted != kernel:
        raise RuntimeError(f"the wire saw {counted} retransmissions, the kernels count {kernel}")
    facts["wire"] = {"client_delay_ms": made.delay_ms[0], "server_delay_ms": made.delay_ms[1],
                     "options": made.wire_options(), "lateness_us": summary["late_us"]}
    if made.opaque:
        facts["opaque"] = True
    facts |= {key: said[key] for key in ("server", "client") if key in said}
    return frames, facts, said["software"]


def make(made, wire):
    best, least = None, USABLE_NS
    for _ in range(ATTEMPTS):
        taken = take(made, wire)
        late = lateness(made, taken[1])
        if late < least:
            best, least = taken, late
        if late < EXACT_NS:
            break
        print(f"{made.name}: {late / 1e6:.3f} ms late, once more", flush=True)
    if not best:
        raise RuntimeError(f"{made.name}: no usable capture in {ATTEMPTS} attempts")
    frames, facts, software = best
    base = os.path.join(PCAPS, made.name)
    pcapfile.write(f"{base}.pcap", frames)
    size = os.path.getsize(f"{base}.pcap")
    if size > LARGEST:
        raise RuntimeError(f"{made.name}: {size} octets are too many to commit")
    with open(f"{base}.truth.json", "w") as out:
        out.write(as_text(facts))
    with open(f"{base}.md", "w") as out:
        out.write(description(made, software))
    print(f"{made.name}: {len(frames)} frames, {size} octets", flush=True)


def as_text(facts):
    """JSON with one line for each member of a list, so that it stays small and a difference can be read."""
    def block(value, indent):
        pad = " " * indent
        if isinstance(value, dict) and indent < 4:
            return "{\n" + ",\n".join(f'{pad} "{k}": {block(v, indent + 1)}' for k, v in value.items()) + f"\n{pad}}}"
        if isinstance(value, list) and value and isinstance(value[0], (dict, list)) and indent < 4:
            return "[\n" + ",\n".join(f"{pad} {json.dumps(v, separators=(',', ':'))}" for v in value) + f"\n{pad}]"
        return json.dumps(value, separators=(",", ":"))
    return block(facts, 0) + "\n"


def description(made, software):
    wire = " ".join(made.wire_options())
    kernel = [f"`{key}={value}`" for key, value in made.sysctl]
    lines = [f"# {made.name}", "", made.shows, "",
             f"* Origin: made by us with `pcaps/make/make.py {made.name}` (as root): {', '.join(software)}.",
             f"* Wire (`tests/lab`): `{wire}`" + (f"; kernel settings {', '.join(kernel)}." if kernel else "."),
             f"* Truth: `{made.name}.truth.json`, written by the wire, the server and the client (see `make/README.md`).",
             "* Licence: Apache-2.0, as the project.", ""]
    return "\n".join(lines)
