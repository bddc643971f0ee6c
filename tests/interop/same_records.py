#!/usr/bin/env python3
"""Is what arrives what was sent?

  same_records.py AUGPROBE TRANSPORT CAPTURE...

Replays the captures over TRANSPORT (udp or tcp) into `augprobe collect`, and compares the JSON lines of both ends: the
same code writes both, so that every record must be equal, octet for octet. Exit code 1 if not.
"""
import collections
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time


def start_collector(augprobe, transport, path, log):
    process = subprocess.Popen([augprobe, "collect", "--listen", f"{transport}://127.0.0.1:0", "--json", str(path)],
                               stderr=open(log, "w", encoding="utf-8"))
    for _ in range(200):
        found = re.search(r"\(port (\d+)\)", log.read_text())
        if found:
            return process, found.group(1)
        time.sleep(0.05)
    process.kill()
    raise RuntimeError("the collector did not start")


def lines_of(path):
    with open(path, encoding="utf-8") as lines:
        return collections.Counter(lines)


def main(augprobe, transport, captures):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        sent, got, log = folder / "sent.jsonl", folder / "got.jsonl", folder / "collect.log"
        collector, port = start_collector(augprobe, transport, got, log)
        replay = subprocess.run([augprobe, "replay", "-q", "--export", f"{transport}://127.0.0.1:{port}", "--json",
                                 str(sent), *captures], check=False)
        collector.send_signal(signal.SIGINT)
        end = collector.wait(60)
        if replay.returncode != 0 or end != 0:
            print(f"exit codes: replay {replay.returncode}, collect {end}\n{log.read_text()}")
            return 1
        there, back = lines_of(sent), lines_of(got)
        missing, extra = there - back, back - there
        for line in list(missing)[:5]:
            print("sent only:", line, end="")
        for line in list(extra)[:5]:
            print("got only: ", line, end="")
        print(f"{transport}: {there.total()} records sent, {back.total()} came back, {missing.total()} of them differ")
        return 1 if missing or extra or not there else 0


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[2] not in ("udp", "tcp"):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
