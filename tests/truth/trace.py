"""A small trace of gen_trace with its truth, and the probe's records of it."""
import csv
import ipaddress
import json
import subprocess
from collections import defaultdict
from pathlib import Path

SIZE = ["1317", "3000", "600", "2000", "30"]  # seed, HTTP, MySQL and DNS flows, seconds
SITE = {"up": 1, "down": 2}


def make(gen_trace, folder):
    """Writes trace.pcap and its truth into the folder."""
    subprocess.run([gen_trace, folder / "trace.pcap", folder / "trace", *SIZE], check=True, stdout=subprocess.DEVNULL)
    return folder / "trace.pcap"


def replay(probe, captures, *options, stdin=None):
    """The probe's records of captures: a list of objects, in the order of their coming."""
    run = subprocess.run([probe, "replay", "-q", *options, "--json", "-", *map(str, captures)], stdin=stdin,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if run.returncode:
        raise AssertionError(f"exit code {run.returncode}: {run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def as_set(records):
    """For comparison: every record as one text, sorted."""
    return sorted(json.dumps(record, sort_keys=True) for record in records)


def address(version, digits, site):
    number = int(digits, 16)
    if version == "4":
        return str(ipaddress.IPv4Address(number))
    return str(ipaddress.IPv6Address((0x20010db8 << 96) | site << 80 | number))


def endpoints(record):
    """Client and server of a record: what tells the trace's flows apart."""
    family = "IPv6" if "sourceIPv6Address" in record else "IPv4"
    return tuple(record[name] for name in (f"source{family}Address", "sourceTransportPort",
                                           f"destination{family}Address", "destinationTransportPort"))


def rows(path):
    with open(path, newline="", encoding="utf8") as file:
        return list(csv.DictReader(file))


def numbers(row, *texts):
    return {name: value if name in texts else int(value) for name, value in row.items()}


class Truth:
    """flows: by id, with `up` and `down`; transactions: by flow id, in their order."""

    def __init__(self, prefix):
        self.flows, self.transactions = {}, defaultdict(list)
        for row in rows(f"{prefix}.directions.csv"):
            flow = self.flows.setdefault(int(row["flow"]), {
                "kind": row["kind"], "timestamps": row["timestamps"] == "1",
                "key": (address(row["ipv"], row["client"], SITE["up"]), int(row["client_port"]),
                        address(row["ipv"], row["server"], SITE["down"]), int(row["server_port"]))})
            flow[row["way"]] = numbers({name: row[name] for name in list(row)[9:]})
        for row in rows(f"{prefix}.flows.csv"):
            self.flows[int(row["id"])]["server_rtt"] = int(row["srv_rtt_us"])
            self.flows[int(row["id"])]["client_rtt"] = int(row["cli_rtt_us"])
        for row, times in zip(rows(f"{prefix}.tx.csv"), rows(f"{prefix}.times.csv"), strict=True):
            assert (row["flow"], row["i"]) == (times["flow"], times["i"])
            transaction = row | numbers(times, "kind", "outcome")
            self.transactions[transaction["flow"]].append(transaction)


def by_flow(records):
    """Records by their endpoints and kind, transactions in their order."""
    sorted_records = defaultdict(lambda: defaultdict(list))
    for record in records:
        sorted_records[endpoints(record)][record["record"]].append(record)
    for kinds in sorted_records.values():
        for kind in ("http", "dns", "sql"):
            kinds[kind].sort(key=lambda record: record["transactionId"])
    return sorted_records


def scratch_trace(gen_trace, folder):
    folder = Path(folder)
    return make(gen_trace, folder), Truth(folder / "trace")
