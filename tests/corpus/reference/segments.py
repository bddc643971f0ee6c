"""TCP segments as their headers tell them, and which of them the network copied."""
from collections import defaultdict
from typing import NamedTuple

FIN, SYN, RST, ACK = 1, 2, 4, 16
COPY_US = 1000  # a copy that nothing but its haste tells from a retransmission


class Segment(NamedTuple):
    frame: int
    us: int  # microseconds since 1970: tcptrace has no more
    way: str
    sequence: int
    payload: int
    flags: int
    acknowledged: int
    window: int
    ip_id: int
    times: tuple  # value and echo of the timestamp option, () if there is none
    sack: tuple
    repeated: bool  # tshark says so: a retransmission, or out of order
    duplicate_ack: bool = False  # tshark says so

    def has(self, flags):
        return self.flags & flags != 0

    @property
    def length(self):
        """In numbers: SYN and FIN take one each."""
        return self.payload + self.has(SYN) + self.has(FIN)


def other(way):
    return "b2a" if way == "a2b" else "a2b"


def copies(segments):
    """Frames that are the same packet again. Equal IPv4 identifications prove it where a sender counts them; else a copy
    comes sooner than an answer could."""
    ids, found, seen = defaultdict(set), set(), {}
    for s in segments:
        ids[s.way].add(s.ip_id)
    answer = {way: soonest_answer(segments, way) for way in ids}
    for s in segments:
        before = seen.setdefault(s[2:11], s)  # all of its header
        if before is s:
            continue
        late = abs(s.us - before.us)
        soon = s.length != 0 and late < COPY_US and (s.times or s.has(SYN) or late < answer[s.way])
        if (s.ip_id != 0 and len(ids[s.way]) > 1) or soon:
            found.add(s.frame)
    return found


def soonest_answer(segments, way):
    """Least time from a segment to an acknowledgement of its end, whichever copy that answers."""
    sent, least = {}, 0
    for s in segments:
        if s.way == way and s.length:
            sent.setdefault((s.sequence + s.length) & 0xFFFFFFFF, s.us)
        elif s.way != way and s.has(ACK) and s.acknowledged in sent:
            time = s.us - sent.pop(s.acknowledged)
            least = min(least, time) if least else time
    return least
