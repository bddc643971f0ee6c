"""The rules by which tcptrace 6.6 takes round trips and counts repetitions, in our words."""
from collections import Counter, defaultdict
from typing import NamedTuple

from reference.segments import ACK, RST, SYN, other


class Sample(NamedTuple):
    us: int
    segment: int  # frame of what was acknowledged
    answer: int   # frame of the acknowledgement


class Piece:
    """Octets [begin, end) that one segment brought."""

    def __init__(self, begin, end, segment):
        self.begin, self.end, self.us, self.frame = begin, end, segment.us, segment.frame
        self.repeated = self.acknowledged = False


class Numbers:
    """Sequence numbers without wrap, counted from near the first one."""

    def __init__(self):
        self.last = None

    def unwrap(self, number):
        if self.last is None:
            self.last = number + (1 << 32)
        distance = (number - self.last) & 0xFFFFFFFF
        self.last += distance - (1 << 32) if distance > 0x7FFFFFFF else distance
        return self.last


class ByTcptrace:
    """An acknowledgement of exactly the end of a piece dates it, unless that was sent twice or a lower one later. SYN and
    FIN are octets. What is sent against a closed window is not looked at."""

    def __init__(self):
        self.pieces = defaultdict(list)
        self.numbers = defaultdict(Numbers)
        self.window = {}
        self.samples = {"a2b": {}, "b2a": {}}
        self.counts = {way: Counter(rexmt=0, outoforder=0, probes=0) for way in self.samples}
        self.verdicts = {}    # frame: what it is counted as
        self.in_parts = set()  # frames that were first acknowledged in their middle

    def add(self, s):
        if s.length:
            if self.window.get(other(s.way)) == 0:
                self.count(s, ["probes"])
            else:
                self.sent(s)
        if s.has(ACK):
            self.acknowledge(s)
        if not s.has(RST):
            self.window[s.way] = s.window if s.has(ACK | SYN) else 0

    def sent(self, s):
        pieces = self.pieces[s.way]
        begin = self.numbers[s.way].unwrap(s.sequence)
        end = begin + s.length
        again = late = first = False
        found = []
        for piece in pieces:
            if piece.end <= begin or begin >= end:
                found.append(piece)
                continue
            if begin < piece.begin:
                late = late or end < piece.end
                found.append(Piece(begin, min(end, piece.begin), s))
                begin = piece.begin
            if begin < end:
                piece.repeated = again = True
                if not first:
                    piece.us, first = s.us, True
                begin = piece.end
            found.append(piece)
        if begin < end:
            found.append(Piece(begin, end, s))
        self.pieces[s.way] = found
        self.count(s, ["rexmt"] * again + ["outoforder"] * late)

    def count(self, s, verdicts):
        self.counts[s.way].update(verdicts)
        self.verdicts[s.frame] = "+".join(verdicts)

    def acknowledge(self, s):
        way = other(s.way)
        pieces = self.pieces[way]
        if not pieces:
            return
        acknowledged = self.numbers[way].unwrap(s.acknowledged)
        newest = 0
        for piece in pieces:
            if acknowledged <= piece.begin:
                break
            newest = max(newest, piece.us)
            if not piece.acknowledged and piece.end == acknowledged and not piece.repeated and newest <= piece.us:
                self.samples[way][s.frame] = Sample(s.us - piece.us, piece.frame, s.frame)
            if piece.end > acknowledged and not piece.acknowledged:
                self.in_parts.add(piece.frame)
            piece.acknowledged = True
        self.collapse(pieces)

    @staticmethod
    def collapse(pieces):
        """Neighbours that are acknowledged are one."""
        i = 0
        while i + 1 < len(pieces) and pieces[i].acknowledged:
            a, b = pieces[i:i + 2]
            if b.acknowledged and a.end == b.begin:
                a.end, a.us = b.end, max(a.us, b.us)
                del pieces[i + 1]
            else:
                i += 1
