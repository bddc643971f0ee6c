#!/usr/bin/env python3
"""Every capture of pcaps/ still gives the records of its NAME.jsonl.

usage: golden_test.py AUGPROBE PCAPS [--write]     (--write makes the expectations anew: read the difference before you commit it)
"""
import pathlib
import subprocess
import sys

augprobe, pcaps = sys.argv[1], pathlib.Path(sys.argv[2])
wrong = 0
for capture in sorted(pcaps.glob("*.pcap")):
    expected = capture.with_suffix(".jsonl")
    if "--write" in sys.argv:
        run = subprocess.run([augprobe, "replay", "-q", "--json", "-", capture], stdout=subprocess.PIPE, check=True)
        expected.write_bytes(b"".join(sorted(run.stdout.splitlines(keepends=True))))
        continue
    if not expected.exists():
        print(f"{capture.name} has no {expected.name}")
        wrong += 1
        continue
    run = subprocess.run([augprobe, "replay", "-q", "--expect", expected, capture], stdout=subprocess.PIPE, text=True)
    if run.returncode != 0:
        wrong += 1
        print(run.stdout)
print(f"{wrong} captures are not as expected")
sys.exit(wrong > 0)
