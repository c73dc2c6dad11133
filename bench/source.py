"""An S3 server that only gives: files of a directory, whole or in ranges, in a process of its own.

`python3 source.py DIRECTORY [LATENCY_MS] [BYTES_PER_SECOND]` prints its port. The latency is added to each answer, the rate
limits each connection. It is not in TypeScript for sendfile(2), which Node does not have: S3 is on other machines, and what a
server takes of this one's processors is taken from whom it is to measure.
"""

import base64
import os
import re
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

SLICE_BYTES = 512 * 1024
# Of catalogs and manifests: that of an archive would take longer than to send it.
CHECKSUM_BYTES_MAX = 64 * 1024 * 1024
root, latency_ms, bytes_per_second = (sys.argv[1:] + ["0", "0"])[:3]


def checksum(path):
    with open(path, "rb") as file:
        return base64.b64encode(zlib.crc32(file.read()).to_bytes(4, "big")).decode()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_HEAD(self):
        self.begin()

    def do_GET(self):
        found = self.begin()
        if not found:
            return
        path, first, count = found
        with open(path, "rb") as file:
            self.send(file.fileno(), first, count)

    def begin(self):
        """Sends the head and returns what is to follow it."""
        time.sleep(float(latency_ms) / 1000)
        _, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        path = os.path.join(root, key)
        if not os.path.isfile(path):
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return None
        size = os.path.getsize(path)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = int(wanted[2]) if wanted and wanted[2] else size - 1
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.send_header("Last-Modified", "Sat, 31 Jan 2026 02:00:00 GMT")
        self.send_header("ETag", '"0"')
        if size <= CHECKSUM_BYTES_MAX and not wanted:
            self.send_header("x-amz-checksum-crc32", checksum(path))
            self.send_header("x-amz-checksum-type", "FULL_OBJECT")
        self.end_headers()
        return path, first, last - first + 1

    def send(self, file, first, count):
        rate = float(bytes_per_second)
        started = time.monotonic()
        sent = 0
        while sent < count:
            try:
                sent += os.sendfile(self.connection.fileno(), file, first + sent, min(SLICE_BYTES, count - sent))
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
                return
            early = sent / rate - (time.monotonic() - started) if rate else 0
            if early > 0.001:
                time.sleep(early)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
