"""What tcptrace says of each direction, put beside tshark's flows."""
import ipaddress
import re
import subprocess
from collections import defaultdict

COLUMNS = {"RTT_samples": "n", "RTT_min": "min_us", "RTT_avg": "mean_us", "RTT_max": "max_us", "rexmt_data_pkts": "rexmt",
           "outoforder_pkts": "outoforder", "zwnd_probe_pkts": "probes", "hardware_dups": "hardware_dups",
           "ambiguous_acks": "ambiguous_acks", "post-loss_acks": "post_loss_acks", "segs_cum_acked": "cumulative_acks"}
TIMEOUT = 300
APART_NS = 2 * 10**9  # its connections begin where tshark's do


def read(pcap, capture):
    """`pcap` is in the format that it can read: classic, microseconds."""
    try:
        run = subprocess.run(["tcptrace", "-lnr", "--csv", pcap], capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        capture.warnings.append("tcptrace: no end")
        return
    waiting = defaultdict(list)
    for flow in capture.flows:
        if flow.protocol == "tcp":
            waiting[frozenset((flow.a, flow.b))].append(flow)
    for row in rows(run.stdout.decode("utf8", "replace")):
        attach(row, waiting, capture)


def rows(text):
    head = None
    for line in text.splitlines():
        values = [value.strip() for value in line.split(",")]
        if values[0] == "conn_#":
            head = values
        elif head and re.fullmatch(r"\d+", values[0]):
            yield dict(zip(head, values))


def attach(row, waiting, capture):
    a, b = ((address(row[f"host_{way}"]), int(row[f"port_{way}"])) for way in "ab")
    begin = nanoseconds(row["first_packet"])
    flows = waiting[frozenset((a, b))]
    near = [flow for flow in flows if abs(flow.segments[0].us * 1000 - begin) < APART_NS]
    if not near:
        capture.warnings.append(f"tcptrace: no flow of tshark like {a[0]}:{a[1]} {b[0]}:{b[1]}")
        return
    flow = near[0]
    flows.remove(flow)
    for theirs, ours in (("a2b", "a2b"), ("b2a", "b2a")) if a == flow.a else (("a2b", "b2a"), ("b2a", "a2b")):
        flow.directions[ours].others["tcptrace"] = {name: number(row[f"{column}_{theirs}"], name)
                                                    for column, name in COLUMNS.items()}


def address(text):
    """fd77::0001"""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def nanoseconds(text):
    """5.4437 is five seconds and 4437 microseconds."""
    seconds, _, micro = text.partition(".")
    return int(seconds) * 10**9 + int(micro or 0) * 1000


def number(text, name):
    if text in ("NA", ""):
        return None
    return round(float(text) * 1000) if name.endswith("_us") else int(text)
