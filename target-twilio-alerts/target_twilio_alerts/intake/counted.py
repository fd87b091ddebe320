"""What a run has taken in, decided and written, by name: what was not committed does not count."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

T = TypeVar("T")


class Counted:
    """Counters that can be put back to the last commit.

    Attributes:
        outcomes: By rule and outcome.
        counts: What was taken in and written.
        taken: Documents by entity.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.counts: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.keep()

    def keep(self) -> None:
        """Note that all of it has been committed."""
        self._kept = (Counter(self.outcomes), Counter(self.counts), Counter(self.taken))

    def undo(self) -> None:
        """Count what has been committed only."""
        outcomes, counts, taken = self._kept
        _put_back(self.outcomes, outcomes)
        _put_back(self.counts, counts)
        _put_back(self.taken, taken)


def _put_back(counter: Counter[T], kept: Counter[T]) -> None:
    counter.clear()
    counter.update(kept)
