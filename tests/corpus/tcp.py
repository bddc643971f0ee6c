"""TCP: what the probe says of each direction against the rules of docs/METRICS.md, computed apart, and against tcptrace, tshark
and argus.

A difference from the rules is a fault. One from another tool is expected where the rules differ: then the segments that make it
up are known by cause, and counted (`Beside`).
"""
from collections import Counter

TOLERANCE = 1.5  # µs: the probe cuts to microseconds, argus rounds
TCPTRACE = 101   # µs: it prints tenths of milliseconds
COUNTS = ("seen_twice", "holes_filled", "duplicate_acks", "rexmt", "outoforder")
HANDSHAKE = ("server", "client")


class RoundTrips:
    """Of one sender's segments, in µs. Several flows of the same ends are added up."""

    def __init__(self):
        self.n, self.sum, self.least, self.greatest = 0, 0.0, None, None

    def add(self, n, least, mean, greatest):
        if not n:
            return
        self.n, self.sum = self.n + n, self.sum + n * mean
        self.least = least if self.least is None else min(self.least, least)
        self.greatest = greatest if self.greatest is None else max(self.greatest, greatest)

    def values(self):
        return (self.least, self.sum / self.n, self.greatest) if self.n else ()

    def like(self, other, tolerance):
        return self.n == other.n and all(abs(a - b) <= tolerance for a, b in zip(self.values(), other.values()))

    def __str__(self):
        return f"{self.n} of " + "/".join(f"{value:.0f}" for value in self.values()) + " µs" if self.n else "none"


class Sent:
    """Figures of one sender's segments, from one source."""

    def __init__(self):
        self.trips = RoundTrips()
        self.counts = Counter()  # seen_twice, holes_filled, and what the tools name


class Beside:
    """How often a figure of another tool equals ours, and why not."""

    def __init__(self):
        self.equal, self.differ, self.silent, self.causes, self.flows = (Counter() for _ in range(5))

    def compared(self, what, equal, causes=()):
        """`equal`: None if the other tool does not say."""
        (self.silent if equal is None else self.equal if equal else self.differ)[what] += 1
        for cause, times in dict(causes).items():
            self.causes[what, cause] += abs(times)
            self.flows[what, cause] += 1

    def add(self, other):
        for mine, theirs in zip(vars(self).values(), vars(other).values()):
            mine.update(theirs)

    def table(self):
        yield f"{'figure':36} {'equal':>6} {'differ':>6} {'silent':>6}   causes (values in directions)"
        for what in sorted(self.equal.keys() | self.differ.keys() | self.silent.keys()):
            causes = ", ".join(f"{cause} ({times} in {self.flows[what, cause]})" for (of, cause), times in
                               self.causes.most_common() if of == what)
            yield f"{what:36} {self.equal[what]:6} {self.differ[what]:6} {self.silent[what]:6}   {causes}".rstrip()


def of_record(sent, record, name_of, prefix):
    """`prefix`: the side that acknowledges."""
    field = f"tcp{prefix}Rtt{{}}".format
    if record.get(field("Count")):
        sent.trips.add(record[field("Count")], *(record[field(f"{x}Microseconds")] for x in ("Min", "Mean", "Max")))
    before, late = (record.get(name_of(f"tcp{x}PacketCount"), 0) for x in ("RetransmittedBeforeProbe", "OutOfOrder"))
    sent.counts.update(seen_twice=record.get(name_of("tcpRetransmittedPacketCount"), 0) - before, holes_filled=before + late,
                       duplicate_acks=record.get(name_of("tcpDuplicateAckCount"), 0))


def of_tool(side, direction):
    """The parts of oracle.py's results that are about one sender."""
    for source in ("definition", "tcptrace_rules", "tcptrace"):
        figures = direction.get(source)
        if figures is None:
            side.unknown.add(source)
            continue
        sent = side.sources[source]
        sent.trips.add(figures["n"], *(figures.get(f"{x}_us") for x in ("min", "mean", "max")))
        sent.counts.update({name: figures.get(name) or 0 for name in COUNTS})
    side.sources["tshark"].counts.update({name: direction.get("tshark", {}).get(name, 0) for name in
                                          ("retransmission", "out_of_order", "duplicate_ack")})
    if "argus" in direction:
        side.sources["argus"].counts.update(direction["argus"])
    else:
        side.unknown.add("argus")
    for what, causes in direction.get("causes", {}).items():
        side.causes[what].update(causes)


def compare(expected, got, beside):
    """Yields what differs from the rules, or from what other tools do by theirs."""
    for sender in sorted(set(expected.sides) | set(got.sides)):
        for what, detail in side(expected.sides[sender], got.sides[sender], beside):
            yield what, f"{sender[0]}:{sender[1]} {detail}"
    yield from handshakes(expected, got, beside)


def side(expected, got, beside):
    if "definition" not in expected.sources:
        return
    ours, rules = got.sent, expected.sources["definition"]
    fine = ours.trips.like(rules.trips, TOLERANCE)
    beside.compared("rules: round trips", fine)
    if not fine:
        yield "round trips", f"by the rules {rules.trips}, got {ours.trips}"
    for what in ("seen_twice", "holes_filled", "duplicate_acks"):
        beside.compared(f"rules: {what.replace('_', ' ')}", ours.counts[what] == rules.counts[what])
        if ours.counts[what] != rules.counts[what]:
            yield what.replace("_", " "), f"by the rules {rules.counts[what]}, got {ours.counts[what]}"
    if "tcptrace" not in expected.unknown:
        yield from tcptrace(expected, ours, beside)
    elif ours.trips.n:
        beside.compared("tcptrace: round trips", None)
    again = ours.counts["seen_twice"] + ours.counts["holes_filled"]
    told, causes = expected.sources["tshark"].counts, expected.causes["tshark"]
    both = told["retransmission"] + told["out_of_order"]
    if again or both:
        beside.compared("tshark: repeated or out of order", again == both and not causes, causes)
    acks, causes = ours.counts["duplicate_acks"], expected.causes["acks"]
    if acks or told["duplicate_ack"]:
        beside.compared("tshark: duplicate acknowledgements", acks == told["duplicate_ack"] and not causes, causes)
    argus(expected, again, beside)


def tcptrace(expected, ours, beside):
    theirs, rules = expected.sources["tcptrace"], expected.sources["tcptrace_rules"]
    if not theirs.trips.like(rules.trips, TCPTRACE):
        yield "tcptrace round trips", f"by its rules {rules.trips}, told {theirs.trips}"
    for what in ("rexmt", "outoforder"):
        if theirs.counts[what] != rules.counts[what]:
            yield f"tcptrace {what}", f"by its rules {rules.counts[what]}, told {theirs.counts[what]}"
    if theirs.trips.n or ours.trips.n:
        causes = expected.causes["round trips"]
        beside.compared("tcptrace: round trips", not set(causes) - {"syn", "fin"}, causes)
    mine, told = ([c[x] for x in names] for c, names in ((ours.counts, ("seen_twice", "holes_filled")),
                                                         (theirs.counts, ("rexmt", "outoforder"))))
    if any(mine + told):
        beside.compared("tcptrace: rexmt, outoforder", mine == told, expected.causes["tcptrace"])


def argus(expected, again, beside):
    """It guesses how much was lost, and does not tell which segments."""
    if "argus" in expected.unknown:
        if again:
            beside.compared("argus: loss", None)
        return
    loss, fins = expected.sources["argus"].counts["loss"], expected.causes["argus"]["fin"]
    if loss or again:
        causes = {} if loss == again else {"fin": fins} if loss == again - fins else {"guessed": 1}
        beside.compared("argus: loss", loss == again, causes)


def handshakes(expected, got, beside):
    """Every handshake that a tool measured is among those of the probe."""
    for i, of in enumerate(HANDSHAKE):
        times = {source: [h[i] for h in measured if h[i] is not None] for source, measured in expected.handshakes.items()}
        for source in ("rules", "argus", "tshark"):
            mine = [h[i] for h in got.handshakes["probe"] if h[i] is not None]
            for time in times.get(source, []):
                equal = take(mine, time)
                cause = None if equal or source == "rules" else otherwise(times, time)
                beside.compared(f"{source}: handshake", equal, {cause: 1} if cause else {})
                if not equal and not cause:
                    yield f"{of} handshake", f"{source}: {time:.0f} µs, got {mine}"


def otherwise(times, time):
    """Why another tool's handshake is not ours."""
    if time < 0:
        return "negative"
    return next((f"dated from the {which}" for which in ("first", "last") if take([*times.get(which, [])], time)), None)


def take(times, time):
    near = [t for t in times if abs(t - time) <= TOLERANCE]
    if near:
        times.remove(near[0])
    return bool(near)
