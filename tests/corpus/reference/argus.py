"""What argus says of each pair of ends."""
import csv
import os
import subprocess
from collections import defaultdict

COLUMNS = ["proto", "saddr", "sport", "daddr", "dport", "synack", "ackdat", "sloss", "dloss"]
TIMEOUT = 300


def read(pcap, capture):
    records = f"{pcap}.argus"
    try:
        subprocess.run(["argus", "-F", "/dev/null", "-r", pcap, "-w", records, "-J", "-R", "-Z", "-A"], capture_output=True,
                       timeout=TIMEOUT, check=False)
        if not os.path.exists(records):
            capture.warnings.append("argus: wrote nothing")
            return
        run = subprocess.run(["racluster", "-F", "/dev/null", "-n", "-u", "-c", ",", "-p", "6", "-r", records, "-s", *COLUMNS],
                             capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        capture.warnings.append("argus: no end")
        return
    flows = defaultdict(list)
    for flow in capture.flows:
        flows[flow.protocol, frozenset((flow.a, flow.b))].append(flow)
    for row in csv.reader(run.stdout.decode("utf8", "replace").splitlines()):
        if len(row) == len(COLUMNS) and row[0] == "tcp":
            attach(dict(zip(COLUMNS, row)), flows)


def attach(row, flows):
    """It takes all uses of the same ports for one flow."""
    try:
        source, destination = (row["saddr"], int(row["sport"], 0)), (row["daddr"], int(row["dport"], 0))
    except ValueError:
        return
    found = flows.get((row["proto"], frozenset((source, destination))), [])
    if len(found) != 1:
        return
    flow = found[0]
    flow.others["argus"] = {f"{side}_side_s": float(row[column]) or None if row[column] else None
                            for side, column in (("server", "synack"), ("client", "ackdat"))}
    for way, column in (("a2b", "sloss"), ("b2a", "dloss")) if source == flow.a else (("a2b", "dloss"), ("b2a", "sloss")):
        flow.directions[way].others["argus"] = {"loss": int(row[column] or 0)}
