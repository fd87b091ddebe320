"""What providers tell, written in the order in which it comes, many in one transaction.

Whoever told it gets their answer after the commit: what was lost they tell again.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple

from target_twilio_alerts.delivery.callbacks import UNMATCHED, ids_of, take
from target_twilio_alerts.ledger import LedgerError, LedgerLostError, events
from target_twilio_alerts.ledger.runs import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_twilio_alerts.delivery.callbacks import Callback
    from target_twilio_alerts.ledger import Event, Ledger
    from target_twilio_alerts.ledger.runs import Run

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 200
_REMEMBERED = 10_000


class _Waiting(NamedTuple):
    callback: Callback
    result: Future[str]


class Inbox:
    """Writes callbacks from a thread of its own.

    Args:
        ledger: Where to.
        run: The run that hears them.
    """

    def __init__(self, ledger: Ledger, run: Run) -> None:
        self._ledger = ledger
        self._run = run
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="inbox", daemon=True)
        self._unmatched: dict[Callback, None] = {}

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    @property
    def is_at_work(self) -> bool:
        """Whether what comes is written."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Write what has come, and end."""
        self._queue.put(None)
        self._thread.join()

    async def put(self, callback: Callback) -> str:
        """Give a callback; returns, once it is on disk, what became of it.

        Raises:
            LedgerError: It could not be written.
        """
        waiting = _Waiting(callback, Future())
        self._queue.put(waiting)
        return await asyncio.wrap_future(waiting.result)

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, is_last = [first], False
            while len(batch) < MOST_AT_ONCE and not is_last:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    is_last = True
                else:
                    batch.append(following)
            self._write(batch)
            if is_last:
                return

    def _write(self, batch: Sequence[_Waiting]) -> Exception | None:
        """Write callbacks; gives why that was not possible, if it was not."""
        try:
            results = self._take([one.callback for one in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, LedgerLostError):
                # Others must not suffer from one, nor from a deadlock with another process.
                for place, one in enumerate(batch):
                    if isinstance(self._write([one]), LedgerError):
                        self._fail(batch[place + 1 :], error)
                        return None
                return None
            if isinstance(error, LedgerError):
                logger.warning("%d callback(s) could not be written: %s", len(batch), error)
            else:
                logger.exception("A callback could not be written")
            self._fail(batch, error)
            return error
        for one, result in zip(batch, results, strict=True):
            _settle(one.result, result)
        return None

    @staticmethod
    def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
        """Let what was not written be told again."""
        for one in batch:
            _settle(one.result, error)

    def _take(self, callbacks: Sequence[Callback]) -> list[str]:
        """Write them in one transaction; gives what became of each."""
        now, results = utc_now(), [UNMATCHED] * len(callbacks)
        told: list[Event] = []
        unmatched: list[Callback] = []
        with self._ledger.write() as connection:
            ids = ids_of(connection, callbacks)
            # Rows of messages in one order everywhere, so that nobody waits in a circle.
            for place in sorted(range(len(callbacks)), key=lambda place: ids[place] or ""):
                one = callbacks[place]
                results[place], written = take(connection, one, ids[place], at=now)
                if results[place] == UNMATCHED:
                    if one in self._unmatched or one in unmatched:
                        continue
                    unmatched.append(one)
                told += written
            events.append(connection, told, at=now, run_id=self._run.id)
        self._remember(unmatched)
        return results

    def _remember(self, unmatched: Sequence[Callback]) -> None:
        """Note what fitted no message, so that it is not written again when it comes again."""
        self._unmatched |= dict.fromkeys(unmatched)
        for one in list(self._unmatched)[:-_REMEMBERED]:
            del self._unmatched[one]


def _settle(future: Future[str], result: str | BaseException) -> None:
    if not future.set_running_or_notify_cancel():
        return  # whoever told it has hung up
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
