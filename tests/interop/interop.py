#!/usr/bin/env python3
"""Do the collectors of others read what we send?

  interop.py COLLECTOR PROFILE -- SENDER...

COLLECTOR is nfcapd, nfacctd or tshark; PROFILE is basic or native. SENDER is a command in which {url} stands for the
target and {json} for the file that it writes the records to as JSON lines, for example
  interop.py nfcapd basic -- augprobe replay --export {url} --json {json} CAPTURE
Octets, packets, times, flags and ports of every flow must come back. Exit code 0, 1 if anything differs, 77 if the
collector is not installed.
"""
import pathlib
import subprocess
import sys
import tempfile

import collectors
import rows

KEY = ["source", "destination", "source_port", "destination_port", "protocol", "octets", "packets", "flags", "tos"]


def reverse_differences(flows, collector):
    """A biflow: the counts of the other direction stand in the same record."""
    wanted = {}
    for f in flows:
        row = rows.without_ports(rows.forward_rows([f])[0])
        wanted.setdefault(row, []).append((f["reverseOctetDeltaCount"], f["reversePacketDeltaCount"]))
    return [f"sent {wanted.get(rows.without_ports(row))} back and got {counts} in {row}"
            for row, counts in collector.both_ways.items() if counts not in wanted.get(rows.without_ports(row), [])]


def main(name, profile, sender):
    with tempfile.TemporaryDirectory() as folder:
        try:
            collector = collectors.ALL[name](folder)
        except collectors.Missing as missing:
            print(f"skipped: {missing}")
            return 77
        expected = pathlib.Path(folder) / "expected.jsonl"
        command = [part.format(url=f"{collector.url}?profile={profile}", json=expected) for part in sender]
        sent = subprocess.run(command, check=False)
        flows = rows.flows_of(expected) if expected.exists() else []
        wanted = rows.uniflows(flows) if profile == "basic" else rows.forward_rows(flows)
        got = collector.rows()
        if sent.returncode != 0:
            print(f"{command} ended with exit code {sent.returncode}")
            return 1
        found = rows.differences(wanted, got, KEY)
        if profile == "native" and name != "nfacctd":  # which knows no reverse elements
            found += reverse_differences(flows, collector)
        if profile == "native" and name == "tshark" and "measurementQuality" not in collector.type_names:
            found.append("the type records (RFC 5610) did not come")
        if name == "tshark":
            found += collector.problems
            if "send_sample" in sender[0] and set(collector.not_sent) != {3}:
                found.append(f"records not sent (RFC 7011 4.3) are {collector.not_sent}")
        for line in found[:20]:
            print(line)
        print(f"{name}, {profile}: {len(flows)} flows sent, {len(got)} of {len(wanted)} rows came back, "
              f"{len(found)} differences")
        return 1 if found or not flows else 0


if __name__ == "__main__":
    if len(sys.argv) < 5 or sys.argv[3] != "--" or sys.argv[1] not in collectors.ALL or \
            sys.argv[2] not in ("basic", "native"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[4:]))
