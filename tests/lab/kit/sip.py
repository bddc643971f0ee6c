"""The probe's records of SIP transactions against what both ends logged: copies and times of every message."""
from collections import defaultdict

CLOCK_US = 20_000  # sipp stamps a message when the machine lets it


def check(comparison, truth, records):
    transactions = transactions_of(truth)
    comparison.equal("sip", "records", len(transactions), len(records))
    by_key = defaultdict(list)
    for record in records:
        by_key[(record["sipCallId"], f"{record['sipCSeq']} {record['sipCommand']}", branch_of(record))].append(record)
    for key, transaction in transactions.items():
        where = f"sip {' '.join(key)}"
        found = by_key[key]
        comparison.equal(where, "records", 1, len(found))
        if len(found) == 1:
            one(comparison, where, truth["wire"], transaction, found[0])


def branch_of(record):
    return record["sipVia"].partition("branch=")[2].partition(";")[0]


def transactions_of(truth):
    """Both logs of each transaction, the ACK of a call with its INVITE."""
    out = {}
    logs = [(side, *line) for side in ("client", "server") for line in truth[side]["sip"]]
    for side, at, way, start, sequence, call, branch in logs:
        if sequence.endswith("ACK"):
            continue
        entry = out.setdefault((call, sequence, branch), {"asker": None, "messages": []})
        if not start.startswith("SIP/") and way == "sent":
            entry["asker"] = side
        entry["messages"].append((at, side, way, start))
    for side, at, way, start, sequence, call, _ in logs:
        if sequence.endswith("ACK"):
            (invite,) = [e for (c, s, _), e in out.items() if c == call and s == sequence.replace("ACK", "INVITE")]
            invite["messages"].append((at, side, way, "ACK"))
    return out


def one(comparison, where, wire, transaction, record):
    asker = transaction["asker"]
    answerer = "server" if asker == "client" else "client"

    def log(side, way, wanted):
        return sorted(at for at, s, w, start in transaction["messages"] if (s, w) == (side, way) and wanted(start))

    def copies(what, name, sender, receiver, wanted):
        """What left and what arrived: the tap saw something between these."""
        left, arrived = len(log(sender, "sent", wanted)), len(log(receiver, "received", wanted))
        got = record.get(name, 0)
        comparison.equal(where, f"{what} ({got}) is from {arrived} to {left}", True, arrived <= got <= left)
        return left == arrived

    def is_request(start):
        return not start.startswith("SIP/") and start != "ACK"

    def status(start):
        return int(start.split(" ")[1]) if start.startswith("SIP/") else 0

    whole = copies("requests", "sipRequestCount", asker, answerer, is_request)
    whole &= copies("provisional responses", "sipProvisionalCount", answerer, asker, lambda s: 100 <= status(s) < 200)
    final = [s for _, side, way, s in transaction["messages"] if (side, way) == (answerer, "sent") and status(s) >= 200]
    comparison.equal(where, "final response", final[0].split(" ", 2)[1:],
                     [str(record.get("sipStatusCode")), record.get("sipReasonPhrase")])
    comparison.equal(where, "the record's source asked", "10.99.0.1" if asker == "client" else "10.99.0.2",
                     record["sourceIPv4Address"])
    if "sipAckTimeMicroseconds" in record:
        whole &= copies("final responses", "sipFinalResponseCount", answerer, asker, lambda s: status(s) >= 200)
    if not whole:
        return
    asked = log(asker, "sent", is_request)[0]

    def time(name, wanted):
        """As the asker measured it, without the network on his side."""
        seen = log(asker, "received", wanted)
        if seen:
            expected = seen[0] - asked - 2000 * wire[f"{asker}_delay_ms"]
            comparison.near(where, name, expected, record.get(name), CLOCK_US)
    time("sipRingingTimeMicroseconds", lambda s: 100 < status(s) < 200)
    time("timeToLastByteMicroseconds", lambda s: status(s) >= 200)
    acks, finals = log(answerer, "received", lambda s: s == "ACK"), log(answerer, "sent", lambda s: status(s) >= 200)
    if acks and len(finals) == 1:
        comparison.near(where, "sipAckTimeMicroseconds", acks[0] - finals[0] - 2000 * wire[f"{answerer}_delay_ms"],
                        record.get("sipAckTimeMicroseconds"), CLOCK_US)
