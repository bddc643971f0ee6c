"""From the wire's log to what really happened to each connection: the truth a probe at the tap is measured against.

"up" is client to server (a2b), "down" the other way. "before" and "after" are as seen from the tap, so they swap with the
direction. Nothing here reads the capture: frames that never reached the tap are known too.
"""
from collections import defaultdict

FIRST_LINK = {"a2b": "a", "b2a": "b"}
WAY = {"a2b": "up", "b2a": "down"}
TCP, UDP = 6, 17
WRAP, HALF = 1 << 32, 1 << 31
# A kernel answers a SYN or acknowledges at once. An answer later than this was caused by a timer, not by the last arrival.
AT_ONCE = 5_000_000
ANSWERED_TWICE = 1_000_000


class Frame:
    """One frame as its sender put it on the wire, and all that became of it. Times in nanoseconds since the epoch."""

    def __init__(self, event):
        self.id, self.sent, self.way = event["id"], event["rx"], WAY[event["dir"]]
        self.protocol, self.flags = event["proto"], event["flags"]
        self.seq, self.ack, self.length, self.octets = event["seq"], event["ack"], event["len"], event["ip"]
        self.window_closed = event["win"] == 0
        self.sack = event.get("sack", [])  # of captures made before the wire told them: none
        self.congested = set()  # the tap, if it carried CE there
        ends = ((event["src"], event["sp"]), (event["dst"], event["dp"]))
        self.client, self.server = ends if self.way == "up" else ends[::-1]
        self.tap, self.delivered, self.missed = [], [], []
        self.drops, self.duplicates, self.holds = [], [], []  # (before or after, time)
        self.again = False  # the sender had sent some of these octets before
        self.both_syn = False  # the SYN-ACK of a simultaneous open

    @property
    def space(self):
        """Sequence numbers it takes: SYN and FIN take one each (RFC 9293 §3.4)."""
        return self.length + ("S" in self.flags) + ("F" in self.flags)

    def add(self, event, captured):
        where = "before" if event["link"] == FIRST_LINK[event["dir"]] else "after"
        kind = event["ev"]
        if kind == "ce":
            return
        if kind == "tap":
            if event.get("tos", 0) & 3 == 3:
                self.congested.add(event["t"])
            (self.tap if captured is None or event["t"] in captured else self.missed).append(event["t"])
        elif kind == "out":
            self.delivered.append(event["t"])
        else:
            {"drop": self.drops, "dup": self.duplicates, "hold": self.holds}[kind].append((where, event["t"]))


def frames_of(events, captured):
    frames = {}
    for event in events:
        if event["id"] not in frames:
            frames[event["id"]] = Frame(event)
        frames[event["id"]].add(event, captured)
    return [frames[key] for key in sorted(frames)]


class Unwrapped:
    """Sequence numbers of one direction as plain integers, so that ranges can be compared."""

    def __init__(self):
        self.last = None

    def __call__(self, number):
        if self.last is None:
            self.last = number + WRAP
        else:
            self.last += (number - self.last + HALF) % WRAP - HALF
        return self.last


class Seen:
    """A set of sequence ranges."""

    def __init__(self):
        self.ranges, self.top = [], None

    def has_any(self, start, end):
        return any(a < end and start < b for a, b in self.ranges)

    def has_all(self, start, end):
        return any(a <= start and end <= b for a, b in self.ranges)

    def add(self, start, end):
        touching = [r for r in self.ranges if r[0] <= end and start <= r[1]]
        self.ranges = [r for r in self.ranges if r not in touching]
        self.ranges.append((min([start] + [r[0] for r in touching]), max([end] + [r[1] for r in touching])))
        self.top = end if self.top is None else max(self.top, end)


def is_keep_alive(frame, start, top):
    """RFC 9293 §3.8.4: at most one octet, just below what was sent last."""
    return top is not None and frame.length <= 1 and frame.space == frame.length and start == top - 1


def mark_sent_again(frames):
    """Sets start, end and `again` from the sender's own order."""
    number, top, answered = Unwrapped(), None, False
    for frame in frames:
        frame.start = number(frame.seq)
        frame.end = frame.start + frame.space
        if frame.space == 0 or is_keep_alive(frame, frame.start, top):
            continue
        # RFC 9293 §3.5: the SYN-ACK of a simultaneous open has the SYN's number, and is something else.
        is_answer = set("SA") <= set(frame.flags)
        frame.both_syn = is_answer and not answered and top is not None
        answered = answered or is_answer
        frame.again = top is not None and frame.start < top and not frame.both_syn
        top = frame.end if top is None else max(top, frame.end)


def direction(frames, answers):
    """Counts of one direction of one connection; those that are 0 are left out. `answers`: the other direction."""
    mark_sent_again(frames)
    counts = defaultdict(int)
    for frame in frames:
        counts["sent"] += 1
        for where, _ in frame.drops:
            counts[f"dropped_{where}"] += 1
        for where, _ in frame.duplicates:
            counts[f"duplicated_{where}"] += 1
        for where, _ in frame.holds:
            counts[f"held_{where}"] += 1
        frame.unneeded = frame.again and arrived_anyway(frame, frames)
        counts["retransmitted"] += frame.again
        counts["retransmitted_octets"] += frame.again and frame.length
        counts["unneeded"] += frame.unneeded
    at_tap(frames, answers, counts)
    return without_zeros(counts)


def arrived_anyway(frame, frames):
    """All of its octets came to the other side by copies that were sent earlier."""
    arrived = Seen()
    for other in frames:
        if other.space and other.id < frame.id and other.delivered:
            arrived.add(other.start, other.end)
    return arrived.has_all(frame.start, frame.end)


def at_tap(frames, answers, counts):
    """What of it a tap can know: definitions (c) and (e), with the sender's word on which frame was sent again."""
    acknowledged = [(t, f.ack) for f in answers if "A" in f.flags for t in f.tap]
    seen, passed, closed, opened, highest, unneeded, order = Seen(), set(), False, None, None, [], []
    for time, frame in sorted(((t, f) for f in frames for t in f.tap), key=lambda pair: pair[0]):
        counts["tap_packets"] += 1
        counts["tap_octets"] += frame.octets
        if "S" not in frame.flags and "R" not in frame.flags:
            if highest is None or (frame.ack - highest) % WRAP < HALF:  # else a later one overtook it
                counts["tap_window_closures"] += frame.window_closed and not closed
                closed, highest = frame.window_closed, frame.ack
        if not frame.space and "R" not in frame.flags and seen.top is not None:
            seen.top = max(seen.top, frame.start)  # RFC 9293 §3.10.7.4: what comes next, so all before it has been sent
        if not frame.space or is_keep_alive(frame, frame.start, seen.top):
            continue
        below = seen.top is not None and frame.start < seen.top
        if frame.id in passed:
            counts["tap_network_duplicates"] += 1
        elif frame.again and below and overtaken_while_new(frame, order, seen):
            counts["tap_reordered"] += 1
            counts["tap_looks_reordered"] += 1
        elif frame.again and below:
            counts["tap_retransmitted"] += 1
            counts["tap_retransmitted_octets"] += frame.length
            counts["tap_retransmitted_before"] += not seen.has_any(frame.start, frame.end)
            counts["tap_unneeded"] += frame.unneeded
            needless = frame.unneeded and any(t < time and (ack - frame.end) % WRAP < HALF for t, ack in acknowledged)
            counts["tap_unneeded_acknowledged"] += needless
            if frame.unneeded:
                unneeded.append((not needless, time, frame))
        elif frame.again:
            # A lost tail or SYN: nothing at the tap proves that it was sent before.
            counts["tap_looks_new"] += 1
            if "S" in frame.flags:
                counts["tap_looks_new_synack" if "A" in frame.flags else "tap_looks_new_syn"] += 1
        elif below and not frame.both_syn:
            counts["tap_reordered"] += 1
        if "S" in frame.flags:
            # A server answers each copy of a SYN, and its answers carry nothing that tells them from copies.
            counts["tap_undecided"] += frame.again and opened is not None and time - opened < ANSWERED_TWICE
            opened = time
        passed.add(frame.id)
        order.append(frame)
        seen.add(frame.start, frame.end)
    reports = set()
    for doubtful, time, frame in sorted(unneeded, key=lambda u: u[:2]):  # one that is known already uses up its DSACK
        told = told_needless(frame, time, answers, reports)
        counts["tap_unneeded_proved"] += not doubtful or told
    counts["tap_never_seen_octets"] = never_seen(frames, seen, [ack for _, ack in acknowledged])


def overtaken_while_new(frame, passed, seen):
    """Sent again, but nothing at the tap tells: its first copy got lost before the tap as the last of all that had been sent by
    then, and what passed behind its place was sent later and overtook it."""
    behind = [f for f in passed if f.end > frame.start]
    return not seen.has_any(frame.start, frame.end) and bool(behind) and all(f.id > frame.id for f in behind)


def told_needless(frame, time, answers, used):
    """Whether a DSACK (RFC 2883 §4) that passed later names its octets; each tells of one copy."""
    def names(answer):
        (left, right), *others = answer.sack
        duplicate = (answer.ack - right) % WRAP < HALF or any(
            (left - a) % WRAP < HALF and (b - right) % WRAP < HALF for a, b in others[:1])
        return duplicate and (frame.seq - left) % WRAP < HALF and (right - frame.seq - frame.length) % WRAP < HALF
    for answer in answers:
        if answer.sack and answer.id not in used and any(t > time for t in answer.tap) and names(answer):
            used.add(answer.id)
            return True
    return False


def never_seen(frames, seen, acknowledgements):
    """Sequence space from the first octet in the capture on that was acknowledged in it, but that it does not hold."""
    if not seen.ranges:
        return 0
    first, lacking = min(a for a, _ in seen.ranges), 0
    known = Seen()
    known.ranges = list(seen.ranges)
    for frame in frames:
        if frame.space and frame.start >= first and any((ack - frame.end) % WRAP < HALF for ack in acknowledgements):
            if not known.has_any(frame.start, frame.end):
                lacking += frame.space
            known.add(frame.start, frame.end)
    return lacking


def caused(answer, frames):
    """The frame whose arrival made the other side send the answer at once, and when it passed the tap."""
    arrivals = [(t, f) for f in frames for t in f.delivered if t <= answer.sent]
    if not arrivals:
        return None
    time, frame = max(arrivals, key=lambda pair: pair[0])
    return frame.tap[-1] if answer.sent - time < AT_ONCE else None


def handshake(up, down):
    syns = [f for f in up if "S" in f.flags]
    synacks = [f for f in down if "S" in f.flags]
    out = {"repeated": sum(len(f.tap) for f in syns) != 1 or sum(len(f.tap) for f in synacks) != 1}
    crossing = [f for f in synacks if "A" not in f.flags]
    if crossing:
        # Nobody answers, so nothing can be timed; if one of the SYNs never passed, the other one looks like any.
        return out | {"simultaneous": all(any(f.tap for f in fs if "A" not in f.flags) for fs in (syns, crossing))}
    answers = sorted((f for f in synacks if f.tap), key=lambda f: f.tap[0])
    if answers and syns:
        tap = caused(answers[0], syns)
        out["server_rtt_ns"] = tap and answers[0].tap[0] - tap
        acks = sorted((f for f in up if f.tap and "S" not in f.flags and "A" in f.flags), key=lambda f: f.tap[0])
        if acks:
            tap = caused(acks[0], synacks)
            out["client_rtt_ns"] = tap and acks[0].tap[0] - tap
    return out


def least_rtt(data, answers):
    """The smallest time at the tap from a segment sent once to the acknowledgement of exactly its end."""
    best = None
    again = Seen()
    for frame in data:
        if frame.again:
            again.add(frame.start, frame.end)
    first_ack = {}
    for answer in sorted((f for f in answers if f.tap and "A" in f.flags and "R" not in f.flags), key=lambda f: f.tap[0]):
        first_ack.setdefault(answer.ack, answer.tap[0])
    for frame in data:
        if frame.length == 0 or len(frame.tap) != 1 or again.has_any(frame.start, frame.end):
            continue
        acked = first_ack.get(frame.end % WRAP)
        if acked is not None and acked > frame.tap[0]:
            best = min(best or acked, acked - frame.tap[0])
    return best


def turns(up, down):
    """Request and response in turn, timed at the server's own end of the wire, where no network lies between.

    [request complete, first and last octet of the response sent, last of the request and first of the response at the tap],
    nanoseconds. A turn ends when request data arrives after response data, so pipelined requests and a 100 (Continue) do not
    count as one transaction each.
    """
    arrivals, arrived = [], Seen()
    for time, frame in sorted(((t, f) for f in up for t in f.delivered if f.length), key=lambda pair: pair[0]):
        if not arrived.has_all(frame.start, frame.end):
            arrivals.append((time, "in", frame))
        arrived.add(frame.start, frame.end)
    sent = [(f.sent, "out", f) for f in down if f.length and not f.again]
    out, request = [], None
    for time, kind, frame in sorted(arrivals + sent, key=lambda event: event[:2]):
        if kind == "in":
            request = (time, frame)
        elif request is not None:
            out.append([request[0], time, time, *(f.tap[0] if f.tap else None for f in (request[1], frame))])
            request = None
        elif out:
            out[-1][2] = time
    return out


def endpoint(pair):
    address, port = pair
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def one_answer(up, down):
    """Time at the tap from the only question to its only answer."""
    asked, answered = ([t for f in list_ for t in f.tap] for list_ in (up, down))
    return answered[0] - asked[0] if len(asked) == len(answered) == 1 else None


def without_zeros(counts):
    return {key: value for key, value in counts.items() if value}


def happenings(frames, start):
    """What was done to frames: [what, where, way, time since the start, seq, length, flags]."""
    out = []
    for frame in frames:
        missed = [("here", t) for t in frame.missed]
        for what, list_ in (("drop", frame.drops), ("dup", frame.duplicates), ("hold", frame.holds), ("miss", missed)):
            out += [[what, where, frame.way, t - start, frame.seq, frame.length, frame.flags] for where, t in list_]
    return sorted(out, key=lambda h: h[3])


def truth_of(events, captured=None, more=None):
    """{"start_ns", "tcp": [one object a connection], "udp": [one a pair of ports], "other_frames": count}

    `captured`: times of the frames that are in the capture, if some that passed the tap are not. `more`: a function of each
    connection's object and its frames {"up": […], "down": […]}.
    """
    frames = frames_of(events, captured)
    start = min(f.sent for f in frames)
    groups = defaultdict(list)
    for frame in frames:
        groups[(frame.protocol, frame.client, frame.server)].append(frame)
    out = {"start_ns": start, "tcp": [], "udp": [], "other_frames": 0}
    for (protocol, client, server), members in groups.items():
        entry = {"client": endpoint(client), "server": endpoint(server)}
        ways = {way: [f for f in members if f.way == way] for way in ("up", "down")}
        if protocol == TCP:
            for way, other in (("up", "down"), ("down", "up")):
                entry[way] = direction(ways[way], ways[other])
            entry["reset"] = any("R" in f.flags for f in members)
            entry["handshake"] = handshake(ways["up"], ways["down"])
            entry["server_rtt_min_ns"] = least_rtt(ways["up"], ways["down"])
            entry["client_rtt_min_ns"] = least_rtt(ways["down"], ways["up"])
            entry["turns"] = [[t and t - start for t in turn] for turn in turns(ways["up"], ways["down"])]
            if more:
                more(entry, ways)
        elif protocol == UDP:
            for way, list_ in ways.items():
                entry[way] = {"sent": len(list_), "tap_packets": sum(len(f.tap) for f in list_),
                              "tap_octets": sum(f.octets * len(f.tap) for f in list_)}
                for where in ("before", "after"):
                    entry[way][f"dropped_{where}"] = sum(w == where for f in list_ for w, _ in f.drops)
                entry[way] = without_zeros(entry[way])
            entry["tap_response_ns"] = one_answer(ways["up"], ways["down"])
        else:  # ICMP
            out["other_frames"] += len(members)
            continue
        entry["events"] = happenings(members, start)
        out["tcp" if protocol == TCP else "udp"].append(entry)
    return out
