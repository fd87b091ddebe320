"""One HTTP session for each thread, and none of its connections reused after a rest."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_SECONDS = 4.0
"""Servers close idle connections after 5 s or more. A POST on a connection that the server is just
closing breaks without telling whether it was read, and the message ends `unknown`; opening a new
connection after a rest costs a TLS handshake and avoids nearly all of these."""

_Client = TypeVar("_Client")


class PerThread(Generic[_Client]):
    """A client of its own for each thread, made on first use."""

    def __init__(self, make: Callable[[], _Client], close: Callable[[_Client], None]) -> None:
        self._make = make
        self._close = close
        self._local = threading.local()
        self._lock = threading.Lock()
        self._all: list[_Client] = []

    def get(self) -> _Client:
        """Return this thread's client."""
        client: _Client | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = self._make()
            with self._lock:
                self._all.append(client)
        return client

    def close(self) -> None:
        """Close the connections of every thread's client; a client opens new ones when used."""
        with self._lock:
            for client in self._all:
                self._close(client)


class Freshness:
    """Closes a session's connections when they have rested too long. Used by one thread."""

    def __init__(self, session: requests.Session) -> None:
        self._session = session
        self._used = time.monotonic()

    def before_request(self) -> None:
        """Drop connections that the server may be about to close."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._session.close()

    def after_request(self) -> None:
        """Note when the connection was last in use."""
        self._used = time.monotonic()


class Session:
    """One thread's session of plain `requests`."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._freshness = Freshness(self._session)

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Send one request on a connection that has not rested too long."""
        self._freshness.before_request()
        try:
            return self._session.request(method, url, **kwargs)
        finally:
            self._freshness.after_request()

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
