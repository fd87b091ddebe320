"""Drives several reads at the same time from one thread, which alone writes."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from tap_visma.errors import LimitReachedError, TapError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tap_visma.reading import Reached, Reading, Rows


@dataclass(frozen=True)
class Ended:
    """A read has come to its end, or to what made it impossible."""

    error: TapError | LimitReachedError | None = None


def drive(
    readings: Iterable[Reading],
    *,
    at_once: int,
) -> Iterator[tuple[Reading, Rows | Reached | Ended]]:
    """Drive reads to their ends, whichever has an answer first; one that fails stops no other.

    Args:
        readings: Each is begun when there is room for it.
        at_once: How many may be under way.
    """
    waiting: dict[Future[Any], tuple[Reading, Iterator[Future[Any] | Rows | Reached]]] = {}
    to_come = iter(readings)
    ready = [(reading, reading.steps()) for reading in islice(to_come, at_once)]
    try:
        while ready:
            for reading, steps in ready:
                try:
                    for step in steps:
                        if isinstance(step, Future):
                            waiting[step] = (reading, steps)
                            break
                        yield reading, step
                    else:
                        yield reading, Ended()
                except (TapError, LimitReachedError) as error:
                    yield reading, Ended(error)
            room = at_once - len(waiting)
            ready = [(reading, reading.steps()) for reading in islice(to_come, room)]
            if not ready and waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                ready = [waiting.pop(future) for future in list(waiting) if future in done]
    finally:
        for reading, _ in waiting.values():
            reading.drop()
