#!/usr/bin/env python3
"""Frames for an interface: the captures of pcaps/ again and again, each time of other hosts; and who sends them.

Usage: feeder.py INTERFACE FILE FRAMES_A_SECOND   (0: as fast as it goes)
"""
import glob
import os
import signal
import socket
import sys
import time

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit.pcapfile import Frame, ip_part, read, write  # noqa: E402  (a program finds it only through the line above)

PCAPS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../pcaps")
STEP = 20_000_000  # nanoseconds between the beginnings of two conversations


# Their records name other flows, whose flowId changes with the time, or tell of streams as far as memory lasts.
ABOUT_OTHERS = ("quic_rebinding", "rtp_", "rtsp_", "sip_")


def captures():
    """Frames of each capture of our own that can be played at any time; those of one lie close together."""
    found = {}
    for path in sorted(glob.glob(f"{PCAPS}/*.pcap")):
        if os.path.basename(path).startswith(ABOUT_OTHERS):
            continue
        try:
            frames = read(path)
        except ValueError:  # the format of somebody else
            continue
        if frames and all(ip_part(f.data) for f in frames):
            found[os.path.basename(path).removesuffix(".pcap")] = frames
    return found


def of_others(data, number):
    """The frame as hosts of another number would send it. Checksums are as before: nobody looks at them on the way."""
    name = number.to_bytes(2, "big")
    if data[12:14] == b"\x08\x00":
        out = bytearray(data)
        for at in (26, 30):
            out[at + 1:at + 3] = name  # 10.x.x.1
        return bytes(out)
    return data[:26] + name + data[28:42] + name + data[44:]


def mixture(rounds, names=None, first=0):
    """Conversations that overlap, of `rounds` rounds through the captures, in the order of their frames. The gaps within
    each are as they were, but for none longer than a tenth of a second."""
    frames, begin, number = [], 0, first
    chosen = {n: f for n, f in captures().items() if names is None or n in names}
    for _ in range(rounds):
        for capture in chosen.values():
            at, before = begin, capture[0].time
            for f in capture:
                at += min(f.time - before, 10**8)
                before = f.time
                frames.append(Frame(at, of_others(f.data, number)))
            begin += STEP
            number += 1
    frames.sort(key=lambda f: f.time)
    return frames


class Feeder:
    """Sends frames in a namespace, by a process of its own."""

    def __init__(self, w, netns, interface, frames, rate):
        self.path = w.path(f"feed-{len(w.processes)}.pcap")
        write(self.path, frames)
        self.process = w.spawn(netns, [sys.executable, os.path.abspath(__file__), interface, self.path, rate], stdout=-1)

    def wait(self):
        """Frames that were sent."""
        sent = int(self.process.communicate()[0])
        if self.process.returncode != 0:
            raise RuntimeError("the feeder failed")
        return sent

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.wait()


def pair(w, netns, ends=("feed", "port")):
    """Two ends of a cable in one namespace, without a word of their own."""
    feed, port = ends
    w.run(netns, ["ip", "link", "add", feed, "type", "veth", "peer", "name", port])
    for end in ends:
        w.run(netns, ["sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1"])
        w.run(netns, ["ip", "link", "set", end, "up", "arp", "off"])


def send_all(interface, frames, rate):
    going = True

    def stop(*_):
        nonlocal going
        going = False
    signal.signal(signal.SIGTERM, stop)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind((interface, 0))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 << 20)
        begin, sent = time.monotonic(), 0
        for f in frames:
            while going and rate and sent >= (time.monotonic() - begin) * rate:
                time.sleep(0.001)
            if not going:
                break
            s.send(f.data)
            sent += 1
    return sent


if __name__ == "__main__":
    print(send_all(sys.argv[1], read(sys.argv[2]), int(sys.argv[3])))
