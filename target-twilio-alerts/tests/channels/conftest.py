"""A scripted HTTP server for answers no well-behaved server gives, and the API contracts."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict
    body: bytes
    connection: int

    @property
    def form(self) -> list:
        return parse_qsl(self.body.decode(), keep_blank_values=True, strict_parsing=True)

    @property
    def json(self):
        return json.loads(self.body)


def encode(status=200, body="", headers=None, length=None) -> bytes:
    """Write an HTTP answer; a `length` other than the body's makes it a broken one."""
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    shown = len(data) if length is None else length
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {shown}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


class Scripted:
    """Reads whole requests and answers each with the next of its `answers`, the last for ever.

    An answer is a tuple (status, body, headers, length), raw bytes, a function of the request that
    gives a tuple, or "drop", "reset" or "hang".
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: deque = deque()
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def _start(self, target, *arguments) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            self._start(self._serve, connection, len(self._connections))

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rb") as stream:
            try:
                while self._serve_one(connection, stream, number):
                    pass
            except OSError:
                return

    def _serve_one(self, connection, stream, number) -> bool:
        first = stream.readline()
        if not first:
            return False
        method, path, _ = first.decode().split()
        headers = {}
        while line := stream.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body, number)
        with self._lock:
            self.requests.append(request)
            action = self.answers.popleft() if len(self.answers) > 1 else self.answers[0]
        if action == "hang":
            self._end.wait(30)
            return False
        if action == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if action == "drop":
            return False
        given = action(request) if callable(action) else action
        connection.sendall(given if isinstance(given, bytes) else encode(*given))
        return True

    def close(self) -> None:
        self._end.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):  # already closed by the client or its thread
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def server():
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def refused_url():
    """A URL on which nothing listens: the port is bound, so that nobody else takes it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"
