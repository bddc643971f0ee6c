"""The matrix: its axes as data. A cell is one value of each: what is lost, what the path does, who controls congestion, what is said.

Rules are written as of the server's side down to the client ("down") and the client's up to the server ("up"); link a lies
between the client and the tap. They act in each flow, so each connection of a cell has the same trouble.
"""
import itertools
import zlib
from dataclasses import dataclass

from .workloads import WORKLOADS

UP, DOWN = "dir=a2b", "dir=b2a"
BEFORE = {UP: "a", DOWN: "b"}
AFTER = {UP: "b", DOWN: "a"}


def drop(where, way, what):
    return f"link={where[way]},{way},{what}"


def data(where, *which):
    """Drops these data segments of each flow, both ways: (first, last) each."""
    return [drop(where, way, f"match=data,nth={first},last={last},perflow=1") for way in (UP, DOWN) for first, last in which]


def tail(workload):
    """The last octets that each side sends get lost: of the first two flows before the tap, of the others behind it."""
    return [drop(BEFORE if flow <= 2 else AFTER, way, f"match=data,octet={octets - 1},flow={flow}")
            for way, octets in ((UP, workload.up), (DOWN, workload.down)) for flow in (1, 2, 3, 4)]


def opening(way, match):
    """Twice before the tap in the first flow, once behind it in the second, both in the third."""
    return [drop(BEFORE, way, f"match={match},nth=1,last=2,flow=1"), drop(AFTER, way, f"match={match},nth=1,flow=2"),
            drop(BEFORE, way, f"match={match},nth=1,flow=3"), drop(AFTER, way, f"match={match},nth=1,flow=3")]


# name: (impairment of both links, rules of a workload)
LOSSES = {
    "none": lambda w: ("", [], []),
    "before": lambda w: ("loss=1%", BEFORE, data(BEFORE, (3, 3), (9, 9), (20, 20))),
    "after": lambda w: ("loss=1%", AFTER, data(AFTER, (3, 3), (9, 9), (20, 20))),
    "both": lambda w: ("loss=1%", "both", data(BEFORE, (4, 4), (15, 15)) + data(AFTER, (7, 7), (12, 12))),
    "bursts": lambda w: ("burst=0.3%:30%", "both", data(BEFORE, (5, 8)) + data(AFTER, (14, 18))),
    "tail": lambda w: ("", [], tail(w)),
    "syn": lambda w: ("", [], opening(UP, "syn") + (opening(DOWN, "syn") if w.simultaneous else [])),
    "synack": lambda w: ("", [], opening(DOWN, "synack")),
    "ack": lambda w: ("", [], [drop(where, way, f"match=ack,nth={nth},last={last},flow={flow}")
                               for way in (UP, DOWN) for where, flow in ((BEFORE, 1), (AFTER, 2), (BEFORE, 3))
                               for nth, last in ((1, 1), (4, 7))]),
}

# name: (milliseconds of link a, of link b, more of link a, more of link b, whether the delay is always the same)
PATHS = {
    "1ms": (0.4, 0.6, "", "", True),
    "20ms": (8, 12, "", "", True),
    "150ms": (60, 90, "", "", True),
    "jitter": (8, 12, "jitter=2ms", "jitter=4ms", False),
    "reorder": (8, 12, "reorder=3%:3ms", "reorder=3%:6ms", False),
    "duplicate": (8, 12, "dup=3%", "dup=3%", False),
    "bloat": (4, 6, "", "rate=6mbit,queue=120", False),
}

# A smaller product across IPv6, which has no identifications: (paths, controls, workloads).
V6 = "-v6"
PATHS6 = {name + V6: PATHS[name] for name in ("20ms", "reorder", "duplicate")}
TALKS6 = ("bulk", "small_writes", "rst", "tfo")

CONTROLS = ("cubic", "bbr")


@dataclass(frozen=True)
class Cell:
    loss: str
    path: str
    control: str
    talk: str

    @property
    def name(self):
        return f"{self.loss}/{self.path}/{self.control}/{self.talk}"

    @property
    def workload(self):
        return WORKLOADS[self.talk]

    @property
    def steady(self):
        """Whether the wire delays every frame alike."""
        return self._path[4]

    @property
    def ipv6(self):
        return self.path in PATHS6

    @property
    def _path(self):
        return (PATHS6 if self.ipv6 else PATHS)[self.path]

    @property
    def one_way_ms(self):
        return self._path[:2]

    def wire_options(self):
        random, where, rules = LOSSES[self.loss](self.workload)
        options = []
        for link in "ab":
            own = self._path
            delay, more = own["ab".index(link)], own[2 + "ab".index(link)]
            for flag, way in (("up", UP), ("down", DOWN)):
                parts = [f"delay={delay}ms", more]
                if random and (where == "both" or where[way] == link):
                    parts.append(random)
                if self.talk == "ecn":
                    parts.append(f"ce={self.workload.marks}")
                options += [f"--link-{link}-{flag}", ",".join(filter(None, parts))]
        for rule in rules:
            options += ["--rule", rule]
        return [*options, "--seed", str(zlib.crc32(self.name.encode()) % 100_000), *self.workload.wire]


def every():
    return [Cell(*values) for values in itertools.chain(itertools.product(LOSSES, PATHS, CONTROLS, WORKLOADS),
                                                        itertools.product(LOSSES, PATHS6, CONTROLS[:1], TALKS6))]


def diagonals(count):
    """The n-th values of all axes together; where an axis is at its end it begins again. The first diagonal has each value of
    each axis at least once; each further one shifts the axes against each other. With a few of IPv6."""
    axes = [list(LOSSES), list(PATHS), list(CONTROLS), list(WORKLOADS)]
    longest = max(map(len, axes))
    cells = {Cell(*(axis[(n + shift * step) % len(axis)] for axis, step in zip(axes, (0, 2, 1, 3))))
             for shift in range(count) for n in range(longest)}
    axes = [list(LOSSES), list(PATHS6), list(CONTROLS[:1]), list(TALKS6)]
    cells |= {Cell(*(axis[n % len(axis)] for axis in axes)) for n in range(len(TALKS6))}
    return sorted(cells, key=lambda cell: cell.name)


def named(name):
    loss, path, control, talk = name.split("/")
    cell = Cell(loss, path, control, talk)
    if cell not in every():
        raise KeyError(name)
    return cell
