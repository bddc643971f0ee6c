"""Figures of one record that must agree with each other, whatever the packets were (docs/METRICS.md)."""

from collections import Counter

RTT = ("Median", "Percentile95", "Percentile99")


def problems(records, reverse):
    """Of flows that one record tells: with several, what is known later counts later (a DSACK, what a sender waited for).
    `reverse`: the name of an element in the other direction."""
    flows = [record for record in records if record["record"] == "flow"]
    times = Counter(record["flowId"] for record in flows)
    for record in flows:
        if times[record["flowId"]] == 1:
            yield from problems_of(record, reverse)


def problems_of(record, reverse):
    yield from limited(record, reverse)
    for name_of in (str, reverse):
        yield from sent(lambda name, n=name_of: record.get(n(f"tcp{name}")), name_of("tcp"))
    for side in ("Server", "Client"):
        yield from round_trips(lambda name, s=side: record.get(f"tcp{s}Rtt{name}"), f"tcp{side}Rtt")


def ordered(who, *values):
    """(name, value), none less than the one before; absent ones are passed over."""
    known = [(name, value) for name, value in values if value is not None]
    for (a, x), (b, y) in zip(known, known[1:]):
        if x > y:
            yield f"{who}: {a} {x} > {b} {y}"


def sent(of, who):
    def packets(name):
        return of(f"{name}PacketCount") or 0

    again, before, needless = map(packets, ("Retransmitted", "RetransmittedBeforeProbe", "SpuriousRetransmission"))
    kinds = [of(f"{kind}PacketCount") for kind in ("TimeoutRetransmission", "RecoveryRetransmission", "TailProbe")]
    if any(kind is not None for kind in kinds) and sum(kind or 0 for kind in kinds) != again:
        yield f"{who}: kinds {kinds} are not {again} retransmissions"
    lost = of("LostBeforeProbePacketCount"), of("LostAfterProbePacketCount")
    if lost != (None, None) and lost != (before, max(0, again - before - needless)):
        yield f"{who}: lost {lost} of {again} retransmissions, {before} before the probe, {needless} needless"
    proofs = [packets(f"SpuriousBy{proof}") for proof in ("Ack", "Dsack", "Timestamp")]
    if any(proofs) and not max(proofs[:2]) <= needless <= sum(proofs):
        yield f"{who}: {needless} needless retransmissions, proven {proofs}"
    yield from ordered(who, ("before the probe", before), ("retransmitted", again))
    yield from ordered(who, ("needless", needless), ("retransmitted", again))
    yield from ordered(who, ("late by timestamp", of("OutOfOrderByTimestampPacketCount")), ("late", packets("OutOfOrder")))
    yield from ordered(who, ("reordering mean", of("ReorderingMeanMicroseconds")), ("max", of("ReorderingMaxMicroseconds")))
    yield from ordered(who, ("in flight mean", of("InFlightMeanOctets")), ("max", of("InFlightMaxOctets")))
    # The window of a SYN is in the mean if it acknowledged data (RFC 7413), but never the least.
    for name in ("Min", "Mean"):
        yield from ordered(who, (f"window {name}", of(f"Window{name}Octets")), ("max", of("WindowMaxOctets")))


def round_trips(of, who):
    yield from ordered(who, ("min", of("MinMicroseconds")), ("mean", of("MeanMicroseconds")), ("max", of("MaxMicroseconds")))
    yield from ordered(who, *((name, of(f"{name}Microseconds")) for name in RTT))
    yield from ordered(who, ("count", of("Count")), ("percentiles of", of("PercentileCount")))


def limited(record, reverse):
    """Times of one side lie within the flow."""
    begin, end = (record.get(f"flow{x}Microseconds") for x in ("Start", "End"))
    if begin is None or end is None:
        return
    for name_of in (str, reverse):
        times = [record.get(name_of(f"tcp{x}LimitedMicroseconds")) for x in ("Congestion", "Application", "Receiver")]
        if sum(time or 0 for time in times) > end - begin + len(times):
            yield f"{name_of('tcp')}: limited {times} of {end - begin} µs"
