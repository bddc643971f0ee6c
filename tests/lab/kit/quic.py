"""The probe's records of QUIC connections against the wire's delays and what the client's qlog says."""
EARLY_US = 200  # how much less than the wire's delay a round trip may be
WORK_US = 30_000  # what an endpoint may take: ngtcp2 lets a repeated or resumed Initial wait for 22 ms
MOST_OF_MILLISECOND_US = 999  # qlog's times are whole milliseconds
RETRY, ZERO_RTT = 1, 4  # bits of quicFlags


def check(comparison, truth, records):
    by_id = {}
    for record in records:
        by_id.setdefault(record.get("quicOriginalConnectionId"), []).append(record)
    for connection in truth["client"]["quic"]:
        found = by_id.get(connection["original_id"], [])
        where = f"quic {connection['original_id']}"
        comparison.equal(where, "records", 1, len(found))
        if len(found) == 1:
            one(comparison, where, truth["wire"], connection, found[0])


def one(comparison, where, wire, connection, record):
    flags = record["quicFlags"]
    comparison.equal(where, "Retry", connection["retry"], bool(flags & RETRY))
    comparison.equal(where, "0-RTT", connection["zero_rtt"], bool(flags & ZERO_RTT))
    both = 0
    for side in ("Server", "Client"):
        rtt = record.get(f"quic{side}HandshakeRttMicroseconds")
        delay = 2000 * wire[f"{side.lower()}_delay_ms"]
        comparison.near(where, f"{side} RTT", delay + (WORK_US - EARLY_US) / 2, rtt, (WORK_US + EARLY_US) / 2)
        both += rtt or 0
    least = 1000 * connection["min_rtt_ms"]
    comparison.equal(where, "not less than what the client measured", True, both + MOST_OF_MILLISECOND_US >= least)
