"""The nearest of the names that exist, for a name that does not."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MANY = 24
"""Names that are said; of more nobody reads all."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that was most likely meant, or None."""
    by_folded = {each.casefold(): each for each in known}
    folded = name.casefold()
    close = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    if close:
        return by_folded[close[0]]
    starts = [each for each in by_folded if len(folded) > 1 and each.startswith(folded)]
    return by_folded[starts[0]] if len(starts) == 1 else None


def suggestion(name: str, known: Iterable[str], what: str) -> str:
    """Say which known name was likely meant; without a likely one, say which there are."""
    names = list(known)
    meant = nearest(name, names)
    if meant is not None:
        return f"did you mean {meant}?"
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return f"{what}: {', '.join(names[:_MANY])}{more}"
