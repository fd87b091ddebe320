"""Records each request of a service, and strikes it with a fault if one was asked for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from visma_twilio_sandbox.recording import RecordedRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from visma_twilio_sandbox.faults import Fault, Faults
    from visma_twilio_sandbox.recording import App, Message, Receive, RequestLog, Scope, Send

_KINDS = {b"{": "application/json", b"[": "application/json", b"<": "text/html"}


@dataclass(frozen=True)
class Manner:
    """What a service's own errors are like.

    Attributes:
        error_body: Body and content type of an error, for a fault.
        headers_of: Headers that every answer has, whatever becomes of the request.
        tenant_of: Which company a request is for.
    """

    error_body: Callable[[Fault], tuple[bytes, str]]
    headers_of: Callable[[RecordedRequest], Mapping[str, str]] | None = None
    tenant_of: Callable[[RecordedRequest], str | None] | None = None


class Middleware:
    """Records the request, takes a fault, and otherwise runs the service."""

    def __init__(
        self,
        name: str,
        app: App,
        faults: Faults,
        log: RequestLog,
        manner: Manner,
    ) -> None:
        self._name = name
        self._app = app
        self._faults = faults
        self._log = log
        self._manner = manner
        self._delays: set[asyncio.Future[None]] = set()

    def cut_delays(self) -> None:
        """End every wait, for the server stops."""
        for delay in list(self._delays):
            delay.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        body = await _read(receive)
        query = scope["query_string"].decode("latin-1")
        asked = RecordedRequest(
            service=self._name,
            method=scope["method"],
            path=scope["path"],
            query=parse_qsl(query, keep_blank_values=True),
            headers=_headers(scope),
            body=body,
            status=None,
        )
        if self._manner.tenant_of is not None:
            asked = replace(asked, tenant=self._manner.tenant_of(asked))
        number = self._log.add(asked)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._log.answered(number, message["status"])
            await send(message)

        text = f"{scope['path']}?{query}\n{body.decode('utf-8', 'replace')}"
        fault = self._faults.take(self._name, scope["method"], text, asked.tenant)
        again = _once_more(body, receive)
        if fault is None:
            await self._app(scope, again, answer)
            return
        if (fault.delay and not await self._wait(fault.delay)) or fault.drop == "before":
            await _cut(scope, again)
        elif fault.drop == "after":
            await self._app(scope, again, _nowhere)
            await _cut(scope, again)
        elif fault.drop == "during" or fault.cut or fault.stall:
            said: list[Message] = []
            await self._run(fault, asked, scope, again, _kept(said))
            await self._say(fault, said, scope, again, answer)
        else:
            await self._run(fault, asked, scope, again, answer)

    async def _run(
        self,
        fault: Fault,
        asked: RecordedRequest,
        scope: Scope,
        receive: Receive,
        answer: Send,
    ) -> None:
        if fault.status is None:
            await self._app(scope, receive, answer)
        else:
            await self._fail(fault, fault.status, asked, answer)

    async def _say(
        self,
        fault: Fault,
        said: list[Message],
        scope: Scope,
        receive: Receive,
        answer: Send,
    ) -> None:
        """Give an answer that is complete, halved, late or cut off."""
        body = b"".join(message.get("body", b"") for message in said[1:])
        half = len(body) // 2
        if fault.cut:
            body = body[:half]
        headers = [one for one in said[0]["headers"] if one[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode("ascii")))
        await answer({**said[0], "headers": headers})
        await answer({"type": "http.response.body", "body": body[:half], "more_body": True})
        if (fault.stall and not await self._wait(fault.stall)) or fault.drop == "during":
            await _cut(scope, receive, at_once=False)
        else:
            await answer({"type": "http.response.body", "body": body[half:]})

    async def _wait(self, seconds: float) -> bool:
        """Whether the time passed; False if the server stops meanwhile."""
        delay = asyncio.ensure_future(asyncio.sleep(seconds))
        self._delays.add(delay)
        try:
            await delay
        except asyncio.CancelledError:
            return False
        finally:
            self._delays.discard(delay)
        return True

    async def _fail(
        self,
        fault: Fault,
        status: int,
        asked: RecordedRequest,
        answer: Send,
    ) -> None:
        if fault.body is None:
            content, kind = self._manner.error_body(fault)
        else:
            content = fault.body if isinstance(fault.body, bytes) else fault.body.encode()
            kind = _KINDS.get(content.lstrip()[:1], "text/plain")
        headers = [
            (b"content-type", kind.encode("latin-1")),
            (b"content-length", str(len(content)).encode("ascii")),
        ]
        told = dict(self._manner.headers_of(asked)) if self._manner.headers_of else {}
        if fault.retry_after is not None:
            told["Retry-After"] = str(fault.retry_after)
        headers += [(name.encode("latin-1"), text.encode("latin-1")) for name, text in told.items()]
        await answer({"type": "http.response.start", "status": status, "headers": headers})
        await answer({"type": "http.response.body", "body": content})


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += cast("bytes", message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return body


def _once_more(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body which was read already, then what follows."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return left.pop() if left else await receive()

    return again


async def _cut(scope: Scope, receive: Receive, *, at_once: bool = True) -> None:
    """Close the TCP connection, after what was said if not at once; wait until it is closed."""
    transport: asyncio.Transport = scope["state"]["transport"]
    if at_once:
        transport.abort()
    else:
        transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(message: Message) -> None:
    """Take a part of an answer that nobody will get."""


def _kept(said: list[Message]) -> Send:
    """A `send` that keeps the answer."""

    async def keep(message: Message) -> None:
        said.append(message)

    return keep


def _headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
