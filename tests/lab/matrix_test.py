#!/usr/bin/env python3
"""Every trouble on every path with every way of talking, across a fresh wire; the probe's replay of what passed the tap against
the wire's log and the kernels' TCP_INFO. Needs root.

Without --full: a few diagonals of the matrix, each value of each axis at least once. Bar: retransmissions and their classes,
losses before and after, reordering, duplicates, zero windows exact; RTT minimum within 0.2 ms, mean within 2 %.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter

from kit import cells, judge, kernel, pcapfile, world
from kit.compare import replay

HERE = os.path.dirname(os.path.abspath(__file__))
ALWAYS = (("net.ipv4.tcp_no_metrics_save", 1),)  # one connection must not teach the next
LEAD_S = 1.0  # from the start of the endpoints to the first simultaneous open
COLUMNS = ("retransmitted", "tap_retransmitted_before", "after", "tap_looks_new", "tap_unneeded", "tap_reordered",
           "tap_network_duplicates")
HEAD = ("sent again", "before", "after", "hidden", "needless", "reordered", "copies", "min off", "mean off", "samples")


class Unfit(Exception):
    """The cell could not be played as meant."""


def congestion_controls():
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as file:
        return file.read().split()


def play(cell, wire, keep_in):
    """Events of the wire's log, and the reports of both ends. The capture goes to `keep_in`."""
    with world.World(wire, *cell.wire_options(), sysctl=ALWAYS + tuple(cell.workload.sysctl), control=cell.control,
                     ipv6=cell.ipv6) as w:
        command = [sys.executable, f"{HERE}/kit/endpoint.py"]
        begin = str(time.time() + LEAD_S)
        family = ["6"] if cell.ipv6 else []
        ends = []
        if cell.workload.simultaneous:
            ends.append(w.spawn(w.b, [*command, "server", cell.talk, begin, *family], stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        else:
            ends.append(w.serve([*command, "server", cell.talk, begin, *family], 7000, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        ends.append(w.spawn(w.a, [*command, "client", cell.talk, begin, *family], stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        reports = []
        for end in reversed(ends):
            said, complaint = end.communicate(timeout=90)
            if end.returncode != 0 or not said:
                raise Unfit(complaint.strip().splitlines()[-1] if complaint else f"an end left with {end.returncode}")
            reports += json.loads(said)
        counts = kernel.wanted({"up": w.kernel_counts(w.a), "down": w.kernel_counts(w.b)})
        events, _ = w.stop_wire(settle=2 * sum(cell.one_way_ms) / 1000 + 0.2)
        shutil.copy(w.pcap, f"{keep_in}/tap.pcap")
        shutil.copy(w.log, f"{keep_in}/wire.jsonl")
    return events, reports, counts


def check(cell, probe, wire, keep):
    """One line of the table, as an object."""
    directory = os.path.join(keep, cell.name.replace("/", "-"))
    os.makedirs(directory, exist_ok=True)
    begin = time.monotonic()
    try:
        if cell.control not in congestion_controls():
            raise Unfit(f"this kernel has no {cell.control}")
        events, reports, counts = play(cell, wire, directory)
        with open(f"{directory}/ends.json", "w") as out:
            json.dump({"reports": reports, "counts": counts}, out)
        line = assess(cell, probe, directory, events, reports, counts)
    except Unfit as why:
        line = {"verdict": "skipped", "why": [str(why)], "figures": {}}
    except Exception as error:  # one cell must not take the others with it
        line = {"verdict": "BROKEN", "why": [f"{type(error).__name__}: {error}"], "figures": {}}
    return line | {"cell": cell.name, "seconds": time.monotonic() - begin, "directory": directory}


def assess(cell, probe, directory, events, reports, counts):
    identifications = {frame.time: 0 if cell.ipv6 else int.from_bytes(frame.data[18:20], "big")
                       for frame in pcapfile.read(f"{directory}/tap.pcap")}
    facts = judge.facts_of(events, identifications)
    if cell.workload.simultaneous and not any(c["handshake"].get("simultaneous") for c in facts["tcp"]):
        raise Unfit("the two sides never met: this machine is too busy")
    result = judge.CellJudge(cell, facts, replay(probe, f"{directory}/tap.pcap"), reports,
                             counts).run()
    figures = {key: result.total(key) for key in COLUMNS} | result.figures
    figures["tap_looks_new"] += result.total("tap_looks_reordered")
    figures["after"] = figures["retransmitted"] and result.total("tap_retransmitted") - result.total(
        "tap_retransmitted_before") - result.total("tap_unneeded")
    return {"verdict": result.verdict(), "why": result.faults + result.doubts + result.marked, "figures": figures,
            "checks": result.checks}


def row(line, width):
    f = line["figures"]
    cells_ = [str(f.get(key, "")) for key in COLUMNS]
    if "samples" in f:
        cells_ += [f"{f['rtt_min_off_us']:.0f} us", f"{f['rtt_mean_off'] * 100:.1f} %", f"{f['samples']}/{f['samples_true']}"]
    return f"{line['verdict']:8} {line['cell']:{width}}" + "".join(f"{c:>{max(len(h), 8) + 1}}" for c, h in zip(cells_, HEAD))


def kinds_of(why):
    """Faults alike, so that a table of thousands can be read."""
    return re.sub(r"\d+(\.\d+)?", "N", re.sub(r"^\S+: ", "", why))


def summary(lines):
    by_value = {}
    for line in lines:
        for axis, value in enumerate(line["cell"].split("/")):
            by_value.setdefault((axis, value), Counter())[line["verdict"]] += 1
    print("\nby value of each axis:")
    for (_, value), verdicts in sorted(by_value.items()):
        print(f"  {value:18} " + ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))
    alike = Counter(kinds_of(why) for line in lines for why in line["why"])
    if alike:
        print("\nwhat was off, marked or skipped, and how often:")
        for why, count in alike.most_common(40):
            print(f"  {count:5} {why}")
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in Counter(line["verdict"] for line in lines).most_common()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("probe", metavar="PROBE")
    parser.add_argument("wire", metavar="WIRE")
    parser.add_argument("--full", action="store_true", help=f"all {len(cells.every())} cells")
    parser.add_argument("--diagonals", type=int, default=2, metavar="N", help="how many of the short form (default 2)")
    parser.add_argument("--cell", action="append", metavar="NAME", default=[], help="this one, as the table names it (repeatable); "
                        "an empty part or * stands for all values")
    parser.add_argument("--list", action="store_true", help="name the cells that would run")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="cells at once (default 4; they mostly wait)")
    parser.add_argument("--keep", metavar="DIR", help="leave capture, log and reports of each cell that is not ok there")
    parser.add_argument("--json", metavar="FILE", help="write a line of JSON for each cell")
    args = parser.parse_args()
    chosen = choose(args)
    if args.list:
        print("\n".join(cell.name for cell in chosen))
        return
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    lines = run(args, chosen)
    summary(lines)
    sys.exit(0 if lines and all(line["verdict"] in ("ok", "marked", "skipped") for line in lines) else 1)


def choose(args):
    if args.cell:
        patterns = [[part or "*" for part in name.split("/")] for name in args.cell]
        chosen = [cell for cell in cells.every() if any(
            len(p) == 4 and all(want in ("*", part) for want, part in zip(p, cell.name.split("/"))) for p in patterns)]
        if not chosen:
            sys.exit("no such cell")
        return chosen
    return cells.every() if args.full else cells.diagonals(args.diagonals)


def run(args, chosen):
    width = max(len(cell.name) for cell in chosen) + 1
    print(" " * (9 + width) + "".join(f"{h:>{max(len(h), 8) + 1}}" for h in HEAD))
    lines = []
    temporary = world.tempfile.TemporaryDirectory(prefix="augprobe-matrix-")
    keep = args.keep or temporary.name
    with temporary, concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        for done in concurrent.futures.as_completed([pool.submit(check, cell, os.path.abspath(args.probe), args.wire, keep)
                                                     for cell in chosen]):
            line = done.result()
            print(row(line, width), flush=True)
            for why in line["why"][:6]:
                print(f"           {why}")
            if line["verdict"] == "ok" or not args.keep:
                shutil.rmtree(line["directory"])
            lines.append(line)
    if args.json:
        with open(args.json, "w") as out:
            out.writelines(json.dumps({k: v for k, v in line.items() if k != "directory"}) + "\n" for line in lines)
    return lines


if __name__ == "__main__":
    main()
