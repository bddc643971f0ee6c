"""What the sequence numbers of one direction prove, without any inference."""


class Sequences:
    """Every data segment is one of: new (at or above the highest octet seen), hole_fill (below it, no octet of it seen
    before), dup_full (all of it seen before), dup_partial (some of it). SYN and FIN are no octets."""

    def __init__(self):
        self.base, self.top, self.ranges = None, 0, []
        self.counts = {"new": 0, "hole_fill": 0, "dup_full": 0, "dup_partial": 0, "dup_bytes": 0}

    def offset(self, sequence):
        distance = (sequence - self.base - self.top) & 0xFFFFFFFF  # unwrapped around the top
        return self.top + (distance - (1 << 32) if distance > 0x7FFFFFFF else distance)

    def syn(self, sequence):
        if self.base is None:
            self.base = (sequence + 1) & 0xFFFFFFFF

    def add(self, sequence, length):
        if length <= 0:
            return
        if self.base is None:
            self.base = sequence
        begin = self.offset(sequence)
        end = begin + length
        seen = sum(min(end, last) - max(begin, first) for first, last in self.ranges if first < end and begin < last)
        if seen:
            self.counts["dup_full" if seen == length else "dup_partial"] += 1
            self.counts["dup_bytes"] += seen
        else:
            self.counts["new" if begin >= self.top else "hole_fill"] += 1
        self.top = max(self.top, end)
        self.merge(begin, end)

    def merge(self, begin, end):
        apart = []
        for first, last in self.ranges:
            if last < begin or first > end:
                apart.append((first, last))
            else:
                begin, end = min(begin, first), max(end, last)
        self.ranges = sorted([*apart, (begin, end)])
