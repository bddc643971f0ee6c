"""How long a handshake took, by the rules of docs/METRICS.md."""
from reference.segments import ACK, RST, SYN, copies


def of(segments):
    """From the last SYN and the last SYN-ACK before their answers, unless the answer names the first SYN-ACK by timestamp;
    from the first and from the last of all, with copies that the network made, too, since other tools take those."""
    syns, syn_acks, ack = openings(segments)
    if not syns and not syn_acks:
        return None
    copied = copies(segments)
    sent = [s for s in syns if s.frame not in copied]
    answered = [s for s in syn_acks if s.frame not in copied]
    h = {"ambiguous": len(sent) > 1 or len(answered) > 1}
    if len({s.way for s in syns}) == 2:
        return h  # both opened
    if answered:
        h |= side("server", sent, syns, answered[0])
    if ack:
        h |= side("client", answered, syn_acks, ack)
    return h


def by_tshark(segments, answered):
    _, syn_acks, ack = openings(segments)
    times = {"server_side_s": next((answered[s.frame] for s in syn_acks if s.frame in answered), None),
             "client_side_s": answered.get(ack.frame) if ack else None}
    return {side: time for side, time in times.items() if time is not None}


def openings(segments):
    """All SYNs, all SYN-ACKs, and the acknowledgement of one."""
    syns, syn_acks, ack = [], [], None
    for s in segments:
        if s.has(SYN):
            (syn_acks if s.has(ACK) else syns).append(s)
        elif ack is None and s.has(ACK) and not s.has(RST):
            if any(s.way != o.way and s.acknowledged == (o.sequence + 1) & 0xFFFFFFFF for o in syn_acks):
                ack = s
    return syns, syn_acks, ack


def side(name, asked, all_asked, answer):
    before = [s for s in asked if s.us <= answer.us]
    if not before:
        return {}
    first, last = before[0], before[-1]
    named = not answer.has(SYN) and answer.times and first.times and answer.times[1] == first.times[0] != last.times[0]
    times = {"": first if named else last, "_from_first": first,
             "_from_last": max((s for s in all_asked if s.us <= answer.us), key=lambda s: s.us)}
    return {f"{name}_side{which}_s": round((answer.us - s.us) / 1e6, 6) for which, s in times.items()}
