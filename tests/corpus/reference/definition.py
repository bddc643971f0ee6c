"""Round trips and repeated segments by the rules of docs/METRICS.md."""
from collections import Counter

from reference.segments import ACK, FIN, RST, SYN, other
from reference.tcptrace_rules import Sample

FAR = 1 << 30
NEAR = 1 << 16
SHIFT = 8  # a usual window scale


class Sender:
    def __init__(self):
        self.top = self.origin = self.acknowledged = self.window = None
        self.seen = []      # [begin, end) of what passed
        self.waiting = []   # (end, us, frame)
        self.provisional = self.probed = False
        self.blind = None   # what was acknowledged before any of its segments was seen
        self.sack = None    # the first block that it sent last

    def start(self, sequence):
        self.top = self.origin = sequence + (1 << 32)
        self.seen, self.waiting, self.acknowledged = [], [], None
        if self.blind is not None and abs(self.number(self.blind) - self.top) < FAR:
            self.acknowledged = self.number(self.blind)

    def number(self, sequence):
        distance = (sequence - self.top) & 0xFFFFFFFF
        return self.top + (distance - (1 << 32) if distance > 0x7FFFFFFF else distance)

    def octets_seen(self, begin, end):
        return sum(min(end, b) - max(begin, a) for a, b in self.seen if a < end and begin < b)

    def add(self, begin, end):
        apart = []
        for a, b in self.seen:
            if b < begin or a > end:
                apart.append((a, b))
            else:
                begin, end = min(begin, a), max(end, b)
        self.seen = sorted([*apart, (begin, end)])


def reach(receiver):
    """How far beyond what it has acknowledged the other side may send, about."""
    return max(NEAR, (receiver.window or 0) << SHIFT)


class ByDefinition:
    def __init__(self, copied):
        self.copied = copied
        self.senders = {"a2b": Sender(), "b2a": Sender()}
        self.samples = {"a2b": {}, "b2a": {}}
        self.counts = {way: Counter(seen_twice=0, holes_filled=0, duplicate_acks=0) for way in self.samples}
        self.verdicts = {}  # frame: why it is not new
        self.refused = {}   # frame: why it gives no sample

    def add(self, s):
        if s.frame in self.copied:
            self.verdicts[s.frame] = self.refused[s.frame] = "copy"
        elif not s.has(RST):
            if s.has(SYN):
                self.open(s)
            if s.has(ACK) and not self.overtaken(s):
                self.acknowledge(s)
                self.senders[s.way].window = s.window
                self.senders[s.way].sack = s.sack[:1] or self.senders[s.way].sack
            self.send(s)

    def open(self, s):
        sender = self.senders[s.way]
        if sender.top is not None and (s.sequence - sender.origin) & 0xFFFFFFFF not in (0, 0xFFFFFFFF):
            sender.start(s.sequence)

    def overtaken(self, s):
        to = self.senders[other(s.way)]
        overtaken = to.top is not None and to.acknowledged is not None and to.number(s.acknowledged) < to.acknowledged
        if overtaken:
            self.refused[s.frame] = "acknowledged before"
        return overtaken

    def duplicate(self, s, to):
        """RFC 5681 §2, RFC 6675 §2."""
        sender = self.senders[s.way]
        if s.payload or s.has(SYN | FIN) or (to.top is not None and to.acknowledged >= to.top):
            return
        if sender.top is not None and sender.number(s.sequence) + 1 == sender.top:
            return  # a keep-alive
        if s.window == sender.window or (s.sack and s.sack[:1] != sender.sack):
            self.counts[s.way]["duplicate_acks"] += 1
            self.verdicts[s.frame] = "duplicate acknowledgement"

    def acknowledge(self, s):
        to = self.senders[other(s.way)]
        if to.top is None:
            if to.blind == s.acknowledged:
                self.duplicate(s, to)
            elif to.blind is None or (s.acknowledged - to.blind) & 0xFFFFFFFF < FAR:
                to.blind = s.acknowledged
            return
        acknowledged = to.number(s.acknowledged)
        if acknowledged == to.acknowledged:
            self.refused[s.frame] = "acknowledged before"
            return self.duplicate(s, to)
        if acknowledged > to.top + max(NEAR, s.window << SHIFT):
            self.refused[s.frame] = "acknowledges what was not sent"
            return
        if acknowledged > to.top and (to.provisional or (to.probed and acknowledged == to.top + 1)):
            to.top = acknowledged
        covered = [w for w in to.waiting if w[0] <= acknowledged]
        to.waiting = to.waiting[len(covered):]
        if covered and covered[-1][0] == acknowledged and s.us >= covered[-1][1]:
            self.samples[other(s.way)][s.frame] = Sample(s.us - covered[-1][1], covered[-1][2], s.frame)
        to.acknowledged = acknowledged

    def send(self, s):
        sender, peer = self.senders[s.way], self.senders[other(s.way)]
        if sender.top is None:
            sender.start(s.sequence)
            sender.provisional = s.length == 0
        begin = sender.number(s.sequence)
        if s.length == 0:
            # RFC 9293 §3.10.7.4: all before it has been sent.
            if sender.top < begin <= sender.top + reach(peer) and not sender.provisional and not sender.probed:
                sender.top = begin
            return
        if begin != sender.top and (sender.provisional or abs(begin - sender.top) > FAR):
            sender.start(s.sequence)
            begin = sender.top
        sender.provisional = False
        end = begin + s.length
        if s.length == s.payload == 1 and self.probe(s, sender, peer, begin, end):
            return
        again = sender.octets_seen(begin, end)
        late = begin < sender.top and not again
        if again or late:
            self.verdicts[s.frame] = "seen_twice" if again else "holes_filled"
            self.counts[s.way][self.verdicts[s.frame]] += 1
        if again or late:
            for w in sender.waiting:
                if w[0] > begin:
                    self.refused[w[2]] = "behind a repetition"
            sender.waiting = [w for w in sender.waiting if w[0] <= begin]
        sender.add(begin, end)
        new = end > sender.top
        sender.top, sender.probed = max(sender.top, end), sender.probed and not new
        acknowledged = sender.acknowledged is not None and end <= sender.acknowledged
        if (new or late) and not s.has(SYN | FIN) and not acknowledged:
            sender.waiting.append((end, s.us, s.frame))
        elif acknowledged:
            self.refused[s.frame] = "acknowledged before it came"

    def probe(self, s, sender, peer, begin, end):
        """RFC 9293 §3.8.4, §3.8.6.1: one octet that does not count."""
        if end == sender.top and sender.acknowledged in (None, sender.top):
            self.verdicts[s.frame] = "keep-alive"
        elif peer.window == 0 and begin in (sender.top, sender.acknowledged):
            self.verdicts[s.frame] = "window probe"
            sender.probed = begin == sender.top
        else:
            return False
        self.refused[s.frame] = "probe"
        return True
