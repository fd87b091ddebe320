"""Connections whose answers must be complete within a time, however slowly they trickle."""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, cast

import urllib3.connection
from requests.adapters import HTTPAdapter
from typing_extensions import override

if TYPE_CHECKING:
    from socket import socket

    from _typeshed import WriteableBuffer

TIMEOUTS = 3
"""An answer may take so many times as long as the timeout, which only counts until a next part."""


class _Reader(io.RawIOBase):
    """What a socket gives, until the time is over."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._raw = cast("io.RawIOBase", sock.makefile("rb", buffering=0))
        self._timeout = sock.gettimeout()
        self._ends_at = time.monotonic() + TIMEOUTS * (self._timeout or float("inf"))

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self._timeout is not None:
            left = self._ends_at - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer trickles")
            self._sock.settimeout(min(left, self._timeout))
        return self._raw.readinto(buffer)

    @override
    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answering:
    """A socket as `HTTPResponse` uses it."""

    def __init__(self, sock: socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock))


def _response(sock: socket, *args: Any, **kwargs: Any) -> HTTPResponse:
    return HTTPResponse(cast("socket", _Answering(sock)), *args, **kwargs)


class _Connection(urllib3.connection.HTTPConnection):
    response_class = staticmethod(_response)  # type: ignore[assignment]


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = staticmethod(_response)  # type: ignore[assignment]


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class DeadlineAdapter(HTTPAdapter):
    """Ends an answer that takes more than `TIMEOUTS` times the timeout, as if it had timed out."""

    @override
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    @override
    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
