"""What a service is asked: each request as it arrived, with the status of its answer."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class RecordedRequest:
    """A request as it arrived. Header names are lower-case; status is None if it got no answer.

    `tenant` is the company it is for, as far as the service has such.
    """

    service: str
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    status: int | None
    tenant: str | None = None


@dataclass
class RequestLog:
    """The requests of all services in the order they arrived. Thread-safe."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _requests: dict[int, RecordedRequest] = field(default_factory=dict)
    _next: int = 0

    def add(self, request: RecordedRequest) -> int:
        """Record a request; gives the number to tell its answer with."""
        with self._lock:
            number = self._next
            self._next += 1
            self._requests[number] = request
            return number

    def answered(self, number: int, status: int) -> None:
        """Tell which status a recorded request was answered with."""
        with self._lock:
            if (request := self._requests.get(number)) is not None:
                self._requests[number] = replace(request, status=status)

    def of(self, service: str) -> list[RecordedRequest]:
        """The requests of one service, oldest first."""
        with self._lock:
            return [request for request in self._requests.values() if request.service == service]

    def clear(self) -> None:
        """Forget every request."""
        with self._lock:
            self._requests.clear()
