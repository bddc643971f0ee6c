"""DNS over UDP and TCP: unbound with zones of its own, dig and the C library's resolver as clients."""
import os
import re
import subprocess

from capture import capture
from kit.servers import Unbound

ZONE = "lab.example"
RECORDS = """$TTL 300
@       SOA ns.lab.example. admin.lab.example. 1 3600 600 86400 60
@       NS  ns.lab.example.
@       MX  10 mail.lab.example.
@       MX  20 mail2.lab.example.
@       TXT "v=spf1 -all" "second string"
@       CAA 0 issue "ca.example"
ns      A   10.99.0.2
mail    A   192.0.2.25
mail2   A   192.0.2.26
www     60 A    192.0.2.80
www     60 A    192.0.2.81
www     60 AAAA 2001:db8::80
shop    CNAME front.lab.example.
front   CNAME www.lab.example.
_sip._udp SRV 0 5 5060 mail.lab.example.
big     TXT """ + " ".join(f'"{c * 250}"' for c in "abcdefgh") + """
*.wild  A   192.0.2.99
"""
SERVER = """
  local-zone: "refused.example." refuse
  local-zone: "silent.example." deny
  local-zone: "2.0.192.in-addr.arpa." transparent
  local-data-ptr: "192.0.2.80 www.lab.example."
"""
STATUS = re.compile(r"status: (\w+), id: (\d+)")
TOOK = re.compile(r"Query time: (\d+) usec.*?\(((?:UDP|TCP))\)", re.S)


def dig(world, *queries, options=("+tries=1", "+time=2", "+nocookie")):
    """Each query is dig's arguments in one string, in one process each; says what dig measured."""
    out = []
    for query in queries:
        text = world.client(["dig", "@10.99.0.2", "-u", *options, *query.split()], check=False)
        answers = [list(found) for found in STATUS.findall(text)]
        took = [[int(micros), over] for micros, over in TOOK.findall(text)]
        out.append({"query": query, "status_and_id": answers, "took_us_and_over": took})
    return out


def said(unbound, client, *more):
    version = subprocess.run(["dig", "-v"], capture_output=True, text=True)
    name = (version.stdout + version.stderr).strip().replace("DiG", "dig")
    return {"server": {"dns": unbound.log()}, "client": {"dns": client}, "software": [Unbound.version(), name, *more]}


@capture("""Every kind of DNS answer over UDP and TCP: A, AAAA, a CNAME chain, MX, TXT, NS, SOA, SRV, CAA, PTR, wildcard, no data, NXDOMAIN,
         SERVFAIL (no other server can be reached), REFUSED, with and without EDNS, mixed case, a truncated answer asked again over TCP, several questions on one TCP
         connection.""")
def dns_answers(world):
    unbound = Unbound(world, ZONE, RECORDS, SERVER)
    client = dig(world, "www.lab.example A", "www.lab.example AAAA", "shop.lab.example A", "lab.example MX", "lab.example TXT",
                 "lab.example NS", "lab.example SOA", "lab.example CAA", "_sip._udp.lab.example SRV", "-x 192.0.2.80",
                 "any.wild.lab.example A", "mail.lab.example AAAA", "nothing.lab.example A", "elsewhere.example A",
                 "refused.example A", "+noedns www.lab.example A", "+bufsize=512 +dnssec www.lab.example A",
                 "WwW.lAb.ExAmPlE A", "+noedns big.lab.example TXT", "+tcp lab.example MX",
                 "+tcp +keepopen www.lab.example A shop.lab.example A nothing.lab.example A")
    return said(unbound, client)


@capture("""DNS under loss: a query lost before the tap, one after it, an answer lost before and one after, each asked again by dig; a
         question that the server never answers (asked three times), and one to a server that is gone (ICMP port unreachable).""",
         rules=("link=a,dir=a2b,match=udp,nth=2", "link=b,dir=a2b,match=udp,nth=3", "link=b,dir=b2a,match=udp,nth=3",
                "link=a,dir=b2a,match=udp,nth=4"))
def dns_loss(world):
    unbound = Unbound(world, ZONE, RECORDS, SERVER)
    again = ("+tries=3", "+time=1", "+nocookie")
    client = dig(world, *[f"{name}.lab.example A" for name in ("www", "mail", "ns", "mail2", "shop", "www")], options=again)
    client += dig(world, "silent.example A", options=again)
    log = said(unbound, client)
    world.kill(unbound.process)
    log["client"]["dns"] += dig(world, "www.lab.example A", options=("+tries=1", "+time=1", "+nocookie"))
    return log


@capture("""The C library's resolver: A and AAAA asked at once from one port, asked again with the same ids after a second because the
         first questions are lost before the server, and a search list that ends in NXDOMAIN.""",
         ipv6=True, rules=("link=b,dir=a2b,match=udp,nth=3,last=4",))
def dns_resolver(world):
    unbound = Unbound(world, ZONE, RECORDS, SERVER)
    resolver = world.path("resolv.conf")
    with open(resolver, "w") as out:
        out.write("nameserver 10.99.0.2\nsearch lab.example\noptions timeout:1 attempts:2\n")
    nsswitch = world.path("nsswitch.conf")
    with open(nsswitch, "w") as out:
        out.write("hosts: dns\n")
    # ip netns exec has a mount namespace of its own, so the files are seen by the resolver alone.
    code = f"mount --bind {resolver} /etc/resolv.conf; mount --bind {nsswitch} /etc/nsswitch.conf; "
    client = []
    for name in ("www.lab.example", "shop", "absent"):
        found = world.client(["sh", "-c", code + f"getent ahosts {name} || true"])
        client.append({"query": name, "found": sorted({line.split()[0] for line in found.splitlines()})})
    libc = " ".join(os.confstr("CS_GNU_LIBC_VERSION").split())
    return said(unbound, client, libc)



@capture("""Loss at random (12 %) on both sides under DNS over UDP and TCP: unanswered, repeated and late.""", seed=12,
         client_up="loss=12%", client_down="loss=12%", server_up="loss=12%", server_down="loss=12%")
def dns_loss_random(world):
    unbound = Unbound(world, ZONE, RECORDS, SERVER)
    queries = [f"{name}.lab.example A" for name in ("www", "mail", "shop", "ns", "gone", "mail2")] * 2
    client = dig(world, *queries, *[f"+tcp {query}" for query in queries[:6]], options=("+tries=3", "+time=1", "+nocookie"))
    return said(unbound, client)
