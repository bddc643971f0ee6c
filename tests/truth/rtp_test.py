#!/usr/bin/env python3
"""RTP streams of our captures against tshark's: rtp_test.py AUGPROBE PCAPS

What tshark counts otherwise is in docs/METRICS.md: lost packets less duplicates, the longest time between packets without those
that have the marker, the mean of the jitter without them and what follows them, no jitter where it does not know the clock.
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

PORT = 5004  # of one end of every stream in pcaps/rtp_*
LINE = re.compile(r"^\s*(\S+)\s+(\S+)\s+(\S+)\s+(\d+)\s+(\S+)\s+(\d+)\s+0x(\w+)\s+(\S.*?)\s+(\d+)\s+(-?\d+) \(\S+\)((?:\s+-?[\d.]+){6})")


def tshark_streams(capture):
    run = subprocess.run(["tshark", "-r", capture, "-d", f"udp.port=={PORT},rtp", "-q", "-z", "rtp,streams"], check=True,
                         capture_output=True, text=True)
    for match in filter(None, map(LINE.match, run.stdout.splitlines())):
        _, _, delta_max, _, jitter_mean, jitter_max = map(float, match[11].split())
        yield int(match[7], 16), {"packets": int(match[9]), "lost": int(match[10]), "delta_max": delta_max * 1000,
                                  "jitter_mean": jitter_mean * 1000, "jitter_max": jitter_max * 1000}


class Streams(unittest.TestCase):
    probe = pcaps = None

    def test_agree_with_tshark(self):
        checked = 0
        for capture in sorted(self.pcaps.glob("rtp_*.pcap")):
            run = subprocess.run([self.probe, "replay", "-q", "--json", "-", capture], check=True, capture_output=True, text=True)
            records = [json.loads(line) for line in run.stdout.splitlines()]
            ours = {r["rtpSsrc"]: r for r in records if "rtpPacketCount" in r}
            theirs = dict(tshark_streams(capture))
            self.assertEqual(set(ours), set(theirs), capture.name)
            for ssrc, stream in theirs.items():
                with self.subTest(capture=capture.name, ssrc=ssrc):
                    self.same(ours[ssrc], stream)
                    checked += 1
        self.assertGreater(checked, 8)

    def test_do_not_depend_on_the_number_of_workers(self):
        for capture in [*self.pcaps.glob("rtp_*.pcap"), *self.pcaps.glob("rtsp_*.pcap"), *self.pcaps.glob("sip_*.pcap"),
                        *self.pcaps.glob("quic_*.pcap")]:
            def records(workers):
                run = subprocess.run([self.probe, "replay", "-q", "--set", f"capture.workers={workers}", "--json", "-", capture],
                                     check=True, capture_output=True)
                return sorted(run.stdout.splitlines())
            alone = records(1)
            for workers in (2, 3):
                self.assertEqual(records(workers), alone, f"{capture.name} by {workers} workers")

    def same(self, record, stream):
        self.assertEqual(record["rtpPacketCount"], stream["packets"])
        self.assertEqual(record["rtpLostPacketCount"] - record["rtpDuplicatePacketCount"], stream["lost"])
        if record["rtpMarkerCount"] < 2:
            self.assertAlmostEqual(record["rtpDeltaMaxMicroseconds"], stream["delta_max"], delta=1)
        if "rtpEncodingName" in record:
            self.assertAlmostEqual(record["rtpJitterMaxMicroseconds"], stream["jitter_max"], delta=2)
            self.assertAlmostEqual(record["rfc3550JitterMicroseconds"], stream["jitter_mean"], delta=2)


if __name__ == "__main__":
    Streams.probe, Streams.pcaps = sys.argv.pop(1), pathlib.Path(sys.argv.pop(1))
    if not shutil.which("tshark"):
        sys.exit(77)
    unittest.main()
