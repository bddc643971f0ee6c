"""Dissected messages to transactions: HTTP/1, DNS and MySQL."""
from collections import defaultdict

from reference import tshark

DNS = {"dns", "mdns", "llmnr"}
FIELDS = {
    "http": ["http.request.method", "http.request.uri", "http.request.version", "http.host", "http.response.code",
             "http.request_in"],
    "mysql": ["mysql.command", "mysql.query", "mysql.error_code"]}
PROTOCOLS = DNS | set(FIELDS)
MYSQL_COMMANDS = {1: "QUIT", 2: "INIT_DB", 3: "QUERY", 4: "FIELD_LIST", 14: "PING", 17: "CHANGE_USER",
                  22: "STMT_PREPARE", 23: "STMT_EXECUTE", 25: "STMT_CLOSE", 26: "STMT_RESET", 28: "STMT_FETCH"}


def read(path, capture):
    """Fills in the messages of each flow."""
    if not capture.protocols & PROTOCOLS:
        return
    count = defaultdict(int)
    for frame, name, protocol in tshark.messages(path, PROTOCOLS, capture.warnings):
        if frame not in capture.of_frame:
            continue
        flow, way = capture.of_frame[frame]
        message = dns_message(protocol) if name in DNS else message_of(protocol, FIELDS[name])
        if not message:
            continue
        # Only the first message of a frame can have begun in an earlier one.
        count[frame, name] += 1
        segments = capture.segments.get(frame) if count[frame, name] == 1 else None
        message |= {"frame": frame, "way": way, "first_frame": min(segments) if segments else frame,
                    "begin_frame": segments[0] if segments else frame}  # of its first octet; others may have come before
        flow.messages[name].append(message)


def transactions(flow, capture):
    found = {}
    for name, messages in flow.messages.items():
        found[name] = (http(flow, messages, capture) if name == "http" else
                       mysql(messages) if name == "mysql" else dns(messages))
    return found


def shown(field):
    return field.get("show") or ""


def text_of(field):
    try:
        return bytes.fromhex(field.get("value") or "").decode("utf8").rstrip("\0") or shown(field)
    except ValueError:
        return shown(field)


def message_of(protocol, wanted):
    message = {}
    for field in protocol.iter("field"):
        name = field.get("name")
        if name in wanted:
            message.setdefault(name, text_of(field) if name == "mysql.query" else shown(field))
    return message


def other(way):
    return "b2a" if way == "a2b" else "a2b"


def seconds(later, earlier):
    return round((later - earlier) / 1e9, 9)


def http(flow, messages, capture):
    """Responses answer requests in their order (RFC 9112 §9.3.2); tshark's own pairing gets back in step after a gap."""
    found, waiting = [], []
    # By first frame: an early answer can precede the end of its request.
    for message in sorted(messages, key=lambda m: (m["first_frame"], "http.request.method" not in m)):
        if "http.request.method" in message:
            waiting.append(request(message, capture))
            found.append(waiting[-1])
        elif "http.response.code" in message:
            response(message, flow, capture, found, waiting)
    return [{name: value for name, value in t.items() if value is not None} for t in found]


def request(message, capture):
    first, last = message["first_frame"], message["frame"]
    return {"method": message["http.request.method"], "uri": message.get("http.request.uri"),
            "host": message.get("http.host"), "version": message.get("http.request.version"), "dir": message["way"],
            "req_first_frame": first, "req_last_frame": last,
            "req_first_ns": capture.times[message["begin_frame"]], "req_last_ns": capture.times[last]}


def response(message, flow, capture, found, waiting):
    code, first, last = int(message["http.response.code"]), message["begin_frame"], message["frame"]
    if 100 <= code < 200 and code != 101:
        return
    possible = [t for t in waiting if t["dir"] != message["way"] and t["req_first_frame"] <= first]
    told = [t for t in possible if t["req_last_frame"] == int(message.get("http.request_in") or 0)]
    t = next(iter(told or possible), None)
    if t is None:
        t = {"response_only": True, "dir": other(message["way"])}
        found.append(t)
    else:
        for overtaken in possible[:possible.index(t)]:
            waiting.remove(overtaken)
        waiting.remove(t)
    # A body that ends with the connection is dissected on the FIN: its last data counts.
    data = [time for frame, time, way in flow.data if way == message["way"] and first <= frame <= last]
    begin, end = capture.times[first], data[-1] if data else capture.times[last]
    t.update(status=code, resp_first_ns=begin, resp_last_ns=end)
    if "req_last_ns" in t:
        t.update(response_s=seconds(begin, t["req_last_ns"]), total_s=seconds(end, t["req_first_ns"]))


DNS_FIELDS = {"dns.id": ("id", str), "dns.flags.response": ("is_response", lambda s: s in ("1", "True")),
              "dns.flags.rcode": ("rcode", int), "dns.time": ("time_s", float), "dns.response_to": ("request_frame", int),
              "dns.qry.name": ("qname", str), "dns.qry.type": ("qtype", str)}


def dns_message(protocol):
    message = {}
    for field in protocol.iter("field"):
        if field.get("name") in DNS_FIELDS:
            name, value_of = DNS_FIELDS[field.get("name")]
            message.setdefault(name, value_of(shown(field)))
    return message


def dns(messages):
    found, open_queries = [], {}
    for m in messages:
        t = {name: m[name] for name in ("id", "qname", "qtype") if name in m}
        if not m.get("is_response"):
            open_queries[m["frame"], m.get("id")] = t
            found.append(t)
            continue
        asked = open_queries.get((m.get("request_frame"), m.get("id")))
        if asked is None or "resp_frame" in asked:
            found.append(t | {"response_only": True})
            asked = found[-1]
        asked.update(resp_frame=m["frame"], rcode=m.get("rcode"))
        if "time_s" in m:
            asked["time_s"] = m["time_s"]
    return found


def mysql(messages):
    found = {"requests": [], "errors": []}
    for m in messages:
        if "mysql.command" in m:
            command = int(m["mysql.command"], 0)
            found["requests"].append({"command": MYSQL_COMMANDS.get(command, command)} |
                                     ({"query": m["mysql.query"]} if "mysql.query" in m else {}))
        if "mysql.error_code" in m:
            found["errors"].append({"code": int(m["mysql.error_code"], 0)})
    return found
