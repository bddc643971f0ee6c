#!/usr/bin/env python3
"""The probe's records of our captures against the truth that the wire, the servers and the clients wrote. No root.

Usage: truth_check.py PROBE [NAME…]
"""
import glob
import json
import os
import sys

from kit.compare import Comparison, replay

PCAPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../pcaps")


def main():
    probe, names = sys.argv[1], sys.argv[2:]
    if not names:
        names = sorted(os.path.basename(path)[:-len(".truth.json")] for path in glob.glob(f"{PCAPS}/*.truth.json"))
    if not names:
        sys.exit("no truth found")
    failed = 0
    for name in names:
        with open(f"{PCAPS}/{name}.truth.json") as file:
            truth = json.load(file)
        result = Comparison(truth, replay(probe, f"{PCAPS}/{name}.pcap")).run()
        failed += not result.report(name)
    print(f"{len(names) - failed} of {len(names)} captures agree with their truth")
    sys.exit(1 if failed else 0)


main()
