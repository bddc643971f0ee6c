"""The probe's records of RTSP transactions against what the client and the server logged."""
from collections import defaultdict

CLOCK_US = 20_000  # the client stamps a message when the machine lets it


def check(comparison, truth, records):
    connections = defaultdict(list)
    for record in sorted(records, key=lambda r: r["transactionStartMicroseconds"]):
        connections[record["sourceTransportPort"]].append(record)
    logged = truth["client"]["rtsp"]
    served = [record for record in records if record["rtspReturnCode"] == 200]  # the server logs no others
    comparison.equal("rtsp", "requests that the server logged", [entry[1:] for entry in truth["server"]["rtsp"]],
                     [[record["rtspCommand"], record["rtspURL"].rstrip("/")] for record in served])
    comparison.equal("rtsp", "connections", len(logged), len(connections))
    harmed = any(connection["events"] for connection in truth["tcp"])
    for entries, found in zip(logged, connections.values()):
        comparison.equal("rtsp", "records of a connection", len(entries), len(found))
        waits = True  # the client reads each response before it goes on
        for entry, record in zip(entries, found):
            waits = waits and "took_us" in entry
            one(comparison, truth["wire"], harmed, entry if waits else {k: entry[k] for k in ("method", "uri")}, record)


def one(comparison, wire, harmed, entry, record):
    where = f"rtsp {record['rtspCSeq']} {entry['method']}"
    for key, name in (("method", "rtspCommand"), ("uri", "rtspURL")):
        comparison.equal(where, name, entry[key], record.get(name))
    if "took_us" not in entry:
        return
    for key, name in (("session", "rtspSession"), ("transport", "rtspTransport")):
        if key in entry or key == "transport":
            comparison.equal(where, name, entry.get(key), record.get(name))
    for key, name in (("cseq", "rtspCSeq"), ("code", "rtspReturnCode")):
        comparison.equal(where, name, int(entry[key]), record.get(name))
    if not harmed:
        comparison.near(where, "responseTimeMicroseconds", entry["took_us"] - 2000 * wire["client_delay_ms"],
                        record.get("responseTimeMicroseconds"), CLOCK_US)
