#!/usr/bin/env python3
"""No figure depends on where a sender's numbers begin: wrap_test.py AUGPROBE CAPTURES

Each capture is read as it is, and with all TCP numbers moved so that each sender's wrap around in the middle of its data. The
records must be the same but for the flow's id, which is made from the first packet.
"""
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

WRAP = 1 << 32
ACK, SACK, NOTHING, END = 16, 5, 1, 0


class Capture:
    """A pcap file of Ethernet and IPv4; other packets stay as they are."""

    def __init__(self, path):
        self.octets = bytearray(path.read_bytes())
        if self.octets[:4] not in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"):
            raise ValueError(f"{path}: no little-endian pcap")

    def segments(self):
        """(offset of the TCP header, sender and receiver, octets of payload)"""
        at = 24
        while at + 16 <= len(self.octets):
            frame, at = at + 16, at + 16 + struct.unpack_from("<I", self.octets, at + 8)[0]
            ip = frame + 14
            if self.octets[ip - 2:ip] != b"\x08\x00" or self.octets[ip + 9] != 6:
                continue
            tcp = ip + (self.octets[ip] & 15) * 4
            ends = tuple(bytes(self.octets[ip + a:ip + a + 4] + self.octets[tcp + p:tcp + p + 2]) for a, p in ((12, 0), (16, 2)))
            payload = struct.unpack_from(">H", self.octets, ip + 2)[0] - (tcp - ip) - (self.octets[tcp + 12] >> 4) * 4
            yield tcp, ends, payload

    def number(self, at):
        return struct.unpack_from(">I", self.octets, at)[0]

    def move(self, at, by):
        struct.pack_into(">I", self.octets, at, (self.number(at) + by) % WRAP)

    def wrap(self):
        first, length = {}, {}
        for tcp, ends, payload in self.segments():
            begin = (self.number(tcp + 4) - first.setdefault(ends, self.number(tcp + 4))) % WRAP
            length[ends] = max(length.get(ends, 0), begin + payload if begin < WRAP // 2 else 0)
        by = {ends: -first[ends] - length[ends] // 2 for ends in first}
        for tcp, ends, _ in self.segments():
            self.move(tcp + 4, by[ends])
            back = by.get(ends[::-1], 0)
            if self.octets[tcp + 13] & ACK:
                self.move(tcp + 8, back)
            for at in self.sack_edges(tcp):
                self.move(at, back)

    def sack_edges(self, tcp):
        at, end = tcp + 20, tcp + (self.octets[tcp + 12] >> 4) * 4
        while at < end and self.octets[at] != END:
            if self.octets[at] == NOTHING:
                at += 1
                continue
            if self.octets[at] == SACK:
                yield from range(at + 2, at + self.octets[at + 1], 4)
            at += max(2, self.octets[at + 1])


def records(probe, path):
    run = subprocess.run([probe, "replay", "-q", "--json", "-", str(path)], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in run.stdout.splitlines()]
    return sorted(json.dumps({k: v for k, v in r.items() if not k.lower().endswith("flowid")}, sort_keys=True) for r in found)


def main():
    probe, folder = sys.argv[1:]
    captures, different = sorted(Path(folder).glob("*.pcap")), 0
    with tempfile.TemporaryDirectory() as temporary:
        for path in captures:
            capture, moved = Capture(path), Path(temporary) / "wrapped.pcap"
            capture.wrap()
            moved.write_bytes(capture.octets)
            for a, b in zip(records(probe, path), records(probe, moved), strict=True):
                if a != b:
                    different += 1
                    print(f"{path.name}:\n  as it is {a}\n  wrapped  {b}")
    print(f"{len(captures)} captures, {different} records differ")
    return 1 if different or not captures else 0


if __name__ == "__main__":
    sys.exit(main())
