#!/usr/bin/env python3
"""CPU time of commands as ratios to two yardsticks on the same trace: one run, interleaved, median of N.

    ratio.py --trace TRACE.pcap --base BASE_PCAP [--rounds 5] [--bar NAME=RATIO]… [--memory MB] NAME=COMMAND…

{} in a COMMAND stands for the trace. The yardsticks are base_pcap (libpcap, hash, minimal flow table) and Debian's
softflowd -r. Seconds of a busy machine say little; the ratio of two programs that ran next to each other says more.
Prints a table; with --bar (ratio to softflowd) and --memory, exit code 1 if a command is above.
"""
import argparse
import os
import shlex
import statistics
import struct
import subprocess
import sys
import tempfile


def run(command):
    """Runs a command to its end: CPU seconds and peak memory in MB, as the operating system accounts them."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{shlex.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def count_packets(path):
    """Packets of a little-endian classic pcap; reads all of it, so that the page cache is warm."""
    with open(path, "rb") as file:
        while file.read(1 << 24):
            pass
        file.seek(24)
        packets = 0
        while header := file.read(16):
            file.seek(struct.unpack("<8xI4x", header)[0], os.SEEK_CUR)
            packets += 1
    return packets


def softflowd(trace, scratch):
    # It unlinks its pid file when it ends: never name a device there.
    return ["softflowd", "-r", trace, "-n", "127.0.0.1:14739", "-v", "10", "-b", "-d", "-m", "400000", "-c", "none",
            "-p", os.path.join(scratch, "pid")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trace", required=True)
    parser.add_argument("--base", required=True, help="the program base_pcap")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bar", action="append", default=[], metavar="NAME=RATIO")
    parser.add_argument("--memory", type=float, metavar="MB")
    parser.add_argument("commands", nargs="+", metavar="NAME=COMMAND")
    return parser.parse_args()


def pairs(words):
    return dict(word.split("=", 1) for word in words)


def main():
    wanted = arguments()
    subjects = {name: [word.replace("{}", wanted.trace) for word in shlex.split(command)]
                for name, command in pairs(wanted.commands).items()}
    packets = count_packets(wanted.trace)
    with tempfile.TemporaryDirectory() as scratch:
        commands = {**subjects, "base_pcap": [wanted.base, wanted.trace], "softflowd": softflowd(wanted.trace, scratch)}
        runs = {name: [] for name in commands}
        for _ in range(wanted.rounds):
            for name, command in commands.items():
                runs[name].append(run(command))
    return report(runs, packets, {name: float(bar) for name, bar in pairs(wanted.bar).items()}, wanted.memory, subjects)


def report(runs, packets, bars, memory, subjects):
    print(f"{'':24} {'CPU s':>7} {'ns/packet':>9} {'kpackets/s':>10} {'peak MB':>8} {'x base_pcap':>11} "
          f"{'x softflowd':>11}  {'[min, max]':>14} {'bar':>6}")
    failed = False
    for name, taken in runs.items():
        cpu = statistics.median(seconds for seconds, _ in taken)
        peak = max(megabytes for _, megabytes in taken)
        to_base, to_softflowd = ([mine / other for (mine, _), (other, _) in zip(taken, runs[yard])]
                                 for yard in ("base_pcap", "softflowd"))
        ratio = statistics.median(to_softflowd)
        bar = bars.get(name)
        too_slow = bar is not None and ratio > bar
        too_big = memory is not None and name in subjects and peak > memory
        failed |= too_slow or too_big
        print(f"{name:24} {cpu:7.3f} {cpu / packets * 1e9:9.0f} {packets / cpu / 1e3:10.0f} {peak:8.0f} "
              f"{statistics.median(to_base):11.3f} {ratio:11.3f}  [{min(to_softflowd):.3f}, {max(to_softflowd):.3f}] "
              f"{'' if bar is None else f'{bar:6.2f}'}{' TOO SLOW' if too_slow else ''}{' TOO BIG' if too_big else ''}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
