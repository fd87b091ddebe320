"""Waiting for what can be observed, never for a length of time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_PACE = threading.Event()


def until(look: Callable[[], T], *, seconds: float = 20) -> T:
    """Look until there is something to see; gives it.

    Raises:
        AssertionError: There was nothing for so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it never came"
        _PACE.wait(0.002)
    return seen
