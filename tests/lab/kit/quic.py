"""The probe's records of QUIC connections against the wire's delays and what the client's qlog says."""
EARLY_US = 200  # how much less than the wire's delay a round trip may be
WORK_US = 30_000  # what an endpoint may take: ngtcp2 lets a repeated or resumed Initial wait for 22 ms
MOST_OF_MILLISECOND_US = 999  # qlog's times are whole milliseconds
RETRY, ZERO_RTT, OTHER_PATH = 1, 4, 16  # bits of quicFlags


def check(comparison, truth, records):
    by_id = {}
    for record in records:
        by_id.setdefault(record.get("quicOriginalConnectionId"), []).append(record)
    for connection in truth["client"]["quic"]:
        found = by_id.get(connection["original_id"], [])
        where = f"quic {connection['original_id']}"
        first = [record for record in found if not record["quicFlags"] & OTHER_PATH]
        comparison.equal(where, "records", (1, connection.get("paths", 1) - 1), (len(first), len(found) - len(first)))
        if len(first) == 1:
            one(comparison, where, truth["wire"], connection, first[0])
        for record in found:
            if record not in first:
                other_path(comparison, where, first[0] if first else {}, record)


def other_path(comparison, where, first, record):
    comparison.equal(where, "first flow", first.get("flowId"), record.get("quicFirstFlowId"))
    for which in ("Client", "Server"):
        name = f"quic{which}ConnectionId"
        comparison.equal(where, name, first.get(name), record.get(name))


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
