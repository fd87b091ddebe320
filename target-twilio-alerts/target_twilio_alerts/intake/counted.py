"""What a run has taken in, decided and written, by name: what was not committed does not count."""

from __future__ import annotations

from collections import Counter
from typing import Any


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
        now: tuple[Counter[Any], ...] = (self.outcomes, self.counts, self.taken)
        for counter, kept in zip(now, self._kept, strict=True):
            counter.clear()
            counter.update(kept)
