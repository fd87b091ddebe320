"""A real HTTP server between the tap and the sandbox, which spoils the answers it is told to."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

REQUEST_ID = "4f5c1a52-0000-4000-8000-00000000f00d"
HTML = b"<!DOCTYPE html><html><body><h1>We are soon back</h1></body></html>"

Spoil = Callable[["_Handler"], None]


@dataclass
class Spoiled:
    """Which requests get what instead of their answer, and how often; None is for ever."""

    match: str
    spoil: Spoil
    times: int | None


class Hostile:
    """Forwards to the sandbox; use as a context manager.

    Attributes:
        asked: Path and query of each request, in order.
    """

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.asked: list[str] = []
        self._spoiled: list[Spoiled] = []
        self._lock = threading.Lock()
        self.ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.hostile = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spoil(self, spoil: Spoil, *, match: str = "", times: int | None = 1) -> None:
        self._spoiled.append(Spoiled(match, spoil, times))

    def clear(self) -> None:
        self._spoiled.clear()

    def take(self, asked: str) -> Spoil | None:
        with self._lock:
            self.asked.append(asked)
            for one in self._spoiled:
                if one.match in asked and one.times != 0:
                    one.times = None if one.times is None else one.times - 1
                    return one.spoil
        return None


class _Handler(BaseHTTPRequestHandler):
    """One connection; closed after each answer."""

    @property
    def hostile(self) -> Hostile:
        return self.server.hostile

    def do_GET(self):
        length = int(self.headers.get("Content-Length", "0"))
        self.body = self.rfile.read(length)
        spoil = self.hostile.take(self.path)
        if spoil is not None:
            spoil(self)
        else:
            answer = self.forward()
            self.say(answer.status_code, answer.content, answer.headers)

    do_POST = do_GET  # noqa: N815 - as the base class names it

    def forward(self) -> requests.Response:
        return requests.request(
            self.command,
            self.hostile.upstream + self.path,
            headers={name: value for name, value in self.headers.items() if name != "Host"},
            data=self.body,
            timeout=10,
            allow_redirects=False,
        )

    def say(self, status, body, headers=None, *, length=None):
        """Answer; with a length of our own if it is to be wrong."""
        headers = dict(headers or {"Content-Type": "application/json"})
        for name in list(headers):
            if name.lower() in {"content-length", "content-encoding", "transfer-encoding", "date"}:
                del headers[name]
        headers.setdefault("Ipp-Request-Id", REQUEST_ID)
        headers["Content-Length"] = str(len(body) if length is None else length)
        self.send_bare(status, headers)
        self.wfile.write(body)

    def send_bare(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True

    def whole(self) -> bytes:
        return self.forward().content

    def log_message(self, *args):
        pass


def dropped_before(handler):
    handler.close_connection = True


def dropped_after(handler):
    handler.forward()
    handler.close_connection = True


def shorter_than_its_length(handler):
    body = handler.whole()
    handler.say(200, body[: len(body) // 2], length=len(body))


def cut_between_chunks(handler):
    body = handler.whole()
    headers = {"Transfer-Encoding": "chunked", "Ipp-Request-Id": REQUEST_ID}
    handler.send_bare(200, headers)
    half = body[: len(body) // 2]
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(half), half))


def cut_in_a_chunk(handler):
    body = handler.whole()
    headers = {"Transfer-Encoding": "chunked", "Ipp-Request-Id": REQUEST_ID}
    handler.send_bare(200, headers)
    handler.wfile.write(b"%x\r\n%s" % (len(body), body[: len(body) // 2]))


def cut_json_of_the_right_length(handler):
    body = handler.whole()
    handler.say(200, body[: len(body) // 2])


def no_json(handler):
    handler.say(200, b"busy", {"Content-Type": "text/plain"})


def no_utf8(handler):
    handler.say(200, b'[{"a": "\xff\xfe"}]')


def an_object(handler):
    handler.say(200, b'{"message": "VismaId: 1. The company is being upgraded."}')


def html_with_200(handler):
    handler.say(200, HTML, {"Content-Type": "text/html"})


def html_with_502(handler):
    handler.say(502, HTML, {"Content-Type": "text/html"})


def empty_with_200(handler):
    handler.say(200, b"")


def empty_with_503(handler):
    handler.say(503, b"", {})


def error_that_breaks_off(handler):
    handler.say(503, b'{"message": "Vis', length=500)


def gzip_garbage(handler):
    body = gzip.compress(handler.whole())[:40] + b"garbage" * 20
    headers = {
        "Content-Encoding": "gzip",
        "Content-Length": str(len(body)),
        "Ipp-Request-Id": REQUEST_ID,
    }
    handler.send_bare(200, headers)
    handler.wfile.write(body)


def gzip_cut(handler):
    packed = gzip.compress(handler.whole())
    body = packed[: len(packed) // 2]
    headers = {
        "Content-Encoding": "gzip",
        "Content-Length": str(len(body)),
        "Ipp-Request-Id": REQUEST_ID,
    }
    handler.send_bare(200, headers)
    handler.wfile.write(body)


def trickling_body(handler):
    headers = {"Content-Length": "100000", "Ipp-Request-Id": REQUEST_ID}
    handler.send_bare(200, headers)
    _trickle(handler, b"[ ")


def trickling_chunks(handler):
    headers = {"Transfer-Encoding": "chunked", "Ipp-Request-Id": REQUEST_ID}
    handler.send_bare(200, headers)
    _trickle(handler, b"1\r\n \r\n")


def trickling_headers(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    handler.close_connection = True
    _trickle(handler, b"x")


def _trickle(handler, part):
    """A little, again and again, each well before a read times out."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends and not handler.hostile.ended.wait(0.05):
        try:
            handler.wfile.write(part)
        except OSError:
            return


def silence(handler):
    """No answer before the client's timeout."""
    handler.hostile.ended.wait(5)
    handler.close_connection = True


def redirect_to_itself(handler):
    handler.say(302, b"", {"Location": handler.path, "Ipp-Request-Id": REQUEST_ID})
