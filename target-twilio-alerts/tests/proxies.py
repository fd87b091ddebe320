"""An HTTP proxy, and TLS before a server that has none, for tests of what lies between."""

from __future__ import annotations

import abc
import contextlib
import ipaddress
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from typing_extensions import Self

LOCAL = "127.0.0.1"


class Relay(abc.ABC):
    """Listens, and passes each connection on; a context manager."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOCAL, 0), backlog=64)
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):  # whoever is at either end has gone
            self.serve(connection)

    @abc.abstractmethod
    def serve(self, connection: socket.socket) -> None:
        """Pass one connection on."""


class Proxy(Relay):
    """An HTTP proxy: plain HTTP is passed on, and CONNECT opens a tunnel.

    Args:
        refuses: Whether it answers CONNECT with a no.

    Attributes:
        asked: The first line of each connection.
    """

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__()
        self._refuses = refuses
        self.asked: list[str] = []
        self.url = f"http://{LOCAL}:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        first, rest = _head(connection)
        self.asked.append(first)
        method, where, version = first.split()
        if method == "CONNECT" and self._refuses:
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return
        parts = urlsplit(f"//{where}" if method == "CONNECT" else where)
        with socket.create_connection((parts.hostname, parts.port)) as onward:
            if method == "CONNECT":
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = parts.path + (f"?{parts.query}" if parts.query else "")
                onward.sendall(
                    f"{method} {path} {version}\r\nConnection: close\r\n".encode() + rest
                )
            _pipe(connection, onward)


class Tls(Relay):
    """Speaks TLS and passes on what it hears.

    Args:
        url: Of the server that does not speak it.
        folder: Where the certificate is written.

    Attributes:
        certificate: The file, for those who are to trust it.
    """

    def __init__(self, url: str, folder: Path) -> None:
        super().__init__()
        parts = urlsplit(url)
        self._onward = (parts.hostname, parts.port)
        self.url = f"https://{LOCAL}:{self.port}{parts.path}"
        self.certificate = folder / "certificate.pem"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(_written_certificate(self.certificate))

    def serve(self, connection: socket.socket) -> None:
        with (
            self._context.wrap_socket(connection, server_side=True) as heard,
            socket.create_connection(self._onward) as onward,
        ):
            _pipe(heard, onward)


def _head(connection: socket.socket) -> tuple[str, bytes]:
    """The first line of a request, and what was read after it: the other headers at least."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(1 << 16)
        if not more:
            raise OSError("no request")
        data += more
    first, _, rest = data.partition(b"\r\n")
    return first.decode(), rest


def _pipe(one: socket.socket, other: socket.socket) -> None:
    """Pass on what either says, until the answering side has ended."""
    back = threading.Thread(target=_copy, args=(one, other), daemon=True)
    back.start()
    _copy(other, one)
    back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it has gone: there is nobody to tell
        for data in _read(source):
            sink.sendall(data)
    for side in (source, sink):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)


def _read(source: socket.socket) -> Iterator[bytes]:
    while data := source.recv(1 << 16):
        yield data


def _written_certificate(path: Path) -> Path:
    """Write a certificate of this machine, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, LOCAL)])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOCAL))]),
            critical=False,
        )
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    return path
