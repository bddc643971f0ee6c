#!/usr/bin/env python3
"""What tshark says of a capture, in the form that corpus.py compares with: oracle.py CAPTURE > CAPTURE.json

Needs tshark (Debian 12: 4.0) and nothing else. README.md describes the output and its known limits.
"""
import json
import sys
from collections import Counter

from reference import messages, packets, tshark


def flow_result(flow, capture):
    result = {"proto": flow.protocol, "a": {"ip": flow.a[0], "port": flow.a[1]},
              "b": {"ip": flow.b[0], "port": flow.b[1]},
              "dir": {way: d.result(flow.protocol == "tcp") for way, d in flow.directions.items()}}
    if flow.protocol == "tcp":
        result["handshake"] = flow.handshake()
    if flow.messages:
        result["l7"] = messages.transactions(flow, capture)
    return result


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    capture = packets.read(sys.argv[1])
    messages.read(sys.argv[1], capture)
    flows, seen = {}, Counter()
    for flow in capture.flows:
        name = flow.name()
        seen[name] += 1
        flows[name if seen[name] == 1 else f"{name} #{seen[name]}"] = flow_result(flow, capture)
    json.dump({"tools": {"tshark": tshark.version()}, "flows": flows, "warnings": capture.warnings}, sys.stdout, indent=1,
              ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
