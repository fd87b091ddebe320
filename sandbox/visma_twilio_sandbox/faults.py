"""Faults that a test or a demo asks a service to have: errors, delays and cut connections."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Literal

Drop = Literal["before", "during", "after"]

HTML = """<!DOCTYPE html>
<html><head><title>Maintenance</title></head><body><h1>We are soon back</h1></body></html>
"""
"""An error page of something between the client and the service, for `Fault.body`."""


@dataclass
class Fault:
    """What goes wrong with the next matching requests.

    Attributes:
        service: Name of the service, e.g. ``twilio``.
        status: Answer with this HTTP status instead of running the service.
        times: How many requests it still strikes; None is for ever.
        retry_after: Value of the ``Retry-After`` header, in seconds or as an HTTP date.
        delay: Seconds to wait first. A client that gives up meanwhile is still served.
        drop: Cut the connection ``before`` the service runs, ``after`` it ran, unanswered, or
            ``during`` its answer: half of the body comes, of the length that the header tells.
        cut: Answer half of the body as if it were all: whole HTTP, broken JSON.
        stall: Seconds to wait in the middle of the body.
        body: Body of the answer instead of the service's own kind of error.
        match: Only requests whose path, query and body together hold this text.
        code: Error code in the body, for a service that has such (Twilio).
        method: Only requests of this method.
        tenant: Only requests for the company of this tenant id (Visma).
    """

    service: str
    status: int | None = None
    times: int | None = 1
    retry_after: float | str | None = None
    delay: float = 0.0
    drop: Drop | None = None
    body: str | bytes | None = None
    match: str | None = None
    code: int | None = None
    method: str | None = None
    tenant: str | None = None
    cut: bool = False
    stall: float = 0.0

    def strikes(self, service: str, method: str, text: str, tenant: str | None = None) -> bool:
        """Whether it is for this request and not used up."""
        return (
            self.service == service
            and self.times != 0
            and (self.method is None or self.method.upper() == method.upper())
            and (self.match is None or self.match in text)
            and (self.tenant is None or self.tenant == tenant)
        )


class Faults:
    """The faults of all services, struck in the order they were added. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        service: str,
        *,
        status: int | None = None,
        times: int | None = 1,
        retry_after: float | str | None = None,
        delay: float = 0.0,
        drop: Drop | None = None,
        body: str | bytes | None = None,
        match: str | None = None,
        code: int | None = None,
        method: str | None = None,
        tenant: str | None = None,
        cut: bool = False,
        stall: float = 0.0,
    ) -> Fault:
        """Ask for a fault; see `Fault` for the arguments."""
        fault = Fault(
            service=service,
            status=status,
            times=times,
            retry_after=retry_after,
            delay=delay,
            drop=drop,
            body=body,
            match=match,
            code=code,
            method=method,
            tenant=tenant,
            cut=cut,
            stall=stall,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def take(
        self,
        service: str,
        method: str,
        text: str,
        tenant: str | None = None,
    ) -> Fault | None:
        """The first fault that strikes this request, counted as used once.

        Args:
            service: Name of the service.
            method: HTTP method.
            text: Path, query and body, for `Fault.match`.
            tenant: Whose the request is, for `Fault.tenant`.
        """
        with self._lock:
            for fault in self._faults:
                if fault.strikes(service, method, text, tenant):
                    if fault.times is not None:
                        fault.times -= 1
                    return fault
        return None
