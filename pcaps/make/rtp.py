"""RTP with RTCP: GStreamer's rtpbin on both ends, which says what its sessions counted (rtp_endpoint.py)."""
import json
import os
import subprocess

from capture import HERE, capture

ENDPOINT = os.path.join(HERE, "rtp_endpoint.py")
CLIENT, SERVER = 5004, 5104  # ports of RTP


def call(world, client, server, **both):
    """A session between the two namespaces; what both ends say."""
    ends = {"mux": False} | both
    far = ends | {"address": "10.99.0.1", "local": SERVER, "remote": CLIENT} | server
    near = ends | {"address": "10.99.0.2", "local": CLIENT, "remote": SERVER} | client
    process = world.serve([ENDPOINT, json.dumps(far)], SERVER, "udp", stdout=subprocess.PIPE)
    said = world.client([ENDPOINT, json.dumps(near)])
    told = json.loads(process.communicate(timeout=30)[0])
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "gstreamer1.0-plugins-good"], capture_output=True,
                             text=True).stdout
    return {"server": {}, "client": {"rtp": {"client": {"options": near, "session": json.loads(said)},
                                             "server": {"options": far, "session": told}}},
            "software": [f"GStreamer {version.split('-')[0]}"]}


@capture("""RTP both ways, G.711, with RTCP in the same flow (RFC 5761). No fault.""")
def rtp_call(world):
    return call(world, {"send": 3, "media": "pcmu"}, {"send": 3.4, "media": "pcmu"}, mux=True)


@capture("""RTP both ways with RTCP on ports of its own. What the client sends is lost, repeated and overtaken before the tap; what the
         server sends is lost after it, which only the reception reports tell.""",
         client_up="loss=4%,dup=2%", client_down="loss=5%",
         rules=("link=a,dir=a2b,match=udp,flow=1,nth=40,last=44", "link=a,dir=a2b,match=udp,flow=1,nth=80,action=hold,hold=50ms"))
def rtp_loss(world):
    return call(world, {"send": 3.2, "media": "pcma"}, {"send": 3.5, "media": "pcma"})


@capture("""RTP whose packets the network delays by up to 30 ms each, before the tap, one behind the other or not.""",
         client_up="jitter=30ms,reorder=4%:45ms", server_down="jitter=8ms")
def rtp_jitter(world):
    return call(world, {"send": 3, "media": "pcmu", "first": 65500}, {"send": 3.4, "media": "pcmu"})


@capture("""RTP of dynamic payload types that nobody announced to the probe: 16 bit linear audio one way, VP8 video the other, with
         losses in bursts before the tap.""", client_up="burst=2%:40%", server_down="burst=2%:40%")
def rtp_dynamic(world):
    return call(world, {"send": 2.6, "media": "l16"}, {"send": 3.4, "media": "vp8"}, mux=True)


def from_the_middle(frames):
    """Without the first 40 frames, and without every 25th behind them."""
    return [frame for i, frame in enumerate(frames) if i >= 40 and i % 25 != 0]


@capture("""RTP that the capture begins to see in the middle, and of which it misses packets that the receivers got.""",
         keep=from_the_middle)
def rtp_capture_loss(world):
    return call(world, {"send": 3, "media": "pcmu"}, {"send": 3.4, "media": "pcma"}, mux=True)
