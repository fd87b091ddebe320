"""One service of the sandbox on a loopback port: its requests are recorded, its faults are real."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from visma_twilio_sandbox.faults import Fault, Faults

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
ErrorBody = Callable[["Fault"], tuple[bytes, str]]
TenantOf = Callable[["RecordedRequest"], "str | None"]

_KINDS = {b"{": "application/json", b"[": "application/json", b"<": "text/html"}
_GRACE = 5
_JOIN = 10


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


class ServiceServer:
    """Serves an ASGI application on a loopback port of its own, in a thread of its own.

    Args:
        name: Name of the service, for the log and the faults.
        app: The service.
        faults: Where faults are taken from.
        log: Where requests are recorded.
        error_body: Body and content type of the service's own kind of error, for a fault.
        tenant_of: Which company a request is for.
    """

    def __init__(
        self,
        name: str,
        app: App,
        *,
        faults: Faults,
        log: RequestLog,
        error_body: ErrorBody,
        tenant_of: TenantOf | None = None,
    ) -> None:
        self.name = name
        self._middleware = _Middleware(name, app, faults, log, error_body, tenant_of=tenant_of)
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, once started."""
        if self._socket is None:
            raise RuntimeError(f"{self.name} is not started")
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def start(self) -> None:
        """Listen on a free port; returns when it answers."""
        self._socket = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            cast("Any", self._middleware),
            http=_Protocol,
            ws="none",
            lifespan="off",
            loop="asyncio",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="error",
            timeout_keep_alive=75,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name=f"sandbox-{self.name}",
            daemon=True,
        )
        self._thread.start()
        if not self._server.is_up.wait(_JOIN):
            raise RuntimeError(f"{self.name} did not start")

    def ask_to_stop(self) -> None:
        """Begin to stop without waiting, so that several services stop at the same time."""
        if self._server is not None:
            self._server.ask_to_stop(self._middleware)

    def stop(self) -> None:
        """Cut delays short, finish what is being answered, close every connection."""
        if self._server is None or self._thread is None:
            return
        self.ask_to_stop()
        self._thread.join(_JOIN)
        if self._thread.is_alive():
            raise RuntimeError(f"{self.name} did not stop")
        self._server = self._thread = self._socket = None


class _Protocol(H11Protocol):
    """Lets the middleware see the connection, so that it can cut it, and tells when it is lost."""

    lost: asyncio.Future[None]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this for sockets made with IPPROTO_TCP only; without it answers take 40 ms.
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}
        self.lost = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.lost.done():
            self.lost.set_result(None)


class _Server(uvicorn.Server):
    """Tells when it is up, and stops at once when asked instead of at the next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await super().startup(sockets)
        await self.on_tick(0)
        self.is_up.set()

    async def main_loop(self) -> None:
        while self._stopping is not None and not await self.on_tick(0):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does it, without its pauses of a tenth of a second."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, late = await asyncio.wait(list(self.server_state.tasks), timeout=_GRACE)
            for task in late:
                task.cancel()
        if open_ones := list(self.server_state.connections):
            closing = [cast("_Protocol", connection).lost for connection in open_ones]
            await asyncio.wait(closing, timeout=_GRACE)

    def ask_to_stop(self, middleware: _Middleware) -> None:
        if self._loop is None or self._stopping is None or self._loop.is_closed():
            return
        stopping = self._stopping

        def stop() -> None:
            self.should_exit = True
            stopping.set()
            middleware.cut_delays()

        with contextlib.suppress(RuntimeError):  # closed between the look and the call
            self._loop.call_soon_threadsafe(stop)


class _Middleware:
    """Records the request, takes a fault, and otherwise runs the service."""

    def __init__(
        self,
        name: str,
        app: App,
        faults: Faults,
        log: RequestLog,
        error_body: ErrorBody,
        *,
        tenant_of: TenantOf | None,
    ) -> None:
        self._name = name
        self._app = app
        self._faults = faults
        self._log = log
        self._error_body = error_body
        self._tenant_of = tenant_of
        self._delays: set[asyncio.Future[None]] = set()

    def cut_delays(self) -> None:
        for delay in list(self._delays):
            delay.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
        if self._tenant_of is not None:
            asked = replace(asked, tenant=self._tenant_of(asked))
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
            await self._run(fault, scope, again, _kept(said))
            await self._say(fault, said, scope, again, answer)
        else:
            await self._run(fault, scope, again, answer)

    async def _run(self, fault: Fault, scope: Scope, receive: Receive, answer: Send) -> None:
        if fault.status is None:
            await self._app(scope, receive, answer)
        else:
            await self._fail(fault, fault.status, answer)

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

    async def _fail(self, fault: Fault, status: int, answer: Send) -> None:
        if fault.body is None:
            content, kind = self._error_body(fault)
        else:
            content = fault.body if isinstance(fault.body, bytes) else fault.body.encode()
            kind = _KINDS.get(content.lstrip()[:1], "text/plain")
        headers = [
            (b"content-type", kind.encode("latin-1")),
            (b"content-length", str(len(content)).encode("ascii")),
        ]
        if fault.retry_after is not None:
            headers.append((b"retry-after", str(fault.retry_after).encode("latin-1")))
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
