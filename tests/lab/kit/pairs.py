"""Round trips between the tap and one end, from the wire's log alone: simple, offline, and with all of the log at hand.

A segment gives one if none of its octets had passed the tap before, and if the first acknowledgement at the tap that covers it
ends exactly where it ends. Not if it or anything before its end passed again, or late, between the two: the acknowledgement may
then have waited for that (docs/METRICS.md, "Continuous round trip").
"""
from bisect import bisect_right

from .truth import WRAP, Seen


def unwrapped_acks(data, answers):
    """(time at the tap, acknowledged as a number of `data`'s kind) in the order of time, each greater than all before."""
    anchor = next((f.start for f in data if f.space), None)
    if anchor is None:
        return []
    out, highest = [], anchor
    for time, answer in sorted(((t, f) for f in answers for t in f.tap if "A" in f.flags and "R" not in f.flags),
                               key=lambda pair: pair[0]):
        acked = highest + (answer.ack - highest + WRAP // 2) % WRAP - WRAP // 2
        if acked > highest:
            highest = acked
            out.append((time, acked))
    return out


def samples(data, answers):
    """Nanoseconds, in the order of the acknowledgements. `data`: frames of one direction after truth.direction(). A copy that the
    network made changes nothing: the first one is what is acknowledged."""
    first = sorted(((f.tap[0], f) for f in data if f.tap and f.space), key=lambda pair: pair[0])
    disturbing, newest, seen = [], {}, Seen()  # disturbing: (time, start) of what passed below the top
    for time, frame in first:
        if seen.top is not None and frame.start < seen.top:
            disturbing.append((time, frame.start))
        if frame.length and not set("SF") & set(frame.flags) and not seen.has_any(frame.start, frame.end):
            newest[frame.end] = time
        seen.add(frame.start, frame.end)
    times = [time for time, _ in disturbing]
    out = []
    for time, acked in unwrapped_acks(data, answers):
        sent = newest.get(acked)
        if sent is None or sent >= time:
            continue
        between = disturbing[bisect_right(times, sent):bisect_right(times, time)]
        if not any(start < acked for _, start in between):
            out.append(time - sent)
    return out
