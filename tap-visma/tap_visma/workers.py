"""A few threads that ask one company's API, so that requests wait for their answers together."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_Task = tuple["Future[Any]", "Callable[[], Any]"]


class Workers:
    """Threads that end with the process, also in the middle of a request.

    `concurrent.futures` has a pool, but a process that is told to stop would wait for it until the
    last answer has come or timed out.

    Args:
        number: How many; each is started when it is first needed.
        name: What to call them.
    """

    def __init__(self, number: int, *, name: str) -> None:
        self._number = number
        self._name = name
        self._tasks: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        self._started = 0
        self._busy = 0
        self._lock = threading.Lock()

    @property
    def number(self) -> int:
        """How many tasks can be under way at the same time."""
        return self._number

    def submit(self, task: Callable[[], T]) -> Future[T]:
        """Have a task done, after those that were submitted before."""
        future: Future[T] = Future()
        with self._lock:
            self._busy += 1
            if self._started < min(self._busy, self._number):
                self._started += 1
                name = f"{self._name}-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
        self._tasks.put((future, task))
        return future

    def _work(self) -> None:
        while True:
            future, task = self._tasks.get()
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(task())
                except BaseException as error:  # noqa: BLE001 - raised where the result is taken
                    future.set_exception(error)
            with self._lock:
                self._busy -= 1
            del future, task  # a page must not be kept until the next one
