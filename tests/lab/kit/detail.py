"""What option metrics.tcp_detail adds, from the wire's log: only what the log tells without guessing. Each function gives what is
expected of one direction of one connection, by the name of the element; docs/METRICS.md has the definitions."""
from .pairs import unwrapped_acks
from .truth import HALF, WRAP, Seen, is_keep_alive


def without_syn(frame):
    return "S" not in frame.flags


def passings(frames):
    return sorted(((t, f) for f in frames for t in f.tap), key=lambda pair: pair[0])


def events(frames, answers, identifications=None):
    """Counts of what this side sent, each frame once: copies by the network count only as such. `identifications`: those of IPv4
    by the time at the tap."""
    first = sorted(((f.tap[0], f) for f in frames if f.tap), key=lambda pair: pair[0])
    closed = window_closed(answers)
    counts = {"tcpKeepAliveCount": 0, "tcpWindowProbeCount": 0, "tcpEceCount": 0, "tcpCwrCount": 0, "tcpDsackCount": 0}
    top = None
    for time, frame in first:
        if frame.length <= 1 and not set("SFR") & set(frame.flags) and is_keep_alive(frame, frame.start, top):
            counts["tcpWindowProbeCount" if closed(time) else "tcpKeepAliveCount"] += 1
        if without_syn(frame) and "R" not in frame.flags:
            counts["tcpEceCount"] += "E" in frame.flags
            counts["tcpCwrCount"] += "C" in frame.flags
        if "A" in frame.flags and "R" not in frame.flags:
            counts["tcpDsackCount"] += has_dsack(frame)
        if "R" not in frame.flags:
            top = frame.end if top is None else max(top, frame.end)
    if any(has_dsack(f) and len(f.tap) > 1 and not provable(f, first, identifications or {}) for f in frames):
        counts["tcpDsackCount"] = None  # that it was copied, and not sent again, cannot be told
    counts["tcpCongestionExperiencedPacketCount"] = sum(min(f.congested) == f.tap[0] for f in frames if f.congested and f.tap)
    counts["tcpNetworkDuplicatePacketCount"] = None if identifications is None else sum(
        len(f.tap) - 1 for _, f in first if len(f.tap) > 1 and provable(f, first, identifications))
    return counts


def provable(frame, first, identifications):
    """Whether a copy can be told from two packets alike. Linux gives RSTs and what it sends in TIME-WAIT no IP identification; and
    what is the first packet with one says nothing yet of how its sender counts them. But nobody sends data twice at once."""
    if frame.space and "R" not in frame.flags:
        return True
    own = identifications.get(frame.tap[0], 0)
    return own != 0 and any(identifications[time] not in (0, own) for time, _ in first if time < frame.tap[0])


def window_closed(frames):
    """Whether the window that these announced last was closed at a time."""
    told, highest = [], None
    for time, frame in passings(frames):
        if "R" in frame.flags or (highest is not None and (frame.ack - highest) % WRAP >= HALF):
            continue
        highest = frame.ack
        told.append((time, frame.window_closed))
    return lambda at: next((closed for time, closed in reversed(told) if time <= at), False)


def has_dsack(frame):
    if not frame.sack:
        return False
    (left, right), *others = frame.sack
    return (frame.ack - right) % WRAP < HALF or any(
        (left - a) % WRAP < HALF and (b - right) % WRAP < HALF for a, b in others[:1])


def syn_retries(frames):
    """Of SYNs, or of SYN-ACKs; no answer where both sides sent both."""
    syns = [f for f in frames if "S" in f.flags and f.tap]
    return None if not syns or len({"A" in f.flags for f in syns}) > 1 else len(syns) - 1


def acknowledged(frames, answers):
    """Octets of data that the acknowledgements at the tap cover."""
    data = [f for f in frames if f.space and f.tap]
    if not data:
        return None
    first = min(f.start + ("S" in f.flags) for f in frames if f.space)
    fins = [f.end for f in frames if "F" in f.flags]
    acks = unwrapped_acks(frames, answers)
    if not acks:
        return 0
    highest = acks[-1][1]
    return max(0, highest - first - (bool(fins) and highest >= max(fins)))


def in_flight_most(frames, answers):
    """Top less acknowledged when a segment with new data has passed."""
    acks = iter(unwrapped_acks(frames, answers) + [(float("inf"), None)])
    following, una, top, most, seen = next(acks), None, None, 0, Seen()
    for time, frame in passings(frames):
        while following[0] < time:
            una = max(following[1], una or 0)
            following = next(acks)
        if "R" in frame.flags:
            continue
        if not frame.space:  # RFC 9293 §3.10.7.4: it has the number that comes next
            top = top if top is None else max(top, frame.start)
            continue
        if una is None:
            una = frame.start
        new = top is None or frame.end > top
        top = frame.end if top is None else max(top, frame.end)
        seen.add(frame.start, frame.end)
        if new and frame.length and "S" not in frame.flags:
            most = max(most, top - una)
    return most


def state(up, down):
    """tcpConnectionState, where it is plain."""
    passed = [f for f in up + down if f.tap]
    syns = [{"A" not in f.flags for f in fs if "S" in f.flags and f.tap} for fs in (up, down)]
    fins = [any("F" in f.flags and f.tap for f in fs) for fs in (up, down)]
    if any("R" in f.flags for f in passed):
        return None  # a reset or a refusal: told by the judge from what the workload did
    if all(fins):
        return 6
    if any(fins):
        return 5
    return 4 if syns[0] and syns[1] else None
