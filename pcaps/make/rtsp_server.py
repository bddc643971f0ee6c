"""An RTSP server of GStreamer with one path, /lab: a tone and a small picture. Writes a line for each request.

Usage: rtsp_server.py ADDRESS PORT LOG
"""
import sys
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402  (versions first)

MEDIA = ("( audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "
         "rtppcmapay name=pay0 pt=8 min-ptime=20000000 max-ptime=20000000 "
         "videotestsrc is-live=true pattern=black ! video/x-raw,format=I420,width=32,height=32,framerate=5/1 ! jpegenc ! rtpjpegpay name=pay1 pt=26 )")
REQUESTS = ("options", "describe", "setup", "play", "pause", "teardown", "get-parameter", "set-parameter", "announce", "record")


def main():
    address, port, path = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address(address)
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(MEDIA)
    server.get_mount_points().add_factory("/lab", factory)
    log = open(path, "w", buffering=1)

    def on_request(_, context, method):
        uri = context.uri.get_request_uri() if context.uri else "*"
        log.write(f"{time.time_ns() // 1000} {method.upper().replace('-', '_')} {uri}\n")

    def on_client(_, client):
        for method in REQUESTS:
            client.connect(f"{method}-request", on_request, method)
    server.connect("client-connected", on_client)
    server.attach(None)
    GLib.MainLoop().run()


main()
