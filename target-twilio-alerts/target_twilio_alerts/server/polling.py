"""Early polls: a command is run when something has changed, one at a time."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

DEBOUNCE_SECONDS = 1.0
"""One change in Visma makes several webhooks; they are answered by one poll."""

_GRACE_SECONDS = 60.0
_STDERR = 2


class EarlyPolls:
    """Runs a command after each request, and once for all requests that come meanwhile.

    Args:
        command: The command, word by word; no shell reads it.
        on_end: Is told how each run ended: "ok" or "failed".
        debounce_seconds: How long to wait for further requests before a run.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        on_end: Callable[[str], None],
        debounce_seconds: float = DEBOUNCE_SECONDS,
    ) -> None:
        self._command = command
        self._on_end = on_end
        self._debounce = debounce_seconds
        self._wanted = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to wait for requests."""
        self._task = asyncio.create_task(self._work())

    def request(self) -> None:
        """Ask for a run that begins after now."""
        self._wanted.set()

    async def stop(self) -> None:
        """Let a run that is under way end itself, and begin none."""
        self._is_stopping = True
        if self._task is None:
            return
        if self._process is None:
            self._task.cancel()
        else:
            _tell(self._process, signal.SIGTERM)
            done, _ = await asyncio.wait([self._task], timeout=_GRACE_SECONDS)
            if not done:
                _tell(self._process, signal.SIGKILL)
        with suppress(asyncio.CancelledError):
            await self._task

    async def _work(self) -> None:
        while not self._is_stopping:
            await self._wanted.wait()
            await asyncio.sleep(self._debounce)
            # What is asked for from here on may come too late for this run, and makes another.
            self._wanted.clear()
            self._on_end("ok" if await self._run() else "failed")

    async def _run(self) -> bool:
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=_STDERR,
                # What stops the server is told to it by the server.
                start_new_session=True,
            )
        except OSError as error:
            logger.error("poll_command cannot be run: %s", error.strerror)  # noqa: TRY400 - the log is for people
            return False
        logger.info("Something has changed in Visma: poll_command runs")
        code = await self._process.wait()
        self._process = None
        level = logging.WARNING if code else logging.INFO
        logger.log(level, "poll_command ended with exit code %d", code)
        return code == 0


def _tell(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Send a signal to a run and all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
