"""Round trips of a connection, once by the rules of tcptrace and once by those of docs/METRICS.md, and why they differ.

Both are written from their rules, without a line of either program, so that each difference between two figures can be
traced to a segment and a cause.
"""
from collections import Counter

from reference.definition import ByDefinition
from reference.segments import FIN, RST, SYN, copies
from reference.tcptrace_rules import ByTcptrace


def statistics(samples):
    if not samples:
        return {"n": 0}
    return {"n": len(samples), "min_us": min(samples), "mean_us": round(sum(samples) / len(samples), 3), "max_us": max(samples)}


def of(segments):
    """What each direction's figures are by either rules, with the causes of all differences."""
    copied = copies(segments)
    tcptrace, definition = ByTcptrace(), ByDefinition(copied)
    for s in segments:
        tcptrace.add(s)
        definition.add(s)
    return {way: direction(way, segments, copied, tcptrace, definition) for way in ("a2b", "b2a")}


def direction(way, segments, copied, tcptrace, definition):
    ours, theirs = definition.samples[way], tcptrace.samples[way]
    by_frame = {s.frame: s for s in segments}
    causes = Counter()
    for frame, sample in theirs.items():
        if frame not in ours or ours[frame].us != sample.us:
            causes[more_of_tcptrace(sample, by_frame, definition)] += 1
    for frame, sample in ours.items():
        if frame not in theirs:
            causes[less_of_tcptrace(sample, by_frame, copied, tcptrace)] -= 1
    sent = [s for s in segments if s.way == way and s.length]
    return {"tcptrace_rules": statistics([s.us for s in theirs.values()]) | tcptrace.counts[way],
            "definition": statistics([s.us for s in ours.values()]) | definition.counts[way],
            "causes": {"round trips": causes, "tcptrace": by_tcptrace(sent, tcptrace, definition),
                       "tshark": by_tshark(sent, definition), "acks": by_acks(way, segments, definition), "argus": by_argus(sent, definition)}}


SAME = {"": {""}, "seen_twice": {"rexmt", "rexmt+outoforder"}, "holes_filled": {"outoforder"}, "window probe": {"probes"}}


def by_tcptrace(sent, tcptrace, definition):
    """Segments that it takes for something else."""
    causes = Counter()
    for s in sent:
        ours, theirs = definition.verdicts.get(s.frame, ""), tcptrace.verdicts.get(s.frame, "")
        if theirs not in SAME.get(ours, {""}):
            causes[f"{ours or 'new'} taken for {theirs or 'new'}"] += 1
    return causes


def by_tshark(sent, definition):
    """Its retransmissions and those out of order together: it does not ask which octets it has seen."""
    causes = Counter()
    for s in sent:
        ours = definition.verdicts.get(s.frame, "")
        if s.repeated != (ours in ("seen_twice", "holes_filled")):
            causes[f"{ours or 'new'} taken for {'repeated' if s.repeated else 'new'}"] += 1
    return causes


def by_acks(way, segments, definition):
    """Duplicate acknowledgements: tshark also counts those with nothing outstanding, but none whose window has changed."""
    causes = Counter()
    for s in segments:
        ours = definition.verdicts.get(s.frame, "")
        if s.way == way and s.duplicate_ack != (ours == "duplicate acknowledgement"):
            causes[("copy" if ours == "copy" else "nothing outstanding") if s.duplicate_ack else "window changed"] += 1
    return causes


def by_argus(sent, definition):
    """It does not tell which segments it takes for lost; FINs never."""
    return Counter(fin=sum(s.has(FIN) and definition.verdicts.get(s.frame) == "seen_twice" for s in sent))


def more_of_tcptrace(sample, by_frame, definition):
    """Why the definition takes no such sample."""
    answer, asked = by_frame[sample.answer], by_frame[sample.segment]
    if sample.us < 0:
        return "time disorder"
    if asked.has(SYN):
        return "syn"
    if answer.has(RST):
        return "rst"
    if asked.has(FIN):
        return "fin"
    return definition.refused.get(sample.segment) or definition.refused.get(sample.answer) or "other"


def less_of_tcptrace(sample, by_frame, copied, tcptrace):
    """Why tcptrace takes no such sample."""
    asked = by_frame[sample.segment]
    if tcptrace.verdicts.get(asked.frame) == "probes":
        return "closed window"
    if asked.frame in tcptrace.in_parts:
        return "acknowledged in parts"
    if any(by_frame[f].way == asked.way and by_frame[f].length for f in copied):
        return "copy"
    return "other tcptrace"
