#!/usr/bin/env python3
"""What a packet costs live, through a memif, and what the same packets cost in a replay.

Live: the time of the worker's stages (idle left out) through the frames it read, in windows of a tenth of a second once the
first round of addresses has passed; told is the window that is better than three quarters of them, since on a machine that others
use as well a stage lasts longer when the worker waits for its CPU. Replay: CPU time, user and system, of more rounds minus that of
fewer, best of three.

Usage: live_ratio.py AUGPROBE LOAD_SEND CAPTURE [-z] [-r RSIZE] [-s SECONDS] [-m MILLION] [--set OPTION=VALUE …]
-z: without a copy, the sender writes into the probe's buffers (memif's zero-copy=yes; the probe is its client).
"""
import argparse
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROUNDS = 32  # of addresses
FEW, MANY = 32, 96  # rounds in a replay


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("program", "load_send", "capture"):
        parser.add_argument(name)
    parser.add_argument("-z", "--zero-copy", action="store_true")
    parser.add_argument("-r", "--rsize", type=int, default=13, help="binary logarithm of the frames in memif's ring")
    parser.add_argument("-s", "--seconds", type=float, default=5)
    parser.add_argument("-m", "--million", type=float, default=8, help="frames a second that are offered")
    parser.add_argument("--set", action="append", default=[])
    return parser.parse_args()


def settings(options, *more):
    return [part for setting in (*options.set, *more) for part in ("--set", setting)]


def statistics(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"statistics\n")
        with s.makefile() as answer:
            told = json.loads(answer.readline())
    return time.monotonic(), told["counters"]["capture_frames"], told["workers"][0]["stage_seconds"]


def wait_for(path, process):
    while not os.path.exists(path):
        if process.poll() is not None:
            sys.exit("it ended: " + " ".join(map(str, process.args)))
        time.sleep(0.05)
    time.sleep(1)  # a memif's server takes clients a little later


def live(options, directory):
    memif, stat = f"{directory}/memif", f"{directory}/statistics"
    place = f"socket={memif},socket-abstract=no"
    here, there = ("role=client,zero-copy=yes", "role=server") if options.zero_copy else ("role=server", "role=client")
    size = f",rsize={options.rsize}"
    mine = f"dpdk:net_memif0,{here},{place}" + (size if options.zero_copy else "")
    others = f"net_memif0,{there},{place}" + ("" if options.zero_copy else size)
    probe = [options.program, "run", "-e", "null:", *settings(
        options, f'capture.ports=["{mine}"]', "capture.cpus=1", "dpdk.hugepages=never", "sampling.shed=false",
        f"statistics.socket={stat}", f"dpdk.descriptors={1 << options.rsize}", "dpdk.arguments=--single-file-segments")]
    send = ["taskset", "-c", "0", options.load_send, "-d", others, "-r", str(options.million), "-s", str(options.seconds),
            "-a", str(ROUNDS), options.capture]
    quiet = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    started = [subprocess.Popen(send if options.zero_copy else probe, **quiet)]
    try:
        wait_for(memif, started[0])
        started.append(subprocess.Popen(probe if options.zero_copy else send, **quiet))
        probe, sender = reversed(started) if options.zero_copy else started
        wait_for(stat, probe)
        samples = []
        while sender.poll() is None:
            samples.append(statistics(stat))
            time.sleep(0.1)
        probe.send_signal(signal.SIGTERM)
        probe.wait(60)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
    told = sender.stdout.read().splitlines()
    frames = int(told[0].split()[0])
    windows = []
    for (then, before, spent), (now, after, spent_now) in zip(samples, samples[1:]):
        n = after - before
        if before > ROUNDS * frames and n > 20_000:
            each = {stage: (spent_now[stage] - spent[stage]) * 1e9 / n for stage in spent if stage not in ("idle", "dispatch")}
            windows.append((sum(each.values()), n / (now - then) / 1e6, each))
    if not windows:
        sys.exit("too few frames were read: " + "\n".join(told))
    cost, rate, stages = sorted(windows, key=lambda w: w[0])[len(windows) // 4]
    print(f"live: {cost:.0f} ns a packet at {rate:.2f} M/s (", ", ".join(f"{k} {v:.0f}" for k, v in stages.items()),
          f"), {len(windows)} windows; offered and refused: {told[-1].split()[3:5]}", sep="")
    return cost


def replay(options, directory):
    used = {}
    for passes in (FEW, MANY):
        path = f"{directory}/{passes}.pcap"
        wrote = subprocess.run([options.load_send, "--write", path, "--passes", str(passes), "-a", str(ROUNDS), options.capture],
                               check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        size = os.path.getsize(path)
        for _ in range(3):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(["taskset", "-c", "1", options.program, "replay", "-q", "-e", "null:", *settings(options), path],
                           check=True, stderr=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            used[passes] = min(used.get(passes, cpu), cpu)
        used[passes] = (used[passes], int(wrote.stdout.split()[0]))
        os.unlink(path)
    (few, n), (many, m) = used[FEW], used[MANY]
    cost = (many - few) * 1e9 / (m - n)
    print(f"replay: {cost:.0f} ns a packet ({many:.2f} s for {m}, {few:.2f} s for {n}, {size / m:.0f} octets each)")
    return cost


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="augprobe-ratio-") as directory:
        live_cost = live(options, directory)
        print(f"live / replay: {live_cost / replay(options, directory):.2f}")


main()
