"""RTSP: the server and the client of GStreamer."""
import re
import subprocess

from capture import HERE, capture
from kit.world import SERVER

PORT = 8554
PLAYING = "2.5"  # seconds


class Rtsp:
    def __init__(self, world):
        self.world, self.log, self.connections = world, world.path("requests"), []
        world.serve(["/usr/bin/python3", f"{HERE}/rtsp_server.py", SERVER, str(PORT), self.log], PORT)

    def play(self, protocols, path="lab"):
        """One connection; keeps what the client logs of it."""
        debug = self.world.path("debug")
        with open(debug, "w") as errors:
            self.world.client(
                ["env", "GST_DEBUG=rtspsrc:6", "GST_DEBUG_NO_COLOR=1", "timeout", "-s", "INT", PLAYING, "gst-launch-1.0", "-e",
                 "rtspsrc", f"location=rtsp://{SERVER}:{PORT}/{path}", f"protocols={protocols}", "latency=20", "name=s", "s.", "!",
                 "fakesink", "s.", "!", "fakesink"], check=False, stderr=errors)
        with open(debug, errors="replace") as lines:  # it dumps messages too
            self.connections.append(exchanges(lines))
        return self

    def said(self):
        with open(self.log) as lines:
            requests = [line.split() for line in lines]
        found = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "libgstrtspserver-1.0-0"], capture_output=True, text=True)
        return {"server": {"rtsp": [[int(at), *words] for at, *words in requests]}, "client": {"rtsp": self.connections},
                "software": [f"GStreamer RTSP server {found.stdout.split('-')[0]}"]}


def exchanges(lines):
    """Of each request and its response: what the client logs, and the microseconds between. It does not wait for the response of a
    PAUSE, and takes that for the one of the TEARDOWN behind it."""
    out, response = [], False
    for line in lines:
        found = re.match(r"(\d+):(\d+):(\d+\.\d+) .*?<s> +(.*)", line)
        if not found:
            continue
        at = (int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3])) * 1e6
        text = found[4]
        value = re.match(r"(method|uri|code): +'(.*)'|key: '(CSeq|Session|Transport)', value: '(.*)'", text)
        if text.startswith("RTSP request message"):
            out.append({"sent": at})
            response = False
        elif text.startswith("RTSP response message"):
            out[-1]["took_us"] = round(at - out[-1].pop("sent"))
            response = True
        elif value and out and (value[1] or response):
            out[-1].setdefault((value[1] or value[3]).lower(), value[2] or value[4])
    for entry in out:
        entry.pop("sent", None)
    return out


@capture("""RTSP with RTP over UDP: sound and picture for two seconds; a path that does not exist.""")
def rtsp_udp(world):
    return Rtsp(world).play("udp").play("udp", "nothing").said()


@capture("""RTSP with RTP and RTCP interleaved in the connection, one of whose segments is lost behind the tap.""",
         rules=("link=a,dir=b2a,match=data,flow=1,nth=40",))
def rtsp_interleaved(world):
    return Rtsp(world).play("tcp").said()
