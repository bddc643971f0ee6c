#!/usr/bin/python3
"""One end of an RTP session, made of GStreamer's rtpbin: rtp_endpoint.py '{"local": …}'

Sends what it is told to, receives, and says at the end, as JSON, what its session counted of either direction. RTP and RTCP
go through one socket each, so that both directions of a port pair are one flow. Options, as one JSON object:

  address, local, remote   address of the other end; ports of RTP (RTCP: the next one; "mux": the same)
  send                     seconds of media to send; 0: only receive
  media                    pcmu (default), pcma, l16 (dynamic type 96, 16 kHz), vp8 (dynamic type 97)
  stay                     seconds to stay after the last packet was sent
  first                    first sequence number
  digits                   telephone events to send in between, as payload type 101
"""
import json
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gio, GLib, Gst  # noqa: E402  (the version must be chosen first)

SSRC_BASE = 0x10000000  # plus the port of the sender
PAYLOAD = {
    "pcmu": ("audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay name=pay", "PCMU", 0, 8000, "audio"),
    "pcma": ("audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay", "PCMA", 8, 8000, "audio"),
    "l16": ("audio/x-raw,rate=16000,channels=1 ! rtpL16pay name=pay pt=96", "L16", 96, 16000, "audio"),
    "vp8": ("video/x-raw,width=160,height=120,framerate=15/1 ! vp8enc deadline=1 target-bitrate=60000 keyframe-max-dist=15 "
            "! rtpvp8pay name=pay pt=97 mtu=500", "VP8", 97, 90000, "video"),
}


def socket(port):
    s = Gio.Socket.new(Gio.SocketFamily.IPV4, Gio.SocketType.DATAGRAM, Gio.SocketProtocol.UDP)
    s.bind(Gio.InetSocketAddress.new_from_string("0.0.0.0", port), False)
    return s


def description(o):
    raw, name, number, rate, kind = PAYLOAD[o["media"]]
    caps = f"application/x-rtp,media={kind},clock-rate={rate},encoding-name={name},payload={number}"
    rtcp = o["remote"] + (0 if o["mux"] else 1)
    parts = ["rtpbin name=bin latency=60",
             f"udpsrc name=rtp_in caps={caps} ! bin.recv_rtp_sink_0",
             f"bin.send_rtcp_src_0 ! udpsink name=rtcp_out host={o['address']} port={rtcp} sync=false async=false"]
    if not o["mux"]:
        parts.append("udpsrc name=rtcp_in ! bin.recv_rtcp_sink_0")
    if o["send"]:
        buffers = int(o["send"] * (50 if kind == "audio" else 15))
        samples = f"audiotestsrc is-live=true samplesperbuffer={rate // 50}" if kind == "audio" else "videotestsrc is-live=true"
        exact = "min-ptime=20000000 max-ptime=20000000" if kind == "audio" else ""
        parts.append(f"{samples} num-buffers={buffers} ! {raw} {exact} ! bin.send_rtp_sink_0")
        parts.append(f"bin.send_rtp_src_0 ! udpsink name=rtp_out host={o['address']} port={o['remote']} async=false")
    return "\n".join(parts)


def fields(structure):
    out = {}
    for i in range(structure.n_fields()):
        name = structure.nth_field_name(i)
        value = structure.get_value(name)
        if isinstance(value, (bool, int, float, str)):
            out[name] = value
    return out


def main():
    o = {"media": "pcmu", "send": 0, "stay": 1.0, "mux": False, "first": 1000} | json.loads(sys.argv[1])
    Gst.init(None)
    pipeline = Gst.parse_launch(description(o))
    rtp = socket(o["local"])
    rtcp = rtp if o["mux"] else socket(o["local"] + 1)
    for name, s in (("rtp_in", rtp), ("rtp_out", rtp), ("rtcp_in", rtcp), ("rtcp_out", rtcp)):
        element = pipeline.get_by_name(name)
        if element:
            element.set_property("socket", s)
            element.set_property("close-socket", False)
    pay = pipeline.get_by_name("pay")
    if pay:
        pay.set_property("seqnum-offset", o["first"])
        pay.set_property("ssrc", SSRC_BASE + o["local"])
        pay.set_property("timestamp-offset", 0xffffff00 - o["local"])
    rtpbin = pipeline.get_by_name("bin")
    rtpbin.connect("pad-added", lambda _, pad: received(pipeline, pad))
    pipeline.set_state(Gst.State.PLAYING)
    session = rtpbin.emit("get-internal-session", 0)
    session.set_property("rtcp-min-interval", 400 * Gst.MSECOND)
    session.set_property("bandwidth", 256000.0)
    loop = GLib.MainLoop()
    GLib.timeout_add(int(1000 * (o["send"] + o["stay"])), loop.quit)
    loop.run()
    said = {}
    for who in ("local", "remote"):
        source = session.emit("get-source-by-ssrc", SSRC_BASE + o[who])
        said[who] = fields(source.get_property("stats")) if source else None
    pipeline.set_state(Gst.State.NULL)
    print(json.dumps(said))


def received(pipeline, pad):
    if not pad.get_name().startswith("recv_rtp_src"):
        return
    sink = Gst.ElementFactory.make("fakesink")
    pipeline.add(sink)
    sink.set_property("sync", False)
    sink.sync_state_with_parent()
    pad.link(sink.get_static_pad("sink"))


if __name__ == "__main__":
    sys.exit(main())
