"""Packets to flows: counts of each direction, sequence numbers, handshake."""
from collections import Counter, defaultdict

from reference import tshark
from reference.segments import ACK, FIN, SYN, Segment
from reference.sequences import Sequences

FIELDS = ["frame.number", "frame.time_epoch", "frame.protocols", "ip.src", "ip.dst", "ip.len", "ipv6.src", "ipv6.dst",
          "ipv6.plen", "ip.reassembled_in", "ipv6.reassembled.in", "tcp.stream", "tcp.srcport", "tcp.dstport", "tcp.len",
          "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.window_size_value", "tcp.options.timestamp.tsval",
          "tcp.options.timestamp.tsecr", "tcp.options.sack_le", "tcp.options.sack_re", "tcp.segment", "ip.id", "udp.stream",
          "udp.srcport", "udp.dstport", "udp.length", "tcp.analysis.ack_rtt", "tcp.analysis.retransmission",
          "tcp.analysis.out_of_order", "tcp.analysis.duplicate_ack"]
ANALYSIS = ["retransmission", "out_of_order", "duplicate_ack"]


def nanoseconds(text):
    seconds, _, fraction = text.partition(".")
    return int(seconds or 0) * 10**9 + int((fraction + "000000000")[:9])


def values(text):
    return text.split(tshark.SEPARATOR)


def innermost(row):
    """Protocol, source, destination, octets and identification of the IP packet with the innermost TCP or UDP, or None."""
    at, ip, best = {"ip": -1, "ipv6": -1}, None, None
    for name in row["frame.protocols"].split(":"):
        if name in at:
            at[name] += 1
            ip = (name, at[name])
        elif name in ("icmp", "icmpv6"):
            break  # what follows is a quotation
        elif name in ("tcp", "udp"):
            best = (name, ip)
    if best is None or best[1] is None:
        return None
    protocol, (family, i) = best
    try:
        ends = values(row[family + ".src"])[i], values(row[family + ".dst"])[i]
        return protocol, *ends, octets(row, family, i), int(values(row["ip.id"])[i], 16) if family == "ip" else 0
    except (IndexError, ValueError):
        return None


def octets(row, family, i):
    return int(values(row["ip.len"])[i] or 0) if family == "ip" else int(values(row["ipv6.plen"])[i] or 0) + 40


class Direction:
    def __init__(self):
        self.counts = Counter(packets=0, bytes_ip=0)
        self.flags = Counter()
        self.sequences = Sequences()
        self.analysis = Counter()  # what tshark tells
        self.others = {}           # what other tools tell

    def result(self, tcp):
        if not tcp:
            return dict(self.counts)
        return dict(self.counts) | {"flags": dict(self.flags), "seqspace": self.sequences.counts,
                                    "tshark": dict(self.analysis)} | self.others


class Flow:
    def __init__(self, protocol, a, b):
        self.protocol, self.a, self.b = protocol, a, b
        self.directions = {"a2b": Direction(), "b2a": Direction()}
        self.data = []  # (frame, time, way)
        self.segments, self.others = [], {}
        self.answered = {}  # frame: how long that took, as tshark says
        self.messages = defaultdict(list)

    def name(self):
        ends = [f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}" for ip, port in (self.a, self.b)]
        return f"{self.protocol} {ends[0]}>{ends[1]}"


class Capture:
    def __init__(self):
        self.flows, self.of_frame, self.times, self.segments = [], {}, {}, {}
        self.protocols, self.warnings = set(), []


def read(path):
    capture, streams, fragments = Capture(), {}, []
    for row in tshark.packets(path, FIELDS, capture.warnings):
        frame = int(row["frame.number"])
        capture.times[frame] = nanoseconds(row["frame.time_epoch"])
        capture.protocols.update(row["frame.protocols"].split(":"))
        whole = values(row["ip.reassembled_in"])[0] or values(row["ipv6.reassembled.in"])[0]
        found = innermost(row)
        if found:
            packet(capture, streams, row, frame, *found)
        elif whole.isdigit():
            fragments.append((int(whole), row))
    for whole, row in fragments:
        fragment(capture, whole, row)
    return capture


def packet(capture, streams, row, frame, protocol, source, destination, length, ip_id):
    ports = [values(row[f"{protocol}.{side}port"])[-1] for side in ("src", "dst")]
    stream = values(row[f"{protocol}.stream"])[-1]
    if not all([*ports, stream]):
        return
    sender, receiver = (source, int(ports[0])), (destination, int(ports[1]))
    flow = streams.get((protocol, stream))
    if flow is None:
        flow = streams[protocol, stream] = Flow(protocol, sender, receiver)
        capture.flows.append(flow)
    way = "a2b" if sender == flow.a else "b2a"
    capture.of_frame[frame] = flow, way
    if row["tcp.segment"]:
        capture.segments[frame] = [int(x) for x in values(row["tcp.segment"]) if x.isdigit()]
    flow.directions[way].counts.update(packets=1, bytes_ip=length)
    if protocol == "tcp":
        segment(flow, way, frame, capture.times[frame], row, ip_id)


def segment(flow, way, frame, time, row, ip_id):
    flags, length, sequence, acknowledged, window = (int(values(row[f"tcp.{field}"])[-1] or "0", base) for field, base in (
        ("flags", 16), ("len", 10), ("seq_raw", 10), ("ack_raw", 10), ("window_size_value", 10)))
    direction = flow.directions[way]
    options = (tuple(values(row[f"tcp.options.{name}"])) if row[f"tcp.options.{name}"] else () for name in (
        "timestamp.tsval", "timestamp.tsecr", "sack_le", "sack_re"))
    value, echo, left, right = options
    flow.segments.append(Segment(frame, time // 1000, way, sequence, length, flags, acknowledged, window, ip_id,
                                 value[-1:] + echo[-1:], tuple(zip(left, right)),
                                 bool(row["tcp.analysis.retransmission"] or row["tcp.analysis.out_of_order"]),
                                 bool(row["tcp.analysis.duplicate_ack"])))
    direction.analysis.update({name: int(row[f"tcp.analysis.{name}"] != "") for name in ANALYSIS})
    if row["tcp.analysis.ack_rtt"]:
        flow.answered[frame] = float(values(row["tcp.analysis.ack_rtt"])[-1])
    if length:
        flow.data.append((frame, time, way))
    if flags & SYN:
        direction.sequences.syn(sequence)
    direction.flags.update({"synack" if flags & ACK else "syn": int(flags & SYN != 0), "fin": int(flags & FIN != 0)})
    direction.sequences.add((sequence + 1) & 0xFFFFFFFF if flags & SYN else sequence, length)


def fragment(capture, whole, row):
    """A fragment before the one that completes its datagram."""
    if whole not in capture.of_frame:
        return
    flow, way = capture.of_frame[whole]
    length = values(row["ip.len"])[-1]
    length = int(length) if length else int(values(row["ipv6.plen"])[-1] or 0) + 40
    flow.directions[way].counts.update(fragment_packets=1, fragment_bytes_ip=length)
