"""Flows as every collector can tell them: what was sent, and what came back."""
import json
from collections import defaultdict, namedtuple

# Times are in milliseconds since 1970; `exact` says whether they must be equal or only lie within.
Row = namedtuple("Row", "source destination source_port destination_port protocol octets packets flags tos start end exact")


def _addresses(flow):
    if "sourceIPv4Address" in flow:
        return flow["sourceIPv4Address"], flow["destinationIPv4Address"]
    return flow["sourceIPv6Address"], flow["destinationIPv6Address"]


def _forward(flow):
    source, destination = _addresses(flow)
    return Row(source, destination, flow.get("sourceTransportPort", 0), flow.get("destinationTransportPort", 0),
               flow["protocolIdentifier"], flow["octetDeltaCount"], flow["packetDeltaCount"],
               flow.get("tcpControlBits", 0), flow.get("ipClassOfService", 0), flow["flowStartMilliseconds"],
               flow["flowEndMilliseconds"], True)


def _backward(flow):
    source, destination = _addresses(flow)
    return Row(destination, source, flow.get("destinationTransportPort", 0), flow.get("sourceTransportPort", 0),
               flow["protocolIdentifier"], flow["reverseOctetDeltaCount"], flow["reversePacketDeltaCount"],
               flow.get("reverseTcpControlBits", 0), 0, flow["flowStartMilliseconds"], flow["flowEndMilliseconds"],
               False)


def flows_of(path):
    with open(path, encoding="utf-8") as lines:
        return [r for r in map(json.loads, lines) if r["record"] == "flow"]


def uniflows(flows):
    """What the basic profile makes of them: a row for each direction that had packets."""
    rows = []
    for flow in flows:
        back = flow["reversePacketDeltaCount"] > 0
        if flow["packetDeltaCount"] > 0 or not back:
            rows.append(_forward(flow))
        if back:
            rows.append(_backward(flow))
    return rows


def forward_rows(flows):
    return [_forward(f) for f in flows]


def without_ports(row):
    """For protocols that have none, collectors put ICMP types and other things there."""
    return row if row.protocol in (6, 17, 132) else row._replace(source_port=0, destination_port=0)


def differences(expected, got, compared):
    """Sentences about rows that are missing, extra or have other times. `compared`: names of fields beside times."""
    def by_key(rows):
        out = defaultdict(list)
        for row in map(without_ports, rows):
            out[tuple(getattr(row, name) for name in compared)].append(row)
        return out

    wanted, there, out = by_key(expected), by_key(got), []
    for key in sorted(set(wanted) | set(there), key=str):
        a, b = wanted.get(key, []), there.get(key, [])
        if len(a) != len(b):
            out.append(f"sent {len(a)} and got {len(b)} of {dict(zip(compared, key))}")
            continue
        for sent, came in zip(sorted(a, key=lambda r: (r.start, r.end)), sorted(b, key=lambda r: (r.start, r.end))):
            same = (sent.start, sent.end) == (came.start, came.end)
            within = sent.start <= came.start <= came.end <= sent.end
            if not (same if sent.exact else within):
                out.append(f"times {came.start}..{came.end} instead of {sent.start}..{sent.end} in {came}")
    return out
