"""One service of the sandbox on a loopback port: its requests are recorded, its faults are real."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from visma_twilio_sandbox.recording import App, RecordedRequest, RequestLog
from visma_twilio_sandbox.striking import Manner, Middleware

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from visma_twilio_sandbox.faults import Fault, Faults

__all__ = ["App", "RecordedRequest", "RequestLog", "ServiceServer"]

_GRACE = 5
_JOIN = 10


class ServiceServer:
    """Serves an ASGI application on a loopback port of its own, in a thread of its own.

    Args:
        name: Name of the service, for the log and the faults.
        app: The service.
        faults: Where faults are taken from.
        log: Where requests are recorded.
        error_body: Body and content type of the service's own kind of error, for a fault.
        headers_of: Headers that every answer has, for a fault; with them the app tells the time.
        tenant_of: Which company a request is for.
    """

    def __init__(
        self,
        name: str,
        app: App,
        *,
        faults: Faults,
        log: RequestLog,
        error_body: Callable[[Fault], tuple[bytes, str]],
        headers_of: Callable[[RecordedRequest], Mapping[str, str]] | None = None,
        tenant_of: Callable[[RecordedRequest], str | None] | None = None,
    ) -> None:
        self.name = name
        self._tells_time = headers_of is None
        manner = Manner(error_body, headers_of, tenant_of)
        self._middleware = Middleware(name, app, faults, log, manner)
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
            date_header=self._tells_time,
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

    def ask_to_stop(self, middleware: Middleware) -> None:
        if self._loop is None or self._stopping is None or self._loop.is_closed():
            return
        stopping = self._stopping

        def stop() -> None:
            self.should_exit = True
            stopping.set()
            middleware.cut_delays()

        with contextlib.suppress(RuntimeError):  # closed between the look and the call
            self._loop.call_soon_threadsafe(stop)
