#!/usr/bin/env python3
"""What other tools say of a capture, in the form that corpus.py compares with: oracle.py CAPTURE > CAPTURE.json

Needs tshark (Debian 12: 4.0); tcptrace (6.6) and argus (3.0, with its clients) if they are there. README.md describes the
output and its known limits.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

from reference import argus, handshake, messages, packets, round_trips, tcptrace, tshark


def flow_result(flow, capture):
    tcp = flow.protocol == "tcp"
    result = {"proto": flow.protocol, "a": {"ip": flow.a[0], "port": flow.a[1]},
              "b": {"ip": flow.b[0], "port": flow.b[1]},
              "dir": {way: d.result(tcp) for way, d in flow.directions.items()}} | flow.others
    if tcp:
        result["handshake"] = handshake.of(flow.segments)
        result["tshark"] = handshake.by_tshark(flow.segments, flow.answered)
        for way, figures in round_trips.of(flow.segments).items():
            result["dir"][way] |= figures
    if flow.messages:
        result["l7"] = messages.transactions(flow, capture)
    return result


def other_tools(path, capture):
    """tcptrace and argus read a copy in the oldest of formats."""
    tools = {"tshark": tshark.version()}
    with tempfile.TemporaryDirectory() as folder:
        pcap = os.path.join(folder, "copy.pcap")
        done = subprocess.run(["editcap", "-F", "pcap", path, pcap], capture_output=True, check=False)
        if done.returncode or not os.path.exists(pcap):
            capture.warnings.append(f"editcap: {done.stderr.decode('utf8', 'replace').strip()[-200:]}")
            return tools
        for tool, programs in ((tcptrace, ["tcptrace"]), (argus, ["argus", "racluster"])):
            name = programs[0]
            if all(map(shutil.which, programs)):
                tool.read(pcap, capture)
                tools[name] = True
    return tools


def results(path):
    capture = packets.read(path)
    messages.read(path, capture)
    tools, flows, seen = other_tools(path, capture), {}, Counter()
    for flow in capture.flows:
        name = flow.name()
        seen[name] += 1
        flows[name if seen[name] == 1 else f"{name} #{seen[name]}"] = flow_result(flow, capture)
    return {"tools": tools, "flows": flows, "warnings": capture.warnings}


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    json.dump(results(sys.argv[1]), sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
