"""SIP over UDP and TCP: sipp (sip-tester) calls sipp; what both sent and received stands in their message logs."""
import datetime
import re
import subprocess

from capture import capture
from kit.world import SERVER, CLIENT

PORT = 5060
RECORDED = 12_000  # octets of A-law at 8 kHz: one and a half seconds
FROM_CLIENT = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Anna" <sip:anna@lab.example>;tag=[pid]a[call_number]
To: <sip:bob@lab.example>[peer_tag_param]
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:anna@[local_ip]:[local_port]>
Max-Forwards: 70
User-Agent: lab phone
"""
SDP = """Content-Type: application/sdp
Content-Length: [len]

v=0
o={user} 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio {port} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
"""
EMPTY = "Content-Length: 0\n"
ANSWER = """[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:bob@[local_ip]:[local_port]>
Server: lab exchange
"""


def ask(method, number=1, body=EMPTY, more=""):
    text = f"{method} sip:bob@[remote_ip]:[remote_port] SIP/2.0\n{FROM_CLIENT.format(number=number, method=method)}{more}{body}"
    return f'<send{"" if method == "ACK" else chr(32) + "retrans=" + chr(34) + "500" + chr(34)}><![CDATA[\n{text}\n]]></send>'


def ask_again(method, body=EMPTY):
    """In the transaction of the INVITE: CANCEL, and the ACK of a refusal."""
    text = ask(method, 1, body).replace("Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]", "[last_Via:]")
    return text


def answer(status, reason, tag="b[call_number]", body=EMPTY, repeat=False):
    text = f"SIP/2.0 {status} {reason}\n{ANSWER.format(tag=f';tag={tag}' if tag else '')}{body}"
    return f'<send{" retrans=" + chr(34) + "500" + chr(34) if repeat else ""}><![CDATA[\n{text}\n]]></send>'


def get(what, optional=False, more=""):
    kind = "response" if what[0].isdigit() else "request"
    return f'<recv {kind}="{what}"{" optional=" + chr(34) + "true" + chr(34) if optional else ""}{more}/>'


def pause(milliseconds):
    return f'<pause milliseconds="{milliseconds}"/>'


def talks(octets):
    """Sends the recording, and waits for as long as it lasts."""
    return ['<nop><action><exec rtp_stream="RECORDING,1,8,PCMA/8000"/></action></nop>', pause(octets // 8 + 100)]


OFFER, REPLY = SDP.format(user="anna", port="[media_port]"), SDP.format(user="bob", port="[media_port]")
HEARS, SPEAKS = (SDP.format(user=user, port="[rtpstream_audio_port]") for user in ("anna", "bob"))
RINGS = [get("100", True), get("183", True), get("180", True), get("180", True)]
HANG_UP = [pause(80), ask("BYE", 2), get("200")]
# Each call: what the client does, what the server does.
CALLS = {
    "call": ([ask("INVITE", body=OFFER), *RINGS, get("200"), ask("ACK"), *HANG_UP],
             [get("INVITE"), answer(100, "Trying", tag=""), pause(60), answer(180, "Ringing"), pause(250),
              answer(200, "OK", body=REPLY, repeat=True), get("ACK"), get("BYE"), answer(200, "OK", tag="")]),
    "busy": ([ask("INVITE", body=OFFER), *RINGS, get("486"), ask_again("ACK")],
             [get("INVITE"), answer(100, "Trying", tag=""), pause(30), answer(486, "Busy Here", repeat=True), get("ACK")]),
    "early": ([ask("INVITE", body=OFFER), *RINGS, get("200"), ask("ACK"), get("BYE"), answer(200, "OK", tag="")],
              [get("INVITE"), answer(100, "Trying", tag=""), pause(40), answer(183, "Session Progress", body=REPLY), pause(60),
               answer(180, "Ringing"), pause(90), answer(200, "OK", body=REPLY, repeat=True), get("ACK"), pause(70),
               f'<send retrans="500"><![CDATA[\nBYE sip:anna@{CLIENT}:{PORT} SIP/2.0\n'
               'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n'
               'From: <sip:bob@lab.example>;tag=b[call_number]\nTo: "Anna" <sip:anna@lab.example>;tag=a\nCall-ID: [call_id]\n'
               'CSeq: 1 BYE\nMax-Forwards: 70\nUser-Agent: lab exchange\nContent-Length: 0\n\n]]></send>', get("200")]),
    "forked": ([ask("INVITE", body=OFFER), *RINGS, get("200"), ask("ACK"), *HANG_UP],
               [get("INVITE"), answer(100, "Trying", tag=""), pause(40), answer(180, "Ringing", tag="one[call_number]"), pause(20),
                answer(180, "Ringing", tag="two[call_number]"), pause(100),
                answer(200, "OK", tag="two[call_number]", body=REPLY, repeat=True), get("ACK"), get("BYE"),
                answer(200, "OK", tag="")]),
    "cancelled": ([ask("INVITE", body=OFFER), get("100", True), get("180"), pause(150), ask_again("CANCEL"), get("200"),
                   get("487"), ask_again("ACK")],
                  [get("INVITE"), answer(100, "Trying", tag=""), pause(50), answer(180, "Ringing"), get("CANCEL"),
                   answer(200, "OK", tag=""),
                   answer(487, "Request Terminated", tag="", repeat=True).replace("[last_CSeq:]", "CSeq: 1 INVITE"),
                   get("ACK")]),
    "register": ([ask("REGISTER", more="Expires: 300\n"), get("401"), ask("REGISTER", 2, more="Expires: 300\n"), get("200")],
                 [get("REGISTER"), answer(401, "Unauthorized"), get("REGISTER"), pause(35), answer(200, "OK")]),
    "talk": ([ask("INVITE", body=HEARS), *RINGS, get("200"), ask("ACK"), *talks(RECORDED), *HANG_UP],
             [get("INVITE"), answer(100, "Trying", tag=""), pause(40), answer(180, "Ringing"), pause(60),
              answer(200, "OK", body=SPEAKS, repeat=True), get("ACK"), *talks(RECORDED), get("BYE"), answer(200, "OK", tag="")]),
    "options": ([ask("OPTIONS"), get("200")], [get("OPTIONS"), answer(200, "OK")]),
}


class Sipp:
    """Runs calls one after the other, each with a fresh pair of processes, and keeps their logs."""

    def __init__(self, world, transport="u1"):
        self.world, self.transport, self.logs, self.n = world, transport, {"client": [], "server": []}, 0

    def scenario(self, steps):
        self.n += 1
        path, recording = self.world.path(f"scenario{self.n}.xml"), self.world.path("recording.alaw")
        with open(recording, "wb") as out:
            out.write(bytes(range(256)) * (RECORDED // 256 + 1))
        with open(path, "w") as out:
            out.write('<?xml version="1.0" encoding="ISO-8859-1" ?>\n<scenario name="lab">\n' + "\n".join(steps).replace("RECORDING", recording) +
                      "\n</scenario>\n")
        return path

    def command(self, side, address, port, media_port, scenario, *more):
        log = self.world.path(f"{side}{self.n}.log")
        return log, ["sipp", "-sf", scenario, "-i", address, "-mi", address, "-p", str(port), "-mp", str(media_port), "-t",
                     self.transport, "-m", "1", "-nostdin", "-trace_msg", "-message_file", log, "-timeout", "30s",
                     "-cid_str", f"%u-{self.n}@lab.example", *more]

    def call(self, name, port=PORT, linger=0):
        """`linger`: how long the server answers to what is repeated, in milliseconds."""
        client, server = CALLS[name]
        client, server = self.scenario(client), self.scenario([*server, f'<timewait milliseconds="{linger}"/>'])
        server_log, command = self.command("server", SERVER, PORT, 7000, server)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        serving = self.world.serve(command, PORT, "udp" if self.transport == "u1" else "tcp", **quiet)
        client_log, command = self.command("client", CLIENT, port, 6000, client, f"{SERVER}:{PORT}")
        self.world.client(command, stderr=subprocess.DEVNULL)
        serving.wait(timeout=10)
        for side, log in (("client", client_log), ("server", server_log)):
            self.logs[side] += messages(log)
        return self

    def said(self):
        found = subprocess.run(["sipp", "-v"], capture_output=True, text=True)
        version = re.search(r"SIPp v([\d.]+)", found.stdout + found.stderr)[1]
        return {side: {"sip": log} for side, log in self.logs.items()} | {"software": [f"sipp {version}"]}


def messages(path):
    """[microseconds since the epoch, sent or received, start line, CSeq, Call-ID, branch] of each message of a log."""
    out = []
    with open(path, newline="") as log:
        parts = re.split(r"^-{20,} ", log.read(), flags=re.M)[1:]
    for part in parts:
        head, _, text = part.partition("\n")
        found = re.search(r"message (sent|received)", text)
        if not found:
            continue
        lines = [line.strip() for line in text[found.end():].splitlines()]
        fields = dict(reversed([line.split(": ", 1) for line in lines if ": " in line]))
        start = next(line for line in lines[1:] if line)
        at = datetime.datetime.strptime(head.strip()[:26], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=datetime.timezone.utc)
        branch = re.search(r"branch=([^;,]+)", fields["Via"])[1]
        out.append([int(at.timestamp() * 1e6), found[1], start, fields["CSeq"], fields["Call-ID"], branch])
    return out


@capture("""SIP over UDP, one flow: a call, one to a busy phone, one with early media that the other side ends, a forked one, a cancelled
         one, a registration that is asked for credentials, OPTIONS.""")
def sip_calls(world):
    sipp = Sipp(world)
    for name in CALLS:
        if name != "talk":
            sipp.call(name)
    return sipp.said()


@capture("""SIP over UDP with loss, a flow each: the INVITE before the tap, behind it, its 200 behind the tap, the ACK behind it, the 200 of
         the BYE before it, a 180 before it.""",
         rules=("link=a,dir=a2b,match=udp,flow=1,nth=1", "link=b,dir=a2b,match=udp,flow=2,nth=1",
                "link=a,dir=b2a,match=udp,flow=3,nth=3", "link=b,dir=a2b,match=udp,flow=4,nth=2",
                "link=b,dir=b2a,match=udp,flow=5,nth=4", "link=b,dir=b2a,match=udp,flow=6,nth=2"))
def sip_loss(world):
    sipp = Sipp(world)
    for i in range(6):
        sipp.call("call", 5061 + i, linger=1200)
    return sipp.said()


@capture("""SIP over TCP: a call, a cancelled one, a registration; the first segment of the last call is lost behind the tap.""",
         rules=("link=b,dir=a2b,match=data,flow=4,nth=1",))
def sip_tcp(world):
    sipp = Sipp(world, "t1")
    for i, name in enumerate(("call", "cancelled", "register", "call")):
        sipp.call(name, 5061 + i)
    return sipp.said()


@capture("""A call over UDP in which both sides send one and a half seconds of A-law: RTP where SDP said. Three packets
         are lost before the tap, one of the other direction behind it.""",
         rules=("link=a,dir=a2b,match=udp,flow=2,nth=30,last=32", "link=a,dir=b2a,match=udp,flow=2,nth=50"))
def sip_media(world):
    return Sipp(world).call("talk").said()
